"""inline: calls become what they call, and what is to be computed anew stays so."""

import numpy as np
import pytest
from graphs import assert_same, names, traced

import slopewise as sw
from slopewise.compiler.passes import inline, optimize, release, subexpressions
from slopewise.engine import ops
from slopewise.engine.interpreter import last_uses
from slopewise.engine.primitives.call import call_graph

X = np.array([0.5, -1.5, 2.0])


def halved(x):
    return x * 0.5


def test_a_call_becomes_its_nodes():
    inner = traced(lambda x: halved(x) + 1.0, X)
    graph = traced(lambda x: call_graph(inner, [x]) + call_graph(inner, [-x]), X)
    assert "call" in names(graph)
    flat = inline(graph)
    assert names(flat).count("mul") == 2
    assert "call" not in names(flat)
    assert_same(graph, flat, X)


def test_calls_in_calls_are_inlined_too():
    inner = traced(halved, X)
    middle = traced(lambda x: call_graph(inner, [ops.sin(x)])[0] + 1.0, X)
    graph = traced(lambda x: ops.exp(call_graph(middle, [x])[0]), X)
    flat = release(inline(graph))
    assert names(flat) == ["sin", "mul", "add", "exp"]
    assert_same(graph, flat, X)


def test_a_call_that_gives_back_what_it_was_given_or_a_constant_vanishes():
    inner = traced(lambda x, y: [y, x, sw.tensor(np.arange(3.0)) * 1.0], X, X)
    graph = traced(lambda x: [t + 1.0 for t in call_graph(inner, [x, x * 2.0])], X)
    assert_same(graph, inline(graph), X)


def test_calls_in_the_body_of_a_loop_are_inlined():
    inner = traced(halved, np.array(1.0))

    def function(x):
        return sw.scan(lambda s, v: (s + call_graph(inner, [v])[0], s), sw.tensor(np.array(0.0)), x)

    graph = optimize(traced(function, X))
    (loop,) = [node for node in graph.nodes if node.primitive.name == "scan"]
    assert "call" not in names(loop.params["graph"])
    assert_same(traced(function, X), graph, X)


def test_the_graph_that_is_given_is_left_as_it_was():
    inner = traced(halved, X)
    graph = traced(lambda x: call_graph(inner, [x])[0] + 1.0, X)
    before = str(graph)
    inline(graph)
    optimize(graph)
    assert str(graph) == before


# ---- recomputation


def chain(x):
    for _ in range(6):
        x = ops.tanh(x @ x)
    return x


def gradient(function, depth=4):
    def whole(x):
        for _ in range(depth):
            x = function(x)
        return x.sum()

    return sw.grad(whole)


M = np.random.default_rng(0).normal(size=(8, 8)) / 8


def peak(graph):
    """Return the most bytes that are live at a time, with inputs and outputs."""
    live = set(graph.inputs)
    highest = 0
    for node, released in zip(graph.nodes, last_uses(graph), strict=True):
        live.update(node.outputs)
        highest = max(highest, sum(int(np.prod(s.shape)) * s.dtype.itemsize for s in live))
        live.difference_update(released)
    return highest


def test_what_a_checkpoint_recomputes_is_not_merged_with_its_first_computation():
    plain = optimize(traced(gradient(chain), M))
    recomputing = optimize(traced(gradient(sw.checkpoint(chain)), M))
    assert "call" not in names(recomputing)
    assert "barrier" not in names(recomputing)
    forward = 4 * 6
    assert names(plain).count("tanh") == forward
    assert names(recomputing).count("tanh") >= 2 * forward - 6
    assert peak(recomputing) < 0.6 * peak(plain)
    assert_same(plain, recomputing, M)


def test_a_batched_checkpoint_recomputes_too():
    def function(batch):
        return sw.vmap(gradient(sw.checkpoint(chain), depth=2))(batch).sum()

    graph = optimize(traced(function, np.stack([M, M.T])))
    assert names(graph).count("tanh") >= 17


def test_random_bits_are_drawn_again_from_the_same_address():
    dropout = sw.nn.Dropout(0.5)
    block = sw.checkpoint(lambda x: dropout(x * 3.0) ** 2.0)
    graph = traced(lambda x: sw.grad(lambda y: block(y).sum())(x), X)
    flat = optimize(graph)
    arrays = [X] + [np.asarray(symbol_value) for symbol_value in state_of(dropout, graph)]
    assert_same(graph, flat, *arrays)


def state_of(module, graph):
    """Return values for the inputs of a graph after the first one: the addresses of random bits."""
    return [np.arange(int(np.prod(s.shape)), dtype=s.dtype).reshape(s.shape) for s in graph.inputs[1:]]


@pytest.mark.parametrize("order", [1, 2])
def test_custom_gradients_are_inlined(order):
    @sw.custom_gradient
    def cube(x):
        return x * x * x, lambda g: g * 3.0 * x * x

    derivative = cube
    for _ in range(order):
        derivative = sw.grad(lambda x, f=derivative: f(x).sum())
    graph = traced(derivative, X)
    flat = optimize(graph)
    assert "call" not in names(flat)
    assert_same(graph, flat, X)


def test_barriers_hide_equal_expressions_until_they_are_released():
    inner = traced(halved, X)
    graph = traced(lambda x: halved(x) + call_graph(inner, [x])[0], X)
    assert names(release(subexpressions(inline(graph)))).count("mul") == 2
