"""A pool of worker processes: each answers one request after the other, in the places that there are."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.labs.places import SITE, Asker, LabBusyError, Places
from slopewise.site.labs.settings import Values

log = logging.getLogger(__name__)

_SET_FOR_WORKERS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "SLOPEWISE_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",  # a place is a core: what reads tables takes no more than others
    "SLOPEWISE_TARGET": "interpreter",  # a lab makes no machine code of what a learner sets or types
    "SLOPEWISE_CACHE": "off",  # nor reads what another process compiled, nor leaves anything behind
}
_KEPT_FROM_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")

Frames = list[dict[str, Any]]


class LabFailedError(SlopewiseError):
    """A lab ran into a mistake of ours."""


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: the search path of programs and modules, and how it computes."""
    kept = {name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ}
    return kept | _SET_FOR_WORKERS


@dataclass(frozen=True)
class Limits:
    """What labs may use."""

    workers: int = max(1, (os.cpu_count() or 2) - 1)  # places, for all work of visitors together
    waiting: int = 200  # in the queue
    by_network: int = 100  # of them, from one network
    by_visitor: int = 10  # of them, of one visitor
    patience: float = 10.0  # seconds in the queue, where no page shows one's place
    start: float = 60.0  # seconds until a new worker is ready
    seconds: float = 5.0  # one run
    output: int = 8 * 2**20  # bytes of one run's frames
    kept: int = 96 * 2**20  # bytes of frames in memory
    runs: int = 2000  # of one worker, before a new one takes its place


class Worker:
    """One process, and the pipe to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._is_ready = False
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

    async def ask(self, request: dict[str, Any], limits: Limits) -> bytes:
        """Send a request and return the line that answers it; a worker that fails to is ended.

        The seconds of a run begin when the worker is ready. No lab needs them all: where they pass, the
        machine is busy with something else.
        """
        assert self._process.stdin is not None
        self.runs += 1
        if not self._is_ready:
            await self._line(limits.start, "the lab's process is not ready yet; please try again in a minute")
            self._is_ready = True
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        too_long = (
            f"the lab took longer than {limits.seconds:g} seconds; try again in a moment, or choose smaller "
            "settings"
        )
        return await self._line(limits.seconds, too_long)

    async def _line(self, seconds: float, too_long: str) -> bytes:
        """Return the next line, in time; a worker without one is ended."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            await self.stop()
            raise LabBusyError(too_long) from None
        except ValueError:  # a line beyond the stream's limit
            await self.stop()
            raise ArgumentError("the lab made more than a page can show; choose smaller settings") from None
        except (ConnectionError, asyncio.CancelledError):
            await self.stop()
            raise
        if not line.endswith(b"\n"):
            await self.stop()
            raise LabBusyError("the lab's process ended in the middle of a run; please try again")
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
    """Runs labs in processes, each one request at a time, in the places of a server.

    Workers start when they are first needed, or with `warm_up`.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        limits = self.limits
        self.places = Places(limits.workers, limits.waiting, limits.by_network, limits.by_visitor)
        self._idle: list[Worker] = []

    async def warm_up(self) -> None:
        """Start the first worker before somebody waits for it."""
        if not self._idle:
            self._idle.append(await Worker.start(self.limits))

    async def ask(self, request: dict[str, Any], asker: Asker = SITE) -> tuple[dict[str, Any], int]:
        """Take a place, and return what `answer` does.

        Raises
        ------
        LabBusyError
            If no place was free in time; else as `answer`.
        """
        with self.places.enter(asker) as ticket:
            await ticket.wait(self.limits.patience)
            return await self.answer(request)

    async def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Return a worker's answer to a request, and how many bytes it was. The caller holds a place.

        Raises
        ------
        ArgumentError
            If the work cannot be done with these values.
        LabBusyError
            If it took longer than it may, or its process was ended.
        LabFailedError
            If it ran into a mistake of ours.
        """
        worker = await self._worker()
        line = await worker.ask(request, self.limits)
        if worker.runs < self.limits.runs:
            self._idle.append(worker)
        else:
            await worker.stop()
        return _reply_of(line, str(request.get("lab", request.get("job")))), len(line)

    async def run(self, lab: str, values: Values) -> tuple[Frames, int]:
        """Return the frames of a lab, and how many bytes they were. The caller holds a place."""
        reply, size = await self.answer({"lab": lab, "values": dict(values)})
        frames: Frames = reply["frames"]
        return frames, size

    async def close(self) -> None:
        """End all processes that are idle; those at work end with their request."""
        while self._idle:
            await self._idle.pop().stop()

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
