"""All that is kept of somebody. Text of cards is in it only where they may read it now.

An export is written to a file in parts of some rows, and each part is read in a transaction of its own: so it
takes little memory however much there is, and no writer waits for it long.
"""

from __future__ import annotations

import csv
import io
import json
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from slopewise.engine.errors import SlopewiseError
from slopewise.site.accounts.own_cards import cards_of
from slopewise.site.accounts.progress import progress_of
from slopewise.site.accounts.tokens import tokens_of
from slopewise.site.classes.members import classes_as_export
from slopewise.site.content.library import Library, Reader, ShownCard
from slopewise.site.payments.ledger import payments_as_export
from slopewise.site.scheduling.states import cached
from slopewise.site.spreadsheets import cell
from slopewise.site.storage.anki_tables import ImportedCard
from slopewise.site.storage.database import Database
from slopewise.site.storage.tables import GRADES, Account, CardEvent, CardState, Grant, OwnCard, Review

FORMAT = 1
COLUMNS = ("reviewed_at", "card", "deck", "front", "grade", "taken_back", "scheduler")
PART = 200  # rows; a card may have forty thousand characters
AT_ONCE = 4  # exports of a server process, each of another account
LONGEST_SIDE = 500  # characters of a card beside a review of it; the card itself is in the export whole

Row = Mapping[str, Any]
Found = TypeVar("Found", OwnCard, ImportedCard, Review, CardEvent)


class ExportBusyError(SlopewiseError):
    """An export of this account is under way, or too many of others."""


class Exports:
    """The exports under way: an account has one at a time, until its file is closed or forgotten."""

    def __init__(self) -> None:
        self._files: weakref.WeakValueDictionary[uuid.UUID, Any] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def begin(self, account_id: uuid.UUID, file: IO[bytes]) -> None:
        """Note that an export is written to a file, and sent from there until that is closed.

        Raises
        ------
        ExportBusyError
            If the account has another one, or there are too many.
        """
        with self._lock:
            others = {id for id, other in self._files.items() if not other.closed}
            if account_id in others:
                raise ExportBusyError("Your data is being taken along already. Let that download end first.")
            if len(others) >= AT_ONCE:
                raise ExportBusyError("Others take their data along just now. Try again in a minute.")
            self._files[account_id] = file


def export(
    database: Database, account_id: uuid.UUID, library: Library, reader: Reader, now: datetime
) -> dict[str, Any]:
    """Return account, memberships, payments, own cards, reviews, events, schedule, answers and notes.

    What may be long is an iterator of rows, read as it is written.
    """
    with database.reading() as session:
        account = session.get_one(Account, account_id)
        learner_id = account.learner_id
        grants = select(Grant).where(Grant.account_id == account_id).order_by(Grant.starts_at)
        whole = {
            "format": FORMAT,
            "exported_at": now,
            "account": _values(
                account,
                *("email", "display_name", "time_zone", "rollover_hour"),
                *("new_per_day", "is_owner", "created_at"),
            ),
            "memberships": [
                _values(row, "source", "starts_at", "ends_at", "revoked_at")
                for row in session.scalars(grants)
            ],
            "tokens": [
                _values(row, "name", "created_at", "used_at") for row in tokens_of(session, account_id, now)
            ],
            "classes": classes_as_export(session, account_id),
            "payments": payments_as_export(session, learner_id),
            "progress": [
                _values(row, "kind", "item", "value", "changed_at")
                for row in progress_of(session, learner_id)
            ],
        }
    return {
        **whole,
        "own_cards": _own_cards(database, learner_id),
        "imported_cards": _imported_cards(database, learner_id),
        "reviews": review_rows(database, learner_id, library, reader),
        "events": _events(database, learner_id),
        "schedule": _schedule(database, learner_id, library, reader),
    }


def review_rows(
    database: Database, learner_id: uuid.UUID, library: Library, reader: Reader
) -> Iterator[dict[str, Any]]:
    """Yield the reviews in their order, those that were taken back included."""

    def told(session: Session, rows: Sequence[Review]) -> Iterator[dict[str, Any]]:
        undos = select(CardEvent.review_id).where(CardEvent.review_id.in_([row.id for row in rows]))
        undone = set(session.scalars(undos))
        own = cards_of(session, learner_id, {row.card_id for row in rows})
        for row in rows:
            yield {
                "id": row.id,
                **_card(own, library, reader, row.card_id, LONGEST_SIDE),
                "grade": GRADES[row.grade - 1],
                "reviewed_at": row.reviewed_at,
                "taken_back": row.id in undone,
                "scheduler": row.scheduler,
            }

    return _in_parts(database, Review, Review.reviewed_at, learner_id, told)


