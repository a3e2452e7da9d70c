"""Gather, scatter and scatter_add: elements at places that integers state.

An index that is out of range is noted as an error and stands for 0, so that nothing outside is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, Emitter, Index, i64
from slopewise.compiler.native.emission.views import View, contiguous_strides
from slopewise.compiler.native.kernels.copying import Places, emit_copy, emit_elements, emit_zeros, merge_axes
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views, result_size
from slopewise.compiler.native.machine.failures import index_failure
from slopewise.engine.graph import GraphNode


def _rest(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([axis for axis in range(ndim) if axis not in axes])


def _read_index(emitter: Emitter, view: View, at: Sequence[Index], axis: int, size: int) -> ir.Value:
    """Return an index from 0 up to `size`, whatever is in memory."""
    builder = emitter.builder
    index = emitter.load(view, at)
    zero, end = ir.Constant(I64, 0), ir.Constant(I64, size)
    from_start = builder.select(builder.icmp_signed("<", index, zero), builder.add(index, end), index)
    outside = builder.icmp_unsigned(">=", from_start, end)  # what is negative still is beyond, unsigned
    emitter.fail(outside, index_failure(axis, size), index)
    return builder.select(outside, zero, from_start)


# ---- gather: a row of the table for each index


def _gather_views(node: GraphNode, operands: Views, results: Views) -> tuple[View, list[View], View]:
    """Return the table with the indexed axes first, and indices and result with the indices' axes merged."""
    axes = node.params["axes"]
    table, *indices = operands
    rest = _rest(len(table.shape), axes)
    rows = merge_axes(indices) if indices else []
    shape = rows[0].shape + tuple([table.shape[axis] for axis in rest])
    result = View(results[0].storage, shape, contiguous_strides(shape), results[0].offset)
    return table.transpose(axes + rest), rows, result


def _gather_extent(node: GraphNode, operands: Views, results: Views) -> int:
    _, indices, _ = _gather_views(node, operands, results)
    return indices[0].shape[0] if indices[0].shape else 1


def emit_gather(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    axes = node.params["axes"]
    table, indices, result = _gather_views(node, operands, results)
    shape = indices[0].shape
    with emitter.loop(*span) as first, emitter.loops(shape[1:]) as others:
        row = [first, *others] if shape else []
        picked = [
            _read_index(emitter, index, row, axis, size)
            for index, axis, size in zip(indices, axes, table.shape, strict=False)
        ]
        if table.size:  # a table without rows has noted an error by now
            emit_copy(emitter, table, result, picked, row)


# ---- scatter and scatter_add: a thread does the updates of its own places, in their order


def _scatter_extent(node: GraphNode, operands: Views, results: Views) -> int:
    axes: tuple[int, ...] = node.params["axes"]
    return results[0].shape[axes[0]]


def _scatter_work(node: GraphNode, operands: Views, results: Views) -> float:
    updates = operands[-1 - len(node.params["axes"])]
    return float(results[0].size + 2 * updates.size)


def _emit_updates(
    emitter: Emitter,
    node: GraphNode,
    updates: View,
    indices: Views,
    target: View,
    span: Span,
    combine: Callable[[ir.Value, ir.Value], ir.Value] | None,
) -> None:
    """Let each update whose place is this thread's take the place of what is there, or combine with it."""
    axes = node.params["axes"]
    n_rest = len(updates.shape) - len(indices[0].shape)
    updates, *rows = merge_axes([updates, *indices], behind=[n_rest, *[0] * len(indices)])

    def update(views: Views, places: Places, lanes: int) -> None:
        value = emitter.load(views[0], places[0], lanes)
        if combine is not None:
            value = combine(emitter.load(views[1], places[1], lanes), value)
        emitter.store(views[1], places[1], value, lanes)

    with emitter.loops(rows[0].shape) as row:
        place: list[Index] = [
            _read_index(emitter, index, row, axis, size)
            for index, axis, size in zip(rows, axes, target.shape, strict=False)
        ]
        with _if_inside(emitter, place[0], span):
            emit_elements(emitter, [updates, target], [row, place], update)


@contextmanager
def _if_inside(emitter: Emitter, index: Index, span: Span) -> Iterator[None]:
    """Run a block only where an index is in this thread's part."""
    start, stop = span
    if isinstance(start, int) and isinstance(stop, int):  # one thread has all
        yield
        return
    builder = emitter.builder
    inside = builder.icmp_unsigned(
        "<", builder.sub(i64(index), i64(start)), builder.sub(i64(stop), i64(start))
    )
    with builder.if_then(inside):
        yield


def emit_scatter(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    x, updates, *indices = operands
    order = node.params["axes"] + _rest(len(x.shape), node.params["axes"])
    source, target = x.transpose(order), results[0].transpose(order)
    with emitter.loop(*span) as first:
        emit_copy(emitter, source, target, [first], [first])
    if updates.size:
        _emit_updates(emitter, node, updates, indices, target, span, None)


def emit_scatter_add(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    updates, *indices = operands
    target = results[0].transpose(node.params["axes"] + _rest(len(results[0].shape), node.params["axes"]))
    builder = emitter.builder
    add = {"f": builder.fadd, "b": builder.or_}.get(target.dtype.kind, builder.add)
    with emitter.loop(*span) as first:
        emit_zeros(emitter, target, [first])
    if updates.size:
        _emit_updates(emitter, node, updates, indices, target, span, add)


KERNELS = {
    "gather": Kernel(emit_gather, _gather_extent, result_size, can_fail=True),
    "scatter": Kernel(emit_scatter, _scatter_extent, _scatter_work, can_fail=True),
    "scatter_add": Kernel(emit_scatter_add, _scatter_extent, _scatter_work, can_fail=True),
}
