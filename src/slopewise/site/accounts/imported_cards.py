"""Cards that learners brought along from Anki: theirs on every tier, seen by nobody else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.accounts.arriving_cards import drop_unused_media
from slopewise.site.storage.anki_tables import CardMedium, ImportedCard
from slopewise.site.storage.database import Database


@dataclass(frozen=True)
class ImportedDeck:
    """A deck that came from Anki."""

    name: str
    cards: tuple[ImportedCard, ...]


def decks_of(session: Session, learner_id: uuid.UUID) -> list[ImportedDeck]:
    """Return a learner's decks from Anki, by name."""
    query = select(ImportedCard).where(ImportedCard.learner_id == learner_id)
    decks: dict[str, list[ImportedCard]] = {}
    for row in session.scalars(query.order_by(ImportedCard.created_at, ImportedCard.id)):
        decks.setdefault(row.deck, []).append(row)
    return [ImportedDeck(name, tuple(decks[name])) for name in sorted(decks, key=str.casefold)]


def delete_cards(
    database: Database, learner_id: uuid.UUID, *, card: uuid.UUID | None = None, deck: str = ""
) -> int:
    """Delete a card of a learner, or a deck, with the media that only they showed; reviews stay in the log.

    Raises
    ------
    DataError
        If the learner has none of these cards.
    """
    which = ImportedCard.deck == deck if card is None else ImportedCard.id == card
    with database.writing(of=learner_id) as session:
        statement = delete(ImportedCard).where(ImportedCard.learner_id == learner_id, which)
        count: int = session.connection().execute(statement).rowcount
    if not count:
        raise DataError("You have no such cards.")
    drop_unused_media(database, learner_id)
    return count


def medium_of(session: Session, learner_id: uuid.UUID, medium_id: uuid.UUID) -> CardMedium | None:
    """Return an image or a sound of a learner: the only way to its bytes."""
    found = session.get(CardMedium, medium_id)
    return found if found is not None and found.learner_id == learner_id else None
