"""Erasing a learner: the one procedure that deletes rows of the logs, and how it outlives a restore."""

from __future__ import annotations

import os
import shutil
import uuid
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import DataError
from slopewise.site.storage.database import DATA, Database
from slopewise.site.storage.dataset_tables import DataRun, DataSet
from slopewise.site.storage.job_tables import LiveJob, Opening, key_of
from slopewise.site.storage.payment_rows import erase_payments
from slopewise.site.storage.tables import (
    Account,
    AuditEntry,
    CardEvent,
    CardState,
    Erasure,
    Learner,
    OwnCard,
    Progress,
    Review,
)

LIST = "erased"  # the file's name, after that of the database


def erase(database: Database, learner_id: uuid.UUID, now: datetime) -> None:
    """Delete all that is known of a learner, and note that it was done.

    The id goes first into a file beside the database. A backup that is restored later knows the learner
    again; `erase_again` then sees to it.
    """
    keep_list(database, {learner_id})
    _erase(database, learner_id, now)


def keep_list(database: Database, learner_ids: set[uuid.UUID]) -> None:
    """Add learners to the list beside the database, which outlives it."""
    if not learner_ids:
        return
    listed = database.beside(LIST)
    listed.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with listed.open("a", encoding="utf-8") as file:
        file.writelines(f"{learner_id}\n" for learner_id in sorted(learner_ids))
        file.flush()
        os.fsync(file.fileno())


def erase_again(database: Database, now: datetime) -> int:
    """Erase those who were erased before and are back, as after a restore; return how many.

    Raises
    ------
    DataError
        If the list beside the database is damaged.
    """
    file = database.beside(LIST)
    if not file.exists():
        return 0
    lines = file.read_text(encoding="utf-8").split()
    try:
        erased = {uuid.UUID(line) for line in lines}
    except ValueError:
        raise DataError(f"{file}: each line is the id of a learner who was erased") from None
    with database.reading() as session:
        back = erased & set(session.scalars(select(Learner.id)))
    for learner_id in sorted(back):
        _erase(database, learner_id, now)
    return len(back)


def _erase(database: Database, learner_id: uuid.UUID, now: datetime) -> None:
    with database.writing() as session:
        data_sets = list(session.scalars(select(DataSet.id).where(DataSet.learner_id == learner_id)))
        session.execute(delete(DataRun).where(DataRun.data_set_id.in_(data_sets)))
        _erase_rows(session, learner_id, now)
    for data_set in data_sets:  # a crash in between leaves files without a row: the site's sweep finds them
        shutil.rmtree(database.beside(DATA) / data_set.hex, ignore_errors=True)


def _erase_rows(session: Session, learner_id: uuid.UUID, now: datetime) -> None:
    account_id = session.scalar(select(Account.id).where(Account.learner_id == learner_id))
    if session.get(Erasure, learner_id) is None:
        session.add(Erasure(learner_id=learner_id, erased_at=now))
    session.add(AuditEntry(at=now, actor="account", action="erase", account_id=account_id))
    session.flush()
    erase_payments(session, learner_id, now)
    for trace in (LiveJob, Opening):
        session.execute(delete(trace).where(trace.owner == key_of(f"account {account_id}")))
    for table in (
        CardEvent,
        Review,
        CardState,
        Progress,
        OwnCard,
        DataSet,
        Account,
    ):  # what refers to others goes first
        session.execute(delete(table).where(table.learner_id == learner_id))
    session.execute(delete(Learner).where(Learner.id == learner_id))
