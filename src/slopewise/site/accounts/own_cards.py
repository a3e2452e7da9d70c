"""Cards that learners write themselves: plain text, seen by nobody else, theirs on every tier."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.content.library import Label, ShownCard
from slopewise.site.storage.anki_tables import ImportedCard
from slopewise.site.storage.tables import OwnCard

SLUG = "own"
LABEL = Label(SLUG, "Your own cards", "", False, 0)
LONGEST_FRONT, LONGEST_BACK = 500, 2000
MOST = 2000


def card_ids_of(session: Session, learner_id: uuid.UUID) -> list[uuid.UUID]:
    """Return which cards are a learner's own, in the order of `cards_of`; there may be ten thousand."""
    return [
        card_id
        for table in (OwnCard, ImportedCard)
        for card_id in session.scalars(
            select(table.id).where(table.learner_id == learner_id).order_by(table.created_at, table.id)
        )
    ]


def cards_of(
    session: Session, learner_id: uuid.UUID, among: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, ShownCard]:
    """Return a learner's own cards: those that were written, then those that were brought along from Anki.

    Parameters
    ----------
    session : Session
    learner_id : UUID
    among : collection of UUID
        Only these cards are read, those of others left out; by default all.
    """
    return written_cards(session, learner_id, among) | _imported_cards(session, learner_id, among)


def own_among(session: Session, learner_id: uuid.UUID, card_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of some cards are a learner's own."""
    return {
        card_id
        for table in (OwnCard, ImportedCard)
        for card_id in session.scalars(
            select(table.id).where(table.learner_id == learner_id, table.id.in_(card_ids))
        )
    }


def written_cards(
    session: Session, learner_id: uuid.UUID, among: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, ShownCard]:
    """Return the cards that a learner wrote, in the order in which they were written."""
    query = select(OwnCard).where(OwnCard.learner_id == learner_id).order_by(OwnCard.created_at, OwnCard.id)
    if among is not None:
        query = query.where(OwnCard.id.in_(among))
    return {
        row.id: ShownCard(
            row.id, str(row.id), LABEL, "", row.front, row.back, (), not row.source, source=row.source or ""
        )
        for row in session.scalars(query)
    }


def _imported_cards(
    session: Session, learner_id: uuid.UUID, among: Collection[uuid.UUID] | None
) -> dict[uuid.UUID, ShownCard]:
    query = select(ImportedCard).where(ImportedCard.learner_id == learner_id)
    if among is not None:
        query = query.where(ImportedCard.id.in_(among))
    return {
        row.id: ShownCard(row.id, str(row.id), LABEL, "", row.front, row.back, (), is_html=True)
        for row in session.scalars(query.order_by(ImportedCard.created_at, ImportedCard.id))
    }


def add_card(session: Session, learner_id: uuid.UUID, front: str, back: str, now: datetime) -> uuid.UUID:
    """Add a card, and return its id.

    Raises
    ------
    ArgumentError
        If a side is empty or too long, or there are too many cards.
    """
    front, back = _sides(front, back)
    count = select(func.count()).select_from(OwnCard).where(OwnCard.learner_id == learner_id)
    if (session.scalar(count) or 0) >= MOST:
        raise ArgumentError(f"There is room for {MOST} cards of your own. Delete some you no longer need.")
    card = OwnCard(
        id=uuid.uuid4(), learner_id=learner_id, front=front, back=back, created_at=now, changed_at=now
    )
    session.add(card)
    return card.id


def change_card(
    session: Session, learner_id: uuid.UUID, card_id: uuid.UUID, front: str, back: str, now: datetime
) -> None:
    """Change the text of a card; its schedule stays.

    Raises
    ------
    ArgumentError
        If a side is empty or too long, or a lab made the card.
    DataError
        If the learner has no such card.
    """
    card = _own(session, learner_id, card_id)
    if card.source:
        raise ArgumentError(
            "A card made from a prediction keeps the lab's own words. Write another beside it."
        )
    card.front, card.back = _sides(front, back)
    card.changed_at = now


def delete_card(session: Session, learner_id: uuid.UUID, card_id: uuid.UUID) -> None:
    """Delete a card. Its reviews stay in the log, without its text.

    Raises
    ------
    DataError
        If the learner has no such card.
    """
    session.delete(_own(session, learner_id, card_id))


def _own(session: Session, learner_id: uuid.UUID, card_id: uuid.UUID) -> OwnCard:
    card = session.get(OwnCard, card_id)
    if card is None or card.learner_id != learner_id:
        raise DataError("You have no such card.")
    return card


def _sides(front: str, back: str) -> tuple[str, str]:
    front, back = (text.replace("\r\n", "\n").strip() for text in (front, back))
    for name, text, most in (("front", front, LONGEST_FRONT), ("back", back, LONGEST_BACK)):
        if not 1 <= len(text) <= most or "\x00" in text:
            raise ArgumentError(f"The {name} of a card has 1 to {most} characters.")
    return front, back
