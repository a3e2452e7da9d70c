"""How a data set comes in: its name, the name of its file, and keeping it once a worker has read it."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.site.datasets.records import Owner, check_quota
from slopewise.site.datasets.shelf import Shelf
from slopewise.site.storage.database import Database
from slopewise.site.storage.dataset_tables import DataSet

LONGEST_NAME = 80
_LONGEST_STEM = 40


def display_name(text: str, otherwise: str) -> str:
    """Return the name that a data set is shown with.

    Raises
    ------
    ArgumentError
        If it is too long or holds what cannot be printed.
    """
    name = " ".join(text.split()) or otherwise
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ArgumentError(f"A name has up to {LONGEST_NAME} characters.")
    return name


def file_name(name: str, suffix: str) -> str:
    """Return a name that is safe for a file and for a command line, made of the name of a data set.

    Examples
    --------
    >>> file_name("../My flowers; rm -rf", ".csv"), file_name("Größe", ".TSV"), file_name("數據", ".parquet")
    ('My-flowers-rm-rf.csv', 'Gr-e.tsv', 'data.parquet')
    """
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:_LONGEST_STEM] or "data"
    return stem + re.sub(r"[^a-z0-9.]", "", suffix.lower())[:10]


def pasted(text: str) -> tuple[bytes, str]:
    """Return a pasted table as the bytes of a file, and the suffix that says how it is separated.

    What is copied from a spreadsheet comes with tabs.

    Raises
    ------
    ArgumentError
        If there is nothing.
    """
    lines = text.replace("\r\n", "\n").strip("\n")
    if not lines.strip():
        raise ArgumentError("There is no table yet: paste a line of column names and rows below it.")
    suffix = ".tsv" if "\t" in lines.partition("\n")[0] else ".csv"
    return (lines + "\n").encode("utf-8", errors="replace"), suffix


def keep(
    database: Database,
    shelf: Shelf,
    owner: Owner,
    *,
    name: str,
    file: str,
    made_by: str,
    content: bytes,
    found: dict[str, Any],
    now: datetime,
) -> uuid.UUID:
    """Keep a data set that a worker has read, and return its id.

    Raises
    ------
    ArgumentError
        If the owner has no room for it.
    """
    data_set_id = uuid.uuid4()
    suffix = "." + file.rpartition(".")[2]
    size = shelf.put(data_set_id, suffix, content, found["facts"], found["points"])
    try:
        with database.writing() as session:
            check_quota(session, owner, size)
            session.add(
                DataSet(
                    id=data_set_id,
                    learner_id=owner.learner_id,
                    guest=owner.guest,
                    name=name,
                    file_name=file,
                    made_by=made_by,
                    size=size,
                    rows=found["facts"]["rows"],
                    columns=found["facts"]["n_columns"],
                    created_at=now,
                )
            )
    except BaseException:
        shelf.remove(data_set_id)
        raise
    return data_set_id
