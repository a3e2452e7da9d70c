"""Gather, scatter and scatter_add: elements at places that integers state.

An index that is out of range is noted as an error and stands for 0, so that nothing outside is touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from slopewise.compiler.native.copying import emit_copy, merge_axes
from slopewise.compiler.native.failures import index_failure
from slopewise.compiler.native.kernel import Kernel, Span, Views, result_size
from slopewise.compiler.native.loops import I64, Emitter, Index
from slopewise.compiler.native.views import View, contiguous_strides
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


KERNELS = {
    "gather": Kernel(emit_gather, _gather_extent, result_size, can_fail=True),
}
