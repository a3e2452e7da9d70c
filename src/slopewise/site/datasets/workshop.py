"""Where work on data sets is done: who waits, which process works, and what becomes of the result.

`run_fit` is the one place where a training is run. Whatever tends it (here: a task of the server, which ends
when nobody looks at its page any more) only has to await it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import uuid
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import NoResultFound

from slopewise.engine.errors import SlopewiseError
from slopewise.site.datasets.curve import Curve
from slopewise.site.datasets.curve_rows import read_curve, write_curve
from slopewise.site.datasets.records import UNSEEN, Owner, check_size, end_guests, end_lost_runs
from slopewise.site.datasets.shelf import Shelf
from slopewise.site.labs.alone import AloneLimits, run_alone
from slopewise.site.labs.places import SITE, Asker, Places, Ticket
from slopewise.site.storage.database import Database
from slopewise.site.storage.dataset_tables import DataRun, DataSet

log = logging.getLogger(__name__)

READING = AloneLimits(seconds=20)
FITTING = AloneLimits(seconds=90)
UPLOADS = 16  # files that arrive at the same time
READERS = 2  # tables whose reading has begun; so many hold memory
PATIENCE = 15.0  # seconds until who wants a table read is told to come back
FITS = max(1, (os.cpu_count() or 2) - 1)  # trainings that have begun
LOOK, TIDY = 2.0, 600.0  # seconds between two looks at who watches, and between two sweeps
_WORK = "slopewise.site.datasets.work"


async def run_fit(
    shelf: Shelf,
    table: Path,
    file_name: str,
    request: dict[str, Any],
    ticket: Ticket | None = None,
    hear: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    """Train on a table in a process of its own, by the code of `slopewise fit`.

    Parameters
    ----------
    shelf : Shelf
    table : Path
        The file; the process gets a copy of it.
    file_name : str
        What messages and the report call it.
    request : dict
        ``question`` and ``settings``, the fields of `Question` and `Settings`.
    ticket : Ticket, optional
        The place it has.
    hear : callable, optional
        Is given points of the curve: lists of epoch, training loss, validation loss.

    Returns
    -------
    dict
        ``report``, a page as text; ``words``, a line; ``task``.

    Raises
    ------
    ArgumentError
        If the table cannot be learned from, in the words of the command line.
    LabFailedError
        If a limit was passed.
    """
    with shelf.workplace() as folder:
        await asyncio.to_thread(_copy, table, folder / file_name)
        target = request["question"]["target"]
        command = shlex.join(["slopewise", "fit", file_name, "--target", target])
        asked = {**request, "task": "fit", "file": file_name, "command": command}
        result: dict[str, Any] = await run_alone(_WORK, asked, folder, FITTING, ticket, hear)
        return result


class Workshop:
    """The work on data sets of one server process, at the places that labs and trainings have too."""

    def __init__(
        self, shelf: Shelf, database: Database, clock: Callable[[], datetime], places: Places
    ) -> None:
        self.shelf, self.database, self.clock, self.places = shelf, database, clock, places
        self.uploads = asyncio.Semaphore(UPLOADS)  # `forms.check_upload` takes one for each file
        self._fits: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._tickets: dict[uuid.UUID, Ticket] = {}
        self._curves: dict[uuid.UUID, Curve] = {}
        self._elsewhere: dict[uuid.UUID, Curve] = {}  # of trainings that other processes tend
        self._sharing: set[asyncio.Task[None]] = set()
        self._tidying = asyncio.create_task(self._keep_tidy())

    # ---- reading

    async def read(self, file_name: str, content: bytes, asker: Asker = SITE) -> dict[str, Any]:
        """Return ``facts`` and ``points`` of a file that a visitor gave."""
        with self.shelf.workplace() as folder:
            (folder / file_name).write_bytes(content)
            return await self._ask({"task": "read", "file": file_name}, folder, asker)

    async def generate(
        self, kind: str, rows: int, noise: float | None, seed: int, asker: Asker = SITE
    ) -> dict[str, Any]:
        """Return ``facts``, ``points`` and the ``text`` of a generated table."""
        request = {"task": "generate", "kind": kind, "rows": rows, "noise": noise, "seed": seed}
        with self.shelf.workplace() as folder:
            return await self._ask(request, folder, asker)

    async def cells(self, data_set: DataSet, asker: Asker = SITE) -> dict[str, Any]:
        """Return ``names`` and ``rows`` of a whole table, as text."""
        with self.shelf.workplace() as folder:
            _copy(self.shelf.table(data_set.id), folder / data_set.file_name)
            return await self._ask({"task": "table", "file": data_set.file_name}, folder, asker)

    async def _ask(self, request: dict[str, Any], folder: Path, asker: Asker) -> dict[str, Any]:
        with self.places.enter(asker, kind="reading", most=READERS) as ticket:
            await ticket.wait(PATIENCE)
            result: dict[str, Any] = await run_alone(_WORK, request, folder, READING, ticket)
            return result

    # ---- training

    def start(self, run: DataRun, data_set: DataSet, asker: Asker = SITE) -> None:
        """Tend a training that waits, until it has ended or nobody looks.

        Its owner has no other one, which bounds the queue of them.
        """
        self._tickets[run.id] = self.places.enter(asker, kind="fit", most=FITS, is_bounded=False)
        self._curves[run.id] = curve = Curve()
        if self.database.is_shared:
            self._share(write_curve(self.database, run.id, curve))
        task = asyncio.create_task(self._tend(run, data_set))
        self._fits[run.id] = task
        task.add_done_callback(lambda _: self._forget(run.id))

    def _forget(self, run_id: uuid.UUID) -> None:
        self._fits.pop(run_id, None)
        self._tickets.pop(run_id).leave()
        self._curves.pop(run_id).close()

    def place_of(self, run_id: uuid.UUID) -> int | None:
        """Return a training's place in the queue, 0 if it has its turn, or None if it is not tended here."""
        ticket = self._tickets.get(run_id)
        return None if ticket is None else ticket.place

    def curve_of(self, run_id: uuid.UUID) -> Curve | None:
        """Return the curve of a training that is tended here, or listened to."""
        return self._curves.get(run_id) or self._elsewhere.get(run_id)

    def listen(self, run_id: uuid.UUID) -> Curve:
        """Return the curve of a training for a stream; one that no process can tell of is closed."""
        curve = self.curve_of(run_id)
        if curve is None:
            curve = Curve(is_closed=not self.database.is_shared)
            if not curve.is_closed:
                self._elsewhere[run_id] = curve
                self._share(self._follow(run_id, curve))
        return curve

    async def _follow(self, run_id: uuid.UUID, curve: Curve) -> None:
        try:
            await read_curve(self.database, run_id, curve)
        finally:
            del self._elsewhere[run_id]
            curve.close()

    def _share(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sharing.add(task)
        task.add_done_callback(self._sharing.discard)

    def stop(self, run_id: uuid.UUID) -> None:
        """End a training, if it is tended here."""
        if run_id in self._fits:
            self._fits[run_id].cancel()

    async def _tend(self, run: DataRun, data_set: DataSet) -> None:
        work = asyncio.create_task(self._work(run, data_set))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=LOOK)
                if not work.done() and await asyncio.to_thread(self._is_unseen, run.id):
                    break
        finally:
            if not work.done():
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        state, message = await work if not work.cancelled() else ("ended", "It was ended before its end.")
        await asyncio.to_thread(self._note, run.id, state, message)

    async def _work(self, run: DataRun, data_set: DataSet) -> tuple[str, str]:
        """Train, keep the report, and return how it ended."""
        with self._tickets[run.id] as ticket:
            await ticket.wait()
            await asyncio.to_thread(self._note, run.id, "running", "")
            request: dict[str, Any] = {name: run.settings[name] for name in ("question", "settings")}
            try:
                table = self.shelf.table(data_set.id)
                result = await run_fit(
                    self.shelf, table, data_set.file_name, request, ticket, self._curves[run.id].add
                )
                await asyncio.to_thread(self._keep_report, data_set.id, run.id, result["report"])
            except SlopewiseError as error:
                return "refused", str(error)
            except (FileNotFoundError, StopIteration, NoResultFound):  # the data set was deleted meanwhile
                return "ended", "The data set is gone."
            except Exception:
                log.exception("a training on a data set failed")
                return "refused", "this ran into a mistake of ours; the server's log says which"
        return "done", result["words"]

    def _keep_report(self, data_set_id: uuid.UUID, run_id: uuid.UUID, report: str) -> None:
        """Keep a report, which counts for its owner's quota."""
        with self.database.writing() as session:
            row = session.get_one(DataSet, data_set_id)
            check_size(session, Owner(row.learner_id, row.guest), len(report.encode()))
            self.shelf.put_report(data_set_id, run_id, report)
            row.size = self.shelf.size(data_set_id)

    def remove_reports(self, data_set_id: uuid.UUID, run_ids: Sequence[uuid.UUID]) -> None:
        """Delete the reports of trainings that are deleted; they count no longer."""
        for run_id in run_ids:
            self.shelf.remove_report(data_set_id, run_id)
        with self.database.writing() as session:
            row = session.get(DataSet, data_set_id)
            if row is not None:
                row.size = self.shelf.size(data_set_id)

    def _is_unseen(self, run_id: uuid.UUID) -> bool:
        with self.database.reading() as session:
            run = session.get(DataRun, run_id)
            return run is None or run.state == "ended" or run.seen_at < self.clock() - UNSEEN

    def _note(self, run_id: uuid.UUID, state: str, message: str) -> None:
        with self.database.writing(of=run_id) as session:
            run = session.get(DataRun, run_id)
            if run is None or run.state == "ended":
                return
            run.state, run.message = state, message
            if state != "running":
                run.ended_at = self.clock()

    # ---- order

    def tidy(self) -> None:
        """Delete what belongs to nobody any more: data of guests who have left, files without a row."""
        with self.database.writing() as session:
            gone = end_guests(session, self.clock())
            end_lost_runs(session, self.clock())
        for data_set in gone:
            self.shelf.remove(data_set)
        self.sweep()

    def sweep(self, seconds: float | None = None) -> None:
        """Delete the files of data sets that have no row."""
        with self.database.reading() as session:
            known = set(session.scalars(sqlalchemy.select(DataSet.id)))
        if seconds is None:
            self.shelf.sweep(known)
        else:
            self.shelf.sweep(known, seconds)

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.tidy)
            except Exception:
                log.exception("the files of data sets could not be tidied")
            await asyncio.sleep(TIDY)

    async def close(self) -> None:
        """End all trainings."""
        tasks = [self._tidying, *self._fits.values(), *self._sharing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())
