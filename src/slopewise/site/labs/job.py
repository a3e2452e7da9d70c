"""One live training: what is known of it, and what its visitor is told."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slopewise.site.labs.job_store import JobRecord
from slopewise.site.labs.places import Ticket

MOST_SNAPSHOTS = 40
MOST_BYTES = 2**20  # of one job's snapshots; the first and the newest are kept in any case
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


@dataclass(eq=False)
class Job:
    """One live training. Its numbers follow from its values; so does every step of it."""

    owner: str
    network: str
    values: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)  # what else the worker needs: own rows
    clock: Callable[[], float] = time.monotonic
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    run: str = field(default_factory=lambda: secrets.token_urlsafe(12))  # its name to workers: one each life
    step: int = 0
    wanted: int = 0
    is_pausing: bool = False
    is_fresh: bool = True  # nothing is known yet, not even of step 0
    seconds: float = 0.0
    place: int = 0  # in the queue; 0 is at work or at rest
    ticket: Ticket | None = None  # for its place, while it has work
    waits_since: float = 0.0  # seconds since 1970 while it waits in the queue
    resumes_at: int = 0  # what its visitor saw at another process: until it is reached nothing else is shown
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
    def shown_step(self) -> int:
        """The step that the visitor sees."""
        return max(self.step, self.resumes_at)

    @property
    def last_point(self) -> int:
        """The last step of the curve."""
        return int(self.points[-1][0] or 0) if self.points else -1

    def move(self, place: int) -> None:
        """Take in the place in the queue."""
        self.place = place
        self.waits_since = (self.waits_since or time.time()) if place else 0.0
        self.tell()

    def leave_queue(self) -> None:
        """Wait no longer, if it does."""
        if self.ticket is not None and self.place:
            self.ticket.leave()

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
        self.leave_queue()
        self.tell()

    def message(self, after: int, seen: int) -> dict[str, Any]:
        """Return what a stream does not know yet: points after a step, and the view if it is newer."""
        message: dict[str, Any] = {
            "state": self.state,
            "step": self.shown_step,
            "wanted": self.wanted,
            "place": self.place,
            "why": self.why,
            "openings": self.openings,
            "from": after,
            "points": [self._shown(point) for point in self.points if (point[0] or 0) > after],
        }
        if self.view_version > seen and self.view and self.step == self.shown_step:
            message["view"] = {**self.view, "scores": self._shown(self.view["scores"])}
        return message

    def open_test(self) -> None:
        """Show the test set's scores from now on, and write down that it was opened."""
        self.is_test_open = True
        self.openings.append(self.shown_step)
        self.view_version += 1
        self.tell()

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take in what a slice made."""
        self.step, self.view, self.is_fresh = answer["step"], answer["view"], False
        if self.step >= self.resumes_at:
            self.resumes_at = 0
        last = self.last_point
        self.points += [point for point in answer["points"] if point[0] > last]
        self.snapshots[self.step] = answer["snapshot"]
        self._thin_out()
        self.view_version += 1
        if self.is_pausing:
            self.wanted, self.is_pausing = self.step, False
        self.tell()

    def record(self) -> JobRecord:
        """Return what another process must know to go on with it."""
        return JobRecord(
            id=self.id,
            owner=self.owner,
            network=self.network,
            values=self.values,
            test_set=test_set_of(self.values),
            step=self.shown_step,
            wanted=self.wanted,
            seconds=self.seconds,
            is_test_open=self.is_test_open,
            waits_since=self.waits_since,
            idle=self.clock() - self.wished_at,
        )

    def _shown(self, point: list[float | None]) -> list[float | None]:
        return point if self.is_test_open else point[:FIRST_TEST_COLUMN]

    def _thin_out(self) -> None:
        """Keep the first, the newest and between them those that lie farthest from their neighbours."""
        size = sum(_size(snapshot) for snapshot in self.snapshots.values())
        while len(self.snapshots) > MOST_SNAPSHOTS or (size > MOST_BYTES and len(self.snapshots) > 2):
            steps = sorted(self.snapshots)
            gaps = [(steps[k + 1] - steps[k - 1], steps[k]) for k in range(1, len(steps) - 1)]
            size -= _size(self.snapshots.pop(min(gaps)[1]))

    def needed(self, wanted: int) -> dict[str, Any]:
        """Return the states that a worker may need on the way, as any worker may get the next slice."""
        if wanted > self.step:
            return {str(self.step): self.snapshots[self.step]} if self.step in self.snapshots else {}
        before = [step for step in self.snapshots if step < wanted or step == 0]
        return {str(max(before)): self.snapshots[max(before)]} if before else {}


def test_set_of(values: Mapping[str, Any]) -> str:
    """Return a name of the rows of the test set: the same in every training that has them."""
    return hashlib.sha256(repr([str(values.get(name)) for name in SAME_TEST_SET]).encode()).hexdigest()


def _size(snapshot: Mapping[str, Any]) -> int:
    return sum(len(text) for _, _, text in snapshot["tensors"].values())
