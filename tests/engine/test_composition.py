"""Transforms composed with each other, with loops, with recomputation and with sw.compile, to third order.

Wrappers turn a function into another with the same values and derivatives; derivatives turn it into its
gradient. All ways to compose them must agree with the plain ones, and those with finite differences.
"""

from itertools import product

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops

A = sw.tensor(np.array([[0.5, -1.0, 0.3], [0.2, 0.7, -0.4], [1.1, 0.1, 0.6]]))
X = sw.tensor(np.array([0.3, -0.8, 1.2]))
C = sw.tensor(np.array([1.0, -0.5, 2.0]))


def program(x):
    """A function that uses what is easy to get wrong: sharing, broadcasting, indexing, reductions."""
    hidden = ops.tanh(A @ x) * x
    picked = hidden[[0, 2, 2]] + x.sum()
    return (picked * picked * ops.exp(-x)).sum() + ops.logsumexp(hidden) * ops.prod(x)


# ---- wrappers: the same function, another way


def plain(f):
    return f


def batched(f):
    return lambda x: sw.vmap(f)(ops.stack([x, x * 2.0]))[0]


def looped_with_a_constant(f):
    return lambda x: sw.scan(lambda total, _: (total + f(x), None), sw.tensor(np.asarray(0.0)), length=1)[0]


def looped_with_a_state(f):
    def body(state, _):
        return state, f(state)

    return lambda x: sw.scan(body, x, length=2)[1][1]


def looped_over_slices(f):
    return lambda x: sw.scan(lambda last, v: (f(v), None), sw.tensor(np.asarray(0.0)), ops.stack([C, x]))[0]


def with_its_own_pull(f):
    @sw.custom_gradient
    def wrapped(x):
        return f(x), lambda g: sw.vjp(f, x)[1](g)[0]

    return wrapped


WRAPPERS = {
    "plain": plain,
    "compile": sw.compile,
    "checkpoint": sw.checkpoint,
    "vmap": batched,
    "scan over a constant": looped_with_a_constant,
    "scan of a state": looped_with_a_state,
    "scan over slices": looped_over_slices,
    "custom_gradient": with_its_own_pull,
}

DIFFERENT = [name for name in WRAPPERS if name not in ("plain", "scan over a constant")]

# ---- derivatives: from a function to its gradient


def forward(f):
    """One jvp for each direction, all at once."""
    return lambda x: sw.vmap(lambda v: sw.jvp(f, (x,), (v,))[1])(ops.eye(3, np.float64))


def pulled(f):
    return lambda x: sw.vjp(f, x)[1](1.0)[0]


def taped(f):
    def gradient(x):
        x = +x
        with sw.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    return gradient


DERIVATIVES = {
    "grad": sw.grad,
    "value_and_grad": lambda f: lambda x: sw.value_and_grad(f)(x)[1],
    "vjp": pulled,
    "jvp": forward,
    "jacobian": sw.jacobian,
    "tape": taped,
}


def along(gradient):
    """Turn a gradient into a function of one number again."""
    return lambda x: (gradient(x) * C).sum()


GRADIENT = sw.grad(program)(X).numpy()
SECOND = sw.grad(along(sw.grad(program)))(X).numpy()
THIRD = sw.grad(along(sw.grad(along(sw.grad(program)))))(X).numpy()


def test_the_plain_derivatives_agree_with_finite_differences_to_third_order():
    sw.check_gradients(program, X, order=3)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_functions_keep_value_and_derivatives_to_second_order(wrapper):
    wrapped = WRAPPERS[wrapper](program)
    assert wrapped(X).item() == pytest.approx(program(X).item(), rel=1e-14)
    sw.check_gradients(wrapped, X, order=2)


@pytest.mark.parametrize(("derivative", "wrapper"), list(product(DERIVATIVES, WRAPPERS)))
def test_each_derivative_of_each_wrapped_function(derivative, wrapper):
    gradient = DERIVATIVES[derivative](WRAPPERS[wrapper](program))
    np.testing.assert_allclose(gradient(X).numpy(), GRADIENT, rtol=1e-12)


@pytest.mark.parametrize(("derivative", "wrapper"), list(product(DERIVATIVES, WRAPPERS)))
def test_each_wrapper_around_each_derivative(derivative, wrapper):
    inner = along(DERIVATIVES[derivative](program))
    np.testing.assert_allclose(sw.grad(WRAPPERS[wrapper](inner))(X).numpy(), SECOND, rtol=1e-11)


@pytest.mark.parametrize(("outer", "inner"), list(product(DERIVATIVES, DERIVATIVES)))
@pytest.mark.parametrize("wrapper", ["plain", "compile"])
def test_each_derivative_of_each_derivative(outer, inner, wrapper):
    gradient = along(DERIVATIVES[inner](program))
    second = DERIVATIVES[outer](WRAPPERS[wrapper](gradient))
    np.testing.assert_allclose(second(X).numpy(), SECOND, rtol=1e-11)


