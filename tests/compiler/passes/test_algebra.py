"""algebra: each rule applies where it is exact, and not where it only nearly is. NaN's bits count too."""

import numpy as np
import pytest
from graphs import BOOL, FLOAT32, FLOAT64, INT32, INT64, assert_same, names, row, run, traced
from hypothesis import given
from hypothesis import strategies as st

from slopewise.compiler.passes import algebra, dead, fold, optimize
from slopewise.engine.creation import tensor
from slopewise.engine.interpreter import run_graph

SPECIAL = [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, -np.nan, 1e-310, -5e-324, 1.7e308, 3.0]
V = np.array(SPECIAL)
W = V[::-1].copy()
X = np.array([[0.5, -1.5, 2.0], [np.nan, -0.0, np.inf]])
N = np.array([0, 1, -1, np.iinfo(np.int64).min, np.iinfo(np.int64).max, 7])
B = np.array([True, False, True])
S = np.array(0.7)


def number(value, like):
    return tensor(np.array(value, like.dtype))


def two(name, value, swapped=False):
    """Return a function that combines its operand with a number."""

    def function(x):
        operands = (x, number(value, x))
        return row(name, *(operands[::-1] if swapped else operands))

    return function


def twice(name, **params):
    return lambda x: row(name, row(name, x, **params), **params)


def cast(x, *dtypes):
    for dtype in dtypes:
        x = row("cast", x, dtype=np.dtype(dtype))
    return x


def broadcast(x, *shape):
    return row("broadcast_to", x, shape=shape)


def simplified(function, *arrays):
    graph = traced(function, *arrays)
    result = dead(algebra(fold(graph)))
    assert_same(graph, result, *arrays)
    return names(result)


GONE: list[str] = []

