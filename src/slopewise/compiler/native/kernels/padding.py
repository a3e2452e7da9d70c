"""pad and concatenate: copies into parts of a result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

from slopewise.compiler.native.emission.loops import I64, Emitter, Index, i64
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.copying import emit_copy, emit_zeros, merge_axes
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views, result_size
from slopewise.engine.aval import Shape
from slopewise.engine.graph import GraphNode

# ---- pad: zeros before, after and between


def _plain_axes(node: GraphNode) -> int:
    """Return how many axes in front are not padded."""
    count = 0
    for widths in zip(node.params["before"], node.params["after"], node.params["inner"], strict=True):
        if any(widths):
            break
        count += 1
    return count


def _merged_pad(node: GraphNode, operands: Views, results: Views) -> tuple[View, View, int]:
    """Return operand and result with the axes in front merged that are not padded, and how many they are."""
    plain = _plain_axes(node)
    behind = len(results[0].shape) - plain
    x, result = merge_axes([operands[0], results[0]], behind=[behind, behind])
    return x, result, len(x.shape) - behind


def _pad_extent(node: GraphNode, operands: Views, results: Views) -> int:
    _, result, _ = _merged_pad(node, operands, results)
    return result.shape[0] if result.shape else 1


def _inside(view: View, before: Shape, inner: Shape, shape: Shape) -> View:
    """View the places of a padded view that elements of the operand go to."""
    return view.slice(before, tuple([n + 1 for n in inner]), shape)


def emit_pad(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    x, result, plain = _merged_pad(node, operands, results)
    before, inner = (
        (0,) * plain + node.params[key][len(node.params[key]) - len(x.shape) + plain :]
        for key in ("before", "inner")
    )
    if not result.shape:
        emit_copy(emitter, x, result)
        return
    target = _inside(result, (0, *before[1:]), (0, *inner[1:]), (result.shape[0], *x.shape[1:]))
    with emitter.loop(*span) as row:
        if x.size != result.size:
            emit_zeros(emitter, result, [row])
        if not x.size:
            return
        if plain:
            emit_copy(emitter, x, target, [row], [row])
            return
        with _operand_row(emitter, row, before[0], inner[0] + 1, x.shape[0]) as source:
            emit_copy(emitter, x, target, [source], [row])


@contextmanager
def _operand_row(emitter: Emitter, row: Index, before: int, step: int, size: int) -> Iterator[Index]:
    """Run a block only for those rows of the result that a row of the operand goes to, with its index."""
    builder = emitter.builder
    offset = builder.sub(i64(row), ir.Constant(I64, before))
    distance = ir.Constant(I64, step)
    source = builder.udiv(offset, distance)  # rows in front of the first are huge numbers, unsigned
    inside = builder.icmp_unsigned("<", source, ir.Constant(I64, size))
    if step > 1:
        hit = builder.icmp_unsigned("==", builder.urem(offset, distance), ir.Constant(I64, 0))
        inside = builder.and_(inside, hit)
    with builder.if_then(inside):
        yield source


# ---- concatenate


def _merged_parts(node: GraphNode, operands: Views, results: Views) -> tuple[list[View], View, int]:
    """Return the operands that have elements and the result, with all axes before the joint merged in one.

    The result's axes always merge, the operands' only where they lie that way; if one does not, none is.
    """
    axis: int = node.params["axis"]
    parts = [view for view in operands if view.size]
    leads = [_lead(view, axis) for view in (*parts, results[0])]
    merged = [view for view in leads if view is not None]
    if axis and len(merged) == len(leads):
        return merged[:-1], merged[-1], 1
    return parts, results[0], axis


def _lead(view: View, axis: int) -> View | None:
    """Return a view with the axes before one merged, if they can be."""
    behind = len(view.shape) - axis
    (merged,) = merge_axes([view], behind=[behind])
    if len(merged.shape) == behind + 1:
        return merged
    return None


def _concatenate_extent(node: GraphNode, operands: Views, results: Views) -> int:
    parts, result, axis = _merged_parts(node, operands, results)
    return result.shape[0] if axis else len(parts)


def emit_concatenate(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    """Copy the parts: each thread some rows, or, along the first axis, some parts."""
    parts, result, axis = _merged_parts(node, operands, results)
    targets = []
    start = 0
    for part in parts:
        starts = tuple([start if i == axis else 0 for i in range(len(part.shape))])
        targets.append(result.slice(starts, (1,) * len(part.shape), part.shape))
        start += part.shape[axis]
    if axis:
        with emitter.loop(*span) as row:
            for part, target in zip(parts, targets, strict=True):
                emit_copy(emitter, part, target, [row], [row])
        return
    for number, (part, target) in enumerate(zip(parts, targets, strict=True)):
        with _if_among(emitter, number, span):
            emit_copy(emitter, part, target)


@contextmanager
def _if_among(emitter: Emitter, number: int, span: Span) -> Iterator[None]:
    """Run a block only if a number is in this thread's part."""
    start, stop = span
    if isinstance(start, int) and isinstance(stop, int):
        yield
        return
    builder = emitter.builder
    begun = builder.icmp_signed("<=", i64(start), ir.Constant(I64, number))
    with builder.if_then(builder.and_(begun, builder.icmp_signed(">", i64(stop), ir.Constant(I64, number)))):
        yield


KERNELS = {
    "pad": Kernel(emit_pad, _pad_extent, result_size),
    "concatenate": Kernel(emit_concatenate, _concatenate_extent, result_size),
}
