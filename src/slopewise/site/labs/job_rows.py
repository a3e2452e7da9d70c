"""Live trainings as rows of a database that several server processes share.

A row says all that a training follows from, and which process holds it. Each process says every two seconds
that it is alive, in the rows of its trainings; if it does not, another may adopt them. Wishes that reach
another process travel through the row.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from slopewise.site.labs.job_store import JobRecord, JobStore, MemoryStore, News, Wish
from slopewise.site.labs.places import LabBusyError
from slopewise.site.storage.database import Database
from slopewise.site.storage.job_tables import LiveJob, Opening, key_of

BEAT = timedelta(seconds=2)  # how often a process says that it is alive
DEAD = timedelta(seconds=8)  # one that has not for so long has stopped
GONE = timedelta(seconds=90)  # a row that nobody adopted for so long is deleted
OPENINGS_KEPT = timedelta(days=30)
MOST_WISHES = 50  # that wait for a process; the oldest go
Result = TypeVar("Result")


def job_store_of(database: Database) -> JobStore:
    """Return where live trainings are known: in the database, if several processes may serve it."""
    return DatabaseStore(database) if database.is_shared else MemoryStore()


class DatabaseStore:
    """For several server processes on one database; see `JobStore`."""

    is_shared = True

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._clock = database, clock
        self.server = secrets.token_hex(8)  # who we are among the processes
        self._written: dict[str, tuple[JobRecord, datetime]] = {}

    # ---- for visitors' requests

    async def add(self, record: JobRecord, most: int, most_of_network: int) -> list[int]:
        """Add a training in the place of its owner's; see `JobStore.add`."""

        def work(session: Session) -> list[int]:
            now, owner = self._clock(), key_of(record.owner)
            network = record.network and key_of(record.network)
            _delete_gone(session, now)
            session.execute(delete(LiveJob).where(LiveJob.owner == owner))
            counts = select(func.count(), func.count().filter(LiveJob.network == network))
            in_all, here = session.execute(counts.select_from(LiveJob)).one()
            if in_all >= most or (network and here >= most_of_network):
                raise LabBusyError("too many trainings are open at the moment; please try again in a minute")
            row = LiveJob(
                id=record.id,
                owner=owner,
                network=network,
                settings=dict(record.values),
                test_set=record.test_set,
                wishes=[],
            )
            self._write(row, record, now)
            session.add(row)
            return _openings(session, owner, row.test_set)

        return await self._in_thread(lambda: self._database.write(work, of="starts of live trainings"))

    async def find(self, owner: str, id: str) -> JobRecord | None:
        """Return a training of this owner; see `JobStore.find`."""

        def work() -> JobRecord | None:
            with self._database.reading() as session:
                row = session.scalar(_row(owner, id))
                return None if row is None else self._record(session, row, owner)

        return await self._in_thread(work)

    async def adopt(self, owner: str, id: str) -> JobRecord | None:
        """Return a training of this owner, which this process holds from now on."""

        def work(session: Session) -> JobRecord | None:
            row = session.scalar(_row(owner, id).with_for_update())
            if row is None:
                return None
            record = self._record(session, row, owner)
            row.server, row.beat_at, row.wishes = self.server, self._clock(), []
            return record

        return await self._in_thread(lambda: self._database.write(work, of=f"live training {id}"))

    async def wish(self, owner: str, id: str, wish: Wish) -> bool:
        """Tell the process that holds a training what its visitor asks for; False if there is none."""

        def work(session: Session) -> bool:
            row = session.scalar(_row(owner, id).with_for_update())
            if row is None:
                return False
            row.wishes = [*row.wishes, list(wish)][-MOST_WISHES:]
            return True

        return await self._in_thread(lambda: self._database.write(work, of=f"live training {id}"))

    async def note_opening(self, owner: str, test_set: str, step: int) -> None:
        """Write down that a test set was opened."""

        def work() -> None:
            with self._database.writing(of=f"openings {key_of(owner)}") as session:
                session.add(
                    Opening(owner=key_of(owner), test_set=test_set, step=step, opened_at=self._clock())
                )

        await self._in_thread(work)

    # ---- between processes

    async def exchange(self, held: Sequence[JobRecord], ended: Sequence[str]) -> News:
        """Write down where the trainings of this process are, and which ended; return what others did.

        Mostly it only looks: a row is written if a wish waits in it, something but the step has changed,
        or it is time to say that we are alive.
        """
        return await self._in_thread(lambda: self._exchange(held, ended))

    def _exchange(self, held: Sequence[JobRecord], ended: Sequence[str]) -> News:
        with self._database.reading() as session:
            query = select(LiveJob.id, LiveJob.wishes).where(LiveJob.server == self.server)
            waiting = {row.id: row.wishes for row in session.execute(query)}
            lost = [record.id for record in held if record.id not in waiting]
            elsewhere = (
                set(session.scalars(select(LiveJob.id).where(LiveJob.id.in_(lost)))) if lost else set()
            )
        news = News(moved=elsewhere, gone=set(lost) - elsewhere)
        for id in (*lost, *ended):
            self._written.pop(id, None)
        now = self._clock()
        due = {
            record.id: record
            for record in held
            if record.id in waiting and (waiting[record.id] or self._is_due(record, now))
        }
        over = [id for id in ended if id in waiting]

        def work(session: Session) -> None:
            mine = select(LiveJob).where(LiveJob.server == self.server, LiveJob.id.in_(due))
            for row in session.scalars(mine.order_by(LiveJob.id).with_for_update()):
                news.wishes[row.id] = _wishes(row)
                row.wishes = []
                self._write(row, due[row.id], now)
            session.execute(delete(LiveJob).where(LiveJob.server == self.server, LiveJob.id.in_(over)))

        if due or over:
            self._database.write(work, of=f"live trainings of {self.server}")
        return news

    async def release(self) -> None:
        """Give all trainings of this process back, so that others may adopt them at once."""

        def work() -> None:
            with self._database.writing(of=f"live trainings of {self.server}") as session:
                session.execute(update(LiveJob).where(LiveJob.server == self.server).values(server=""))

        await self._in_thread(work)

    async def sweep(self) -> None:
        """Delete the rows of trainings that nobody adopted, and openings of long ago."""

        def work() -> None:
            now = self._clock()
            with self._database.writing(of="starts of live trainings") as session:
                _delete_gone(session, now)
                session.execute(delete(Opening).where(Opening.opened_at < now - OPENINGS_KEPT))

        await self._in_thread(work)

    # ---- rows

    def _is_due(self, record: JobRecord, now: datetime) -> bool:
        """Tell whether a row must be written: what changes all the time waits for the next beat."""
        if record.id not in self._written:
            return True
        before, at = self._written[record.id]
        return now - at >= BEAT or _lasting(record) != _lasting(before)

    def _write(self, row: LiveJob, record: JobRecord, now: datetime) -> None:
        row.step, row.wanted, row.seconds = record.step, record.wanted, record.seconds
        row.is_test_open, row.waits_since = record.is_test_open, record.waits_since
        row.wished_at = now - timedelta(seconds=record.idle)
        row.server, row.beat_at = self.server, now
        self._written[record.id] = record, now

    def _record(self, session: Session, row: LiveJob, owner: str) -> JobRecord:
        now = self._clock()
        return JobRecord(
            id=row.id,
            owner=owner,
            network=row.network,
            values=row.settings,
            test_set=row.test_set,
            step=row.step,
            wanted=row.wanted,
            seconds=row.seconds,
            is_test_open=row.is_test_open,
            openings=tuple(_openings(session, row.owner, row.test_set)),
            waits_since=row.waits_since,
            idle=(now - row.wished_at).total_seconds(),
            wishes=tuple(_wishes(row)),
            is_held=row.server not in ("", self.server) and now - row.beat_at < DEAD,
        )

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.to_thread(work)


def _row(owner: str, id: str) -> Any:
    return select(LiveJob).where(LiveJob.id == id, LiveJob.owner == key_of(owner))


def _wishes(row: LiveJob) -> list[Wish]:
    return [(str(action), int(str(step))) for action, step in row.wishes]


def _lasting(record: JobRecord) -> tuple[object, ...]:
    """Return what must be written at once: the step only where it rests."""
    rests = record.step if record.step == record.wanted else None
    return record.wanted, rests, record.is_test_open, record.waits_since


def _openings(session: Session, owner: str, test_set: str) -> list[int]:
    query = select(Opening.step).where(Opening.owner == owner, Opening.test_set == test_set)
    return list(session.scalars(query.order_by(Opening.id)))


def _delete_gone(session: Session, now: datetime) -> None:
    session.execute(delete(LiveJob).where(LiveJob.beat_at < now - GONE))
