"""Jobs: live trainings that take turns in the pool of workers.

A job is a list of settings, a step that is shown and a step that is wanted. While the two differ the job asks
the pool for slices of a tenth of a second; between slices it holds no process, and a job at rest never
does. Jobs work in the places that labs and own data have too (`labs.places`); the others wait in the queue
for them, and who has had a turn goes to its end if others wait. All of it runs in the server's event loop.

Where several server processes share a database, they know of each other's jobs (`labs.job_store`). The
process that a stream asks holds the job: it computes it anew from its start, as all steps follow from the
settings, and the process that held it before lets go. Wishes that reach another process travel to the one
that holds the job.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.labs.job import Job, test_set_of
from slopewise.site.labs.job_store import JobRecord, JobStore, MemoryStore
from slopewise.site.labs.places import Asker, LabBusyError, Ticket
from slopewise.site.labs.pool import Pool

log = logging.getLogger(__name__)

MOVED = "another process of the server works on it"  # not told: the browser's stream comes back by itself
EXCHANGE = 0.1  # seconds between two looks at what other processes did
AFTER_FAILURE = 2.0  # seconds, if the database did not answer
SWEEP = 60.0  # seconds between two looks at what nobody will ask for any more

More = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]  # what a worker needs beside the values


@dataclass(frozen=True)
class JobLimits:
    """What live trainings may use."""

    jobs: int = 200  # in all
    by_network: int = 60  # from one network: a class behind one address
    streams: int = 4  # of one job: a page has one, and a reload may overlap with the one before
    updates: int = 20_000  # of one job
    seconds: float = 120.0  # of a worker's time for one job
    idle: float = 1800.0  # seconds without a wish of the visitor
    reconnect: float = 30.0  # seconds without a stream
    slice: float = 0.1  # seconds of one request to the pool
    turn: float = 2.0  # seconds until others have theirs
    interval: float = 0.05  # seconds between two messages of a stream


class Jobs:
    """All live trainings of a server process."""

    def __init__(
        self,
        pool: Pool,
        limits: JobLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        store: JobStore | None = None,
    ) -> None:
        self.pool = pool
        self.limits = limits or JobLimits()
        self.clock = clock
        self.store: JobStore = store or MemoryStore()
        self._jobs: dict[str, Job] = {}
        self._at_work: dict[Job, asyncio.Task[None]] = {}
        self._reaper: asyncio.Task[None] | None = None
        self._sharing: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()  # held while the store is told what is here

    def __len__(self) -> int:
        return len(self._jobs)

    # ---- what a visitor may do

    async def start(
        self,
        owner: str,
        network: str,
        values: Mapping[str, Any],
        wanted: int,
        more: Mapping[str, Any] | None = None,
    ) -> Job:
        """Begin a job; the one that its owner had ends.

        Raises
        ------
        LabBusyError
            If there are too many already.
        """
        job = Job(owner, network, values, more or {}, self.clock)
        job.wanted = self._checked(wanted)
        async with self._changing:
            if not self.store.is_shared:
                self._check_room(owner, network)
            limits = self.limits
            job.openings = await self.store.add(job.record(), limits.jobs, limits.by_network)
            for other in list(self._jobs.values()):
                if other.owner == owner:
                    self._end_for_another(other)
            self._keep(job)
        self.go_to(job, wanted)
        return job

    def _check_room(self, owner: str, network: str) -> None:
        others = [job for job in self._jobs.values() if job.owner != owner]
        here = sum(job.network == network and not job.why for job in others)
        if len(others) >= self.limits.jobs or (network and here >= self.limits.by_network):
            raise LabBusyError("too many trainings are open at the moment; please try again in a minute")

    def _end_for_another(self, job: Job) -> None:
        job.end("another training of yours has begun, and a visitor has one at a time")
        self._forget(job)

    def _keep(self, job: Job) -> None:
        self._jobs[job.id] = job
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())

    def _checked(self, step: int) -> int:
        if not 0 <= step <= self.limits.updates:
            raise ArgumentError(f"step is a whole number from 0 to {self.limits.updates}, not {step}")
        return step

    def find(self, owner: str, id: str) -> Job | None:
        """Return a job if it is this owner's."""
        job = self._jobs.get(id)
        return job if job is not None and job.owner == owner else None

    def go_to(self, job: Job, step: int) -> None:
        """Let a job go to a step, forward or back."""
        self._checked(step)
        if job.why:
            raise ArgumentError(f"this training has ended: {job.why}")
        job.wished_at = self.clock()
        job.wanted, job.is_pausing = step, False
        job.resumes_at = min(job.resumes_at, step)
        if not job.has_work:
            job.leave_queue()
        self._schedule(job)
        if not job.has_work:
            job.tell()  # else the first slice does: a message now would hold up the one that matters

    def pause(self, job: Job) -> None:
        """Let a job rest where it is."""
        if job.resumes_at:
            self.go_to(job, job.resumes_at)  # where its visitor sees it
            return
        if job in self._at_work and not job.place:
            job.is_pausing = True  # after the slice that is under way
            return
        self.go_to(job, job.step)

    async def open_test(self, job: Job) -> None:
        """Show the test set's scores from now on, and write down that it was opened."""
        job.open_test()
        await self.store.note_opening(job.owner, test_set_of(job.values), job.openings[-1])

    async def obey(self, job: Job, action: str, step: int = 0) -> None:
        """Do what a visitor asks for: go, pause, stop or open-test."""
        if action == "go":
            self.go_to(job, step)
        elif action == "pause":
            self.pause(job)
        elif action == "stop":
            job.end("stopped")
        else:
            assert action == "open-test", action
            await self.open_test(job)

    async def stream(self, job: Job, after: int) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """Yield the last step of the curve and what is new since `after`, at most 20 times a second."""
        job.streams += 1
        seen, version, was_open = -1, -1, job.is_test_open
        try:
            while True:
                await job.changed_since(version)
                if job.why == MOVED:
                    return
                if job.is_test_open != was_open:
                    after, was_open = -1, True  # all points again, now with the test set's scores
                message, version = job.message(after, seen), job.version
                after, seen = max(after, job.last_point), job.view_version
                yield after, message
                if job.why:
                    return
                await asyncio.sleep(self.limits.interval)
        finally:
            job.streams -= 1
            job.left_at = self.clock()

    # ---- turns

    def _schedule(self, job: Job) -> None:
        """Let a job work, at a place or in the queue for one."""
        if not job.has_work or job in self._at_work:
            return
        asker = Asker(job.owner, job.network)
        job.ticket = self.pool.places.enter(asker, job.move, is_bounded=False, since=job.waits_since)
        if not job.ticket.place:
            job.waits_since = 0.0
        self._at_work[job] = asyncio.create_task(self._work(job, job.ticket))

    async def _work(self, job: Job, ticket: Ticket) -> None:
        try:
            while await ticket.wait():
                await self._turn(job, ticket)
                if not job.has_work:
                    break
                ticket.step_back()
        except SlopewiseError as error:
            job.end(str(error))
        except Exception:
            log.exception("a training failed")
            job.end("the training ran into a mistake of ours; the server's log says which")
        finally:
            ticket.leave()
            self._at_work.pop(job, None)
            self._schedule(job)  # for what was wished meanwhile
            job.tell()

    async def _turn(self, job: Job, ticket: Ticket) -> None:
        while job.has_work:
            await self._slice(job)
            if ticket.is_over(self.limits.turn):
                return

    async def _slice(self, job: Job) -> None:
        if job.seconds >= self.limits.seconds:
            raise ArgumentError(
                f"the training took {self.limits.seconds:g} seconds of computing, which is the most here; "
                "its code runs it on as long as you like"
            )
        wanted, began = job.wanted, self.clock()
        answer, _ = await self.pool.answer(
            {
                "job": job.run,
                "values": dict(job.values),
                **job.more,
                "step": job.step,
                "until": wanted,
                "seconds": self.limits.slice,
                "snapshots": job.needed(wanted),
            }
        )
        job.seconds += self.clock() - began
        if not job.why:
            job.take(answer)
            if answer["diverged"] and wanted > job.step:
                raise ArgumentError(
                    f"the loss is no longer a number at update {job.step}; a smaller learning rate helps"
                )

    # ---- other processes

    def share(self, store: JobStore) -> None:
        """Share the jobs with other server processes, if there may be some."""
        self.store = store
        if store.is_shared:
            self._sharing = asyncio.create_task(self._share())

    async def adopt(self, owner: str, id: str, more: More) -> Job | None:
        """Return a job of this owner; one that another process holds is held here from now on.

        Raises
        ------
        DataError
            If what it needs beside its values is gone.
        """
        if (job := self.find(owner, id)) is not None:
            return job
        async with self._changing:
            job = self.find(owner, id)  # another request may have been first
            record = await self.store.find(owner, id) if job is None else None
            if record is None:
                return job
            needed = await more(record.values)
            record = await self.store.adopt(owner, id)
            if record is None:
                return None
            job = self._from(record, needed)
            self._keep(job)
        for action, step in record.wishes:
            await self.obey(job, action, step)
        self._schedule(job)
        return job

    async def ask(self, owner: str, id: str, action: str, step: int, more: More) -> Job | None:
        """Do what a visitor asks of a job, or let the process that holds it do so; None if there is none."""
        job = self.find(owner, id)
        record = await self.store.find(owner, id) if job is None else None
        if record is not None and record.is_held:
            self._checked(step)
            shown = self._from(record, await more(record.values))
            if action == "open-test":
                shown.open_test()
            return shown if await self.store.wish(owner, id, (action, step)) else None
        job = job or await self.adopt(owner, id, more)
        if job is not None:
            await self.obey(job, action, step)
        return job

    def _from(self, record: JobRecord, more: Mapping[str, Any]) -> Job:
        """Return a job that starts anew and will show nothing but what its visitor knows already."""
        job = Job(record.owner, record.network, record.values, more, self.clock, id=record.id)
        job.wanted, job.resumes_at = record.wanted, min(record.step, record.wanted)
        job.seconds, job.waits_since = record.seconds, record.waits_since
        job.is_test_open, job.openings = record.is_test_open, list(record.openings)
        job.wished_at -= record.idle
        return job

    async def _share(self) -> None:
        """Tell other processes where our jobs are, and hear what became of them there."""
        swept = -math.inf
        while True:
            pause = EXCHANGE
            try:
                if self._jobs:
                    await self._exchange()
                if self.clock() - swept > SWEEP:
                    async with self._changing:
                        await self.store.sweep()
                    swept = self.clock()
            except Exception:
                log.exception("live trainings could not be told to other processes")
                pause = AFTER_FAILURE
            await asyncio.sleep(pause)

    async def _exchange(self) -> None:
        async with self._changing:
            held = [job for job in self._jobs.values() if not job.why]
            ended = [job.id for job in self._jobs.values() if job.why]
            news = await self.store.exchange([job.record() for job in held], ended)
            for job in held:
                if job.id in news.moved:
                    job.end(MOVED)
                    self._forget(job)
                elif job.id in news.gone:
                    self._end_for_another(job)
                for action, step in news.wishes.get(job.id, ()):
                    if not job.why:
                        await self.obey(job, action, step)

    # ---- endings

    async def _reap(self) -> None:
        """End jobs whose stream has gone, or that nobody has asked for long; forget those that ended."""
        while self._jobs:
            await asyncio.sleep(min(1.0, self.limits.reconnect / 4))
            now = self.clock()
            for job in list(self._jobs.values()):
                is_left = not job.streams and now - job.left_at > self.limits.reconnect
                if is_left and job.why:
                    self._forget(job)
                elif is_left:
                    job.end("nobody has looked at this training for a while")
                elif now - job.wished_at > self.limits.idle and not job.has_work:
                    job.end("nothing was asked of this training for long; start it again where you left")

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)

    async def close(self) -> None:
        """End all jobs; other processes go on with those that are shared."""
        async with self._changing:  # so that no thread is left with a connection to the database
            if self._sharing is not None:
                self._sharing.cancel()
        for job in list(self._jobs.values()):
            job.end(MOVED if self.store.is_shared else "the server stops")
        self._jobs.clear()
        tasks = [task for task in (self._reaper, self._sharing, *self._at_work.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self.store.release()
        except Exception:
            log.exception("live trainings could not be given back")  # others adopt them a little later