# what is written, on what, and which nodes are left
APPLIES = {
    "x + -0.0": (two("add", -0.0), [V], GONE),
    "-0.0 + x": (two("add", -0.0, swapped=True), [V], GONE),
    "n + 0": (two("add", 0), [N], GONE),
    "x - 0.0": (two("sub", 0.0), [V], GONE),
    "n - 0": (two("sub", 0), [N], GONE),
    "x 1": (two("mul", 1.0), [V], GONE),
    "1 x": (two("mul", 1.0, swapped=True), [V], GONE),
    "n 1": (two("mul", 1), [N], GONE),
    "x 1, wider": (lambda x: row("mul", x, tensor(np.ones((2, 12)))), [V], ["broadcast_to"]),
    "x / 1": (two("div", 1.0), [V], GONE),
    "x / 4": (two("div", 4.0), [V], ["mul"]),
    "x / -0.25": (two("div", -0.25), [V], ["mul"]),
    "x / 2^1022": (two("div", 2.0**1022), [V], ["mul"]),
    "-(-x)": (twice("neg"), [V], GONE),
    "-(-n)": (twice("neg"), [N], GONE),
    "not not": (twice("invert"), [B], GONE),
    "||x||": (twice("abs"), [V], ["abs"]),
    "|-x|": (lambda x: row("abs", row("neg", x)), [V], ["abs"]),
    "|-n|": (lambda x: row("abs", row("neg", x)), [N], ["abs"]),
    "x^2": (two("pow", 2.0), [V], ["mul"]),
    "n^2": (two("pow", 2), [N], ["mul"]),
    "max(x, x)": (lambda x: row("maximum", x, x), [V], GONE),
    "min(x, x)": (lambda x: row("minimum", x, x), [V], GONE),
    "n & n": (lambda x: row("and", x, x), [N], GONE),
    "n | n": (lambda x: row("or", x, x), [N], GONE),
    "b & true": (two("and", True), [B], GONE),
    "n & -1": (two("and", -1), [N], GONE),
    "b | false": (two("or", False, swapped=True), [B], GONE),
    "n | 0": (two("or", 0), [N], GONE),
    "select(c, x, x)": (lambda c, x: row("select", c, x, x), [V > 0, V], GONE),
    "select(c, x, x), wider": (lambda c, x: row("select", c, x, x), [X > 0, X[0]], ["broadcast_to"]),
    "select(true, x, y)": (lambda x, y: row("select", tensor(True), x, y), [V, W], GONE),
    "select(false, x, y)": (lambda x, y: row("select", tensor(np.zeros(12, bool)), x, y), [V, W], GONE),
    "select(not c, x, y)": (
        lambda c, x, y: row("select", row("invert", c), x, y),
        [V > 0, V, W],
        ["select"],
    ),
    "cast to the same": (lambda x: cast(x, FLOAT64), [V], GONE),
    "cast up and back": (lambda x: cast(x, FLOAT64, FLOAT32), [V[:8].astype(FLOAT32)], GONE),
    "cast int up and back": (lambda x: cast(x, FLOAT64, INT32), [N.astype(INT32)], GONE),
    "cast bool up and back": (lambda x: cast(x, FLOAT32, BOOL), [B], GONE),
    "cast by way of": (lambda x: cast(x, INT64, FLOAT32), [N.astype(INT32)], ["cast"]),
    "detach": (lambda x: row("detach", x), [V], GONE),
    "alias": (lambda x: row("alias", x), [V], GONE),
    "sum of one": (lambda x: row("sum", x, axes=(1,)), [V[:, None]], ["reshape", "add"]),
    "sum over nothing": (lambda x: row("sum", x, axes=()), [N], GONE),
    "integer sum of one": (lambda x: row("sum", x, axes=(1,)), [N[:, None]], ["reshape"]),
    "prod of one": (lambda x: row("prod", x, axes=(0,)), [V[None]], ["reshape"]),
    "max of one": (lambda x: row("max", x, axes=(0, 2)), [V[None, :, None]], ["reshape"]),
    "min of one": (lambda x: row("min", x, axes=(0,)), [V[None]], ["reshape"]),
    "any of one": (lambda x: row("any", x, axes=(1,)), [B[:, None]], ["reshape"]),
    "all of one": (lambda x: row("all", x, axes=(1,)), [B[:, None]], ["reshape"]),
    "reshape to the same": (lambda x: row("reshape", x, shape=(2, 3)), [X], GONE),
    "reshape of reshape": (
        lambda x: row("reshape", row("reshape", x, shape=(6,)), shape=(3, 2)),
        [X],
        ["reshape"],
    ),
    "reshape and back": (lambda x: row("reshape", row("reshape", x, shape=(6,)), shape=(2, 3)), [X], GONE),
    "transpose by nothing": (lambda x: row("transpose", x, axes=(0, 1)), [X], GONE),
    "transpose and back": (twice("transpose", axes=(1, 0)), [X], GONE),
    "transpose of transpose": (twice("transpose", axes=(1, 2, 0)), [X[None]], ["transpose"]),
    "broadcast to the same": (lambda x: broadcast(x, 2, 3), [X], GONE),
    "broadcast of broadcast": (lambda x: broadcast(broadcast(x, 2, 3), 4, 2, 3), [X[0]], ["broadcast_to"]),
    "whole slice": (
        lambda x: row("slice", x, starts=(0, 0), stops=(2, 3), steps=(1, 1)),
        [X],
        GONE,
    ),
    "pad by nothing": (lambda x: row("pad", x, before=(0, 0), after=(0, 0), inner=(0, 0)), [X], GONE),
    "flip and back": (twice("flip", axes=(1,)), [X], GONE),
    "flip of flip": (lambda x: row("flip", row("flip", x, axes=(0, 1)), axes=(1,)), [X], ["flip"]),
    "flip of one": (lambda x: row("flip", x, axes=(0,)), [V[None]], GONE),
    "one part": (lambda x: row("concatenate", x, axis=0), [X], GONE),
    "empty parts": (lambda x, y: row("concatenate", y, x, y, axis=0), [X, X[:0]], GONE),
    "only empty parts": (lambda x, y: row("concatenate", x, y, axis=0), [X[:0], X[:0]], GONE),
    "f(broadcast x, y)": (lambda x, y: row("sub", broadcast(x, 2, 3), y), [X[0], X], ["sub"]),
    "f(y, broadcast x)": (lambda x, y: row("hypot", y, broadcast(x, 2, 3)), [X[0], X], ["hypot"]),
    "select(c, broadcast x, 0)": (
        lambda c, x: row("select", c, broadcast(x, 2, 3), number(0, x)),
        [X > 0, X[:, :1]],
        ["select"],
    ),
    "f(broadcast x, broadcast y)": (
        lambda x, y: row("mul", broadcast(x, 2, 3), broadcast(y, 2, 3)),
        [X[0], X[1]],
        ["mul", "broadcast_to"],
    ),
    "outer product": (
        lambda x, y: row("mul", broadcast(x, 2, 3), broadcast(y, 2, 3)),
        [X[0], X[:, :1]],
        ["mul"],
    ),
    "f(broadcast x)": (lambda x: row("neg", broadcast(x, 4, 3)), [X[0]], ["neg", "broadcast_to"]),
    "transpose of one value": (
        lambda x: row("transpose", broadcast(x, 4, 3), axes=(1, 0)),
        [S],
        ["broadcast_to"],
    ),
    "reshape of one value": (
        lambda x: row("reshape", broadcast(x, 4, 3), shape=(12,)),
        [S],
        ["broadcast_to"],
    ),
    "slice of one value": (
        lambda x: row("slice", broadcast(x, 4, 3), starts=(1, 0), stops=(3, 3), steps=(1, 2)),
        [S],
        ["broadcast_to"],
    ),
    "flip of one value": (lambda x: row("flip", broadcast(x, 4, 3), axes=(0,)), [S], ["broadcast_to"]),
}

