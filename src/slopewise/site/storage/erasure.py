"""Erasing a learner: the one procedure that deletes rows of the logs, and how it outlives a restore."""

from __future__ import annotations

import shutil
import uuid
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from slopewise.site.storage.database import DATA, Database
from slopewise.site.storage.dataset_tables import DataRun, DataSet
from slopewise.site.storage.erasure_lists import BESIDE, Erased, keep, read_list
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


def erase(database: Database, learner_id: uuid.UUID, now: datetime) -> None:
    """Delete all that is known of a learner, and note that it was done.

    The id goes first into the lists of `erasure_lists`. A backup that is restored later knows the learner
    again; `erase_again` then sees to it.
    """
    keep(database, {learner_id}, now)
    _erase(database, learner_id, now)


def erase_again(database: Database, now: datetime) -> int:
    """Erase those who were erased before and are back, as after a restore; return how many.

    Raises
    ------
    DataError
        If the list beside the database is damaged.
    """
    known = read_list(database.beside(BESIDE)) or Erased()
    with database.reading() as session:
        back = known.learners & set(session.scalars(select(Learner.id)))
    for learner_id in sorted(back):
        _erase(database, learner_id, now)
    return len(back)


def _erase(database: Database, learner_id: uuid.UUID, now: datetime) -> None:
    with database.writing() as session:
        data_sets = list(session.scalars(select(DataSet.id).where(DataSet.learner_id == learner_id)))
        session.execute(delete(DataRun).where(DataRun.data_set_id.in_(data_sets)))
        _erase_rows(session, learner_id, now)
    database.empty_journal()
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
