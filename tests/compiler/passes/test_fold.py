"""fold: what is known before the graph runs is computed once, unless it is large or an error."""

import numpy as np
import pytest
from graphs import assert_same, names, row, traced

import slopewise as sw
from slopewise.compiler.passes import dead, fold
from slopewise.compiler.passes.fold import MOST_OPERANDS, MOST_RESULTS, is_uniform
from slopewise.engine import ops
from slopewise.engine.errors import IndexOutOfRange
from slopewise.engine.graph import Graph

X = np.array([0.5, -1.5, 2.0])


def constants(graph):
    return list(graph.constants.values())


def as_constants(graph, *arrays):
    """Turn the first inputs of a graph into constants."""
    given = dict(zip(graph.inputs, arrays, strict=False))
    return Graph(graph.inputs[len(arrays) :], {**graph.constants, **given}, graph.nodes, graph.outputs)


def folded(function, *arrays):
    """Fold a function of constants; check that it gives what it gave."""
    graph = as_constants(traced(function, *arrays), *arrays)
    result = dead(fold(graph))
    assert_same(graph, result)
    return result


def test_a_chain_of_constants_becomes_one():
    graph = folded(lambda a: row("cumsum", ops.exp(a) * 2.0 - 1.0, axis=0), X)
    assert names(graph) == []
    assert len(constants(graph)) == 1


def test_what_depends_on_an_input_stays():
    graph = traced(lambda x: x * 2.0, X)
    assert names(fold(graph)) == ["mul"]


def test_a_uniform_constant_becomes_a_number_that_is_broadcast():
    graph = folded(lambda a: [a], np.full((50, 50), -0.0))
    assert names(graph) == ["broadcast_to"]
    (number,) = constants(graph)
    assert number.shape == ()
    assert np.signbit(number)


def test_a_broadcast_of_a_number_stays_small_and_what_is_computed_of_it_too():
    graph = folded(lambda a: ops.exp(row("broadcast_to", a, shape=(64, 64))), np.array(1.5))
    assert names(graph) == ["broadcast_to"]
    assert [value.size for value in constants(graph)] == [1]


def test_a_result_is_folded_if_it_is_small_or_not_larger_than_its_operands():
    address = np.arange(4, dtype=np.uint32)
    assert names(folded(lambda a: row("random_bits", a, shape=(MOST_RESULTS,)), address)) == []
    kept = folded(lambda a: row("random_bits", a, shape=(MOST_RESULTS + 1,)), address)
    assert names(kept) == ["random_bits"]
    assert names(folded(lambda a: a * 3.0, np.arange(MOST_RESULTS + 5.0))) == []


def test_very_large_operands_wait_until_the_graph_runs():
    assert names(folded(lambda a: a.sum(), np.arange(MOST_OPERANDS + 1.0))) == ["sum"]


def test_an_index_out_of_range_is_still_an_error_when_the_graph_runs():
    graph = as_constants(traced(lambda a, i: sw.take(a, i), X, np.array([7])), X, np.array([7]))
    result = fold(graph)
    assert "gather" in names(result)
    with pytest.raises(IndexOutOfRange, match="index 7 is out of range"):
        assert_same(result, result)


def test_a_negative_integer_power_is_still_an_error_when_the_graph_runs():
    arrays = np.array([2, 3]), np.array([-1, -2])
    result = fold(as_constants(traced(lambda a, b: row("pow", a, b), *arrays), *arrays))
    assert names(result) == ["pow"]


def test_host_primitives_are_left_to_the_interpreter():
    graph = as_constants(traced(lambda a: row("argsort", a, axis=0, descending=False, stable=True), X), X)
    assert names(fold(graph)) == ["argsort"]


def test_loops_are_left_to_run():
    def function(a):
        return sw.scan(lambda s, v: (s + v, s), sw.tensor(np.array(0.0)) * 1.0, a)[1]

    traced_graph = traced(function, X)
    assert "scan" in names(fold(as_constants(traced_graph, X)))


@pytest.mark.parametrize("special", [np.nan, np.inf, -0.0])
def test_special_values_keep_their_bits(special):
    folded(lambda a, b: [a + b, a * b, -a, a / b], np.array([special, 1.0]), np.array([special, 0.0]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.zeros(5), True),
        (np.array([0.0, -0.0]), False),
        (np.array([np.nan, np.nan]), True),
        (np.array([np.nan, -np.nan]), False),
        (np.array([1, 1, 2]), False),
        (np.array([1, 2, 1]), False),
        (np.ones((2, 3), bool), True),
        (np.ones((2, 3), np.float16)[:, ::2], True),
        (np.broadcast_to(np.float32(3), (4, 4)), True),
        (np.zeros(0), False),
    ],
)
def test_uniform_means_the_same_bits_everywhere(value, expected):
    assert is_uniform(value) is expected
