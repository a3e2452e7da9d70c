"""Random programs: a target must reproduce the interpreter, in values and in gradients.

A target is a function from a graph to a callable that takes and returns lists of arrays. `make test` draws
200 programs for values and 200 for gradients, `make torture` 5,000 each.
"""

import dataclasses
import os

import numpy as np
import pytest
from graphs import assert_same_bits, run, traced
from hypothesis import HealthCheck, given, settings
from operations import OPERATIONS
from programs import Program, Step, programs, programs_of
from rounding import assert_within, tolerances

from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.support import obstacle
from slopewise.compiler.passes import optimize
from slopewise.engine.graph import Graph, GraphNode, verify
from slopewise.engine.primitive import TABLE

N_PROGRAMS = int(os.environ.get("SLOPEWISE_PROGRAMS", "200"))
# programs of many steps take long to draw; that is no sign of a strategy that rejects most of what it draws
drawn = settings(
    max_examples=N_PROGRAMS,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def native(graph):
    """The target that makes machine code of the optimized graph; the interpreter where it cannot."""
    simple = optimize(graph)
    if obstacle(simple) is not None:
        INTERPRETED.append(obstacle(simple))
        return lambda arrays: run(simple, arrays)
    executable = Executable(simple)
    COMPILED.append(len(simple.nodes))
    return lambda arrays: executable([np.asarray(array, order="C") for array in arrays])[0]


COMPILED: list[int] = []  # how many nodes each had
INTERPRETED: list[str] = []  # why each was


@pytest.fixture
def _code_of_one_use(monkeypatch):
    """Keep no objects: each program is met once."""
    monkeypatch.setenv("SLOPEWISE_CACHE", "off")


def optimized(graph):
    """The target that runs the optimized graph in the interpreter."""
    simple = optimize(graph)
    verify(simple)
    return lambda arrays: run(simple, arrays)


def assert_agrees(compile_target, function, arrays, exact):
    """Check a target on one program.

    Parameters
    ----------
    compile_target : graph -> callable from a list of arrays to a list of arrays
    exact : ask for the same bits, or for what the primitives' errors allow
    """
    graph = traced(function, *arrays)
    expected = run(graph, arrays)
    results = compile_target(graph)(arrays)
    if exact:
        assert_same_bits(results, expected)
        return 1.0
    return assert_within(results, expected, tolerances(graph, arrays, expected, run))


@pytest.mark.slow
@drawn
@given(programs())
def test_passes_keep_the_bits_of_random_programs(program):
    assert_agrees(optimized, program, program.arrays, exact=True)


@pytest.mark.slow
@drawn
@given(programs(differentiable=True, most_steps=7))
def test_passes_keep_the_bits_of_random_gradients(program):
    assert_agrees(optimized, program.gradients, program.arrays, exact=True)


@pytest.mark.slow
@pytest.mark.usefixtures("_code_of_one_use")
def test_machine_code_agrees_with_the_interpreter_on_random_programs():
    COMPILED.clear()
    INTERPRETED.clear()

    @settings(drawn, max_examples=N_PROGRAMS)
    @given(programs())
    def check(program):
        assert_agrees(native, program, program.arrays, exact=False)

    check()
    assert len(COMPILED) >= 0.9 * N_PROGRAMS, INTERPRETED


@pytest.mark.slow
@pytest.mark.usefixtures("_code_of_one_use")
def test_machine_code_agrees_with_the_interpreter_on_random_gradients():
    COMPILED.clear()
    INTERPRETED.clear()

    @settings(drawn, max_examples=N_PROGRAMS)
    @given(programs(differentiable=True, most_steps=7))
    def check(program):
        assert_agrees(native, program.gradients, program.arrays, exact=False)

    check()
    assert len(COMPILED) >= 0.9 * N_PROGRAMS, INTERPRETED


ONE = np.ones((1, 1), np.float32)


@pytest.mark.parametrize("array", [np.ones(1, np.float32), np.ones((3, 1), np.float32)])
def test_machine_code_multiplies_by_a_matrix_of_one_number(array):
    program = Program([array], [Step("linear", (0,), {"matrix": 0.5 * ONE})])
    assert assert_agrees(native, program, [array], exact=False) == 1.0


# ---- the comparison itself


def replaced(graph, name, compute):
    """Return a target's graph in which one primitive is computed otherwise."""
    nodes = []
    for node in graph.nodes:
        primitive = node.primitive
        params = {
            k: replaced(v, name, compute) if isinstance(v, Graph) else v for k, v in node.params.items()
        }
        if primitive.name == name:
            primitive = dataclasses.replace(primitive, compute=compute)
        nodes.append(GraphNode(primitive, node.operands, params, node.outputs, node.recorded))
    return Graph(graph.inputs, graph.constants, nodes, graph.outputs)


X = np.random.default_rng(0).normal(size=(6, 33)).astype(np.float32)
MATRIX = np.random.default_rng(1).normal(size=(33, 8)).astype(np.float32) / 6
PROGRAM = Program(
    [X],
    [
        Step("linear", (0,), {"matrix": MATRIX}),
        Step("tanh", (1,), {}),
        Step("log_softmax", (2,), {"axis": -1}),
    ],
)


def in_other_order(a, b, transpose_a, transpose_b):
    """A matrix product that adds up in another order, in single precision."""
    left = a.swapaxes(-1, -2) if transpose_a else a
    right = b.swapaxes(-1, -2) if transpose_b else b
    total = np.zeros((*left.shape[:-1], right.shape[-1]), a.dtype)
    for k in reversed(range(left.shape[-1])):
        total += left[..., :, k : k + 1] * right[..., k : k + 1, :]
    return total


@pytest.mark.parametrize("gradients", [False, True])
def test_other_roundings_are_accepted(gradients):
    function = PROGRAM.gradients if gradients else PROGRAM
    target = lambda graph: lambda arrays: run(replaced(graph, "matmul", in_other_order), arrays)  # noqa: E731
    assert assert_agrees(target, function, [X], exact=False) == 1.0
    with pytest.raises(AssertionError):
        assert_agrees(target, function, [X], exact=True)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("tanh", lambda x: np.tanh(x) * np.float32(1 + 2e-4)),
        ("tanh", lambda x: np.tanh(x.astype(np.float16)).astype(np.float32)),
        (
            "matmul",
            lambda a, b, transpose_a, transpose_b: in_other_order(a, b, transpose_a, transpose_b) + 1e-3,
        ),
        ("log_softmax", lambda x, axes: x - np.log(np.exp(x).sum(axes, keepdims=True)) + np.float32(2e-4)),
    ],
)
def test_errors_beyond_rounding_are_found(name, wrong, gradients):
    function = PROGRAM.gradients if gradients else PROGRAM
    with pytest.raises(AssertionError, match="are off"):
        assert_agrees(
            lambda g: lambda arrays: run(replaced(g, name, wrong), arrays), function, [X], exact=False
        )


