"""The collection of a package: an SQLite file, opened for reading and for nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slopewise.engine.errors import DataError
from slopewise.site.anki import protobuf

MOST_CARDS = 5000
MOST_OF_A_NOTE = 1000
LONGEST_VALUE = 2**20  # of one value in the file; a note's fields are far shorter
_BETWEEN_FIELDS = "\x1f"
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}


@dataclass(frozen=True)
class Template:
    """How a note becomes a card: HTML with the names of fields in braces."""

    question: str
    answer: str


@dataclass(frozen=True)
class NoteType:
    """The fields of notes of a kind, and the cards made of each."""

    fields: tuple[str, ...]
    templates: tuple[Template, ...]
    is_cloze: bool


@dataclass(frozen=True)
class RawCard:
    """A card as the file has it: the note's fields, and the template to set them into."""

    guid: str
    ordinal: int
    deck: str
    values: Mapping[str, str]
    template: Template
    is_cloze: bool


def read_collection(file: Path) -> list[RawCard]:
    """Return the cards of a collection.

    Raises
    ------
    DataError
        If the file is no collection, is damaged, or holds too many cards.
    """
    try:
        with closing(_open(file)) as connection:
            return list(_cards(connection))
    except DataError:
        raise
    except sqlite3.Error as error:
        raise DataError("the collection in the package is damaged, or of a kind that is not known") from error
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataError("the collection in the package is not laid out as Anki does it") from error


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.create_collation("unicase", _unicase)
    connection.set_authorizer(
        lambda action, *names: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
    )
    return connection


def _unicase(a: str, b: str) -> int:
    """Compare names as Anki's own collation does, whose indexes are in the file."""
    left, right = a.casefold(), b.casefold()
    return (left > right) - (left < right)


def _cards(connection: sqlite3.Connection) -> Iterator[RawCard]:
    kinds = dict(connection.execute("SELECT name, type FROM sqlite_master"))
    if kinds.get("notes") != "table" or kinds.get("cards") != "table":  # a view could compute for ever
        raise DataError("the collection in the package holds no notes and cards")
    is_new = kinds.get("notetypes") == "table"
    types = _new_types(connection) if is_new else _old_types(connection)
    decks = _new_decks(connection) if is_new else _old_decks(connection)
    notes = {row[0]: row[1:] for row in connection.execute("SELECT id, guid, mid, flds FROM notes")}
    query = "SELECT nid, did, ord FROM cards ORDER BY nid, ord"  # notes as they were written
    for count, (note_id, deck_id, ordinal) in enumerate(connection.execute(query)):
        if count >= MOST_CARDS:
            raise DataError(f"the package holds more than {MOST_CARDS} cards; export a smaller deck")
        note = notes.get(note_id)
        if note is None:
            continue
        guid, type_id, texts = note
        if not 0 <= ordinal < MOST_OF_A_NOTE:
            raise ValueError(f"no note has a card {ordinal}")
        kind = types[type_id]
        template = kind.templates[0 if kind.is_cloze else ordinal]
        values = dict(zip(kind.fields, _text(texts).split(_BETWEEN_FIELDS)))
        yield RawCard(_text(guid), ordinal, decks.get(deck_id, ""), values, template, kind.is_cloze)


def _text(value: object) -> str:
    """Return a value as text that every database keeps: without zeros, and without halves of characters."""
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


def _old_types(connection: sqlite3.Connection) -> dict[int, NoteType]:
    models = _json_of(connection, "models")
    return {
        int(key): NoteType(
            tuple(_text(field["name"]) for field in model["flds"]),
            tuple(Template(_text(row["qfmt"]), _text(row["afmt"])) for row in model["tmpls"]),
            model.get("type") == 1,
        )
        for key, model in models.items()
    }


def _old_decks(connection: sqlite3.Connection) -> dict[int, str]:
    return {int(key): _text(deck["name"]) for key, deck in _json_of(connection, "decks").items()}


def _json_of(connection: sqlite3.Connection, column: str) -> dict[str, Any]:
    row = connection.execute(f"SELECT {column} FROM col").fetchone()
    value = json.loads(row[0])
    if not isinstance(value, dict):
        raise DataError("the collection in the package is not laid out as Anki does it")
    return value


def _new_types(connection: sqlite3.Connection) -> dict[int, NoteType]:
    fields: dict[int, list[tuple[int, str]]] = {}
    for type_id, ordinal, name in connection.execute("SELECT ntid, ord, name FROM fields"):
        fields.setdefault(type_id, []).append((ordinal, name))
    templates: dict[int, list[tuple[int, Template]]] = {}
    for type_id, ordinal, config in connection.execute("SELECT ntid, ord, config FROM templates"):
        question, answer = (
            next(protobuf.messages(config, number), b"").decode("utf-8", "replace") for number in (1, 2)
        )
        templates.setdefault(type_id, []).append((ordinal, Template(question, answer)))
    return {
        type_id: NoteType(
            tuple(_text(name) for _, name in sorted(fields.get(type_id, []))),
            tuple(template for _, template in sorted(templates.get(type_id, []), key=lambda row: row[0])),
            protobuf.number(config, 1) == 1,
        )
        for type_id, config in connection.execute("SELECT id, config FROM notetypes")
    }


def _new_decks(connection: sqlite3.Connection) -> dict[int, str]:
    rows = connection.execute("SELECT id, name FROM decks")
    return {deck_id: _text(name).replace(_BETWEEN_FIELDS, "::") for deck_id, name in rows}
