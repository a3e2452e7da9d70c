"""A bounded pool of worker processes, and the frames they made.

A lab's run is a pure function of its settings, so its frames are kept: stepping forward and back, scrubbing
and a whole class opening one link cost one run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.labs.settings import Values

log = logging.getLogger(__name__)

_SET_FOR_WORKERS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "SLOPEWISE_NUM_THREADS": "1",
    "SLOPEWISE_TARGET": "interpreter",  # a lab makes no machine code of what a learner sets or types
    "SLOPEWISE_CACHE": "off",  # nor reads what another process compiled, nor leaves anything behind
}
_KEPT_FROM_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")

Frames = list[dict[str, Any]]


class LabBusyError(SlopewiseError):
    """All workers are taken, and the queue is full or too slow."""


class LabFailedError(SlopewiseError):
    """A lab ran into a mistake of ours, or past its limits."""


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: the search path of programs and modules, and how it computes."""
    kept = {name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ}
    return kept | _SET_FOR_WORKERS


@dataclass(frozen=True)
class Limits:
    """What labs may use."""

    workers: int = max(1, (os.cpu_count() or 2) - 1)
    waiting: int = 64  # requests in the queue
    patience: float = 10.0  # seconds in the queue
    seconds: float = 5.0  # one run
    output: int = 8 * 2**20  # bytes of one run's frames
    kept: int = 96 * 2**20  # bytes of frames in memory
    runs: int = 2000  # of one worker, before a new one takes its place


class Worker:
    """One process, and the pipe to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.runs = 0

    @classmethod
    async def start(cls, limits: Limits) -> Worker:
        """Start a process that has nothing of ours but the search path of programs and modules."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "slopewise.site.labs.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=worker_environment(),
            limit=limits.output,
        )
        return cls(process)

    @property
    def is_alive(self) -> bool:
        """Whether the process can take a request."""
        return self._process.returncode is None

    async def ask(self, request: dict[str, Any], seconds: float) -> bytes:
        """Send a request and return the line that answers it; a worker that fails to is ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.runs += 1
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            await self.stop()
            raise LabFailedError(
                f"the lab took longer than {seconds:g} seconds; choose smaller settings"
            ) from None
        except ValueError:  # a line beyond the stream's limit
            await self.stop()
            raise LabFailedError("the lab made more than a page can show; choose smaller settings") from None
        except (ConnectionError, asyncio.CancelledError):
            await self.stop()
            raise
        if not line:
            await self.stop()
            raise LabFailedError("the lab's process ended in the middle of a run; please try again")
        return line

    async def stop(self) -> None:
        """End the process and wait until it has gone."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                self._process.kill()
        assert self._process.stdout is not None
        while await self._process.stdout.read(2**16):
            pass  # what it had still written: asyncio waits for the end of a pipe, not only of the process
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class Pool:
    """Runs labs in a bounded number of processes, each one request at a time.

    Workers start when they are first needed, or with `warm_up`.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._idle: list[Worker] = []
        self._free = asyncio.Semaphore(self.limits.workers)
        self._waiting = 0

    async def warm_up(self) -> None:
        """Start the first worker before somebody waits for it."""
        if not self._idle:
            self._idle.append(await Worker.start(self.limits))

    async def run(self, lab: str, values: Values) -> tuple[Frames, int]:
        """Return the frames of a lab, and how many bytes they were.

        Raises
        ------
        ArgumentError
            If the lab cannot take these values.
        LabBusyError
            If no worker was free in time.
        LabFailedError
            If the lab ran past a limit, or into a mistake of ours.
        """
        reply, size = await self.ask({"lab": lab, "values": dict(values)})
        frames: Frames = reply["frames"]
        return frames, size

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Return a worker's answer to a request, and how many bytes it was; raises what `run` raises."""
        await self._take_turn()
        try:
            worker = await self._worker()
            line = await worker.ask(request, self.limits.seconds)
            if worker.runs < self.limits.runs:
                self._idle.append(worker)
            else:
                await worker.stop()
        finally:
            self._free.release()
        return _reply_of(line, str(request.get("lab", request.get("job")))), len(line)

    async def close(self) -> None:
        """End all processes that are idle; those at work end with their request."""
        while self._idle:
            await self._idle.pop().stop()

    async def _take_turn(self) -> None:
        if self._waiting >= self.limits.waiting:
            raise LabBusyError("all lab places are taken and the queue is full; please try again in a moment")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), self.limits.patience)
        except TimeoutError:
            raise LabBusyError("all lab places are taken; please try again in a moment") from None
        finally:
            self._waiting -= 1

    async def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await worker.stop()
        return await Worker.start(self.limits)


def _reply_of(line: bytes, lab: str) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(line)
    if "refused" in reply:
        raise ArgumentError(reply["refused"])
    if "failed" in reply:
        log.error("lab %s failed\n%s", lab, reply["failed"])
        raise LabFailedError("the lab ran into a mistake of ours; the server's log says which")
    return reply


class FrameStore:
    """The frames of recent runs, by lab and settings; the oldest go when memory is short.

    Requests for a run under way wait for it together.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._kept: OrderedDict[str, tuple[Frames, int]] = OrderedDict()
        self._size = 0
        self._under_way: dict[str, asyncio.Task[Frames]] = {}

    async def frames(self, lab: str, values: Values) -> Frames:
        """Return the frames of a lab at these settings; raises what `Pool.run` raises."""
        key = json.dumps([lab, dict(values)], sort_keys=True)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._run(key, lab, values))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Whoever leaves does not take the run away from those who still wait for it.
        return await asyncio.shield(task)

    async def _run(self, key: str, lab: str, values: Values) -> Frames:
        frames, size = await self.pool.run(lab, values)
        self._kept[key] = frames, size
        self._size += size
        while self._size > self.pool.limits.kept and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= dropped
        return frames
