"""Reviews are a log: written once, never changed; the schedule is computed from it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.storage.tables import GRADES, Review


@dataclass(frozen=True)
class ReviewRecord:
    """A review as a device sends it."""

    id: uuid.UUID
    card_id: uuid.UUID
    grade: str
    reviewed_at: datetime
    scheduler: str


def record_reviews(session: Session, learner_id: uuid.UUID, records: Sequence[ReviewRecord]) -> int:
    """Add reviews to the log, and return how many of them were new.

    A review whose id is there already is left as it is: a device that did not hear the answer sends again.

    Raises
    ------
    DataError
        If a grade is unknown, or an id belongs to another learner's review.
    """
    known = {
        review.id: review.learner_id
        for review in session.scalars(select(Review).where(Review.id.in_([record.id for record in records])))
    }
    added = 0
    for record in records:
        if known.get(record.id, learner_id) != learner_id:
            raise DataError(f"the review {record.id} is not this learner's")
        if record.grade not in GRADES:
            raise DataError(f"a grade is one of {', '.join(GRADES)}, not {record.grade!r}")
        if record.id in known:
            continue
        known[record.id] = learner_id
        added += 1
        session.add(
            Review(
                id=record.id,
                learner_id=learner_id,
                card_id=record.card_id,
                grade=1 + GRADES.index(record.grade),
                reviewed_at=record.reviewed_at,
                received_at=datetime.now(UTC),
                scheduler=record.scheduler,
            )
        )
    session.flush()
    return added


def reviews_of(session: Session, learner_id: uuid.UUID) -> list[Review]:
    """Return a learner's reviews in the order in which they were made."""
    query = select(Review).where(Review.learner_id == learner_id).order_by(Review.reviewed_at, Review.id)
    return list(session.scalars(query))
