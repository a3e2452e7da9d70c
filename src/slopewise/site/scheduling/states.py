"""Where a learner stands with cards: replayed from the log, and its cache, the table `card_states`."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import fields

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from slopewise.site.scheduling.replay import LoggedEvent, LoggedReview, Standing, replay
from slopewise.site.storage.tables import CardEvent, CardState, Review

_STANDING = tuple(getattr(CardState, field.name) for field in fields(Standing))


def standings(
    session: Session, learner_id: uuid.UUID, card_ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, Standing]:
    """Return where a learner stands with cards, or with all of them, replayed from the log."""
    reviews, events = rows_by_card(session, learner_id, card_ids)
    return {card: replay(reviews[card], events[card]) for card in sorted({*reviews, *events})}


def rows_by_card(
    session: Session, learner_id: uuid.UUID, card_ids: Collection[uuid.UUID] | None = None
) -> tuple[dict[uuid.UUID, list[LoggedReview]], dict[uuid.UUID, list[LoggedEvent]]]:
    """Return the rows of the log about cards, or about all of them; a card without rows has an empty list."""
    reviews: dict[uuid.UUID, list[LoggedReview]] = defaultdict(list)
    events: dict[uuid.UUID, list[LoggedEvent]] = defaultdict(list)
    of_reviews = select(Review.card_id, Review.id, Review.grade, Review.reviewed_at)
    of_events = select(
        CardEvent.card_id, CardEvent.id, CardEvent.kind, CardEvent.review_id, CardEvent.happened_at
    )
    for review in session.execute(of_reviews.where(*_of(Review, learner_id, card_ids))):
        reviews[review[0]].append(LoggedReview(*review[1:]))
    for happened in session.execute(of_events.where(*_of(CardEvent, learner_id, card_ids))):
        events[happened[0]].append(LoggedEvent(*happened[1:]))
    return reviews, events


def cached(
    session: Session, learner_id: uuid.UUID, card_ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, Standing]:
    """Return where a learner stands with cards, or with all of them, as the cache says."""
    query = select(CardState.card_id, *_STANDING).where(*_of(CardState, learner_id, card_ids))
    found = session.execute(query.order_by(CardState.card_id))
    return {card_id: Standing(*values) for card_id, *values in found}


def keep(session: Session, learner_id: uuid.UUID, found: Mapping[uuid.UUID, Standing]) -> None:
    """Put standings into the cache."""
    session.execute(delete(CardState).where(*_of(CardState, learner_id, found.keys())))
    if found:
        rows = [{"learner_id": learner_id, "card_id": card, **vars(found[card])} for card in found]
        session.execute(insert(CardState), rows)


def refresh(session: Session, learner_id: uuid.UUID, card_ids: Collection[uuid.UUID] | None = None) -> None:
    """Compute the cached states of cards, or of all, anew from the log."""
    session.execute(delete(CardState).where(*_of(CardState, learner_id, card_ids)))
    keep(session, learner_id, standings(session, learner_id, card_ids))


def _of(
    table: type[Review | CardEvent | CardState],
    learner_id: uuid.UUID,
    card_ids: Collection[uuid.UUID] | None,
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [table.learner_id == learner_id]
    if card_ids is not None:
        conditions.append(table.card_id.in_(card_ids))
    return conditions
