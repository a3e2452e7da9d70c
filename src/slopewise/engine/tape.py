"""The gradient tape: nodes that know how values came about, and the pullback behind every gradient API."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Aval, Buffer, Shape, aval_of
from slopewise.engine.errors import GradientError, TraceError
from slopewise.engine.mode import changed_mode, current_mode

if TYPE_CHECKING:
    from slopewise.engine.primitive import Primitive
    from slopewise.engine.tensor import Tensor

_clock = count()


class Leaf:
    """The end of a path: a tensor marked with `requires_grad`; `backward()` adds up its gradient here."""

    __slots__ = ("_grad", "sequence")

    inputs: tuple[Ref, ...] = ()

    def __init__(self) -> None:
        self.sequence = next(_clock)
        self._grad: Tensor | None = None

    @property
    def grad(self) -> Tensor | None:
        trace = current_mode().trace
        if trace is not None:
            trace.read_grad(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        trace = current_mode().trace
        if trace is not None:
            trace.write_grad(self)
        self._grad = value


class Node:
    """One operation on the tape: the primitive, its parameters, what it read and what it made.

    Where the gradient rules do not look at a value, only its shape and dtype are kept.
    """

    __slots__ = ("inputs", "outputs", "params", "primitive", "sequence", "trace")

    def __init__(
        self,
        primitive: Primitive,
        params: dict[str, Any],
        inputs: tuple[Ref, ...],
        outputs: tuple[Buffer, ...],
    ) -> None:
        self.sequence = next(_clock)
        self.primitive = primitive
        self.params = params
        self.inputs: tuple[Ref, ...] | None = inputs
        self.outputs = outputs
        self.trace = current_mode().trace

    def release(self) -> None:
        """Forget the saved values; a second backward pass through this node is then an error."""
        self.inputs = None
        self.outputs = tuple(map(aval_of, self.outputs))


class Ref:
    """An immutable value and where it came from; a `Tensor` is a handle on one."""

    __slots__ = ("buffer", "index", "node")

    def __init__(self, buffer: Buffer, node: Node | Leaf | None = None, index: int = 0) -> None:
        self.buffer = buffer
        self.node = node
        self.index = index


def saved_ref(ref: Ref) -> Ref:
    """Return the ref without its value, for nodes whose rules look only at shapes."""
    return Ref(aval_of(ref.buffer), ref.node, ref.index)


def _inputs_of(node: Node | Leaf) -> tuple[Ref, ...]:
    if node.inputs is None:
        raise GradientError(
            "this part of the tape was freed by an earlier backward pass; "
            "pass retain_graph=True to the first one if you need a second"
        )
    return node.inputs


def reachable_nodes(refs: Iterable[Ref], since: int = 0) -> list[Node | Leaf]:
    """Return the nodes that some values depend on, oldest first.

    Parameters
    ----------
    since : nodes made before this moment are not looked behind, as no path from them leads to a later one
    """
    found: set[Node | Leaf] = set()
    stack = [ref.node for ref in refs if ref.node is not None]
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found.add(node)
        if node.sequence >= since:
            stack.extend([ref.node for ref in _inputs_of(node) if ref.node is not None])
    return sorted(found, key=lambda node: node.sequence)


def earliest(sources: Iterable[Ref]) -> int:
    """Return the moment at which the first of some tracked values was made."""
    return min((ref.node.sequence for ref in sources if ref.node is not None), default=0)


def _nodes_on_a_path(nodes: list[Node | Leaf], sources: set[Node | Leaf]) -> set[Node | Leaf]:
    """Return those nodes that depend on a source, sources included; `nodes` are oldest first."""
    useful: set[Node | Leaf] = set()
    for node in nodes:
        if node in sources or any(ref.node in useful for ref in node.inputs or ()):
            useful.add(node)
    return useful


def others_may_differentiate(results: Iterable[Ref], sources: Sequence[Ref]) -> bool:
    """Tell whether results also depend on something tracked that is not among the sources."""
    marked = {ref.node for ref in sources}
    if any(ref.node is not None for source in marked if source is not None for ref in source.inputs or ()):
        return True
    since = earliest(sources)
    return any(
        node not in marked
        and (node.sequence < since or not any(ref.node is not None for ref in node.inputs or ()))
        for node in reachable_nodes(results, since)
    )


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
    visit: Any = None,
) -> dict[tuple[Node | Leaf, int], Tensor]:
    """Carry cotangents from outputs back to sources.

    Parameters
    ----------
    outputs : pairs of a value and its cotangent
    sources : the values whose gradients are wanted, or None for all leaves
    create_graph : record the backward pass, so that its results can be differentiated
    retain_graph : keep the tape for another pass
    visit : called as visit(node, cotangents, input gradients) at each node, for who wants to watch

    Returns
    -------
    dict from (node, output index) of a source to its gradient; what no path reaches is absent
    """
    since = 0 if sources is None else earliest(sources)
    nodes = reachable_nodes([ref for ref, _ in outputs], since)
    if sources is None:
        wanted: set[Node | Leaf] = {node for node in nodes if isinstance(node, Leaf)}
        useful = set(nodes)
    else:
        wanted = {ref.node for ref in sources if ref.node is not None}
        useful = _nodes_on_a_path(nodes, wanted)
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
            if mode.trace is not None and node.trace is not mode.trace and not mode.trace.once:
                raise TraceError(
                    "a compiled function cannot differentiate what was computed before it was called; "
                    "compute it inside of the function"
                )
            edges = [ref for ref in _inputs_of(node) if ref.node is not None and ref.node in useful]
            if not edges:
                if sources is None and not retain_graph:
                    node.release()
                continue
            contributions = input_gradients(node, cotangents, useful)
            if visit is not None:
                visit(node, cotangents, contributions)
            for input_ref, contribution in zip(_inputs_of(node), contributions, strict=True):
                if contribution is not None:
                    gradients.add(input_ref, contribution)
            if not retain_graph:
                node.release()
    return found


def input_gradients(
    node: Node, cotangents: dict[int, Tensor], useful: set[Node | Leaf]
) -> list[Tensor | None]:
    """Apply a node's gradient rules; each gradient has the shape and dtype of its operand."""
    from slopewise.engine.primitive import gradient_rule
    from slopewise.engine.tensor import Tensor

    refs = _inputs_of(node)
    needs = tuple([ref.node is not None and ref.node in useful for ref in refs])
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
    if callable(primitive.vjp):
        gradients = primitive.vjp(cotangent, result, *operands, needs=needs, **node.params)
    else:
        gradients = [
            gradient_rule(primitive, position)(cotangent, result, *operands, **node.params) if need else None
            for position, need in enumerate(needs)
        ]
    return [
        None if gradient is None or not need else _fit(gradient, ref.buffer)
        for gradient, ref, need in zip(gradients, refs, needs, strict=True)
    ]


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
    axes = tuple(range(extra)) + tuple(
        extra + axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[extra + axis] != 1
    )
    return gradient.sum(axis=axes).reshape(shape)


def zero_cotangent(aval: Aval) -> Tensor:
    """Return the zero gradient of a value."""
    from slopewise.engine.tensor import zeros

    return zeros(aval.shape, aval.dtype)
