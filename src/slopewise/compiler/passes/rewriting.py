"""What the passes share: a graph in the making, node by node, beside the one that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slopewise.engine.aval import Array, Aval, aval_of
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitive import Primitive


class Rewriting:
    """A new graph that takes over the nodes of an old one in order, or others in their place.

    The inputs, and the number and order of the outputs, stay. The old graph and its nodes are not changed; a
    node that stays as it is belongs to both.
    """

    def __init__(self, graph: Graph) -> None:
        self.old = graph
        self.constants: dict[Symbol, Array] = dict(graph.constants)
        self.nodes: list[GraphNode] = []
        self.makers: dict[Symbol, GraphNode] = {}  # of each value the node that makes it, in the new graph
        self._replaced: dict[Symbol, Symbol] = {}

    def now(self, symbol: Symbol) -> Symbol:
        """Return what stands for a value of the old graph in the new one."""
        return self._replaced.get(symbol, symbol)

    def operands(self, node: GraphNode) -> tuple[Symbol, ...]:
        """Return what a node of the old graph takes in the new one."""
        replaced = self._replaced
        return tuple([replaced.get(symbol, symbol) for symbol in node.operands])

    def replace(self, old: Symbol, new: Symbol) -> None:
        """Let one value stand for another from here on."""
        self._replaced[old] = new

    def keep(self, node: GraphNode, operands: tuple[Symbol, ...]) -> GraphNode:
        """Take over a node, on its new operands."""
        if operands != node.operands:
            node = GraphNode(node.primitive, operands, node.params, node.outputs, node.recorded, node.line)
        return self._append(node)

    def emit(
        self, primitive: Primitive, operands: Sequence[Symbol], params: dict[str, Any], like: GraphNode
    ) -> tuple[Symbol, ...]:
        """Add a node that the old graph does not have, in place of one of its nodes."""
        inferred = primitive.infer(*map(aval_of, operands), **params)
        avals: tuple[Aval, ...] = (inferred,) if primitive.outputs == 1 else tuple(inferred)
        outputs = tuple([Symbol(aval, like.outputs[0].trace) for aval in avals])
        node = GraphNode(primitive, tuple(operands), params, outputs, like.recorded, like.line)
        return self._append(node).outputs

    def constant(self, value: Array, like: Symbol) -> Symbol:
        """Add a constant."""
        symbol = Symbol(aval_of(value), like.trace)
        self.constants[symbol] = value
        return symbol

    def _append(self, node: GraphNode) -> GraphNode:
        self.nodes.append(node)
        for symbol in node.outputs:
            self.makers[symbol] = node
        return node

    def finish(self) -> Graph:
        """Return the new graph."""
        return Graph(list(self.old.inputs), self.constants, self.nodes, list(map(self.now, self.old.outputs)))


def with_bodies(node: GraphNode, change: Callable[[Graph], Graph]) -> GraphNode:
    """Return a node with a pass applied to the graphs in it; the same node if it has none.

    How a graph is differentiated no longer matters once it is traced, so that it is let go.
    """
    if "graph" not in node.params:
        return node
    params = {**node.params, "graph": change(node.params["graph"])}
    if "linear" in params:
        params["linear"] = None
    return GraphNode(node.primitive, node.operands, params, node.outputs, node.recorded, node.line)
