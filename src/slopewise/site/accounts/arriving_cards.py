"""Keeping what a package of Anki brings: all of it or nothing, and nobody else waits long.

To compare ten thousand cards and to write megabytes of media takes seconds, in which nobody else could write
to SQLite. So what is to change is found by reading; media are written in parts, which nobody sees as no card
shows them; then all cards change in one short transaction, if what was read is still so.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, type_coerce, update
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from slopewise.engine.errors import ArgumentError
from slopewise.site.storage.anki_tables import CardMedium, ImportedCard
from slopewise.site.storage.database import Database
from slopewise.site.storage.tables import OwnCard

MOST_CARDS = 10_000  # of a learner
MOST_MEDIA = 50 * 2**20  # bytes of a learner
PART = 2 * 2**20  # bytes of media that are written, or deleted, in one transaction
_TRIES = 5
_MEDIUM = re.compile(r'src="/cards/media/([0-9a-f-]{36})"')
_CARDS, _MEDIA = cast(Table, ImportedCard.__table__), cast(Table, CardMedium.__table__)  # rows, not objects


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


Rows = list[dict[str, Any]]
State = frozenset[Any]  # the cards of a learner, and when each changed, as the database writes that


@dataclass(frozen=True)
class _Plan:
    """What a package changes, if the learner's cards are as they were read."""

    state: State
    added: Rows
    changed: Rows
    media: dict[uuid.UUID, Medium]  # to be written
    shown: frozenset[uuid.UUID]  # media that must be there
    arrivals: Arrivals


