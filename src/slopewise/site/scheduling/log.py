"""The log of what learners do with cards: entries are added, each once, and the cache of states follows."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.scheduling.replay import SCHEDULER, Standing, replay
from slopewise.site.storage.tables import GRADES, CardEvent, CardState, Review

KINDS = ("review", "undo", "suspend", "resume")
MOST_ENTRIES = 500  # in one request
MOST_OF_A_CARD = 1000  # a card learned for life has some dozens; each entry costs a replay of all
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_WRONG_CLOCK = timedelta(minutes=2)


@dataclass(frozen=True)
class Entry:
    """Something that a device says happened. An undo names a review, everything else a card."""

    id: uuid.UUID
    kind: str
    at: datetime
    card_id: uuid.UUID | None = None
    review_id: uuid.UUID | None = None
    grade: str = ""


@dataclass
class Receipt:
    """What became of the entries: a device forgets those in both lists and sends all others again."""

    stored: list[uuid.UUID] = field(default_factory=list)
    refused: dict[uuid.UUID, str] = field(default_factory=dict)


def append(
    session: Session,
    learner_id: uuid.UUID,
    entries: Sequence[Entry],
    now: datetime,
    sent_at: datetime | None = None,
    known: Container[uuid.UUID] | None = None,
) -> Receipt:
    """Add entries to the log. One that is there already counts as stored; a bad one does not hold up others.

    Parameters
    ----------
    session : Session
        For writing.
    learner_id : UUID
    entries : sequence of Entry
    now : datetime
    sent_at : datetime
        What the clock of the device showed when it sent: if it is wrong, all its times are set right by it.
    known : container of UUID
        The cards that there are; by default all.
    """
    shift = now - sent_at if sent_at is not None else timedelta()
    if abs(shift) < _WRONG_CLOCK:
        shift = timedelta()
    receipt, touched = Receipt(), set()
    for entry in entries:
        try:
            if known is not None and entry.card_id is not None and entry.card_id not in known:
                raise DataError("there is no such card")
            touched.add(_add(session, learner_id, entry, min(_shifted(entry.at, shift), now), now))
        except DataError as error:
            receipt.refused[entry.id] = str(error)
        else:
            receipt.stored.append(entry.id)
    session.flush()
    refresh(session, learner_id, touched)
    return receipt


def _shifted(at: datetime, shift: timedelta) -> datetime:
    try:
        moment = at.astimezone(UTC) + shift
    except OverflowError:
        moment = EARLIEST - timedelta(days=1)
    if moment < EARLIEST:
        raise DataError("its time is before this site was made")
    return moment


def _add(session: Session, learner_id: uuid.UUID, entry: Entry, at: datetime, now: datetime) -> uuid.UUID:
    """Add an entry if it is not there, and return its card."""
    known = session.get(Review, entry.id) or session.get(CardEvent, entry.id)
    if known is not None:
        if known.learner_id != learner_id:
            raise DataError("this id is taken")
        return known.card_id
    if entry.kind == "undo":
        review = session.get(Review, entry.review_id) if entry.review_id else None
        if review is None or review.learner_id != learner_id:
            raise DataError("the review to undo is not there")
        card_id: uuid.UUID | None = review.card_id
    else:
        card_id = entry.card_id
    if card_id is None or entry.kind not in KINDS:
        raise DataError(f"an entry is a {', '.join(KINDS)} of a card")
    if _count(session, learner_id, card_id) >= MOST_OF_A_CARD:
        raise DataError(f"a card has at most {MOST_OF_A_CARD} entries")
    if entry.kind == "review":
        session.add(_review(learner_id, entry, card_id, at, now))
    else:
        session.add(
            CardEvent(
                id=entry.id,
                learner_id=learner_id,
                card_id=card_id,
                kind=entry.kind,
                review_id=entry.review_id if entry.kind == "undo" else None,
                happened_at=at,
                received_at=now,
            )
        )
    session.flush()
    return card_id


def _review(learner_id: uuid.UUID, entry: Entry, card_id: uuid.UUID, at: datetime, now: datetime) -> Review:
    if entry.grade not in GRADES:
        raise DataError(f"a grade is one of {', '.join(GRADES)}")
    return Review(
        id=entry.id,
        learner_id=learner_id,
        card_id=card_id,
        grade=1 + GRADES.index(entry.grade),
        reviewed_at=at,
        received_at=now,
        scheduler=SCHEDULER,
    )


def _count(session: Session, learner_id: uuid.UUID, card_id: uuid.UUID) -> int:
    return sum(
        session.scalar(
            select(func.count())
            .select_from(table)
            .where(table.learner_id == learner_id, table.card_id == card_id)
        )
        or 0
        for table in (Review, CardEvent)
    )


def standings(
    session: Session, learner_id: uuid.UUID, card_ids: Iterable[uuid.UUID] | None = None
) -> dict[uuid.UUID, Standing]:
    """Return where a learner stands with cards, or with all of them, replayed from the log."""
    reviews, events = rows_by_card(session, learner_id, card_ids)
    return {card: replay(reviews[card], events[card]) for card in sorted({*reviews, *events})}


def rows_by_card(
    session: Session, learner_id: uuid.UUID, card_ids: Iterable[uuid.UUID] | None = None
) -> tuple[dict[uuid.UUID, list[Review]], dict[uuid.UUID, list[CardEvent]]]:
    """Return the rows of the log about cards, or about all of them; a card without rows has an empty list."""
    reviews: dict[uuid.UUID, list[Review]] = defaultdict(list)
    events: dict[uuid.UUID, list[CardEvent]] = defaultdict(list)
    wanted = None if card_ids is None else list(card_ids)
    of_reviews = select(Review).where(Review.learner_id == learner_id)
    of_events = select(CardEvent).where(CardEvent.learner_id == learner_id)
    if wanted is not None:
        of_reviews = of_reviews.where(Review.card_id.in_(wanted))
        of_events = of_events.where(CardEvent.card_id.in_(wanted))
    for review in session.scalars(of_reviews):
        reviews[review.card_id].append(review)
    for happened in session.scalars(of_events):
        events[happened.card_id].append(happened)
    return reviews, events


def refresh(session: Session, learner_id: uuid.UUID, card_ids: Iterable[uuid.UUID] | None = None) -> None:
    """Compute the cached states of cards, or of all, anew from the log."""
    wanted = None if card_ids is None else list(card_ids)
    old = delete(CardState).where(CardState.learner_id == learner_id)
    session.execute(old if wanted is None else old.where(CardState.card_id.in_(wanted)))
    for card_id, standing in standings(session, learner_id, wanted).items():
        session.add(CardState(learner_id=learner_id, card_id=card_id, **vars(standing)))
    session.flush()
    session.expire_all()


def last_review(session: Session, learner_id: uuid.UUID) -> Review | None:
    """Return the last review that was not taken back: the one that an undo would mean."""
    undone = select(CardEvent.review_id).where(CardEvent.learner_id == learner_id, CardEvent.kind == "undo")
    query = (
        select(Review)
        .where(Review.learner_id == learner_id, Review.id.not_in(undone))
        .order_by(Review.reviewed_at.desc(), Review.id.desc())
        .limit(1)
    )
    return session.scalar(query)
