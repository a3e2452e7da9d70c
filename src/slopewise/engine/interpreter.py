"""The reference target: runs a graph in NumPy, one node at a time. Every other target must reproduce it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slopewise.engine.aval import Array
from slopewise.engine.graph import Graph, Symbol


def last_uses(graph: Graph) -> list[list[Symbol]]:
    """Return, for each node, the values that nothing needs after it."""
    kept = {*graph.outputs, *graph.constants}
    releases: list[list[Symbol]] = [[] for _ in graph.nodes]
    seen = set(kept)
    for position in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[position]
        for symbol in (*node.operands, *node.outputs):
            if symbol not in seen:
                seen.add(symbol)
                releases[position].append(symbol)
    return releases


def run_graph(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Evaluate a graph; each intermediate value is dropped after its last use.

    Parameters
    ----------
    graph : a verified graph
    inputs : an array for each of its inputs, of the shape and dtype declared

    Returns
    -------
    list of arrays, one per output
    """
    releases = graph.derived.get("last uses")
    if releases is None:
        releases = graph.derived.setdefault("last uses", last_uses(graph))
    values: dict[Symbol, Array] = dict(zip(graph.inputs, inputs, strict=True))
    del inputs
    values.update(graph.constants)
    with np.errstate(all="ignore"):
        for node, finished in zip(graph.nodes, releases, strict=True):
            result = node.primitive.compute(*[values[symbol] for symbol in node.operands], **node.params)
            if node.primitive.outputs == 1:
                values[node.outputs[0]] = result if type(result) is np.ndarray else np.asarray(result)
            else:
                values.update(zip(node.outputs, result, strict=True))
            del result
            for symbol in finished:
                del values[symbol]
    return [values[symbol] for symbol in graph.outputs]
