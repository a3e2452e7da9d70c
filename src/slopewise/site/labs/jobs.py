"""Jobs: live trainings that take turns in the pool of workers.

A job is a list of settings, a step that is shown and a step that is wanted. While the two differ the job asks
the pool for slices of a tenth of a second; between slices it holds no process, and a job at rest never
does. As many jobs work at a time as there are workers; the others wait in a queue, and who has had a turn
goes to its end if others wait. All of it runs in the server's event loop.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.labs.pool import LabBusyError, Pool

log = logging.getLogger(__name__)

MOST_SNAPSHOTS = 40
MOST_BYTES = 2**20  # of one job's snapshots; the first and the newest are kept in any case
MOST_LOGS = 2000
SAME_TEST_SET = (
    "data",
    "own",
    "target",
    "rows",
    "noise",
    "data_seed",
    "validation",
    "test",
)  # values that say which rows it has
FIRST_TEST_COLUMN = 6  # of a curve's point: step, batch, then loss and score of training and validation


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


@dataclass(eq=False)
class Job:
    """One live training. Its numbers follow from its values; so does every step of it."""

    owner: str
    network: str
    values: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)  # what else the worker needs: own rows
    clock: Callable[[], float] = time.monotonic
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    step: int = 0
    wanted: int = 0
    is_pausing: bool = False
    is_fresh: bool = True  # nothing is known yet, not even of step 0
    seconds: float = 0.0
    place: int = 0  # in the queue; 0 is at work or at rest
    why: str = ""  # why it ended
    is_test_open: bool = False
    openings: list[int] = field(default_factory=list)  # the updates at which the test set was opened
    points: list[list[float | None]] = field(default_factory=list)
    snapshots: dict[int, Any] = field(default_factory=dict)
    view: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    view_version: int = 0
    streams: int = 0

    def __post_init__(self) -> None:
        self.left_at = self.wished_at = self.clock()
        self._changed = asyncio.Event()

    @property
    def has_work(self) -> bool:
        """Whether a worker is needed."""
        return not self.why and (self.is_fresh or self.step != self.wanted)

    @property
    def state(self) -> str:
        """What the job does: ended, waiting, running or paused."""
        return "ended" if self.why else "waiting" if self.place else "running" if self.has_work else "paused"

    @property
    def last_point(self) -> int:
        """The last step of the curve."""
        return int(self.points[-1][0] or 0) if self.points else -1

    def tell(self) -> None:
        """Wake the streams."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed_since(self, version: int) -> None:
        """Wait until there is something newer."""
        while self.version <= version:
            await self._changed.wait()

    def end(self, why: str) -> None:
        """End the job; only why is kept."""
        self.why = self.why or why
        self.snapshots = {}
        self.place = 0
        self.tell()

    def message(self, after: int, seen: int) -> dict[str, Any]:
        """Return what a stream does not know yet: points after a step, and the view if it is newer."""
        message: dict[str, Any] = {
            "state": self.state,
            "step": self.step,
            "wanted": self.wanted,
            "place": self.place,
            "why": self.why,
            "openings": self.openings,
            "from": after,
            "points": [self._shown(point) for point in self.points if (point[0] or 0) > after],
        }
        if self.view_version > seen and self.view:
            message["view"] = {**self.view, "scores": self._shown(self.view["scores"])}
        return message

    def open_test(self) -> None:
        """Show the test set's scores from now on, and write down that it was opened."""
        self.is_test_open = True
        self.openings.append(self.step)
        self.view_version += 1
        self.tell()

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take in what a slice made."""
        self.step, self.view, self.is_fresh = answer["step"], answer["view"], False
        last = self.last_point
        self.points += [point for point in answer["points"] if point[0] > last]
        self.snapshots[self.step] = answer["snapshot"]
        self._thin_out()
        self.view_version += 1
        if self.is_pausing:
            self.wanted, self.is_pausing = self.step, False
        self.tell()

    def _shown(self, point: list[float | None]) -> list[float | None]:
        return point if self.is_test_open else point[:FIRST_TEST_COLUMN]

    def _thin_out(self) -> None:
        """Keep the first, the newest and between them those that lie farthest from their neighbours."""
        size = sum(_size(snapshot) for snapshot in self.snapshots.values())
        while len(self.snapshots) > MOST_SNAPSHOTS or (size > MOST_BYTES and len(self.snapshots) > 2):
            steps = sorted(self.snapshots)
            gaps = [(steps[k + 1] - steps[k - 1], steps[k]) for k in range(1, len(steps) - 1)]
            size -= _size(self.snapshots.pop(min(gaps)[1]))


class Jobs:
    """All live trainings of a server."""

    def __init__(
        self, pool: Pool, limits: JobLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pool = pool
        self.limits = limits or JobLimits()
        self.clock = clock
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._at_work: dict[Job, asyncio.Task[None]] = {}
        self._logs: OrderedDict[tuple[str, ...], list[int]] = OrderedDict()
        self._reaper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    # ---- what a visitor may do

    def start(
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
        for job in list(self._jobs.values()):
            if job.owner == owner:
                job.end("another training of yours has begun, and a visitor has one at a time")
                self._forget(job)
        here = sum(job.network == network and not job.why for job in self._jobs.values())
        if len(self._jobs) >= self.limits.jobs or here >= self.limits.by_network:
            raise LabBusyError("too many trainings are open at the moment; please try again in a minute")
        job = Job(owner, network, values, more or {}, self.clock)
        job.openings = self._openings(owner, values)
        self._jobs[job.id] = job
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap())
        self.go_to(job, wanted)
        return job

    def find(self, owner: str, id: str) -> Job | None:
        """Return a job if it is this owner's."""
        job = self._jobs.get(id)
        return job if job is not None and job.owner == owner else None

    def go_to(self, job: Job, step: int) -> None:
        """Let a job go to a step, forward or back."""
        if not 0 <= step <= self.limits.updates:
            raise ArgumentError(f"step is a whole number from 0 to {self.limits.updates}, not {step}")
        if job.why:
            raise ArgumentError(f"this training has ended: {job.why}")
        job.wished_at = self.clock()
        job.wanted, job.is_pausing = step, False
        if job in self._waiting and not job.has_work:
            self._waiting.remove(job)
            job.place = 0
        self._schedule(job)
        if not job.has_work:
            job.tell()  # else the first slice does: a message now would hold up the one that matters

    def _openings(self, owner: str, values: Mapping[str, Any]) -> list[int]:
        """Return the log of a visitor's openings of one test set: it outlives the job."""
        which = (owner, *(str(values.get(name)) for name in SAME_TEST_SET))
        log_of_it = self._logs.setdefault(which, [])
        self._logs.move_to_end(which)
        while len(self._logs) > MOST_LOGS:
            self._logs.popitem(last=False)
        return log_of_it

    def pause(self, job: Job) -> None:
        """Let a job rest where it is."""
        if job in self._at_work:
            job.is_pausing = True  # after the slice that is under way
            return
        self.go_to(job, job.step)

    async def stream(self, job: Job, after: int) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """Yield the last step of the curve and what is new since `after`, at most 20 times a second."""
        job.streams += 1
        seen, version, was_open = -1, -1, job.is_test_open
        try:
            while True:
                await job.changed_since(version)
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
        if job.has_work and job not in self._at_work and job not in self._waiting:
            self._waiting.append(job)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._at_work) < self.pool.limits.workers:
            job = self._waiting.popleft()
            if job.place:
                job.place = 0
                job.tell()
            self._at_work[job] = asyncio.create_task(self._turn(job))
        for place, job in enumerate(self._waiting, 1):
            if job.place != place:
                job.place = place
                job.tell()

    async def _turn(self, job: Job) -> None:
        began = self.clock()
        try:
            while job.has_work and not (self._waiting and self.clock() - began > self.limits.turn):
                await self._slice(job)
        except SlopewiseError as error:
            job.end(str(error))
        except Exception:
            log.exception("a training failed")
            job.end("the training ran into a mistake of ours; the server's log says which")
        finally:
            self._at_work.pop(job, None)
            if job.has_work:
                self._waiting.append(job)
            self._fill()
            job.tell()

    async def _slice(self, job: Job) -> None:
        if job.seconds >= self.limits.seconds:
            raise ArgumentError(
                f"the training took {self.limits.seconds:g} seconds of computing, which is the most here; "
                "its code runs it on as long as you like"
            )
        wanted, began = job.wanted, self.clock()
        answer, _ = await self.pool.ask(
            {
                "job": job.id,
                "values": dict(job.values),
                **job.more,
                "step": job.step,
                "until": wanted,
                "seconds": self.limits.slice,
                "snapshots": _needed(job, wanted),
            }
        )
        job.seconds += self.clock() - began
        if not job.why:
            job.take(answer)
            if answer["diverged"] and wanted > job.step:
                raise ArgumentError(
                    f"the loss is no longer a number at update {job.step}; a smaller learning rate helps"
                )

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
        if job in self._waiting:
            self._waiting.remove(job)

    async def close(self) -> None:
        """End all jobs."""
        for job in list(self._jobs.values()):
            job.end("the server stops")
        self._jobs.clear()
        self._waiting.clear()
        tasks = [task for task in (self._reaper, *self._at_work.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _size(snapshot: Mapping[str, Any]) -> int:
    return sum(len(text) for _, _, text in snapshot["tensors"].values())


def _needed(job: Job, wanted: int) -> dict[str, Any]:
    """Return the states that a worker may need, as any worker may get the next slice."""
    if wanted > job.step:
        return {str(job.step): job.snapshots[job.step]} if job.step in job.snapshots else {}
    before = [step for step in job.snapshots if step < wanted or step == 0]
    return {str(max(before)): job.snapshots[max(before)]} if before else {}
