"""Calls become what they call.

A call that is to be computed anew in the backward pass (`sw.checkpoint`) must stay apart from its first
computation: merged with it, it would keep all that it is there to save. Its operands therefore pass a
barrier, an identity that no other pass looks through, until the last common subexpression is found. Whether
a call is such a one cannot be seen from the call; but all that are have no linearization.
"""

from __future__ import annotations

from slopewise.compiler.passes.rewriting import Rewriting
from slopewise.engine.aval import aval_of
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitive import Primitive
from slopewise.engine.primitives.call import call
from slopewise.engine.primitives.elementwise import alias

# Not in the table of primitives, as it never leaves the passes. Barriers of two calls are not the same.
barrier = Primitive(
    "barrier", infer=lambda x, call: x, compute=lambda x, call: x, vjp=None, batch=alias.batch
)


def inline(graph: Graph) -> Graph:
    """Replace each call by the nodes of its graph, and those in them likewise."""
    if all(node.primitive is not call for node in graph.nodes):
        return graph
    new = Rewriting(graph)
    _insert(new, graph.nodes)
    return new.finish()


def _insert(new: Rewriting, nodes: list[GraphNode]) -> None:
    for node in nodes:
        if node.primitive is call:
            _insert_call(new, node)
        else:
            new.keep(node, new.operands(node))


def _insert_call(new: Rewriting, node: GraphNode) -> None:
    operands = new.operands(node)
    if node.params["linear"] is None:
        number = len(new.nodes)
        operands = tuple([_behind_barrier(new, symbol, number, node) for symbol in operands])
    for symbol, value in zip(node.outputs, _insert_body(new, node.params["graph"], operands), strict=True):
        new.replace(symbol, value)


def _behind_barrier(new: Rewriting, symbol: Symbol, number: int, node: GraphNode) -> Symbol:
    if symbol in new.constants:
        return symbol
    return new.emit(barrier, (symbol,), {"call": number}, like=node)[0]


def _insert_body(new: Rewriting, body: Graph, operands: tuple[Symbol, ...]) -> list[Symbol]:
    """Add a graph's nodes with values of their own, as one graph may be called many times."""
    own: dict[Symbol, Symbol] = dict(zip(body.inputs, operands, strict=True))
    for symbol, value in body.constants.items():
        own[symbol] = new.constant(value, like=symbol)
    copies = []
    for node in body.nodes:
        outputs = tuple([Symbol(aval_of(symbol), symbol.trace) for symbol in node.outputs])
        inside = tuple([own[symbol] for symbol in node.operands])
        copies.append(GraphNode(node.primitive, inside, node.params, outputs, node.recorded, node.line))
        own.update(zip(node.outputs, outputs, strict=True))
    _insert(new, copies)
    return [new.now(own[symbol]) for symbol in body.outputs]


def release(graph: Graph) -> Graph:
    """Take the barriers away. Common subexpressions must not be looked for after this."""
    if all(node.primitive is not barrier for node in graph.nodes):
        return graph
    new = Rewriting(graph)
    for node in graph.nodes:
        operands = new.operands(node)
        if node.primitive is barrier:
            new.replace(node.outputs[0], operands[0])
        else:
            new.keep(node, operands)
    return new.finish()
