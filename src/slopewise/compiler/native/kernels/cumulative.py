"""cumsum and cumprod: from the first element of an axis to the last, as NumPy does, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

from slopewise.compiler.native.emission.loops import Emitter, Index
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.columns import axis_first, columns_extent, emit_columns
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views, result_size
from slopewise.engine.graph import GraphNode


def _views(node: GraphNode, operands: Views, results: Views) -> list[View]:
    return [axis_first(view, node.params["axis"]) for view in (operands[0], results[0])]


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    return columns_extent(_views(node, operands, results), [1, 1])


def _emit(
    emitter: Emitter,
    views: Sequence[View],
    span: Span,
    combine: Callable[[ir.Value, ir.Value], ir.Value],
) -> None:
    builder = emitter.builder

    def run(views: Sequence[View], column: list[Index], lanes: int) -> None:
        x, result = views
        first = emitter.load(x, [0, *column], lanes)
        emitter.store(result, [0, *column], first, lanes)
        if x.shape[0] == 1:
            return
        so_far = emitter.variable(first.type)
        builder.store(first, so_far)
        with emitter.loop(1, x.shape[0]) as index:
            old = builder.load(so_far, typ=first.type)
            new = combine(old, emitter.load(x, [index, *column], lanes))
            builder.store(new, so_far)
            emitter.store(result, [index, *column], new, lanes)

    emit_columns(emitter, views, [1, 1], span, run)


def emit_cumsum(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    floating = results[0].dtype.kind == "f"
    add = emitter.builder.fadd if floating else emitter.builder.add
    _emit(emitter, _views(node, operands, results), span, add)


def emit_cumprod(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    floating = results[0].dtype.kind == "f"
    multiply = emitter.builder.fmul if floating else emitter.builder.mul
    _emit(emitter, _views(node, operands, results), span, multiply)


KERNELS = {
    "cumsum": Kernel(emit_cumsum, _extent, result_size),
    "cumprod": Kernel(emit_cumprod, _extent, result_size),
}