# what looks alike but has other bits for some value
STAYS = {
    "x + 0.0": (two("add", 0.0), [V], ["add"]),
    "x - -0.0": (two("sub", -0.0), [V], ["sub"]),
    "x 0": (two("mul", 0.0), [V], ["mul"]),
    "x -1": (two("mul", -1.0), [V], ["mul"]),
    "0 - x": (two("sub", 0.0, swapped=True), [V], ["sub"]),
    "x / 3": (two("div", 3.0), [V], ["div"]),
    "x / 0": (two("div", 0.0), [V], ["div"]),
    "x / inf": (two("div", np.inf), [V], ["div"]),
    "x / 2^1023": (two("div", 2.0**1023), [V], ["div"]),
    "x / smallest": (two("div", 2.0**-1074), [V], ["div"]),
    "1 / x": (two("div", 1.0, swapped=True), [V], ["div"]),
    "x - x": (lambda x: row("sub", x, x), [V], ["sub"]),
    "x / x": (lambda x: row("div", x, x), [V], ["div"]),
    "x == x": (lambda x: row("eq", x, x), [V], ["eq"]),
    "x^3": (two("pow", 3.0), [V], ["pow"]),
    "x^0.5": (two("pow", 0.5), [V], ["pow"]),
    "x^[2, ...]": (lambda x: row("pow", x, tensor(np.full(12, 2.0))), [V], ["broadcast_to", "pow"]),
    "cast down and up": (lambda x: cast(x, FLOAT32, FLOAT64), [V], ["cast", "cast"]),
    "cast int64 to float64 and back": (lambda x: cast(x, FLOAT64, INT64), [N[:3]], ["cast", "cast"]),
    "cast float by way of to int": (
        lambda x: cast(x, FLOAT64, INT32),
        [np.float32([1.5, -2.5])],
        ["cast", "cast"],
    ),
    "sum of two": (lambda x: row("sum", x, axes=(1,)), [X], ["sum"]),
    "max of one and two": (lambda x: row("max", x, axes=(0, 1)), [X[:1]], ["max"]),
    "log_softmax of one": (lambda x: row("log_softmax", x, axes=(1,)), [V[:, None]], ["log_softmax"]),
    "part of a slice": (
        lambda x: row("slice", x, starts=(0, 0), stops=(2, 2), steps=(1, 1)),
        [X],
        ["slice"],
    ),
    "transpose of reshape": (
        lambda x: row("transpose", row("reshape", x, shape=(3, 2)), axes=(1, 0)),
        [X],
        ["reshape", "transpose"],
    ),
    "two parts": (lambda x: row("concatenate", x, x, axis=0), [X], ["concatenate"]),
    "exp(broadcast x)": (lambda x: row("exp", broadcast(x, 4, 3)), [X[0]], ["broadcast_to", "exp"]),
    "pow(x, broadcast y)": (
        lambda x, y: row("pow", x, broadcast(y, 2, 3)),
        [X, S],
        ["broadcast_to", "pow"],
    ),
    "sum of broadcast": (
        lambda x: row("sum", broadcast(x, 4, 3), axes=(0,)),
        [X[0]],
        ["broadcast_to", "sum"],
    ),
}


