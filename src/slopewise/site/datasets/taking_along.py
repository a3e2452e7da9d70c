"""Data sets in the export of an account: rows, files and trainings."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slopewise.site.accounts.export import LongText
from slopewise.site.datasets.records import Owner, data_sets_of, runs_of
from slopewise.site.datasets.shelf import Shelf
from slopewise.site.storage.database import Database

_TEXT_FILES = (".csv", ".tsv", ".tab")
_PIECE = 3 * 2**16  # characters, or bytes: in Base64 three of them are four characters


def data_sets_as_export(database: Database, learner_id: uuid.UUID, shelf: Shelf) -> Iterator[dict[str, Any]]:
    """Yield a learner's data sets with their files: text as it is, Parquet and Arrow in Base64."""
    with database.reading() as session:
        rows = data_sets_of(session, Owner(learner_id=learner_id))
    for row in rows:
        values = ("id", "name", "file_name", "made_by", "rows", "columns", "created_at", "shared_at")
        data_set: dict[str, Any] = {name: getattr(row, name) for name in values}
        if shelf.holds(row.id):
            file = shelf.table(row.id)
            if file.suffix in _TEXT_FILES:
                data_set["text"] = LongText(_text(file))
            else:
                data_set["base64"] = LongText(_base64(file))
        with database.reading() as session:
            runs = runs_of(session, row.id)
        data_set["trainings"] = [
            {name: getattr(run, name) for name in ("id", "settings", "state", "message", "created_at")}
            | {"report": LongText(_text(report)) if (report := shelf.report_file(row.id, run.id)) else None}
            for run in runs
        ]
        yield data_set


def _text(file: Path) -> Iterator[str]:
    """Yield the text of a file; one that was deleted meanwhile ends."""
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as text:
            while piece := text.read(_PIECE):
                yield piece
    except FileNotFoundError:
        return


def _base64(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                yield base64.b64encode(piece).decode()
    except FileNotFoundError:
        return
