"""subexpressions: what is computed twice is computed once; only what is surely the same is the same."""

import numpy as np
import pytest
from graphs import BOOL, FLOAT32, assert_same, names, row, traced

import slopewise as sw
from slopewise.compiler.passes import dead, subexpressions
from slopewise.engine import ops

X = np.array([[0.5, -1.5], [2.0, 0.0]])


def merged(function, *arrays):
    graph = traced(function, *arrays)
    result = subexpressions(graph)
    assert_same(graph, result, *arrays)
    return result


def test_equal_nodes_become_one_and_so_do_those_behind_them():
    graph = merged(lambda x: (ops.exp(x) + 1.0).sum() * (ops.exp(x) + 1.0).sum(), X)
    assert names(graph) == ["exp", "add", "sum", "mul"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.exp(x) + ops.sin(x),
        lambda x: x.sum(0) * x.sum(1),
        lambda x: (x - 1.0) * (1.0 - x),
        lambda x: [x.astype(FLOAT32), x.astype(BOOL)],
        lambda x: [x.reshape((4,)), x.reshape((4, 1))],
        lambda x: (x + 0.0) * (x + -0.0),
        lambda x: [row("matmul", x, x, transpose_a=flag, transpose_b=False) for flag in (True, False)],
    ],
)
def test_nodes_that_differ_in_primitive_operands_or_parameters_stay_apart(function):
    graph = traced(function, X)
    assert len(merged(function, X).nodes) == len(graph.nodes)


def test_random_bits_of_one_address_are_one_and_of_two_are_two():
    address = np.arange(4, dtype=np.uint32)

    def function(a):
        first, again, other = (row("random_bits", t, shape=(3,)) for t in (a, a, a + a))
        return [first, again, other]

    assert names(merged(function, address)).count("random_bits") == 2


def test_all_results_of_equal_loops_are_one():
    step = traced(lambda s, v: [s + v, s * v], np.array(0.0), np.array(0.0))
    from slopewise.engine.primitives.loop import Extent, scan_graph

    def function(x):
        extent = Extent(0, 1, 4, False)
        one, two = (scan_graph(step, [x.sum(), x.reshape((4,))], extent) for _ in range(2))
        return [one[0] + two[0], one[1] * two[1]]

    assert names(merged(function, X)).count("scan") == 1


# ---- constants


def distinct_constants(*values):
    tensors = [sw.tensor(value) for value in values]
    graph = traced(lambda: [ops.as_tensor(row("alias", t)) for t in tensors])
    inlined = type(graph)([], dict(zip(graph.inputs, values, strict=True)), graph.nodes, graph.outputs)
    return len(dead(subexpressions(inlined)).constants)


def nan_of(payload):
    return np.array([0x7FF8000000000000 + payload], np.uint64).view(np.float64)


@pytest.mark.parametrize(
    ("one", "two", "n_distinct"),
    [
        (np.array([1.0]), np.array([1.0]), 1),
        (np.array([1.0]), np.array([2.0]), 2),
        (np.array([0.0]), np.array([-0.0]), 2),
        (nan_of(0), nan_of(0), 1),
        (nan_of(0), nan_of(1), 2),
        (np.array([1.0]), np.array([1.0], np.float32), 2),
        (np.array([1.0]), np.array([[1.0]]), 2),
        (np.array([1, 0], np.int32), np.array([1], np.int64), 2),
        (np.array(1.0), np.array([1.0]), 2),
        (np.arange(20000.0), np.arange(20000.0), 2),
    ],
)
def test_constants_of_equal_shape_dtype_and_bits_are_one(one, two, n_distinct):
    assert distinct_constants(one, two) == n_distinct


def test_large_constants_are_one_if_they_are_one_array():
    large = np.arange(20000.0)
    assert distinct_constants(large, large) == 1
