"""Copies from a view to a contiguous one, and the merging of axes that makes them long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slopewise.compiler.native.loops import Emitter, Index, pieces
from slopewise.compiler.native.views import View
from slopewise.engine.aval import Dtype

_UNROLLED = 4  # vectors in the body of a loop; a line of up to four times that is no loop


def vector_lanes(emitter: Emitter, dtype: Dtype) -> int:
    """Return how many elements in memory fill a vector register."""
    return emitter.vector_bytes // dtype.itemsize


def merge_axes(views: Sequence[View], first: Sequence[int] = ()) -> list[View]:
    """Merge neighbouring axes that lie behind one another in all views, and drop axes of size 1.

    Parameters
    ----------
    views : of one shape, from the axis that `first` states for each (0 unless stated); what is before stays
    """
    starts = first or (0,) * len(views)
    shape = views[0].shape[starts[0] :]
    strides = [view.strides[start:] for view, start in zip(views, starts, strict=True)]
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in views]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        here = [stride[axis] for stride in strides]
        if sizes and all(step[-1] == size * inner for step, inner in zip(steps, here, strict=True)):
            sizes[-1] *= size
            for step, inner in zip(steps, here, strict=True):
                step[-1] = inner
            continue
        sizes.append(size)
        for step, inner in zip(steps, here, strict=True):
            step.append(inner)
    return [
        replace(view, shape=(*view.shape[:start], *sizes), strides=(*view.strides[:start], *step))
        for view, start, step in zip(views, starts, steps, strict=True)
    ]


def emit_copy(
    emitter: Emitter, source: View, target: View, at: Sequence[Index] = (), to: Sequence[Index] = ()
) -> None:
    """Copy the axes that are left of two views when indices are given for their first ones.

    Parameters
    ----------
    source, target : views whose shapes agree behind the axes that `at` and `to` index; not empty
    """
    source, target = merge_axes([source, target], [len(at), len(to)])
    shape = source.shape[len(at) :]
    with emitter.loops(shape[:-1]) as index:
        if not shape:
            emitter.store(target, to, emitter.load(source, at))
            return
        _copy_line(emitter, source, target, [*at, *index], [*to, *index])


def _copy_line(emitter: Emitter, source: View, target: View, at: list[Index], to: list[Index]) -> None:
    """Copy along the last axis: by vectors where the elements lie side by side, or are all one."""
    size = source.shape[-1]
    side_by_side = source.strides[-1] in (0, 1) and target.strides[-1] == 1
    lanes = vector_lanes(emitter, source.dtype) if side_by_side else 1

    def copy(place: Index, count: int) -> None:
        value = emitter.load(source, [*at, place], count)
        emitter.store(target, [*to, place], value, count)

    step = lanes * _UNROLLED
    looped = size - size % step if size > _UNROLLED * step else 0
    if looped:
        with emitter.loop(0, looped, step) as start:
            for number in range(_UNROLLED):
                copy(emitter.add(start, number * lanes), lanes)
    for start in range(looped, size - size % lanes, lanes):
        copy(start, lanes)
    for start, count in pieces(size, lanes):
        copy(start, count)
