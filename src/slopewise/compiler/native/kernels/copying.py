"""Loops over what is left of views when their first axes are indexed: copies, zeros, and sums in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from slopewise.compiler.native.emission.loops import Emitter, Index, pieces
from slopewise.compiler.native.emission.views import View
from slopewise.engine.aval import Dtype

_UNROLLED = 4  # vectors in the body of a loop; a line of up to four times that is no loop


def vector_lanes(emitter: Emitter, dtype: Dtype) -> int:
    """Return how many elements in memory fill a vector register."""
    return emitter.vector_bytes // dtype.itemsize


def merge_axes(views: Sequence[View], first: Sequence[int] = (), behind: Sequence[int] = ()) -> list[View]:
    """Merge neighbouring axes that lie behind one another in all views, and drop axes of size 1.

    Parameters
    ----------
    views : of one shape, but for the axes that stay as they are
    first : how many axes in front of each view stay; none unless stated
    behind : how many axes at the end of each view stay; none unless stated
    """
    starts = first or (0,) * len(views)
    stops = [len(view.shape) - n for view, n in zip(views, behind or (0,) * len(views), strict=True)]
    strides = [view.strides[start:stop] for view, start, stop in zip(views, starts, stops, strict=True)]
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in views]
    for axis, size in enumerate(views[0].shape[starts[0] : stops[0]]):
        if size == 1:
            continue
        here = [stride[axis] for stride in strides]
        joins = bool(sizes) and all(step[-1] == size * inner for step, inner in zip(steps, here, strict=True))
        sizes[len(sizes) - joins :] = [sizes[-1] * size if joins else size]
        for step, inner in zip(steps, here, strict=True):
            step[len(step) - joins :] = [inner]
    return [
        replace(
            view,
            shape=(*view.shape[:start], *sizes, *view.shape[stop:]),
            strides=(*view.strides[:start], *step, *view.strides[stop:]),
        )
        for view, start, stop, step in zip(views, starts, stops, steps, strict=True)
    ]


Places: TypeAlias = "list[list[Index]]"


def emit_elements(
    emitter: Emitter,
    views: Sequence[View],
    at: Sequence[Sequence[Index]],
    body: Callable[[Sequence[View], Places, int], None],
) -> None:
    """Emit a body for all elements of the axes that are left of views when their first ones are indexed.

    It is by vectors where the elements of all views lie side by side, or are all one.

    Parameters
    ----------
    views : their shapes agree behind the axes that are indexed, and are not empty
    at : the indices of the first axes, for each view
    body : (views, places, lanes): the views with axes merged, and where each is to be read or written
    """
    views = merge_axes(views, [len(place) for place in at])
    shape = views[0].shape[len(at[0]) :]
    if not shape:
        body(views, [list(place) for place in at], 1)
        return
    by_vectors = all(view.strides[-1] in (0, 1) for view in views)
    lanes = vector_lanes(emitter, views[0].dtype) if by_vectors else 1
    with emitter.loops(shape[:-1]) as index:

        def emit(place: Index, count: int) -> None:
            body(views, [[*first, *index, place] for first in at], count)

        _line(emitter, shape[-1], lanes, emit)


def _line(emitter: Emitter, size: int, lanes: int, body: Callable[[Index, int], None]) -> None:
    """Emit a body along an axis: some vectors in a loop, and the rest one after the other."""
    step = lanes * _UNROLLED
    looped = size - size % step if size > _UNROLLED * step else 0
    if looped:
        with emitter.loop(0, looped, step) as start:
            for number in range(_UNROLLED):
                body(emitter.add(start, number * lanes), lanes)
    for start in range(looped, size - size % lanes, lanes):
        body(start, lanes)
    for start, count in pieces(size, lanes):
        body(start, count)


def emit_copy(
    emitter: Emitter, source: View, target: View, at: Sequence[Index] = (), to: Sequence[Index] = ()
) -> None:
    """Copy the axes that are left of two views when their first ones are indexed by `at` and `to`."""

    def copy(views: Sequence[View], places: Places, lanes: int) -> None:
        emitter.store(views[1], places[1], emitter.load(views[0], places[0], lanes), lanes)

    emit_elements(emitter, [source, target], [at, to], copy)


def emit_zeros(emitter: Emitter, target: View, to: Sequence[Index] = ()) -> None:
    """Write zeros to the axes that are left of a view when its first ones are indexed by `to`."""

    def clear(views: Sequence[View], places: Places, lanes: int) -> None:
        emitter.store(views[0], places[0], emitter.constant(0, target.dtype, lanes), lanes)

    emit_elements(emitter, [target], [to], clear)
