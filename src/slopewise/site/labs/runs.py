"""Runs of labs: who asked for which, where it stands in the queue, and the frames that were made.

A lab's run is a pure function of its settings, so its frames are kept: stepping forward and back, scrubbing
and a whole class with one link cost one run. To look for frames starts nothing; `start` does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from slopewise.engine.errors import SlopewiseError
from slopewise.site.labs.places import SITE, Asker, LabBusyError, Ticket
from slopewise.site.labs.pool import Frames, LabFailedError, Pool
from slopewise.site.labs.settings import Values

log = logging.getLogger(__name__)

UNSEEN = 30.0  # seconds: a run that nobody asked after for so long is not begun
MOST_REMEMBERED = 2000  # visitors whose last run is remembered
MOST_OF_NETWORK = 200  # of them; who makes up more visitors pushes out their own


@dataclass(eq=False)
class Run:
    """A run of a lab: in the queue, at work, or over."""

    key: str
    ticket: Ticket
    seen_at: float
    wanted_by: set[str] = field(default_factory=set)
    frames: Frames | None = None
    error: SlopewiseError | None = None
    task: asyncio.Task[None] = field(init=False)

    @property
    def place(self) -> int:
        """The place in the queue, from 1; 0 is at work, or over."""
        return self.ticket.place

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.task.done()

    async def wait(self, seconds: float, in_queue: float | None = None) -> None:
        """Wait until it is over, but not longer than so many seconds; in the queue, not longer than those."""
        if in_queue is not None:
            await asyncio.wait({self.task}, timeout=in_queue)
        if in_queue is None or not self.place:
            await asyncio.wait({self.task}, timeout=seconds)


class FrameStore:
    """The frames of recent runs, by lab and settings; the oldest go when memory is short.

    Frames that are pinned stay. Requests for a run under way share it.
    """

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self.pool, self.clock = pool, clock
        self._kept: OrderedDict[str, tuple[Frames, int]] = OrderedDict()
        self._size = 0
        self._pins: set[str] = set()
        self._pinned: dict[str, Frames] = {}
        self._under_way: dict[str, Run] = {}
        self._last_of: OrderedDict[str, Run] = OrderedDict()  # by visitor
        self._of_network: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()  # who of them is where

    def pin(self, lab: str, values: Values) -> None:
        """Keep the frames of these settings for good, once they are made."""
        key = _key(lab, values)
        self._pins.add(key)
        if key in self._kept:
            self._pinned[key], size = self._kept.pop(key)
            self._size -= size

    def kept(self, lab: str, values: Values) -> Frames | None:
        """Return the frames of a lab at these settings, if there are any."""
        key = _key(lab, values)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        return self._pinned.get(key)

    def start(self, asker: Asker, lab: str, values: Values) -> Run:
        """Begin a run, or join the one under way. Whatever else the visitor waits for is withdrawn.

        Raises
        ------
        LabBusyError
            If the queue is full.
        """
        before = self._last_of.pop(asker.visitor, None)
        if before is not None and before.key != _key(lab, values):
            self._withdraw(before, asker.visitor)
        run = self._join(asker, lab, values)
        run.wanted_by.add(asker.visitor)
        self._remember(asker, run)
        return run

    def _remember(self, asker: Asker, run: Run) -> None:
        """Note a visitor's last run; the oldest of others go, of the same network first."""
        self._last_of[asker.visitor] = run
        if asker.network:
            self._forget_others_of(asker)
        while len(self._last_of) > MOST_REMEMBERED:
            self._last_of.popitem(last=False)

    def _forget_others_of(self, asker: Asker) -> None:
        """Forget the oldest of a network, if it has too many."""
        here = self._of_network.setdefault(asker.network, OrderedDict())
        here[asker.visitor] = None
        here.move_to_end(asker.visitor)
        if len(here) > MOST_OF_NETWORK:
            self._last_of.pop(here.popitem(last=False)[0], None)
        self._of_network.move_to_end(asker.network)
        while len(self._of_network) > MOST_REMEMBERED:
            self._of_network.popitem(last=False)

    def run_of(self, visitor: str, lab: str, values: Values) -> Run | None:
        """Return the visitor's run at these settings that is under way, or ended without frames.

        To ask is to be still there: runs that nobody asks after are not begun.
        """
        run = self._last_of.get(visitor)
        if run is None or run.key != _key(lab, values) or (run.is_over and run.error is None):
            return None
        run.seen_at = max(run.seen_at, self.clock())
        return run

    async def frames(self, lab: str, values: Values, asker: Asker = SITE) -> Frames:
        """Return the frames of a lab, run now if none are kept.

        Raises
        ------
        ArgumentError
            If the lab cannot take these values.
        LabBusyError
            If no place was free in time, or the run took longer than it may.
        LabFailedError
            If the lab ran into a mistake of ours.
        """
        frames = self.kept(lab, values)
        if frames is not None:
            return frames
        run = self._join(asker, lab, values)
        run.seen_at = self.clock() + self.pool.limits.patience
        await run.wait(self.pool.limits.patience + self.pool.limits.seconds)
        if run.error is not None:
            raise run.error
        if run.frames is None:
            raise LabBusyError("all places are taken; please try again in a moment")
        return run.frames

    def _join(self, asker: Asker, lab: str, values: Values) -> Run:
        key = _key(lab, values)
        run = self._under_way.get(key)
        if run is None:
            run = Run(key, self.pool.places.enter(asker), self.clock())
            run.task = asyncio.create_task(self._run(run, lab, values))
            self._under_way[key] = run
        run.seen_at = max(run.seen_at, self.clock())
        return run

    def _withdraw(self, run: Run, visitor: str) -> None:
        run.wanted_by.discard(visitor)
        if run.place and not run.wanted_by:
            self._under_way.pop(run.key, None)  # whoever asks for it now asks anew
            run.ticket.leave()

    async def _run(self, run: Run, lab: str, values: Values) -> None:
        try:
            with run.ticket:
                is_wanted = await run.ticket.wait() and self.clock() - run.seen_at < UNSEEN
                if is_wanted:
                    run.frames, size = await self.pool.run(lab, values)
                    self._keep(run.key, run.frames, size)
        except SlopewiseError as error:
            run.error = error
        except Exception:
            log.exception("a run of the lab %s failed", lab)
            run.error = LabFailedError("the lab ran into a mistake of ours; the server's log says which")
        finally:
            if self._under_way.get(run.key) is run:
                del self._under_way[run.key]

    def _keep(self, key: str, frames: Frames, size: int) -> None:
        if key in self._pins:
            self._pinned[key] = frames
            return
        self._size += size - self._kept.pop(key, (frames, 0))[1]
        self._kept[key] = frames, size
        while self._size > self.pool.limits.kept and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= dropped

    async def close(self) -> None:
        """End all runs under way."""
        tasks = [run.task for run in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _key(lab: str, values: Values) -> str:
    return json.dumps([lab, dict(values)], sort_keys=True)
