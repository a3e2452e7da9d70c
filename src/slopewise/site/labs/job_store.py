"""What is known of live trainings outside of the process that works on them.

One process serves an SQLite file and needs to remember only which test sets were opened. Several on one
PostgreSQL database share a row for each training (`labs.job_rows`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_LOGS = 2000

Wish = tuple[str, int]  # an action, and the step that it is about


@dataclass(frozen=True)
class JobRecord:
    """A live training as another process can go on with it: every step follows from its values.

    Attributes
    ----------
    test_set : str
        Names the rows of the test set.
    seconds : float
        Of a worker's time, so far.
    waits_since : float
        Seconds since 1970, or 0 if it is not in the queue.
    idle : float
        Seconds since its visitor's last wish.
    wishes : tuple
        What its visitor asked for and nobody did yet.
    is_held : bool
        Whether another process, which is alive, works on it.
    """

    id: str
    owner: str
    network: str
    values: Mapping[str, Any]
    test_set: str
    step: int = 0
    wanted: int = 0
    seconds: float = 0.0
    is_test_open: bool = False
    openings: tuple[int, ...] = ()
    waits_since: float = 0.0
    idle: float = 0.0
    wishes: tuple[Wish, ...] = ()
    is_held: bool = False


@dataclass
class News:
    """What other processes did with the trainings of this one.

    Attributes
    ----------
    wishes : dict
        What visitors asked for elsewhere, by training.
    moved : set of str
        Trainings that another process works on now.
    gone : set of str
        Trainings that ended because their visitor began another.
    """

    wishes: dict[str, list[Wish]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


class JobStore(Protocol):
    """Where trainings are known."""

    is_shared: bool

    async def add(self, record: JobRecord, most: int, most_of_network: int) -> list[int]:
        """Add a training in the place of its owner's; return at which updates its test set was opened.

        Raises
        ------
        LabBusyError
            If there are too many, in all or from one network. The owner's then stays.
        """

    async def find(self, owner: str, id: str) -> JobRecord | None:
        """Return a training of this owner."""

    async def adopt(self, owner: str, id: str) -> JobRecord | None:
        """Return a training of this owner, which this process holds from now on."""

    async def wish(self, owner: str, id: str, wish: Wish) -> bool:
        """Tell the process that holds a training what its visitor asks for; False if there is none."""

    async def exchange(self, held: Sequence[JobRecord], ended: Sequence[str]) -> News:
        """Write down where the trainings of this process are, and which ended; return what others did."""

    async def note_opening(self, owner: str, test_set: str, step: int) -> None:
        """Write down that a test set was opened."""

    async def release(self) -> None:
        """Give all trainings of this process back, so that others may adopt them at once."""

    async def sweep(self) -> None:
        """Forget what nobody will ask for any more."""


class MemoryStore:
    """For one server process: trainings are known by it alone, and end with it."""

    is_shared = False

    def __init__(self) -> None:
        self._logs: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    async def add(self, record: JobRecord, most: int, most_of_network: int) -> list[int]:
        """Return at which updates the test set was opened."""
        return list(self._logs.get((record.owner, record.test_set), ()))

    async def find(self, owner: str, id: str) -> JobRecord | None:
        """Return None: who has the training is asked first."""
        return None

    async def adopt(self, owner: str, id: str) -> JobRecord | None:
        """Return None."""
        return None

    async def wish(self, owner: str, id: str, wish: Wish) -> bool:
        """Return False."""
        return False

    async def exchange(self, held: Sequence[JobRecord], ended: Sequence[str]) -> News:
        """Return that nothing is new."""
        return News()

    async def note_opening(self, owner: str, test_set: str, step: int) -> None:
        """Write down that a test set was opened; the oldest logs go when there are many."""
        self._logs.setdefault((owner, test_set), []).append(step)
        self._logs.move_to_end((owner, test_set))
        while len(self._logs) > MOST_LOGS:
            self._logs.popitem(last=False)

    async def release(self) -> None:
        """Nobody else could go on with them."""

    async def sweep(self) -> None:
        """All that is kept is bounded."""
