"""Progress besides reviews, such as answers to questions, drafts and the last lesson. The newest counts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.scheduling.entries import read_moment
from slopewise.site.storage.tables import Progress

KINDS = ("answer", "draft", "last", "prediction", "prompt", "done")
MOST_ITEMS = 500
LARGEST_VALUE = 4000  # characters of JSON
MOST_KEPT = 5000  # a learner's items: the course has some hundred


@dataclass(frozen=True)
class Item:
    """Something that a device remembers."""

    kind: str
    item: str
    value: Any
    at: datetime


def read_items(fields: Mapping[str, Any]) -> list[Item]:
    """Return the items in an object ``{"items": [...]}``.

    Raises
    ------
    DataError
        If it is anything else.
    """
    rows = fields.get("items")
    if not isinstance(rows, list) or len(rows) > MOST_ITEMS:
        raise DataError(f"items is a list of at most {MOST_ITEMS} objects")
    return [_item(row, place) for place, row in enumerate(rows)]


def _item(row: object, place: int) -> Item:
    where = f"items[{place}]"
    if not isinstance(row, dict) or row.get("kind") not in KINDS:
        raise DataError(f"{where}.kind is one of {', '.join(KINDS)}")
    name = row.get("item")
    if not isinstance(name, str) or not 1 <= len(name) <= 120:
        raise DataError(f"{where}.item is a text of 1 to 120 characters")
    value = row.get("value")
    if len(json.dumps(value)) > LARGEST_VALUE:
        raise DataError(f"{where}.value is at most {LARGEST_VALUE} characters of JSON")
    return Item(row["kind"], name, value, read_moment(row.get("at"), f"{where}.at"))


def merge(session: Session, learner_id: uuid.UUID, items: Sequence[Item], now: datetime) -> None:
    """Keep items that are newer than what is kept; a clock that is ahead does not win for ever.

    Raises
    ------
    DataError
        If a learner has more items than the course could ask for.
    """
    named = Progress.item.in_({item.item for item in items})
    rows = session.scalars(select(Progress).where(Progress.learner_id == learner_id, named))
    known = {(row.kind, row.item): row for row in rows}
    for item in items:
        key, at = (item.kind, item.item), min(item.at, now)
        if key not in known:
            known[key] = Progress(
                learner_id=learner_id, kind=item.kind, item=item.item, value=item.value, changed_at=at
            )
            session.add(known[key])
        elif known[key].changed_at < at:
            known[key].value, known[key].changed_at = item.value, at
    session.flush()
    kept = select(func.count()).select_from(Progress).where(Progress.learner_id == learner_id)
    if (session.scalar(kept) or 0) > MOST_KEPT:
        raise DataError(f"at most {MOST_KEPT} items are kept")


def progress_of(session: Session, learner_id: uuid.UUID) -> list[Progress]:
    """Return all that is kept of a learner."""
    query = select(Progress).where(Progress.learner_id == learner_id).order_by(Progress.kind, Progress.item)
    return list(session.scalars(query))
