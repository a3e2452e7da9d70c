"""Which nodes run together."""

import numpy as np

import slopewise as sw
from slopewise.compiler.native.fusion import MOST_NODES, Fusion, Kind
from slopewise.compiler.passes import optimize
from slopewise.engine.trace import trace_function

A = np.ones((4, 6), np.float32)
W = np.ones((6, 5), np.float32)


def groups(function, *arrays):
    """Return (kind, names of the nodes) of each group."""
    fusion = Fusion(optimize(trace_function(function, tuple(map(sw.tensor, arrays))).graph))
    return [(group.kind, [node.primitive.name for node in group.nodes]) for group in fusion.groups]


def test_an_elementwise_chain_is_one_map():
    assert groups(lambda x: sw.exp(x * 2.0) + x, A) == [(Kind.MAP, ["mul", "exp", "add"])]


def test_a_long_chain_is_cut_into_kernels_that_compile_in_good_time():
    def chain(x):
        for _ in range(2 * MOST_NODES + 10):
            x = sw.sin(x)
        return x

    assert [len(names) for _, names in groups(chain, A)] == [MOST_NODES, MOST_NODES, 10]


def test_what_follows_a_product_runs_behind_it():
    found = groups(lambda x, w: sw.relu(x @ w + w[0]), A, W)
    assert found == [(Kind.PRODUCT, ["matmul", "add", "relu"])]


def test_what_a_reduction_looks_at_runs_in_front_of_it():
    found = groups(lambda x: (x * x).sum(axis=1), A)
    assert found == [(Kind.REDUCTION, ["mul", "sum"])]


def test_reductions_over_the_same_axes_share_a_loop_and_others_do_not():
    assert len(groups(lambda x: ((x * x).sum(axis=1), (x * x).max(axis=1)), A)) == 1
    assert len(groups(lambda x: ((x * x).sum(axis=1), (x * x).sum(axis=0)), A)) == 2


def test_what_needs_a_reduction_comes_after_its_loops():
    found = groups(lambda x: x - x.max(axis=1, keepdims=True), A)
    assert found == [(Kind.REDUCTION, ["max"]), (Kind.MAP, ["sub"])]


def test_what_is_looked_at_in_another_arrangement_must_exist_whole():
    square = np.ones((3, 3), np.float32)
    assert len(groups(lambda x: (x * 2.0).T + x, square)) == 2


def test_views_are_no_work():
    assert groups(lambda x: sw.flip(x.T[1:], axis=0).reshape((5, 2, 2)), A) == []
    assert groups(lambda x: x.T.reshape(24), A) == [(Kind.OTHER, ["reshape"])]  # no view can do that


def test_no_group_waits_for_itself():
    """b needs a's maximum and a itself: b cannot join the loop that makes a."""

    def function(x):
        a = x * 2.0
        b = a.max() + a
        return (a * b).sum()

    fusion = Fusion(optimize(trace_function(function, (sw.tensor(A),)).graph))
    for group in fusion.groups:
        assert group not in group.before


def test_only_what_others_need_is_stored():
    fusion = Fusion(optimize(trace_function(lambda x: sw.exp(x * 2.0) + x, (sw.tensor(A),)).graph))
    (group,) = fusion.groups
    assert fusion.stored(group) == [group.nodes[-1].outputs[0]]
