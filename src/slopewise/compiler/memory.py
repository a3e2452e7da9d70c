"""The memory plan: from when each buffer is in use to where it lies in one arena.

This is dynamic storage allocation: rectangles, as long as a lifetime and as high as a buffer, are packed into
a strip of least height. The best packing is hard to find (Garey and Johnson, 1979, problem SR2); placing the
buffers one by one, each at the lowest place that is free for all of its life, comes close if the order is
good, and the best of a few orders closer. Y. Pisarchyk, J. Lee, "Efficient memory management for deep neural
net inference" (2020) compare such orders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple


class Lifetime(NamedTuple):
    """A buffer of `size` bytes that is in use from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int


class Plan(NamedTuple):
    """Where each buffer begins in the arena, and how many bytes the arena has."""

    offsets: tuple[int, ...]
    peak: int


def plan(lifetimes: Sequence[Lifetime], alignment: int = 64) -> Plan:
    """Place buffers so that no two that are in use at once share a byte.

    Parameters
    ----------
    lifetimes : of each buffer
    alignment : bytes; each offset is a multiple of it, as vector loads and cache lines want

    Returns
    -------
    Plan, the same one each time

    Examples
    --------
    The third buffer takes the place of the first:

    >>> plan([Lifetime(128, 0, 1), Lifetime(64, 1, 2), Lifetime(100, 2, 3)])
    Plan(offsets=(0, 128, 0), peak=192)
    """
    padded = [Lifetime(-(-size // alignment) * alignment, first, last) for size, first, last in lifetimes]
    best: Plan | None = None
    bound = lower_bound(padded)
    for order in _ORDERS:
        places = sorted(range(len(padded)), key=lambda i: order(padded[i]))
        found = _place(padded, places)
        if best is None or found.peak < best.peak:
            best = found
        if best.peak == bound:
            break
    assert best is not None
    return best


def lower_bound(lifetimes: Sequence[Lifetime], alignment: int = 1) -> int:
    """Return the most bytes that are in use at one step: no plan needs less.

    Examples
    --------
    >>> lower_bound([Lifetime(128, 0, 1), Lifetime(64, 1, 2), Lifetime(100, 2, 3)])
    192
    """
    changes: dict[int, int] = {}
    for size, first, last in lifetimes:
        padded = -(-size // alignment) * alignment
        changes[first] = changes.get(first, 0) + padded
        changes[last + 1] = changes.get(last + 1, 0) - padded
    return max(accumulate(changes[step] for step in sorted(changes)), default=0)


# Which buffer is placed first. Large ones leave few holes; long-lived ones at the bottom leave room above for
# all that comes and goes; in order of time the plan is that of a heap which sees the program run.
_ORDERS: tuple[Callable[[Lifetime], tuple[int, ...]], ...] = (
    lambda x: (-x.size, x.first, x.last),
    lambda x: (x.first - x.last, -x.size, x.first),
    lambda x: ((x.first - x.last - 1) * x.size, x.first),
    lambda x: (x.first, -x.size, x.last),
    lambda x: (-x.last, -x.size, x.first),
)


def _place(lifetimes: Sequence[Lifetime], order: Sequence[int]) -> Plan:
    """Place buffers one by one, each at the lowest offset that is free for all of its life."""
    offsets = [0] * len(lifetimes)
    placed: list[tuple[int, int, int, int]] = []  # begin, end, first, last
    peak = 0
    for i in order:
        size, first, last = lifetimes[i]
        if size == 0:
            continue
        offset = 0
        for begin, end in sorted([(b, e) for b, e, f, to in placed if f <= last and first <= to]):
            if begin - offset >= size:
                break
            offset = max(offset, end)
        offsets[i] = offset
        placed.append((offset, offset + size, first, last))
        peak = max(peak, offset + size)
    return Plan(tuple(offsets), peak)
