"""What nothing needs is dropped: nodes, constants, and of loops the results and states."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import compress

from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitives.loop import Extent, scan


def dead(graph: Graph) -> Graph:
    """Drop what no output depends on. The inputs stay, as who calls the graph passes them all."""
    needed = set(graph.outputs)
    nodes: list[GraphNode] = []
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.outputs):
            continue
        if node.primitive is scan and not needed.issuperset(node.outputs):
            node = _narrowed_scan(node, needed)
        needed.update(node.operands)
        nodes.append(node)
    nodes.reverse()
    constants = {symbol: value for symbol, value in graph.constants.items() if symbol in needed}
    if len(constants) == len(graph.constants) and nodes == graph.nodes:
        return graph
    return Graph(list(graph.inputs), constants, nodes, list(graph.outputs))


# ---- a loop's body has outputs that only the next step reads, or that nobody reads


def _narrowed_scan(node: GraphNode, needed: Collection[Symbol]) -> GraphNode:
    """Return a loop that makes those of its results which are needed, and the states behind them."""
    body: Graph = node.params["graph"]
    extent: Extent = node.params["extent"]
    wanted = [symbol in needed for symbol in node.outputs]
    read = _inputs_read(body, wanted)
    while any(read[place] and not wanted[i] for i, place in enumerate(extent.carry)):
        for i, place in enumerate(extent.carry):
            wanted[i] = wanted[i] or read[place]
        read = _inputs_read(body, wanted)
    for i, place in enumerate(
        extent.carry
    ):  # a state that is given out is passed in, even if no step reads it
        read[place] = wanted[i]
    if all(wanted) and all(read):
        return node
    narrow = Extent(
        sum(read[: extent.n_consts]), sum(wanted[: extent.n_carry]), extent.length, extent.reverse
    )
    return GraphNode(
        scan,
        tuple(compress(node.operands, read)),
        {"graph": _narrowed_body(body, read, wanted), "linear": None, "extent": narrow},
        tuple(compress(node.outputs, wanted)),
        node.recorded,
        node.line,
    )


def _inputs_read(body: Graph, wanted: Sequence[bool]) -> list[bool]:
    """Tell of each input of a graph whether some outputs depend on it."""
    part = dead(Graph(body.inputs, body.constants, body.nodes, list(compress(body.outputs, wanted))))
    read = {symbol for node in part.nodes for symbol in node.operands}.union(part.outputs)
    return [symbol in read for symbol in body.inputs]


def _narrowed_body(body: Graph, read: Sequence[bool], wanted: Sequence[bool]) -> Graph:
    """Return a body without some inputs and outputs; one graph each time, so that equal loops stay equal."""
    key = ("narrowed", tuple(read), tuple(wanted))
    if key not in body.derived:
        body.derived[key] = dead(
            Graph(
                list(compress(body.inputs, read)),
                body.constants,
                body.nodes,
                list(compress(body.outputs, wanted)),
            )
        )
    narrowed: Graph = body.derived[key]
    return narrowed
