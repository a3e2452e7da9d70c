"""A backward pass that comes again runs as a graph: the same bits, the same errors, the same memory."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.engine import backward_plan, ops


@pytest.fixture(autouse=True)
def no_plans(monkeypatch):
    monkeypatch.setattr(backward_plan, "_plans", {})


def n_plans():
    return sum(isinstance(plan, backward_plan.Plan) for plan in backward_plan._plans.values())


def leaf(values):
    return sw.tensor(values, requires_grad=True)


def gradients(function, *arrays, **options):
    leaves = [leaf(array) for array in arrays]
    function(*leaves).backward(**options)
    return [x.grad.numpy() for x in leaves]


def network(w, b, x):
    hidden = ops.relu(ops.linear(x, w, b))
    return ops.mean(ops.logsumexp(hidden * x[:, :1], -1) - hidden[:, 0])


W, B, X = (
    np.sin(np.arange(n, dtype=np.float32)).reshape(s) for n, s in [(12, (4, 3)), (4, (4,)), (15, (5, 3))]
)


def test_the_second_of_a_kind_is_planned_and_gives_the_same_bits():
    first = gradients(network, W, B, X)
    assert n_plans() == 0
    for _ in range(3):
        for expected, found in zip(first, gradients(network, W, B, X), strict=True):
            np.testing.assert_array_equal(expected, found)
    assert n_plans() == 1


def test_a_plan_takes_the_values_of_the_tape_at_hand():
    for scale in (1.0, 2.0, -3.0, 0.5):
        [found] = gradients(lambda x: (x * x * x).sum(), np.array([scale, 1.0]))
        np.testing.assert_allclose(found, [3 * scale**2, 3.0])


PROGRAMS = {
    "one tensor twice": lambda x, y: (x * x).sum() + y.sum() * 0.0,
    "two tensors": lambda x, y: (x * y).sum(),
    "the other way round": lambda x, y: (y / x).sum(),
    "another axis": lambda x, y: (ops.cumsum(x, 0) * y).sum(),
    "and one more": lambda x, y: (ops.cumsum(x, 1) * y).sum(),
    "a diamond": lambda x, y: ops.tanh(x + y).sum() * ops.tanh(x + y).max(),
    "a constant of another shape": lambda x, y: (x * sw.tensor([[2.0], [3.0]])).sum() + y.sum(),
    "a constant of the same shape": lambda x, y: (x * sw.tensor([[2.0, 1.0], [3.0, 1.0]])).sum() + y.sum(),
    "indices": lambda x, y: x[sw.tensor([0, 0, 1])].sum() + (y[::-1] * x).sum(),
    "only zeros": lambda x, y: ops.floor(x).sum() + y.sum(),
}


def test_programs_that_differ_never_share_a_plan():
    a, b = np.array([[1.5, -2.0], [0.5, 3.0]]), np.array([[0.3, 1.0], [-1.0, 2.0]])
    expected = {name: gradients(program, a, b, create_graph=True) for name, program in PROGRAMS.items()}
    for _ in range(3):
        for name, program in PROGRAMS.items():
            for x, y in zip(gradients(program, a, b), expected[name], strict=True):
                np.testing.assert_array_equal(x, y, err_msg=name)
    assert n_plans() == len(PROGRAMS)


STEPS = [
    lambda x, y: x * y,
    lambda x, y: x + ops.sin(y),
    lambda x, y: ops.where(x > y, x, y * 2.0),
    lambda x, y: ops.tanh(x)[::-1] * y,
    lambda x, y: x @ y.T @ y,
    lambda x, y: ops.softmax(x, 1) - ops.sum(y, 0, keepdims=True),
    lambda x, y: ops.concatenate([x, y], 1)[:, 1:3],
    lambda x, y: ops.maximum(x, 0.1) ** 2 + y.mean(),
]


choices_of_steps = st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 7), st.integers(0, 7))


@given(st.lists(choices_of_steps, min_size=1, max_size=8))
def test_random_programs_give_the_same_bits_planned_or_not(choices):
    def program(x, y):
        values = [x, y]
        for step, i, j in choices:
            values.append(STEPS[step](values[i % len(values)], values[j % len(values)]))
        return sum(value.sum() for value in values)

    a, b = np.cos(np.arange(4.0)).reshape(2, 2), np.sin(np.arange(4.0) + 1).reshape(2, 2)
    plain = gradients(program, a, b, create_graph=True)
    for _ in range(3):
        for x, y in zip(gradients(program, a, b), plain, strict=True):
            np.testing.assert_array_equal(x, y)


def test_gradients_add_up_and_a_seed_is_taken():
    x = leaf(np.array([1.0, 2.0]))
    for number in range(1, 5):
        (x * x).backward(sw.tensor(np.array([1.0, 10.0])))
        np.testing.assert_allclose(x.grad.numpy(), number * np.array([2.0, 40.0]))


def test_a_tape_is_freed_unless_it_is_to_be_retained():
    for _ in range(3):
        x = leaf(2.0)
        y = x * x
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.item() == 8.0
        with pytest.raises(sw.SlopewiseError, match="freed by an earlier backward"):
            y.backward()


def test_saved_values_are_let_go_when_the_pass_is_over():
    for _ in range(3):
        x = leaf(np.ones(1000))
        h = ops.exp(x)
        saved = weakref.ref(h._ref.buffer)
        y = h.sum()
        del h
        y.backward()
        gc.collect()
        assert saved() is None


def test_who_makes_new_structures_all_the_time_fills_no_memory(monkeypatch):
    monkeypatch.setattr(backward_plan, "MOST_PLANS", 10)
    for size in range(1, 40):
        gradients(lambda x: (x * x).sum(), np.ones(size))
    assert len(backward_plan._plans) <= 10


def test_long_tapes_are_not_planned(monkeypatch):
    monkeypatch.setattr(backward_plan, "MOST_NODES", 3)
    for _ in range(3):
        gradients(lambda x: ops.sin(ops.sin(ops.sin(x))).sum(), np.ones(2))
    assert n_plans() == 0


def test_loops_and_calls_of_graphs_are_not_planned():
    for _ in range(3):
        gradients(lambda x: sw.scan(lambda s, z: (s * z, s + z), x[0], x)[1].sum(), np.ones((3, 2)))
    assert not backward_plan._plans


def test_host_primitives_keep_their_own_errors():
    for _ in range(3):
        with pytest.raises(sw.SlopewiseError, match="singular"):
            gradients(sw.linalg.det, np.zeros((2, 2)))


def test_threads_may_share_plans():
    expected = gradients(network, W, B, X)
    wrong = []

    def work():
        for _ in range(30):
            for x, y in zip(gradients(network, W, B, X), expected, strict=True):
                if not np.array_equal(x, y):
                    wrong.append((x, y))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
