"""The cards of a day: those that are due, and some new ones."""

from __future__ import annotations

import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from slopewise.site.scheduling.days import Calendar
from slopewise.site.storage.tables import CardState

AHEAD = timedelta(minutes=20)  # a card in steps of minutes is shown early rather than keep somebody waiting


@dataclass(frozen=True)
class Queue:
    """The cards to show now, in order, and what else the day holds.

    Attributes
    ----------
    cards : tuple of UUID
    due, new : int
        How many of the cards come back, and how many are new.
    later : int
        Cards in steps of minutes that are due later, and not shown early.
    next_at : datetime
        When the next card is due, if none is now.
    resting : int
        Cards that were told to rest, of those that the learner may read.
    """

    cards: tuple[uuid.UUID, ...]
    due: int
    new: int
    later: int
    next_at: datetime | None
    resting: int = 0


def day_queue(
    session: Session,
    learner_id: uuid.UUID,
    readable: Sequence[uuid.UUID],
    calendar: Calendar,
    new_per_day: int,
    now: datetime,
) -> Queue:
    """Return the cards of the day that `now` is in, among those that the learner may read.

    Cards in steps of minutes come first, then those whose day has come, then new ones in the order given.
    """
    today = calendar.day_of(now)
    dawn, tomorrow = calendar.start_of(today), calendar.end_of(today)
    allowed = set(readable)
    horizon = max(tomorrow, now + AHEAD)
    running = [row for row in _running(session, learner_id, horizon) if row.card_id in allowed]
    steps = [row for row in running if row.phase in ("learning", "relearning")]
    soon = [row for row in steps if row.due_at <= now]
    returning = [row for row in running if row.phase == "review" and row.due_at < tomorrow]
    count = select(func.count()).select_from(CardState).where(CardState.learner_id == learner_id)
    started = session.scalar(count.where(CardState.first_at >= dawn, CardState.first_at < tomorrow)) or 0
    new = _new(session, learner_id, readable, max(0, new_per_day - started))
    due = [row.card_id for row in (*soon, *returning)]
    if not due and not new:
        due = [row.card_id for row in steps if row.due_at <= now + AHEAD]
    shown = set(due)
    later = next((row.due_at for row in running if row.card_id not in shown), None)
    return Queue(
        cards=(*due, *new),
        due=len(due),
        new=len(new),
        later=_count_steps(session, learner_id, allowed - shown),
        next_at=later or _first_due(session, learner_id, horizon, allowed),
        resting=sum(card_id in allowed for card_id in resting(session, learner_id)),
    )


def resting(session: Session, learner_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the cards that rest."""
    query = select(CardState.card_id).where(CardState.learner_id == learner_id, CardState.is_suspended)
    return sorted(session.scalars(query))


# A learner may have ten thousand cards: columns are read, not objects, and only those of cards that matter.


def _cards_in_turn(learner_id: uuid.UUID) -> Select[uuid.UUID, str, datetime | None]:
    """Return the query for cards that were reviewed and do not rest, by their due time."""
    return (
        select(CardState.card_id, CardState.phase, CardState.due_at)
        .where(
            CardState.learner_id == learner_id,
            CardState.due_at.is_not(None),  # as it is of a card that was never reviewed
            CardState.is_suspended.is_(False),
        )
        .order_by(CardState.due_at, CardState.card_id)
    )


def _running(session: Session, learner_id: uuid.UUID, before: datetime) -> Sequence[Any]:
    return session.execute(_cards_in_turn(learner_id).where(CardState.due_at < before)).all()


def _first_due(
    session: Session, learner_id: uuid.UUID, since: datetime, allowed: Container[uuid.UUID]
) -> datetime | None:
    query = _cards_in_turn(learner_id).where(CardState.due_at >= since)
    with session.execute(query, execution_options={"yield_per": 50}) as rows:  # left before its end
        return next((row.due_at for row in rows if row.card_id in allowed), None)


def _count_steps(session: Session, learner_id: uuid.UUID, allowed: Container[uuid.UUID]) -> int:
    query = _cards_in_turn(learner_id).where(CardState.phase.in_(("learning", "relearning")))
    return sum(row.card_id in allowed for row in session.execute(query))


def _new(
    session: Session, learner_id: uuid.UUID, readable: Sequence[uuid.UUID], most: int
) -> list[uuid.UUID]:
    """Return the first cards that were neither reviewed nor told to rest."""
    if not most:
        return []
    query = select(CardState.card_id).where(
        CardState.learner_id == learner_id, (CardState.phase != "new") | CardState.is_suspended
    )
    seen = set(session.scalars(query))
    return list(islice((card for card in readable if card not in seen), most))
