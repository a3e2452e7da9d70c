"""argmax and argmin: where the extreme is along an axis. The first one wins, and the first NaN over all."""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, Emitter, Index, i64
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.columns import axis_first, columns_extent, emit_columns
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views
from slopewise.engine.graph import GraphNode


def _views(node: GraphNode, operands: Views, results: Views) -> list[View]:
    return [axis_first(operands[0], node.params["axis"]), results[0]]


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    return columns_extent(_views(node, operands, results), [1, 0])


def _work(node: GraphNode, operands: Views, results: Views) -> float:
    return 2.0 * operands[0].size


def _beats(emitter: Emitter, view: View, sign: str, new: ir.Value, best: ir.Value) -> ir.Value:
    """Return whether a later element takes the place of the best one so far."""
    builder = emitter.builder
    kind = view.dtype.kind
    if kind == "f":  # unordered or better, unless the best one is NaN already
        unlike = builder.fcmp_unordered(sign, new, best)
        return builder.and_(unlike, builder.fcmp_ordered("ord", best, best))
    return (builder.icmp_signed if kind == "i" else builder.icmp_unsigned)(sign, new, best)


def _emit(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span, sign: str) -> None:
    builder = emitter.builder

    def search(views: Sequence[View], column: list[Index], lanes: int) -> None:
        x, result = views
        best = emitter.load(x, [0, *column], lanes)
        at = emitter.splat(ir.Constant(I64, 0), lanes)
        extreme, place = emitter.variable(best.type), emitter.variable(at.type)
        builder.store(best, extreme)
        builder.store(at, place)
        if x.shape[0] > 1:
            with emitter.loop(1, x.shape[0]) as index:
                new = emitter.load(x, [index, *column], lanes)
                best = builder.load(extreme, typ=new.type)
                better = _beats(emitter, x, sign, new, best)
                builder.store(builder.select(better, new, best), extreme)
                old = builder.load(place, typ=at.type)
                builder.store(builder.select(better, emitter.splat(i64(index), lanes), old), place)
        emitter.store(result, column, builder.load(place, typ=at.type), lanes)

    emit_columns(emitter, _views(node, operands, results), [1, 0], span, search)


def emit_argmax(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    _emit(emitter, node, operands, results, span, ">")


def emit_argmin(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    _emit(emitter, node, operands, results, span, "<")


KERNELS = {
    "argmax": Kernel(emit_argmax, _extent, _work),
    "argmin": Kernel(emit_argmin, _extent, _work),
}
