"""dead: what nothing needs is dropped, in loops too."""

import numpy as np
import pytest
from graphs import assert_same, names, run, traced

import slopewise as sw
from slopewise.compiler.passes import dead
from slopewise.engine import ops
from slopewise.engine.errors import IndexOutOfRange
from slopewise.engine.graph import verify

X = np.array([0.5, -1.5, 2.0])


def test_nodes_and_constants_that_nothing_needs_go():
    def function(x):
        ops.exp(x * 7.0)
        return x + 1.0

    graph = dead(traced(function, X))
    assert names(graph) == ["add"]
    assert len(graph.constants) == 1


def test_inputs_stay():
    graph = dead(traced(lambda x, y: y * 2.0, X, X))
    assert len(graph.inputs) == 2


def test_a_graph_without_dead_nodes_is_returned_as_it_is():
    graph = traced(lambda x: x * 2.0, X)
    assert dead(graph) is graph


def test_an_index_that_nobody_asks_for_is_not_checked_but_one_in_use_is():
    picked = np.array([5])
    unused = dead(traced(lambda x, i: [ops.exp(x), sw.take(x, i)][0], X, picked))
    assert names(unused) == ["exp"]
    used = dead(traced(sw.take, X, picked))
    with pytest.raises(IndexOutOfRange, match="index 5 is out of range"):
        run(used, (X, picked))


def loop(graph):
    (node,) = [node for node in graph.nodes if node.primitive.name == "scan"]
    return node


def body_names(graph):
    return names(loop(graph).params["graph"])


def test_results_of_a_loop_that_nobody_reads_are_not_computed():
    def function(x):
        total, _ = sw.scan(lambda s, v: (s + v, ops.exp(s * v)), sw.tensor(np.array(0.0)), x)
        return total

    graph = traced(function, X)
    narrow = dead(graph)
    verify(narrow)
    assert body_names(graph) == ["add", "mul", "exp"]
    assert body_names(narrow) == ["add"]
    assert len(loop(narrow).outputs) == 1
    assert_same(graph, narrow, X)


def test_a_state_that_only_a_dropped_result_reads_goes_with_its_operands():
    def function(x, y):
        def body(state, slices):
            a, b = state
            v, w = slices
            return (a + v, b * w), b

        (a, _), _ = sw.scan(body, (sw.tensor(np.array(0.0)), sw.tensor(np.array(1.0))), (x, y))
        return a

    graph = traced(function, X, X)
    narrow = dead(graph)
    verify(narrow)
    assert body_names(narrow) == ["add"]
    assert loop(narrow).params["extent"].n_carry == 1
    assert_same(graph, narrow, X, X)


def test_a_state_that_feeds_a_state_in_use_stays():
    def function(x):
        def body(state, v):
            a, b, c = state
            return (a + b, b * 2.0 + c, c + v), None

        start = tuple(sw.tensor(np.array(i)) for i in (1.0, 2.0, 3.0))
        return sw.scan(body, start, x)[0][0]

    graph = traced(function, X)
    narrow = dead(graph)
    assert loop(narrow).params["extent"].n_carry == 3
    assert len(loop(narrow).outputs) == 3
    assert_same(graph, narrow, X)


def test_a_state_that_no_step_reads_is_still_given_out():
    def function(x):
        start = (sw.tensor(np.array(0.0)), sw.tensor(np.array(0.0)))
        (_, last), _ = sw.scan(lambda s, v: ((s[0] + v, v), s[0]), start, x)
        return last

    graph = traced(function, X)
    narrow = dead(graph)
    verify(narrow)
    assert loop(narrow).params["extent"].n_carry == 1
    assert_same(graph, narrow, X)


def test_loops_that_were_equal_stay_equal():
    def function(x):
        return sw.scan(lambda s, v: (s + v, s * v), sw.tensor(np.array(0.0)), x)[0]

    graph = traced(function, X)
    assert loop(dead(graph)).params["graph"] is loop(dead(graph)).params["graph"]
