"""What machine code can be made of, and why not of the rest."""

from __future__ import annotations

from slopewise.compiler.native.fusion import REDUCTIONS, VIEWS, is_elementwise
from slopewise.compiler.native.kernels.maps import map_dtype
from slopewise.compiler.native.launches import KERNELS
from slopewise.engine.graph import Graph, GraphNode

_OTHERS = REDUCTIONS | VIEWS | {"matmul", "scan", *KERNELS}


def obstacle(graph: Graph) -> str | None:
    """Return what keeps a graph from becoming machine code, and where; None if nothing does."""
    for node in graph.nodes:
        found = _obstacle_in(node)
        if found is not None:
            return f"{found}, at {node.line}" if node.line else found
    for symbol in (*graph.inputs, *graph.constants):
        if not map_dtype(symbol.dtype):
            return f"machine code has no {symbol.dtype}"
    return None


def _obstacle_in(node: GraphNode) -> str | None:
    name = node.primitive.name
    if not node.primitive.core:
        return f"'{name}' runs in NumPy only"
    for value in node.params.values():
        if isinstance(value, Graph):
            found = obstacle(value)
            if found is not None:
                return found
    if not is_elementwise(node) and name not in _OTHERS:
        return f"machine code has no '{name}'"
    for symbol in (*node.operands, *node.outputs):
        if not map_dtype(symbol.dtype):
            return f"machine code has no {symbol.dtype}, which '{name}' needs"
    return None
