"""Entries of the log as devices send them: JSON, checked field by field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slopewise.engine.errors import DataError
from slopewise.site.scheduling.log import MOST_ENTRIES, Entry


def read_entries(fields: Mapping[str, Any]) -> tuple[list[Entry], datetime | None]:
    """Return the entries in an object ``{"sent_at": ..., "entries": [...]}``, and when it was sent.

    Raises
    ------
    DataError
        If it is anything else; the message names the entry and the field.
    """
    rows = fields.get("entries")
    if not isinstance(rows, list) or len(rows) > MOST_ENTRIES:
        raise DataError(f"entries is a list of at most {MOST_ENTRIES} objects")
    sent_at = read_moment(fields["sent_at"], "sent_at") if fields.get("sent_at") is not None else None
    return [_entry(row, place) for place, row in enumerate(rows)], sent_at


def _entry(row: object, place: int) -> Entry:
    where = f"entries[{place}]"
    if not isinstance(row, dict):
        raise DataError(f"{where} is an object")
    texts = {name: row.get(name, "") for name in ("kind", "grade")}
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > 20:
            raise DataError(f"{where}.{name} is a short text")
    return Entry(
        read_uuid(row.get("id"), f"{where}.id"),
        texts["kind"],
        read_moment(row.get("at"), f"{where}.at"),
        read_uuid(row["card"], f"{where}.card") if row.get("card") is not None else None,
        read_uuid(row["review"], f"{where}.review") if row.get("review") is not None else None,
        texts["grade"],
    )


def read_uuid(value: object, name: str) -> uuid.UUID:
    """Return a UUID that came as text."""
    try:
        if isinstance(value, str) and len(value) <= 36:
            return uuid.UUID(value)
    except ValueError:
        pass
    raise DataError(f"{name} is a UUID")


def read_moment(value: object, name: str) -> datetime:
    """Return a moment that came as text with its zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DataError(f"{name} is a moment such as 2026-03-01T12:00:00Z")
    return moment
