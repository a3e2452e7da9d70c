"""What is known before the graph runs is computed once, in NumPy, as the interpreter would.

Uniform constants, all of whose elements have the same bits, become one number and a `broadcast_to`, so that
later stages see a scalar and need no memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slopewise.compiler.passes.rewriting import Rewriting
from slopewise.engine.aval import Array
from slopewise.engine.errors import SlopewiseError
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitives.loop import scan
from slopewise.engine.primitives.shapes import broadcast_to

MOST_RESULTS = 4096  # elements; a larger result is folded only if it is not larger than what it comes from
MOST_OPERANDS = 1 << 16  # elements; more are read when the graph runs, not while somebody waits for it


def fold(graph: Graph) -> Graph:
    """Compute the nodes whose operands are all constants, except those that would raise an error."""
    new = Rewriting(graph)
    for symbol, value in graph.constants.items():
        if value.size > 1 and is_uniform(value):
            new.replace(symbol, _broadcast(new, value, symbol))
            del new.constants[symbol]
    for node in graph.nodes:
        operands = new.operands(node)
        results = _compute(new, node, operands)
        if results is None:
            new.keep(node, operands)
            continue
        for symbol, value in zip(node.outputs, results, strict=True):
            new.replace(symbol, known_constant(new, value, symbol))
    return new.finish()


def is_uniform(value: Array) -> bool:
    """Tell whether all elements of an array have the same bits."""
    if value.size == 0 or value.dtype.kind == "c":
        return False
    bits = value.view(f"u{value.dtype.itemsize}")
    first = bits.flat[0]
    # most arrays differ at their end already, and need not be read
    return bool(bits.flat[-1] == first and (bits == first).all())


def known_constant(new: Rewriting, value: Array, like: Symbol) -> Symbol:
    """Add a constant to a graph, a uniform one as a number that is broadcast."""
    if value.size > 1 and is_uniform(value):
        return _broadcast(new, value, like)
    return new.constant(np.asarray(value, order="C"), like)


def _broadcast(new: Rewriting, value: Array, like: Symbol) -> Symbol:
    number = new.constant(np.array(value.flat[0], value.dtype), like)
    node = GraphNode(broadcast_to, (number,), {"shape": value.shape}, (like,), True)
    return new.emit(broadcast_to, (number,), {"shape": value.shape}, like=node)[0]


def known_value(new: Rewriting, symbol: Symbol) -> Array | None:
    """Return the value of a constant, or of one that is broadcast; None if it is not known."""
    value = new.constants.get(symbol)
    if value is None:
        maker = new.makers.get(symbol)
        if maker is not None and maker.primitive is broadcast_to:
            origin = new.constants.get(maker.operands[0])
            return None if origin is None else np.broadcast_to(origin, symbol.shape)
    return value


def _compute(new: Rewriting, node: GraphNode, operands: Sequence[Symbol]) -> tuple[Array, ...] | None:
    """Return the results of a node, or None if they cannot be known, or should not be."""
    if not node.primitive.core or node.primitive is scan or node.primitive is broadcast_to:
        return None
    values = []
    for symbol in operands:
        value = known_value(new, symbol)
        if value is None:
            return None
        values.append(value)
    read = sum(value.size for value in values)
    made = sum(int(np.prod(symbol.shape)) for symbol in node.outputs)
    if read > MOST_OPERANDS or made > max(MOST_RESULTS, read):
        return None
    try:
        with np.errstate(all="ignore"):
            result = node.primitive.compute(
                *[np.asarray(value, order="C") for value in values], **node.params
            )
    except (SlopewiseError, ValueError, TypeError, IndexError):
        return None  # who runs the graph shall see the error
    return (np.asarray(result),) if node.primitive.outputs == 1 else tuple(result)
