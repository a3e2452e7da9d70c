"""The pullback: the one backward pass behind `backward()`, `GradientTape` and every transform."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Buffer, Shape
from slopewise.engine.creation import zeros
from slopewise.engine.errors import TraceError
from slopewise.engine.mode import changed_mode, current_mode
from slopewise.engine.primitive import apply, gradient_rule
from slopewise.engine.primitives import reductions
from slopewise.engine.tape import Leaf, Node, Ref, earliest, inputs_of, nodes_on_a_path, reachable_nodes
from slopewise.engine.tensor import Tensor


class Gradients:
    """Cotangents on their way back, added up for each output of each node."""

    def __init__(self) -> None:
        self._by_node: dict[Node | Leaf, dict[int, Tensor]] = {}
        self._queue: list[tuple[int, Node | Leaf]] = []

    def add(self, ref: Ref, gradient: Tensor) -> None:
        node = ref.node
        assert node is not None
        slots = self._by_node.get(node)
        if slots is None:
            self._by_node[node] = {ref.index: gradient}
            heapq.heappush(self._queue, (-node.sequence, node))
        elif ref.index in slots:
            slots[ref.index] = slots[ref.index] + gradient
        else:
            slots[ref.index] = gradient

    def pop_latest(self) -> tuple[Node | Leaf, dict[int, Tensor]]:
        """Return the latest node with a gradient; all that follows it has been handled."""
        _, node = heapq.heappop(self._queue)
        return node, self._by_node.pop(node)

    def __bool__(self) -> bool:
        return bool(self._queue)


def pullback(
    outputs: Sequence[tuple[Ref, Tensor]],
    sources: Sequence[Ref] | None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    nodes: list[Node | Leaf] | None = None,
) -> dict[tuple[Node | Leaf, int], Tensor]:
    """Carry cotangents from outputs back to sources.

    Parameters
    ----------
    outputs : pairs of a value and its cotangent
    sources : the values whose gradients are wanted, or None for all leaves
    create_graph : record the backward pass, so that its results can be differentiated
    retain_graph : keep the tape for another pass
    nodes : what `reachable_nodes` gives for the outputs, if it is at hand

    Returns
    -------
    dict from (node, output index) of a source to its gradient; what no path reaches is absent
    """
    if nodes is None:
        since = 0 if sources is None else earliest(sources)
        nodes = reachable_nodes([ref for ref, _ in outputs], since)
    if sources is None:
        wanted: set[Node | Leaf] = {node for node in nodes if isinstance(node, Leaf)}
        useful = set(nodes)
    else:
        wanted = {ref.node for ref in sources if ref.node is not None}
        useful = nodes_on_a_path(nodes, wanted)
    found: dict[tuple[Node | Leaf, int], Tensor] = {}
    gradients = Gradients()
    mode = current_mode()
    level = max((getattr(ref.buffer, "batch_level", 0) for ref, _ in outputs), default=0)
    recording = mode.recording | 1 << level if create_graph else mode.recording & ~(1 << level)
    with changed_mode(recording=recording, quiet=True), np.errstate(all="ignore"):
        for ref, cotangent in outputs:
            if ref.node in useful:
                gradients.add(ref, cotangent)
        del outputs, nodes
        while gradients:
            node, cotangents = gradients.pop_latest()
            if node in wanted:
                for index, gradient in cotangents.items():
                    found[node, index] = gradient
            if isinstance(node, Leaf):
                continue
            if sources is None and node.inputs == ():
                raise TraceError(
                    "backward() inside of a compiled function, a checkpoint or a scan reaches an argument "
                    "that requires a gradient, whose .grad it cannot reach; use sw.grad, or detach() it"
                )
            if mode.trace is not None and node.trace is not mode.trace and not mode.trace.once:
                raise TraceError(
                    "a compiled function cannot differentiate what was computed before it was called; "
                    "compute it inside of the function"
                )
            refs = inputs_of(node)
            contributions = input_gradients(node, cotangents, useful)
            for input_ref, contribution in zip(refs, contributions, strict=True):
                if contribution is not None:
                    gradients.add(input_ref, contribution)
            if not retain_graph and (sources is None or node not in wanted):
                node.release()
    if sources is None:  # a leaf that only rules with gradient zero lead to
        for leaf in wanted:
            if (leaf, 0) not in found and isinstance(leaf, Leaf):
                found[leaf, 0] = zeros(leaf.aval.shape, leaf.aval.dtype)
    return found


def input_gradients(
    node: Node, cotangents: dict[int, Tensor], useful: set[Node | Leaf]
) -> list[Tensor | None]:
    """Apply a node's gradient rules; each gradient has the shape and dtype of its operand."""
    refs = inputs_of(node)
    needs = tuple([ref.node is not None and ref.node in useful for ref in refs])
    if True not in needs:
        return [None] * len(refs)
    primitive = node.primitive
    operands = [Tensor._from_ref(ref) for ref in refs]
    if primitive.outputs == 1:
        cotangent: Any = cotangents[0]
        result: Any = Tensor._from_ref(Ref(node.outputs[0], node, 0))
    else:
        cotangent = tuple(cotangents.get(index) for index in range(len(node.outputs)))
        result = tuple(
            Tensor._from_ref(Ref(buffer, node if buffer.dtype.kind in "fc" else None, i))
            for i, buffer in enumerate(node.outputs)
        )
    rules = primitive.vjp
    if callable(rules):
        gradients = rules(cotangent, result, *operands, needs=needs, **node.params)
        return [
            None if gradient is None or not need else _fit(gradient, ref.buffer)
            for gradient, ref, need in zip(gradients, refs, needs, strict=True)
        ]
    fitted: list[Tensor | None] = []
    for position, need in enumerate(needs):
        gradient = None
        if need:
            rule = gradient_rule(primitive, position)
            gradient = rule(cotangent, result, *operands, **node.params)
            if gradient is not None:
                gradient = _fit(gradient, refs[position].buffer)
        fitted.append(gradient)
    return fitted


def _fit(gradient: Tensor, like: Buffer) -> Tensor:
    """Give a gradient the shape and dtype of the operand it belongs to: un-broadcasting happens here only."""
    buffer = gradient._ref.buffer
    if buffer.shape != like.shape:
        gradient = unbroadcast(gradient, tuple(like.shape))
    if buffer.dtype != like.dtype:
        gradient = gradient.astype(like.dtype)
    return gradient


def unbroadcast(gradient: Tensor, shape: Shape) -> Tensor:
    """Sum a gradient over the axes along which an operand of the given shape was broadcast."""
    extra = gradient.ndim - len(shape)
    axes = [*range(extra)]
    for axis, size in enumerate(shape, start=extra):
        if size == 1 and gradient.shape[axis] != 1:
            axes.append(axis)
    total: Tensor = apply(reductions.sum, gradient, axes=tuple(axes))
    return total if total.shape == shape else total.reshape(shape)
