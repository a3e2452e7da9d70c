"""The gradient tape: nodes that know how values came about; `pullback` walks them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from slopewise.engine.aval import Aval, Buffer, aval_of
from slopewise.engine.errors import GradientError
from slopewise.engine.mode import current_mode

if TYPE_CHECKING:
    from slopewise.engine.primitive import Primitive
    from slopewise.engine.tensor import Tensor
    from slopewise.engine.trace import Trace

_clock = count()


class Leaf:
    """The end of a path: a tensor marked with `requires_grad`; `backward()` adds up its gradient here."""

    __slots__ = ("_grad", "aval", "sequence")

    inputs: tuple[Ref, ...] = ()

    def __init__(self, aval: Aval) -> None:
        self.sequence = next(_clock)
        self.aval = aval
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
        trace: Trace | None = None,
    ) -> None:
        self.sequence = next(_clock)
        self.primitive = primitive
        self.params = params
        self.inputs: tuple[Ref, ...] | None = inputs
        self.outputs = outputs
        self.trace = trace

    def release(self) -> None:
        """Forget the saved values; a second backward pass through this node is then an error."""
        self.inputs = None
        self.outputs = ()


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


def inputs_of(node: Node | Leaf) -> tuple[Ref, ...]:
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
            stack.extend([ref.node for ref in inputs_of(node) if ref.node is not None])
    return sorted(found, key=lambda node: node.sequence)


def earliest(sources: Iterable[Ref]) -> int:
    """Return the moment at which the first of some tracked values was made."""
    return min((ref.node.sequence for ref in sources if ref.node is not None), default=0)


def nodes_on_a_path(nodes: list[Node | Leaf], sources: set[Node | Leaf]) -> set[Node | Leaf]:
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