@pytest.mark.parametrize(("outer", "inner"), list(product(DIFFERENT, DIFFERENT)))
def test_wrappers_inside_of_wrappers_to_second_order(outer, inner):
    wrapped = WRAPPERS[outer](WRAPPERS[inner](program))
    np.testing.assert_allclose(sw.grad(wrapped)(X).numpy(), GRADIENT, rtol=1e-12)
    np.testing.assert_allclose(sw.grad(along(sw.grad(wrapped)))(X).numpy(), SECOND, rtol=1e-11)


@pytest.mark.parametrize(("outer", "inner"), list(product(DIFFERENT, DIFFERENT)))
def test_wrappers_between_the_first_and_the_second_derivative(outer, inner):
    gradient = along(sw.grad(WRAPPERS[inner](program)))
    np.testing.assert_allclose(sw.grad(WRAPPERS[outer](gradient))(X).numpy(), SECOND, rtol=1e-11)


FEW = ["compile", "checkpoint", "vmap", "scan of a state"]
# each pair of wrappers at each pair of places, as in a Latin square
LATIN = [(FEW[i], FEW[j], FEW[(i + j) % 4]) for i, j in product(range(4), range(4))]


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second", "third"), LATIN)
def test_three_derivatives_with_a_wrapper_around_each(first, second, third):
    gradient = along(sw.grad(WRAPPERS[first](program)))
    gradient = along(sw.grad(WRAPPERS[second](gradient)))
    np.testing.assert_allclose(sw.grad(WRAPPERS[third](gradient))(X).numpy(), THIRD, rtol=1e-10)


# ---- batches of derivatives


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_batch_of_gradients_is_the_gradient_of_each(derivative, wrapper):
    points = ops.stack([X, X * 0.5, C])
    together = sw.vmap(DERIVATIVES[derivative](WRAPPERS[wrapper](program)))(points)
    alone = [sw.grad(program)(point).numpy() for point in points]
    np.testing.assert_allclose(together.numpy(), alone, rtol=1e-11)


def test_the_gradient_through_a_batch_of_gradients():
    points = ops.stack([X, C])

    def penalty(points):
        return (sw.vmap(sw.grad(program))(points) ** 2).sum()

    expected = [sw.grad(lambda x: (sw.grad(program)(x) ** 2).sum())(point).numpy() for point in points]
    np.testing.assert_allclose(sw.grad(penalty)(points).numpy(), expected, rtol=1e-11)
    sw.check_gradients(penalty, points)


def test_a_batch_of_batches_of_hessians():
    points = sw.tensor(np.sin(np.arange(12.0)).reshape(2, 2, 3))
    together = sw.vmap(sw.vmap(sw.hessian(program)))(points)
    for i, j in product(range(2), range(2)):
        np.testing.assert_allclose(
            together[i, j].numpy(), sw.hessian(program)(points[i, j]).numpy(), rtol=1e-9
        )


# ---- detaching, in each context


def frozen_factor(x):
    return (x.detach() * x).sum()


@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "custom_gradient"])
def test_detach_holds_in_each_wrapper(wrapper):
    gradient = sw.grad(WRAPPERS[wrapper](frozen_factor))(X)
    np.testing.assert_allclose(gradient.numpy(), X.numpy(), rtol=1e-14)


def unrecorded_factor(x):
    with sw.no_grad():
        factor = x * 1.0
    return (factor * x).sum()


@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "custom_gradient"])
def test_no_grad_holds_in_each_wrapper(wrapper):
    gradient = sw.grad(WRAPPERS[wrapper](unrecorded_factor))(X)
    np.testing.assert_allclose(gradient.numpy(), X.numpy(), rtol=1e-14)


# a custom gradient must get all that is tracked as arguments
@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "custom_gradient"])
def test_what_depends_on_a_leaf_from_outside_can_be_differentiated_by_it(wrapper):
    w = sw.tensor(np.array([0.5, 1.5, -1.0]), requires_grad=True)
    WRAPPERS[wrapper](lambda x: program(x * w))(X).backward()
    expected = sw.grad(lambda w: program(X * w))(w)
    np.testing.assert_allclose(w.grad.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "custom_gradient"])
def test_backward_through_a_gradient_reaches_leaves_from_outside(wrapper):
    w = sw.tensor(np.array([0.5, 1.5, -1.0]), requires_grad=True)
    along(sw.grad(WRAPPERS[wrapper](lambda x: program(x * w))))(X).backward()
    expected = sw.grad(lambda w: along(sw.grad(lambda x: program(x * w)))(X))(w)
    np.testing.assert_allclose(w.grad.numpy(), expected.numpy(), rtol=1e-11)
