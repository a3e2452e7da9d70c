"""Programs in which state keeps its place: many steps in one call give what one after the other gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slopewise as sw
from slopewise.compiler.loop import Loop
from slopewise.compiler.memory import lower_bound
from slopewise.compiler.native import program as programs
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.passes import optimize
from slopewise.engine.errors import IndexOutOfRange
from slopewise.engine.graph import verify
from slopewise.engine.interpreter import interpret
from slopewise.engine.trace import trace_function

SIZE = 6  # of square matrices, so that all values fit everywhere


def executable(function, arrays, carried=None, n_threads=1):
    graph = trace_function(function, tuple(map(sw.tensor, arrays))).graph
    verify(graph)
    return graph, Executable(optimize(graph), Loop(carried or {}, {}, {}), n_threads=n_threads)


def steps_one_by_one(graph, arrays, carried, steps):
    values = list(arrays)
    for _ in range(steps):
        outputs = interpret(graph, values)
        for output, entry in carried.items():
            values[entry] = outputs[output]
    return outputs


@pytest.fixture
def always_shared(monkeypatch):
    """Let threads share all that can be shared, however small it is."""
    monkeypatch.setattr(programs, "_WORTH_SHARING", 0.0)
    monkeypatch.setattr(programs, "_BARRIER_COST", 0.0)


def test_outputs_that_are_inputs_constants_or_one_another_are_copied():
    a = np.arange(4, dtype=np.float32)
    _, run = executable(lambda x: (x, x * 1.0, x + 1.0, x + 1.0, sw.ones(3), x[::2]), [a])
    x, same, more, again, ones, part = run([a])[0]
    np.testing.assert_array_equal([x, same], [a, a])
    np.testing.assert_array_equal([more, again], [a + 1, a + 1])
    np.testing.assert_array_equal(ones, np.ones(3))
    np.testing.assert_array_equal(part, a[::2])
    assert len({array.ctypes.data for array in (a, x, same, more, again)}) == 5


HAZARDS = {
    "two states change places": lambda a, b: (b, a),
    "one follows the other": lambda a, b: (b + 1.0, a),
    "each looks at the other": lambda a, b: (a + b, a - b),
    "a state is transposed": lambda a, b: (a.T + b, b * 0.5),
    "a state is reversed": lambda a, b: (sw.flip(a, axis=0) + b, b),
    "a state multiplies itself": lambda a, b: (sw.tanh(a @ a), b + a),
    "a product's factor is updated behind it": lambda a, b: (a - 0.1 * (a @ b), b),
    "a product's other factor is updated behind it": lambda a, b: (a, b - 0.1 * (a @ b)),
    "an update that nobody else reads": lambda a, b: (a - 0.1 * (b @ b.T), b),
    "a state is summed while it changes": lambda a, b: (a + a.sum(axis=0), b + a.sum()),
    "a row of a state reaches all others": lambda a, b: (a + a[0], b - a[:, :1]),
    "a state stays as it is": lambda a, b: (a, a * 2.0 + b),
    "a state becomes a constant": lambda a, b: (a * 0.0, a + b),
    "a loop inside": lambda a, b: (sw.scan(lambda s, x: (sw.tanh(s + x), None), a, b)[0], b + 1.0),
}


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", HAZARDS)
def test_state_in_one_place_is_written_after_all_have_read_it(name, n_threads, always_shared):
    function = HAZARDS[name]
    rng = np.random.default_rng(0)
    shapes = [(SIZE, SIZE), (SIZE, SIZE)] if name != "a loop inside" else [(SIZE,), (3, SIZE)]
    state = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]
    carried = {0: 0, 1: 1}
    graph, run = executable(function, state, carried, n_threads)
    expected = steps_one_by_one(graph, state, carried, 5)
    inputs = [array.copy() for array in state]
    outputs, done = run(inputs, inputs, steps=5)  # each output in the place of its input
    assert done == 5
    for got, want in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    apart = [array.copy() for array in state]
    for got, want in zip(run(apart, steps=5)[0], outputs, strict=True):
        np.testing.assert_array_equal(got, want)
    for array, before in zip(apart, state, strict=True):
        np.testing.assert_array_equal(array, before)


PIECES = {
    "add": lambda x, y: (x + y) * 0.5,
    "difference": lambda x, y: sw.tanh(x - y),
    "transpose": lambda x, y: x.T * 0.9,
    "product": lambda x, y: sw.tanh(x @ y),
    "product of the transposed": lambda x, y: sw.tanh(x.T @ y),
    "columns": lambda x, y: x - y.mean(axis=0),
    "rows": lambda x, y: x * 0.5 + y.sum(axis=1, keepdims=True) * 0.1,
    "first row": lambda x, y: x * 0.7 + y[0] * 0.2,
    "reversed": lambda x, y: sw.flip(x, axis=1) * 0.8 + y * 0.1,
    "softmax": lambda x, y: sw.softmax(x, axis=1) + y * 0.1,
    "choice": lambda x, y: sw.where(x > y, x, y) * 0.9,
    "picked": lambda x, y: x[sw.tensor([2, 0, 1, 5, 5, 3])] * 0.5 + y * 0.5,
}


@given(
    plan=st.lists(
        st.tuples(st.sampled_from(sorted(PIECES)), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=7,
    ),
    results=st.lists(st.integers(0, 9), min_size=3, max_size=3),
    n_threads=st.sampled_from([1, 2]),
)
@settings(max_examples=60, deadline=None)
def test_random_programs_carry_their_state(plan, results, n_threads):
    def function(*state):
        values = list(state)
        for piece, i, j in plan:
            values.append(PIECES[piece](values[i % len(values)], values[j % len(values)]))
        return tuple(values[k % len(values)] for k in results)

    rng = np.random.default_rng(1)
    state = [rng.uniform(-1, 1, (SIZE, SIZE)).astype(np.float32) for _ in range(3)]
    carried = {0: 0, 1: 1, 2: 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_WORTH_SHARING", 0.0)
        patch.setattr(programs, "_BARRIER_COST", 0.0)
        graph, run = executable(function, state, carried, n_threads)
    outputs, _ = run(state, [array.copy() for array in state], steps=1)
    for got, want in zip(outputs, interpret(graph, state), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    in_place = [array.copy() for array in state]
    run(in_place, in_place, steps=3)
    step_by_step = [array.copy() for array in state]
    for _ in range(3):
        step_by_step = [array.copy() for array in run(step_by_step)[0]]
    for got, want in zip(in_place, step_by_step, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_call_returns_at_the_first_step_after_its_deadline():
    a = np.zeros(4, np.float32)
    _, run = executable(lambda x: x + 1.0, [a], {0: 0})
    (result,), done = run([a], steps=1_000_000, deadline=1)
    assert done == 1
    np.testing.assert_array_equal(result, np.ones(4))


def test_slices_and_results_move_on_with_each_step():
    xs = np.arange(12, dtype=np.float32).reshape(4, 3)
    graph = trace_function(lambda s, x: (s + x, x * 2.0), (sw.zeros(3), sw.tensor(xs[0]))).graph
    run = Executable(optimize(graph), Loop({0: 0}, {1: 12}, {1: 12}))
    stacked = np.empty((4, 3), np.float32)
    (total, _), done = run([np.zeros(3, np.float32), xs[0]], [None, stacked[0]], steps=4)
    assert done == 4
    np.testing.assert_array_equal(total, xs.sum(axis=0))
    np.testing.assert_array_equal(stacked, xs * 2)


def test_a_step_that_fails_changes_nothing():
    a, index = np.ones((5, 2), np.float32), np.array([0, 9])
    _, run = executable(lambda x, i: (x * 2.0, x[i].sum()), [a, np.array([0, 1])], {0: 0})
    state = a.copy()
    with pytest.raises(IndexOutOfRange, match="index 9 is out of range for axis 0 of size 5"):
        run([state, index], [state, None])
    np.testing.assert_array_equal(state, a)
    (doubled, total), _ = run([state, np.array([0, 1])], [state, None])
    np.testing.assert_array_equal(doubled, a * 2)
    assert total == 4.0


def test_the_arena_is_close_to_what_must_be_held_at_once(capsys):
    model = sw.nn.Sequential(sw.nn.Linear(30, 64), sw.nn.ReLU(), sw.nn.Linear(64, 3))
    optimizer = sw.optim.Adam(model.parameters())

    @sw.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    traced = step.traced(sw.zeros((32, 30)), sw.zeros(32, dtype="int64"))
    made = Executable(optimize(traced.graph)).program
    bound = lower_bound([lifetime for _, lifetime in made.lifetimes()])
    print(f"arena {made.memory.peak} bytes, at least {bound} are held at once")
    assert bound <= made.memory.peak <= 1.25 * bound
