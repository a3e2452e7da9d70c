"""Powers of integers whose exponents may be negative, which is an error that only the values show."""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from slopewise.compiler.native.arithmetic import elementwise
from slopewise.compiler.native.emission.loops import I64, Emitter, Index
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.columns import columns_extent, emit_columns
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views, result_size
from slopewise.compiler.native.machine.failures import NEGATIVE_POWER
from slopewise.engine.graph import GraphNode


def can_be_refused(node: GraphNode) -> bool:
    """Tell whether a node is a power by signed integers: no loop like others, as it can fail."""
    return node.primitive.name == "pow" and node.operands[1].dtype.kind == "i"


def _views(operands: Views, results: Views) -> list[View]:
    return [*[view.broadcast(results[0].shape) for view in operands], results[0]]


def _extent(node: GraphNode, operands: Views, results: Views) -> int:
    return columns_extent(_views(operands, results), [0, 0, 0])


def _work(node: GraphNode, operands: Views, results: Views) -> float:
    return 20.0 * result_size(node, operands, results)


def emit_power(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    builder = emitter.builder
    dtypes = [view.dtype for view in operands]

    def power(views: Sequence[View], place: list[Index], lanes: int) -> None:
        base, exponent = (emitter.load(view, place, lanes) for view in views[:2])
        negative = builder.icmp_signed("<", exponent, ir.Constant(exponent.type, None))
        if lanes > 1:
            bits = ir.IntType(lanes)
            negative = builder.icmp_unsigned("!=", builder.bitcast(negative, bits), ir.Constant(bits, 0))
        emitter.fail(negative, NEGATIVE_POWER, ir.Constant(I64, 0))
        result = elementwise.emit(builder, "pow", [base, exponent], dtypes, results[0].dtype, node.params)
        emitter.store(views[2], place, result, lanes)

    emit_columns(emitter, _views(operands, results), [0, 0, 0], span, power)


KERNELS = {"pow": Kernel(emit_power, _extent, _work, can_fail=True)}
