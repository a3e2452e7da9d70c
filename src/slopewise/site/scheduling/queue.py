"""The cards of a day: those that are due, and some new ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
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
        Cards in steps of minutes that are due later.
    next_at : datetime
        When the next card is due, if none is now.
    resting : int
        Cards that were told to rest.
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
    states = list(session.scalars(select(CardState).where(CardState.learner_id == learner_id)))
    today = calendar.day_of(now)
    allowed = set(readable)
    running = [state for state in states if state.card_id in allowed and not state.is_suspended]
    steps = _by_due(state for state in running if state.phase in ("learning", "relearning"))
    soon = [state for state in steps if _due(state) <= now]
    returning = _by_due(
        state for state in running if state.phase == "review" and calendar.day_of(_due(state)) <= today
    )
    started = sum(
        1 for state in states if state.first_at is not None and calendar.day_of(state.first_at) == today
    )
    seen = {state.card_id for state in states if state.phase != "new" or state.is_suspended}
    new = [card for card in readable if card not in seen][: max(0, new_per_day - started)]
    due = [state.card_id for state in (*soon, *returning)]
    if not due and not new:
        due = [state.card_id for state in steps if _due(state) <= now + AHEAD]
    waiting = [_due(state) for state in running if state.phase != "new" and state.card_id not in due]
    return Queue(
        cards=(*due, *new),
        due=len(due),
        new=len(new),
        later=len(steps) - len(soon),
        next_at=min(waiting, default=None),
        resting=sum(state.is_suspended for state in states),
    )


def resting(session: Session, learner_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the cards that rest."""
    query = select(CardState.card_id).where(CardState.learner_id == learner_id, CardState.is_suspended)
    return sorted(session.scalars(query))


def _by_due(states: Iterable[CardState]) -> list[CardState]:
    return sorted(states, key=lambda state: (_due(state), state.card_id))


def _due(state: CardState) -> datetime:
    assert state.due_at is not None, "a card that was reviewed has a due time"
    return state.due_at
