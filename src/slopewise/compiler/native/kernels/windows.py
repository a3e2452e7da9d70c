"""Sliding windows, which are a view, and their adjoint, which adds windows up where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slopewise.compiler.native.emission.loops import Emitter
from slopewise.compiler.native.emission.views import View
from slopewise.compiler.native.kernels.copying import Places, emit_copy, emit_elements, emit_zeros, merge_axes
from slopewise.compiler.native.kernels.kernel import Kernel, Span, Views, result_size
from slopewise.engine.graph import GraphNode
from slopewise.engine.primitives.convolution import output_size


def view_windows(view: View, params: dict[str, Any]) -> View:
    """Return what the primitive `windows` gives as a view (*lead, *places, *window): nothing is copied.

    Parameters
    ----------
    params : the primitive's, `window`, `stride` and `dilation`
    """
    window, stride, dilation = params["window"], params["stride"], params["dilation"]
    lead = len(view.shape) - len(window)
    settings = zip(view.shape[lead:], window, stride, dilation, strict=True)
    places = tuple([output_size(n, k, s, (0, 0), d) for n, k, s, d in settings])
    return view.windows(window, stride, dilation, (*view.shape[:lead], *places, *window))


def _merged_windows(node: GraphNode, operands: Views, results: Views) -> list[View]:
    return merge_axes([view_windows(operands[0], node.params), results[0]])


def _windows_extent(node: GraphNode, operands: Views, results: Views) -> int:
    _, result = _merged_windows(node, operands, results)
    return result.shape[0] if len(result.shape) > 1 else 1


def emit_windows(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    source, target = _merged_windows(node, operands, results)
    if len(target.shape) < 2:
        emit_copy(emitter, source, target)
        return
    with emitter.loop(*span) as first:
        emit_copy(emitter, source, target, [first], [first])


# ---- overlap_add: as in NumPy, one offset in the window after the other, so that the bits are the same


def _merged_overlap(node: GraphNode, operands: Views, results: Views) -> tuple[View, View, View, int]:
    """Return the operand and the windows of the result, as (*lead, *window, *places), the result, and
    how many axes the lead has when it is merged."""
    (x,), (result,) = operands, results
    n_space = len(node.params["space"])
    lead = len(result.shape) - n_space
    window = x.shape[lead + n_space :]
    sums = view_windows(result, {**node.params, "window": window})
    order = (*range(lead), *range(lead + n_space, lead + 2 * n_space), *range(lead, lead + n_space))
    behind = [2 * n_space, 2 * n_space, n_space]
    x, sums, result = merge_axes([x.transpose(order), sums.transpose(order), result], behind=behind)
    return x, sums, result, len(result.shape) - n_space


def _overlap_extent(node: GraphNode, operands: Views, results: Views) -> int:
    *_, result, lead = _merged_overlap(node, operands, results)
    return result.shape[0] if lead else 1


def _overlap_work(node: GraphNode, operands: Views, results: Views) -> float:
    return float(results[0].size + 2 * operands[0].size)


def emit_overlap_add(emitter: Emitter, node: GraphNode, operands: Views, results: Views, span: Span) -> None:
    x, sums, result, lead = _merged_overlap(node, operands, results)
    add = emitter.builder.fadd if result.dtype.kind == "f" else emitter.builder.add

    def accumulate(views: Sequence[View], places: Places, lanes: int) -> None:
        old = emitter.load(views[1], places[1], lanes)
        emitter.store(views[1], places[1], add(old, emitter.load(views[0], places[0], lanes)), lanes)

    with emitter.loop(*span) as first:
        here = [first] if lead else []
        emit_zeros(emitter, result, here)
        if x.size:
            emit_elements(emitter, [x, sums], [here, here], accumulate)


KERNELS = {
    "windows": Kernel(emit_windows, _windows_extent, result_size),
    "overlap_add": Kernel(emit_overlap_add, _overlap_extent, _overlap_work),
}
