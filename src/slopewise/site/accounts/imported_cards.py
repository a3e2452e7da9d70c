"""Cards that learners brought along from Anki: theirs on every tier, seen by nobody else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.anki_tables import CardMedium, ImportedCard
from slopewise.site.storage.tables import OwnCard

MOST_CARDS = 10_000  # of a learner
MOST_MEDIA = 50 * 2**20  # bytes of a learner
_MEDIUM = re.compile(r'src="/cards/media/([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Medium:
    """An image or a sound that came with a package."""

    kind: str
    digest: bytes
    content: bytes


@dataclass(frozen=True)
class Arrivals:
    """What became of a package's cards."""

    added: int
    updated: int
    known: int


@dataclass(frozen=True)
class ImportedDeck:
    """A deck that came from Anki."""

    name: str
    cards: tuple[ImportedCard, ...]


def keep(
    session: Session,
    learner_id: uuid.UUID,
    cards: Sequence[Mapping[str, Any]],
    media: Mapping[str, Medium],
    now: datetime,
    course_cards: frozenset[uuid.UUID] = frozenset(),
) -> Arrivals:
    """Keep the cards of a package. A card that is known by Anki's name for it is updated, never doubled.

    Parameters
    ----------
    session : Session
        For writing.
    learner_id : UUID
    cards : sequence of mapping
        With ``guid``, ``ordinal``, ``deck``, ``front`` and ``back``.
    media : mapping
        By the name under which the cards show them.
    now : datetime
    course_cards : set of UUID
        Cards of the site: a package made here brings them back, and they are left out.

    Raises
    ------
    ArgumentError
        If there is no room for the cards or their media; nothing is kept then.
    """
    names = _keep_media(session, learner_id, media, now)
    known = {
        (row.guid, row.ordinal): row
        for row in session.scalars(select(ImportedCard).where(ImportedCard.learner_id == learner_id))
    }
    own = {row.id for row in known.values()} | course_cards
    own |= set(session.scalars(select(OwnCard.id).where(OwnCard.learner_id == learner_id)))
    added = updated = same = 0
    for card in cards:
        key = card["guid"], card["ordinal"]
        if _as_uuid(card["guid"]) in own:
            same += 1
            continue
        front, back = (_renamed(card[side], names) for side in ("front", "back"))
        row = known.get(key)
        if row is None:
            row = ImportedCard(
                id=uuid.uuid4(),
                learner_id=learner_id,
                guid=key[0],
                ordinal=key[1],
                created_at=now + timedelta(microseconds=added),  # so that cards keep the order of the package
            )
            session.add(row)
            known[key] = row
            added += 1
        elif (row.deck, row.front, row.back) == (card["deck"], front, back):
            same += 1
            continue
        else:
            updated += 1
        row.deck, row.front, row.back, row.changed_at = card["deck"], front, back, now
    if len(known) > MOST_CARDS:
        raise ArgumentError(
            f"There is room for {MOST_CARDS} cards from Anki. Delete decks you no longer need."
        )
    session.flush()
    _drop_unused_media(session, learner_id)
    _check_room(session, learner_id)
    return Arrivals(added, updated, same)


def decks_of(session: Session, learner_id: uuid.UUID) -> list[ImportedDeck]:
    """Return a learner's decks from Anki, by name."""
    query = select(ImportedCard).where(ImportedCard.learner_id == learner_id)
    decks: dict[str, list[ImportedCard]] = {}
    for row in session.scalars(query.order_by(ImportedCard.created_at, ImportedCard.id)):
        decks.setdefault(row.deck, []).append(row)
    return [ImportedDeck(name, tuple(decks[name])) for name in sorted(decks, key=str.casefold)]


def delete_cards(session: Session, learner_id: uuid.UUID, card_ids: Sequence[uuid.UUID]) -> int:
    """Delete cards of a learner with the media that only they showed; their reviews stay in the log.

    Raises
    ------
    DataError
        If the learner has none of these cards.
    """
    statement = delete(ImportedCard).where(
        ImportedCard.learner_id == learner_id, ImportedCard.id.in_(card_ids)
    )
    count: int = session.connection().execute(statement).rowcount
    if not count:
        raise DataError("You have no such cards.")
    _drop_unused_media(session, learner_id)
    return count


def medium_of(session: Session, learner_id: uuid.UUID, medium_id: uuid.UUID) -> CardMedium | None:
    """Return an image or a sound of a learner: the only way to its bytes."""
    found = session.get(CardMedium, medium_id)
    return found if found is not None and found.learner_id == learner_id else None


def media_in(html: str) -> list[uuid.UUID]:
    """Return which media the side of a card shows.

    Examples
    --------
    >>> media_in('<img src="/cards/media/00000000-0000-0000-0000-000000000007">')
    [UUID('00000000-0000-0000-0000-000000000007')]
    """
    return [uuid.UUID(name) for name in _MEDIUM.findall(html)]


def _keep_media(
    session: Session, learner_id: uuid.UUID, media: Mapping[str, Medium], now: datetime
) -> dict[str, str]:
    """Keep media that are not there yet, and return the names under which each is kept."""
    query = select(CardMedium.digest, CardMedium.id).where(CardMedium.learner_id == learner_id)
    known = {row.digest: row.id for row in session.execute(query)}
    names = {}
    for name, medium in media.items():
        if medium.digest not in known:
            known[medium.digest] = uuid.uuid4()
            session.add(
                CardMedium(
                    id=known[medium.digest],
                    learner_id=learner_id,
                    digest=medium.digest,
                    kind=medium.kind,
                    size=len(medium.content),
                    content=medium.content,
                    created_at=now,
                )
            )
        names[name] = str(known[medium.digest])
    session.flush()
    return names


def _renamed(html: str, names: Mapping[str, str]) -> str:
    return _MEDIUM.sub(lambda found: f'src="/cards/media/{names[found[1]]}"', html)


def _drop_unused_media(session: Session, learner_id: uuid.UUID) -> None:
    shown: set[uuid.UUID] = set()
    query = select(ImportedCard.front, ImportedCard.back).where(ImportedCard.learner_id == learner_id)
    for front, back in session.execute(query):
        shown.update(media_in(front), media_in(back))
    kept = set(session.scalars(select(CardMedium.id).where(CardMedium.learner_id == learner_id)))
    for medium_id in sorted(kept - shown):
        session.execute(delete(CardMedium).where(CardMedium.id == medium_id))


def _check_room(session: Session, learner_id: uuid.UUID) -> None:
    size = session.scalar(select(func.sum(CardMedium.size)).where(CardMedium.learner_id == learner_id)) or 0
    if size > MOST_MEDIA:
        raise ArgumentError(
            f"There is room for {MOST_MEDIA // 2**20} MiB of media. Delete decks you no longer need."
        )


def _as_uuid(guid: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(guid)
    except ValueError:
        return None