@pytest.mark.parametrize("case", APPLIES)
def test_rule_applies(case):
    function, arrays, left = APPLIES[case]
    assert simplified(function, *arrays) == left


@pytest.mark.parametrize("case", STAYS)
def test_rule_does_not_apply(case):
    function, arrays, left = STAYS[case]
    assert simplified(function, *arrays) == left


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64])
def test_a_square_is_what_numpy_makes_of_a_power_of_two(dtype):
    words = np.random.default_rng(0).integers(0, 2**63, 100_000, dtype=np.uint64)
    x = words.view(dtype)
    with np.errstate(all="ignore"):
        assert simplified(two("pow", 2.0), x[~np.isnan(x)]) == ["mul"]


def test_rules_work_on_what_other_rules_made():
    def function(x):
        y = row("transpose", row("neg", row("neg", x)), axes=(1, 0))
        return row("transpose", row("mul", y, number(1.0, y)), axes=(1, 0))

    assert simplified(function, X) == []


def test_the_graph_in_a_loop_is_simplified_too():
    import slopewise as sw

    def function(x):
        return sw.scan(lambda s, v: (s * 1.0 + v, None), sw.tensor(S), x)[0]

    (loop,) = [node for node in optimize(traced(function, V)).nodes if node.primitive.name == "scan"]
    assert names(loop.params["graph"]) == ["add"]


# ---- random elementwise programs

UNARY = ["neg", "abs", "sqrt", "relu", "floor", "sign", "exp", "tanh", "sigmoid", "detach", "alias"]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "pow", "gate", "hypot", "copysign"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (1, 3)]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 4.0, -3.7, 1e30, 1e-40, np.inf, -np.inf, np.nan]


@st.composite
def arrays(draw, dtype):
    shape = draw(st.sampled_from(SHAPES))
    size = int(np.prod(shape))
    return np.array(draw(st.lists(st.sampled_from(NUMBERS), min_size=size, max_size=size)), dtype).reshape(
        shape
    )


@st.composite
def elementwise_programs(draw):
    """Return steps, each the name of a primitive and the places of its operands, and the operands."""
    dtype = draw(st.sampled_from([FLOAT32, FLOAT64]))
    inputs = draw(st.lists(arrays(dtype), min_size=1, max_size=3))
    constants = draw(st.lists(arrays(dtype), min_size=0, max_size=3))
    steps = []
    count = len(inputs) + len(constants)
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["unary", "binary", "binary", "select", "cast", "widen"]))
        places = tuple(draw(st.integers(0, count - 1)) for _ in range(4))
        name = {"unary": UNARY, "binary": BINARY, "select": COMPARISONS}.get(kind, [kind])
        steps.append((kind, draw(st.sampled_from(name)), places))
        count += 1
    return inputs, constants, steps


def build(constants, steps):
    def function(*xs):
        made = [*xs, *map(tensor, constants)]
        for kind, name, (a, b, c, d) in steps:
            if kind == "unary":
                made.append(row(name, made[a]))
            elif kind == "binary":
                made.append(row(name, made[a], made[b]))
            elif kind == "select":
                made.append(row("select", row(name, made[a], made[b]), made[c], made[d]))
            elif kind == "cast":
                other = FLOAT64 if made[a].dtype == FLOAT32 else FLOAT32
                made.append(cast(made[a], other, made[a].dtype))
            else:
                made.append(broadcast(made[a], *np.broadcast_shapes(made[a].shape, (2, 3))))
        return made[-4:]

    return function


@given(elementwise_programs())
def test_random_elementwise_programs_keep_their_bits(program):
    inputs, constants, steps = program
    graph = traced(build(constants, steps), *inputs)
    optimized = optimize(graph)
    assert_same(graph, optimized, *inputs)
    for plain, ordered in zip(run_graph(optimized, inputs), run(optimized, inputs), strict=True):
        np.testing.assert_array_equal(plain, ordered)