def test_a_branch_that_hangs_by_a_hair_is_not_held_against_a_target():
    # 0.1 + 0.2 - 0.3 is about 3e-8 in single precision, and 0 in exact numbers
    arrays = [np.float32([0.1, 5.0]), np.float32([0.2, 0.0])]
    steps = [
        Step("add", (0, 1), {}),
        Step("plus", (2,), {"number": -0.3}),
        Step("masked", (3,), {"number": 0.0}),
    ]
    steps.append(Step("sign", (4,), {}))
    program = Program(arrays, steps)
    graph = traced(program, *arrays)
    (tolerance,) = tolerances(graph, arrays, run(graph, arrays), run)
    assert tolerance[0] >= 1
    assert tolerance[1] == 0


@pytest.mark.slow
def test_nearly_all_of_what_random_programs_make_can_be_checked():
    shares = []

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(programs())
    def measure(program):
        graph = traced(program, *program.arrays)
        expected = run(graph, program.arrays)
        shares.append(assert_within(expected, expected, tolerances(graph, program.arrays, expected, run)))

    measure()
    assert np.mean(shares) > 0.95


# ---- each operation by itself, and the table of primitives through them


def primitives_in(graph):
    """Return the names of the primitives in a graph and the graphs in it."""
    found = set()
    for node in graph.nodes:
        found.add(node.primitive.name)
        for value in node.params.values():
            if isinstance(value, Graph):
                found |= primitives_in(value)
    return found


REACHED: dict[str, set[str]] = {}


def reach(name):
    """Check the passes on programs of one step; return which primitives these reach."""
    if name not in REACHED:
        found = REACHED[name] = set()

        @settings(max_examples=12, suppress_health_check=list(HealthCheck))
        @given(programs_of(name))
        def check(program):
            assert_agrees(optimized, program, program.arrays, exact=True)
            found.update(primitives_in(traced(program, *program.arrays)))
            if program.arrays[0].dtype.kind == "f":
                assert_agrees(optimized, program.gradients, program.arrays, exact=True)
                found.update(primitives_in(traced(program.gradients, *program.arrays)))

        check()
    return REACHED[name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_passes_keep_the_bits_of_each_operation_and_its_gradient(name):
    assert reach(name)


@pytest.mark.slow
def test_random_programs_reach_all_core_primitives():
    reached = set().union(*map(reach, OPERATIONS))
    assert sorted({name for name, row in TABLE.items() if row.core} - reached) == []
