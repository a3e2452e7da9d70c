"""Data sets in the export of an account: rows, files and trainings."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from sqlalchemy.orm import Session

from slopewise.site.datasets.records import Owner, data_sets_of, runs_of
from slopewise.site.datasets.shelf import Shelf

_TEXT_FILES = (".csv", ".tsv", ".tab")


def data_sets_as_export(session: Session, learner_id: uuid.UUID, shelf: Shelf) -> list[dict[str, Any]]:
    """Return a learner's data sets with their files: text as it is, Parquet and Arrow in Base64."""
    found = []
    for row in data_sets_of(session, Owner(learner_id=learner_id)):
        values = ("id", "name", "file_name", "made_by", "rows", "columns", "created_at", "shared_at")
        data_set: dict[str, Any] = {name: getattr(row, name) for name in values}
        if shelf.holds(row.id):
            file = shelf.table(row.id)
            content = file.read_bytes()
            if file.suffix in _TEXT_FILES:
                data_set["text"] = content.decode("utf-8", errors="replace")
            else:
                data_set["base64"] = base64.b64encode(content).decode()
        data_set["trainings"] = [
            {name: getattr(run, name) for name in ("id", "settings", "state", "message", "created_at")}
            | {"report": shelf.report(row.id, run.id)}
            for run in runs_of(session, row.id)
        ]
        found.append(data_set)
    return found
