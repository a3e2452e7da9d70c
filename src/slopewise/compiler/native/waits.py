"""Where threads must wait for each other: between launches that touch the same memory, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from slopewise.compiler.native.emission.views import Place, Storage
from slopewise.compiler.native.launches import Launch


class Pending:
    """What launches have touched since the last barrier.

    Parameters
    ----------
    carried : by output, the input whose memory it may have
    """

    def __init__(self, carried: Mapping[int, int]) -> None:
        self._carried = carried
        self.touched: list[tuple[object, int, int, bool, bool]] = []

    def clear(self) -> None:
        """Forget all: a barrier has been passed."""
        self.touched.clear()

    def note(self, launch: Launch, shared: bool) -> None:
        """Remember what a launch touches; `shared` tells whether all threads take part."""
        own = [launch.scratch] if launch.scratch is not None else []
        for storage in launch.reads:
            self.touched.append((*_extent(storage), False, shared))
        for storage in (*launch.writes, *own):
            self.touched.append((*_extent(storage), True, shared))

    def conflicts(self, launch: Launch, shared: bool) -> bool:
        """Tell whether a launch must wait: another thread may be at what it touches."""
        own = [launch.scratch] if launch.scratch is not None else []
        uses = [(*_extent(s), False) for s in launch.reads]
        uses += [(*_extent(s), True) for s in (*launch.writes, *own)]
        for kind, start, stop, writes in uses:
            for other, begin, end, wrote, was_shared in self.touched:
                if not (writes or wrote) or not (shared or was_shared):
                    continue
                if _same_memory(kind, other, self._carried) and start < end and begin < stop:
                    return True
        return False


def _extent(storage: Storage) -> tuple[object, int, int]:
    if storage.place is Place.ARENA:
        return (Place.ARENA, storage.index, storage.index + storage.n_bytes)
    return ((storage.place, storage.index), 0, max(storage.n_bytes, 1))


def _same_memory(a: object, b: object, carried: Mapping[int, int]) -> bool:
    def memory(place: object) -> object:
        if isinstance(place, tuple) and place[0] is Place.OUTPUT and place[1] in carried:
            return (Place.INPUT, carried[place[1]])
        return place

    return memory(a) == memory(b)
