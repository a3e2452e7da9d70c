"""What tests of passes share: graphs by hand, and the judge of bits."""

import dataclasses

import numpy as np

from slopewise.engine.aval import aval_of
from slopewise.engine.creation import tensor
from slopewise.engine.graph import Graph, GraphNode, verify
from slopewise.engine.interpreter import run_graph
from slopewise.engine.primitive import TABLE, apply
from slopewise.engine.trace import trace_function

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
INT32, INT64, BOOL = np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.bool_)


def traced(function, *arrays):
    """Return the graph of a function of tensors; the arrays give shapes and dtypes."""
    graph = trace_function(function, tuple(map(tensor, arrays))).graph
    verify(graph)
    return graph


def row(name, *operands, **params):
    """Apply a primitive by its name, past the shortcuts that `ops` take."""
    return apply(TABLE[name], *operands, **params)


def names(graph):
    return [node.primitive.name for node in graph.nodes]


def run(graph, arrays):
    """Run a graph, each of its primitives on arrays in C order.

    What a graph means does not depend on how NumPy lays values out in memory; the order in which NumPy adds
    numbers up does. So all are laid out alike.
    """
    return run_graph(laid_out(graph), [np.asarray(array, order="C") for array in arrays])


def laid_out(graph):
    nodes = []
    for node in graph.nodes:
        params = {k: laid_out(v) if isinstance(v, Graph) else v for k, v in node.params.items()}
        nodes.append(GraphNode(_in_order(node.primitive), node.operands, params, node.outputs, node.recorded))
    return Graph(graph.inputs, graph.constants, nodes, graph.outputs)


def _in_order(primitive):
    def compute(*arrays, **params):
        result = primitive.compute(*[np.asarray(array, order="C") for array in arrays], **params)
        if primitive.outputs == 1:
            return np.asarray(result, order="C")
        return tuple(np.asarray(value, order="C") for value in result)

    return dataclasses.replace(primitive, compute=compute)


def assert_same_bits(results, expected):
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        assert aval_of(result) == aval_of(wanted)
        bits = np.dtype(f"u{wanted.dtype.itemsize}")
        np.testing.assert_array_equal(
            np.ascontiguousarray(result).view(bits), np.ascontiguousarray(wanted).view(bits)
        )


def assert_same(graph, other, *arrays):
    """Check that two graphs give the same bits."""
    assert_same_bits(run(other, arrays), run(graph, arrays))