def _own_cards(database: Database, learner_id: uuid.UUID) -> Iterator[Row]:
    names = ("id", "front", "back", "source", "created_at", "changed_at")
    return _in_parts(database, OwnCard, OwnCard.created_at, learner_id, _told(*names))


def _imported_cards(database: Database, learner_id: uuid.UUID) -> Iterator[Row]:
    names = ("id", "guid", "ordinal", "deck", "front", "back", "created_at", "changed_at")
    return _in_parts(database, ImportedCard, ImportedCard.created_at, learner_id, _told(*names))


def _events(database: Database, learner_id: uuid.UUID) -> Iterator[Row]:
    def told(session: Session, rows: Sequence[CardEvent]) -> Iterator[Row]:
        for row in rows:
            about = {"card": row.card_id, "kind": row.kind, "review": row.review_id, "at": row.happened_at}
            yield {"id": row.id, **about}

    return _in_parts(database, CardEvent, CardEvent.received_at, learner_id, told)


def _schedule(
    database: Database, learner_id: uuid.UUID, library: Library, reader: Reader
) -> Iterator[dict[str, Any]]:
    with database.reading() as session:
        known = select(CardState.card_id).where(CardState.learner_id == learner_id)
        cards = list(session.scalars(known.order_by(CardState.card_id)))
    for start in range(0, len(cards), PART):
        part = cards[start : start + PART]
        with database.reading() as session:
            own, found = cards_of(session, learner_id, part), cached(session, learner_id, part)
        for card_id, standing in found.items():
            yield {**_card(own, library, reader, card_id), **vars(standing)}


def _in_parts(
    database: Database,
    table: type[Found],
    moment: InstrumentedAttribute[datetime],
    learner_id: uuid.UUID,
    told: Callable[[Session, Sequence[Found]], Iterator[Row]],
) -> Iterator[Any]:
    """Yield what is told of a learner's rows in the order of a moment, a part in each transaction."""
    after: ColumnElement[bool] = table.learner_id == learner_id
    while True:
        with database.reading() as session:
            query = select(table).where(table.learner_id == learner_id, after)
            rows = list(session.scalars(query.order_by(moment, table.id).limit(PART)))
            part = list(told(session, rows))
        yield from part
        if len(rows) < PART:
            return
        last, at = rows[-1], getattr(rows[-1], moment.key)
        after = and_(moment >= at, or_(moment > at, table.id > last.id))


def _told(*names: str) -> Callable[[Session, Sequence[Any]], Iterator[Row]]:
    return lambda session, rows: (_values(row, *names) for row in rows)


def _values(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _card(
    own: Mapping[uuid.UUID, ShownCard],
    library: Library,
    reader: Reader,
    card_id: uuid.UUID,
    longest: int | None = None,
) -> Row:
    """Return what a reader may know of a card now."""
    card = own.get(card_id) or library.card(card_id, reader)
    found: dict[str, Any] = {"card": card_id, "deck": card.deck.title if card else None}
    if isinstance(card, ShownCard):
        found |= {"front": _cut(card.front, longest), "back": _cut(card.back, longest)}
    return found


def _cut(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


# ---- writing


class LongText:
    """A text of an export that is written in pieces, such as that of a file."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.pieces = pieces


def write_json(file: IO[bytes], value: Any) -> None:
    """Write a value as JSON: iterators are lists, read as they are written, with a row on each line."""
    if isinstance(value, LongText):
        file.write(b'"')
        for piece in value.pieces:
            file.write(json.dumps(piece, ensure_ascii=False)[1:-1].encode())
        file.write(b'"')
    elif isinstance(value, Mapping) and any(
        isinstance(one, LongText | Iterator | list) for one in value.values()
    ):
        for place, (name, one) in enumerate(value.items()):
            file.write(f"{', ' if place else '{'}{json.dumps(name)}: ".encode())
            write_json(file, one)
        file.write(b"}")
    elif isinstance(value, Iterator | list | tuple):
        file.write(b"[")
        for place, one in enumerate(value):
            file.write(b",\n" if place else b"\n")
            write_json(file, one)
        file.write(b"]")
    else:
        file.write(json.dumps(value, default=_text, ensure_ascii=False).encode())


def write_csv(file: IO[bytes], rows: Iterator[Row]) -> None:
    """Write reviews as a table for a spreadsheet, which must not take a text for a formula."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow([cell(row.get(name)) for name in COLUMNS])
    text.detach()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an export")
