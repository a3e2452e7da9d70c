"""Loops for kernels that walk along one axis, for all the other axes independently."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, Emitter, Index, i64, pieces
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.copying import merge_axes, vector_lanes
from slopewise.compiler.native.kernels.kernel import Span

_BLOCK = 64  # elements that one thread takes at once where the columns have but one axis


def axis_first(view: View, axis: int) -> View:
    """Return a view with one axis moved to the front."""
    return view.transpose((axis, *[other for other in range(len(view.shape)) if other != axis]))


def _arrange(views: Sequence[View], firsts: Sequence[int]) -> tuple[list[View], tuple[int, ...], bool]:
    """Return the views with axes merged, the columns' shape, and whether columns fill vectors."""
    merged = merge_axes(views, firsts)
    shape = merged[0].shape[firsts[0] :]
    return merged, shape, bool(shape) and all(view.strides[-1] in (0, 1) for view in merged)


def columns_extent(views: Sequence[View], firsts: Sequence[int]) -> int:
    """Return the length of the outermost loop of `emit_columns`."""
    _, shape, by_vectors = _arrange(views, firsts)
    if not shape:
        return 1
    return -(-shape[0] // _BLOCK) if len(shape) == 1 and by_vectors else shape[0]


def emit_columns(
    emitter: Emitter,
    views: Sequence[View],
    firsts: Sequence[int],
    span: Span,
    body: Callable[[Sequence[View], list[Index], int], None],
) -> None:
    """Emit a body for each column, or for a vector of columns where they lie side by side.

    Parameters
    ----------
    views : alike but for their first axes
    firsts : how many axes of each view are in front of the columns' axes
    body : (views, column, lanes): the views with the columns' axes merged, and where the column is
    """
    merged, shape, by_vectors = _arrange(views, firsts)
    if not shape:
        body(merged, [], 1)
        return
    lanes = vector_lanes(emitter, views[0].dtype) if by_vectors else 1
    if len(shape) == 1 and by_vectors:

        def block(start: Index, size: int) -> None:
            emit_side_by_side(emitter, size, lanes, lambda at, n: body(merged, [emitter.add(start, at)], n))

        emit_blocks(emitter, span, shape[0], _BLOCK, block)
        return
    with emitter.loop(*span) as first:
        if len(shape) == 1:
            body(merged, [first], 1)
            return
        with emitter.loops(shape[1:-1]) as middle:
            outer = [first, *middle]
            emit_side_by_side(emitter, shape[-1], lanes, lambda at, n: body(merged, [*outer, at], n))


def emit_side_by_side(emitter: Emitter, size: int, lanes: int, body: Callable[[Index, int], None]) -> None:
    """Emit `body(start, count)` for whole vectors in a loop, and for what is left of an axis in halves."""
    whole = size - size % lanes
    if whole:
        with emitter.loop(0, whole, lanes) as start:
            body(start, lanes)
    for start, count in pieces(size, lanes):
        body(start, count)


def emit_blocks(
    emitter: Emitter, span: Span, size: int, block: int, body: Callable[[Index, int], None]
) -> None:
    """Emit `body(start, count)` for the blocks of an axis that a span of their numbers states.

    The last block may be smaller; its body is emitted apart.
    """
    whole, rest = divmod(size, block)
    start, stop = span
    if whole:
        with emitter.loop(start, emitter.least(stop, whole)) as number:
            body(emitter.mul(number, block), block)
    if not rest:
        return
    if isinstance(start, int) and isinstance(stop, int):
        assert (start, stop) == (0, whole + 1), "a span that is known is all there is"
        body(whole * block, rest)
        return
    builder = emitter.builder
    last = ir.Constant(I64, whole)
    here = builder.and_(
        builder.icmp_signed("<=", i64(start), last), builder.icmp_signed(">", i64(stop), last)
    )
    with builder.if_then(here):
        body(whole * block, rest)
