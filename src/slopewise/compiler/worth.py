"""Whether a function that is called seldom is worth compiling: a guess from its graph, never from a clock."""

from __future__ import annotations

import math

from slopewise.engine.graph import Graph, GraphNode

# seconds in NumPy: of a call, of an element, of a multiplication and addition, and of one in a convolution
_CALL, _ELEMENT, _PRODUCT, _CONVOLUTION = 2e-6, 1e-9, 4e-11, 4e-10

# a compilation takes as long as this many calls of the cheapest function that is compiled
_CALLS = 100
_COMPILATION = 0.3  # seconds


def interpreter_seconds(graph: Graph) -> float:
    """Return about how long the interpreter takes for a graph, on a machine of today."""
    return sum(map(_node_seconds, graph.nodes))


def worth_compiling(graph: Graph) -> bool:
    """Tell whether machine code pays for a function of which only about a hundred calls are expected."""
    return interpreter_seconds(graph) * _CALLS > _COMPILATION


def _node_seconds(node: GraphNode) -> float:
    name, result = node.primitive.name, node.outputs[0]
    elements = sum(math.prod(symbol.shape) for symbol in node.outputs)
    seconds = _CALL + elements * _ELEMENT
    if name == "matmul":
        inner = node.operands[0].shape[-2 if node.params["transpose_a"] else -1]
        return seconds + math.prod(result.shape) * inner * _PRODUCT
    if name == "conv":
        return seconds + math.prod(result.shape) * math.prod(node.operands[1].shape[2:]) * _CONVOLUTION
    for value in node.params.values():
        if isinstance(value, Graph):
            times = node.params["extent"].length if name == "scan" else 1
            seconds += times * interpreter_seconds(value)
    return seconds
