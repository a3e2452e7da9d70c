"""Training steps of many kinds: three calls, eager and compiled, leave the same behind.

The same bits in the interpreter; the same up to rounding as machine code.
"""

from functools import partial

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops


def update(w, rate):
    with sw.no_grad():
        w.copy_(w - rate * w.grad)


def two_backward_passes(w):
    """A penalty on the gradient, by PyTorch's create_graph."""

    def step(x):
        w.grad = None
        loss = ((w * x) ** 3).sum()
        loss.backward(create_graph=True)
        gradient = w.grad
        w.grad = None
        (gradient * gradient).sum().backward()
        update(w, 1e-4)
        return loss

    return step


def loop_inside(w):
    def step(x):
        w.grad = None
        state, _ = sw.scan(lambda s, v: (ops.tanh(s * w.sum() + v), None), sw.tensor(np.asarray(0.1)), x)
        loss = state * state
        loss.backward()
        update(w, 0.1)
        return loss

    return step


def recomputation_inside(w):
    def step(x):
        w.grad = None
        loss = sw.checkpoint(lambda x: ops.tanh(w * x).sum())(x)
        loss.backward()
        update(w, 0.1)
        return loss

    return step


def batch_inside(w):
    def step(x):
        w.grad = None
        loss = sw.vmap(lambda a: (w * a).sum() ** 2)(x).mean()
        loss.backward()
        update(w, 0.01)
        return loss

    return step


def gradients_of_each_example(w):
    def step(x):
        gradients = sw.vmap(sw.grad(lambda w, a: ops.sin(w * a).sum()), in_axes=(None, 0))(w, x)
        with sw.no_grad():
            w.copy_(w - 0.01 * gradients.mean(0))
        return gradients.sum()

    return step


def second_order_step(w):
    def step(x):
        def loss(w):
            return ops.sin(w * x).sum()

        direction = sw.hessian(loss)(w) @ sw.grad(loss)(w)
        with sw.no_grad():
            w.copy_(w - 0.1 * direction)
        return direction.sum()

    return step


def masks_and_assigned_gradients(w):
    def step(x):
        w.grad = None
        y = x * 1.0
        y[y > 1.5] = 0.0
        loss = (w * y).sum()
        loss.backward()
        w.grad[0] = 7.0
        return loss

    return step


def gradients_that_add_up(w):
    def step(x):
        (w * x).sum().backward()
        (w * w).sum().backward()
        return w.grad.sum()

    return step


def a_persistent_tape(w):
    def step(x):
        with sw.GradientTape(persistent=True) as tape:
            y = (w * x).sum()
            z = (y * y * w).sum()
        return tape.gradient(y, w).sum() + tape.gradient(z, w).sum()

    return step


def extra_results(w):
    def step(x):
        (value, extra), gradient = sw.value_and_grad(
            lambda w: ((w * x).sum(), {"doubled": w * 2}), has_aux=True
        )(w)
        return value + extra["doubled"].sum() + gradient.sum()

    return step


def a_counter(w):
    count = sw.tensor(0)

    def step(x):
        count.copy_(count + 1)
        return (w * x).sum() * count

    return step


def an_argument_changed_in_place(w):
    def step(x):
        x += 1.0
        x[0] = 5.0
        return (x * w.detach()).sum()

    return step


def a_gradient_of_ones_own(w):
    @sw.custom_gradient
    def through(x):
        return ops.round(x), lambda g: g

    def step(x):
        w.grad = None
        loss = (through(w * x) ** 2).sum()
        loss.backward()
        update(w, 0.01)
        return loss

    return step


STEPS = [
    two_backward_passes,
    loop_inside,
    recomputation_inside,
    batch_inside,
    gradients_of_each_example,
    second_order_step,
    masks_and_assigned_gradients,
    gradients_that_add_up,
    a_persistent_tape,
    extra_results,
    a_counter,
    an_argument_changed_in_place,
    a_gradient_of_ones_own,
]


def three_calls(make_step, wrap):
    """Return all that three calls leave behind: results, arguments, weights, gradients."""
    w = sw.tensor(np.array([0.5, -1.0]), requires_grad=True)
    step = wrap(make_step(w))
    record = []
    for k in range(3):
        x = sw.tensor(np.array([1.0, 2.0]) * (k + 1))
        result = step(x)
        gradient = None if w.grad is None else w.grad.tolist()
        record.append((result.detach().tolist(), x.tolist(), w.tolist(), gradient, w.is_leaf))
    return record


def plain(step):
    return step


@pytest.mark.parametrize("make_step", STEPS, ids=lambda make_step: make_step.__name__)
def test_the_interpreter_leaves_the_bits_of_the_eager_step_behind(make_step):
    interpreted = partial(sw.compile, target="interpreter")
    assert three_calls(make_step, interpreted) == three_calls(make_step, plain)


@pytest.mark.parametrize("make_step", STEPS, ids=lambda make_step: make_step.__name__)
def test_machine_code_leaves_behind_what_the_eager_step_does(make_step):
    native = partial(sw.compile, target="native")
    for found, expected in zip(three_calls(make_step, native), three_calls(make_step, plain), strict=True):
        *values, is_leaf = found
        *expected_values, expected_is_leaf = expected
        assert is_leaf == expected_is_leaf
        for value, wanted in zip(values, expected_values, strict=True):
            assert (value is None) == (wanted is None)
            if wanted is not None:
                scale = np.max(np.abs(wanted))
                np.testing.assert_allclose(value, wanted, rtol=1e-13, atol=1e-13 * scale)


@pytest.mark.parametrize("make_step", STEPS, ids=lambda make_step: make_step.__name__)
def test_machine_code_run_again_leaves_the_same_bits_behind(make_step):
    native = partial(sw.compile, target="native")
    assert three_calls(make_step, native) == three_calls(make_step, native)


@pytest.mark.parametrize("target", ["native", "interpreter"])
def test_a_tensor_that_is_two_arguments_is_one_inside_too(target):
    def function(a, b):
        a += 1.0
        return b * 1.0

    x, y = sw.tensor([1.0]), sw.tensor([1.0])
    compiled = sw.compile(function, target=target)
    assert compiled(y, y).tolist() == function(x, x).tolist() == [2.0]
    assert x.tolist() == y.tolist() == [2.0]
    assert compiled(sw.tensor([1.0]), sw.tensor([5.0])).tolist() == [5.0]
    assert compiled.n_traces == 2
    w = sw.tensor([3.0], requires_grad=True)
    sw.compile(lambda a, b: a * b, target=target)(w, w).backward()
    assert w.grad.tolist() == [6.0]