def keep(
    database: Database,
    learner_id: uuid.UUID,
    cards: Sequence[Mapping[str, Any]],
    media: Mapping[str, Medium],
    now: datetime,
    course_cards: frozenset[uuid.UUID] = frozenset(),
) -> Arrivals:
    """Keep the cards of a package. A card that is known by Anki's name for it is updated, never doubled.

    Parameters
    ----------
    database : Database
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
    try:
        for _ in range(_TRIES):
            with database.reading() as session:
                plan = _plan(session, learner_id, cards, media, now, course_cards)
            for part in _parts({name: len(medium.content) for name, medium in plan.media.items()}):
                with database.writing(of=learner_id) as session:
                    _write_media(session, learner_id, {name: plan.media[name] for name in part}, now)
            with database.writing(of=learner_id) as session:
                if _write_cards(session, learner_id, plan):
                    return plan.arrivals
    finally:
        drop_unused_media(database, learner_id)
    raise ArgumentError("Your cards changed again and again meanwhile. Nothing was added: please try again.")


def drop_unused_media(database: Database, learner_id: uuid.UUID) -> None:
    """Delete the media of a learner that no card shows; if cards change meanwhile, the next call does it."""
    with database.reading() as session:
        sizes = _sizes(session, learner_id)
        if not sizes:
            return
        query = select(_CARDS.c.front, _CARDS.c.back).where(_CARDS.c.learner_id == learner_id)
        shown = {name for sides in session.execute(query) for side in sides for name in media_in(side)}
        state = _state(session, learner_id)
    for part in _parts({name: size for name, size in sizes.items() if name not in shown}):
        with database.writing(of=learner_id) as session:
            if _state(session, learner_id) != state:
                return
            session.execute(delete(_MEDIA).where(_MEDIA.c.learner_id == learner_id, _MEDIA.c.id.in_(part)))


def media_in(html: str) -> list[uuid.UUID]:
    """Return which media the side of a card shows.

    Examples
    --------
    >>> media_in('<img src="/cards/media/00000000-0000-0000-0000-000000000007">')
    [UUID('00000000-0000-0000-0000-000000000007')]
    """
    return [uuid.UUID(name) for name in _MEDIUM.findall(html)]


def _plan(
    session: Session,
    learner_id: uuid.UUID,
    cards: Sequence[Mapping[str, Any]],
    media: Mapping[str, Medium],
    now: datetime,
    course_cards: frozenset[uuid.UUID],
) -> _Plan:
    names, new_media = _names(session, learner_id, media)
    found = session.execute(select(_CARDS).where(_CARDS.c.learner_id == learner_id)).mappings()
    known = {(row["guid"], row["ordinal"]): dict(row) for row in found}
    own = {row["id"] for row in known.values()} | course_cards
    own |= set(session.scalars(select(OwnCard.id).where(OwnCard.learner_id == learner_id)))
    added: Rows = []
    changed: dict[uuid.UUID, dict[str, Any]] = {}
    updated = same = 0
    for card in cards:
        key = card["guid"], card["ordinal"]
        if _as_uuid(card["guid"]) in own:
            same += 1
            continue
        what = {"deck": card["deck"], **{side: _renamed(card[side], names) for side in ("front", "back")}}
        row = known.get(key)
        if row is None:
            at = now + timedelta(microseconds=len(added))  # so that cards keep the order of the package
            row = {"id": uuid.uuid4(), "learner_id": learner_id, "created_at": at}
            row |= {"guid": key[0], "ordinal": key[1]}
            known[key] = row
            added.append(row)
        elif what == {name: row[name] for name in what}:
            same += 1
            continue
        else:
            updated += 1
            changed[row["id"]] = row
        row |= what | {"changed_at": now}
    if len(known) > MOST_CARDS:
        raise ArgumentError(
            f"There is room for {MOST_CARDS} cards from Anki. Delete decks you no longer need."
        )
    shown = {name for row in known.values() for side in ("front", "back") for name in media_in(row[side])}
    sizes = _sizes(session, learner_id) | {name: len(medium.content) for name, medium in new_media.items()}
    if sum(sizes.get(name, 0) for name in shown) > MOST_MEDIA:
        raise ArgumentError(
            f"There is room for {MOST_MEDIA // 2**20} MiB of media. Delete decks you no longer need."
        )
    for row in added:
        changed.pop(row["id"], None)  # it came twice in this package
    return _Plan(
        _state(session, learner_id),
        added,
        list(changed.values()),
        {name: medium for name, medium in new_media.items() if name in shown},
        frozenset(shown & sizes.keys()),
        Arrivals(len(added), updated, same),
    )


def _names(
    session: Session, learner_id: uuid.UUID, media: Mapping[str, Medium]
) -> tuple[dict[str, str], dict[uuid.UUID, Medium]]:
    """Return the names under which media are kept, or will be, and those that are not there yet."""
    query = select(_MEDIA.c.digest, _MEDIA.c.id).where(_MEDIA.c.learner_id == learner_id)
    known = {row.digest: row.id for row in session.execute(query)}
    names, new = {}, {}
    for name, medium in media.items():
        if medium.digest not in known:
            known[medium.digest] = uuid.uuid4()
            new[known[medium.digest]] = medium
        names[name] = str(known[medium.digest])
    return names, new


def _write_media(
    session: Session, learner_id: uuid.UUID, media: Mapping[uuid.UUID, Medium], now: datetime
) -> None:
    """Write media, those apart that another package brought meanwhile."""
    digests = [medium.digest for medium in media.values()]
    query = select(_MEDIA.c.digest).where(_MEDIA.c.learner_id == learner_id, _MEDIA.c.digest.in_(digests))
    there = set(session.scalars(query))
    rows = [
        {
            "id": name,
            "learner_id": learner_id,
            "digest": medium.digest,
            "kind": medium.kind,
            "size": len(medium.content),
            "content": medium.content,
            "created_at": now,
        }
        for name, medium in media.items()
        if medium.digest not in there
    ]
    if rows:
        session.execute(insert(_MEDIA), rows)


def _write_cards(session: Session, learner_id: uuid.UUID, plan: _Plan) -> bool:
    """Change the cards as planned; False, and nothing changes, if what was read is no longer so."""
    if _state(session, learner_id) != plan.state or not plan.shown <= _sizes(session, learner_id).keys():
        return False
    if plan.added:
        session.execute(insert(_CARDS), plan.added)
    if plan.changed:
        names = ("deck", "front", "back", "changed_at")
        statement = update(_CARDS).where(_CARDS.c.id == bindparam("card"))
        session.connection().execute(
            statement.values({name: bindparam(f"new_{name}") for name in names}),
            [{"card": row["id"], **{f"new_{name}": row[name] for name in names}} for row in plan.changed],
        )
    return True


def _state(session: Session, learner_id: uuid.UUID) -> State:
    """Return what tells whether cards have changed: to read ten thousand identities as such takes long."""
    columns = (type_coerce(column, NullType()) for column in (_CARDS.c.id, _CARDS.c.changed_at))
    return frozenset(session.execute(select(*columns).where(_CARDS.c.learner_id == learner_id)))


def _sizes(session: Session, learner_id: uuid.UUID) -> dict[uuid.UUID, int]:
    query = select(_MEDIA.c.id, _MEDIA.c.size).where(_MEDIA.c.learner_id == learner_id)
    return {row.id: row.size for row in session.execute(query)}


def _parts(sizes: Mapping[uuid.UUID, int]) -> Iterator[list[uuid.UUID]]:
    """Cut media into parts of at most `PART` bytes, or of one medium."""
    part: list[uuid.UUID] = []
    total = 0
    for name, size in sizes.items():
        if part and total + size > PART:
            yield part
            part, total = [], 0
        part.append(name)
        total += size
    if part:
        yield part


def _renamed(html: str, names: Mapping[str, str]) -> str:
    return _MEDIUM.sub(lambda found: f'src="/cards/media/{names[found[1]]}"', html)


def _as_uuid(guid: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(guid)
    except ValueError:
        return None
