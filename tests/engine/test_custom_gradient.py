"""custom_gradient: a function with a gradient of its own, in every context."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, GradientError, ShapeError

X = sw.tensor(np.array([0.7, -1.2, 2.4]))


@sw.custom_gradient
def round_through(x):
    return ops.round(x), lambda g: g


@sw.custom_gradient
def reversed_gradient(x):
    return x * 1.0, lambda g: -g


@sw.custom_gradient
def scaled_product(a, b):
    """The product, with a gradient that is ten times too large, to see that it is the one used."""
    return a * b, lambda g: (10.0 * g * b, 10.0 * g * a)


def test_the_value_is_the_functions_and_the_gradient_the_pulls():
    assert round_through(X).tolist() == [1.0, -1.0, 2.0]
    assert sw.grad(lambda x: (round_through(x) * 3.0).sum())(X).tolist() == [3.0, 3.0, 3.0]
    assert (
        sw.grad(lambda a, b: scaled_product(a, b).sum(), argnums=(0, 1))(X, X * 2.0)[0].tolist()
        == (X * 20.0).tolist()
    )


CONTEXTS = {
    "eager": lambda f: f,
    "compiled": sw.compile,
    "checkpointed": sw.checkpoint,
    "batched": lambda f: lambda x: sw.vmap(f)(ops.stack([x, x]))[0],
    "batched by element": lambda f: lambda x: sw.vmap(lambda v: f(v.reshape(1)))(x).reshape(-1),
    "looped": lambda f: lambda x: sw.scan(lambda s, _: (f(x), None), x, length=2)[0],
    "compiled batch": lambda f: sw.compile(lambda x: sw.vmap(f)(ops.stack([x, x]))[1]),
    "batched compiled": lambda f: lambda x: sw.vmap(sw.compile(f))(ops.stack([x, x]))[1],
    "batch of batches": lambda f: lambda x: sw.vmap(sw.vmap(f))(ops.stack([x, x]).reshape((2, 1, 3)))[0, 0],
}


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_gradient_holds_in_each_context(context):
    function = CONTEXTS[context](reversed_gradient)
    assert function(X).tolist() == X.tolist()
    assert sw.grad(lambda x: (function(x) * X).sum())(X).tolist() == (-X).tolist()
    together = sw.vmap(sw.grad(lambda x: function(x).sum()))(ops.stack([X, X]))
    assert together.tolist() == [[-1.0] * 3] * 2


@pytest.mark.parametrize("context", CONTEXTS)
def test_in_reverse_along_a_direction_and_by_backward(context):
    function = CONTEXTS[context](reversed_gradient)
    assert sw.jvp(function, (X,), (X,))[1].tolist() == (-X).tolist()
    w = sw.tensor(X.numpy(), requires_grad=True)
    function(w).sum().backward()
    assert w.grad.tolist() == [-1.0] * 3


def test_a_batch_of_which_one_argument_is_shared_sums_its_gradient():
    b = sw.tensor(np.array([2.0]))
    together = sw.grad(lambda b: sw.vmap(lambda a: scaled_product(a.reshape(1), b))(X).sum())(b)
    assert together.tolist() == pytest.approx([10.0 * X.numpy().sum()])


def test_second_derivatives_are_those_of_the_pull():
    @sw.custom_gradient
    def cube(x):
        return x * x * x, lambda g: g * 3.0 * x * x

    sw.check_gradients(cube, X, order=3)


def test_a_pull_may_use_what_the_function_computed_and_that_is_differentiated_too():
    @sw.custom_gradient
    def stable_exp(x):
        y = ops.exp(x)
        return y, lambda g: g * y

    sw.check_gradients(stable_exp, X, order=3)


def test_none_means_a_gradient_of_zero():
    @sw.custom_gradient
    def gated(x, gate):
        return x * gate, lambda g: (g * gate, None)

    x, gate = sw.grad(lambda x, gate: gated(x, gate).sum(), argnums=(0, 1))(X, X)
    assert x.tolist() == X.tolist()
    assert gate.tolist() == [0.0] * 3


def test_integer_arguments_take_none_and_several_results_are_allowed():
    @sw.custom_gradient
    def pick(x, index):
        picked = x[index]
        return (picked, {"count": index.sum()}), lambda g: (ops.zeros(x.shape, x.dtype) + g[0].sum(), None)

    picked, rest = pick(X, sw.tensor([0, 2]))
    assert picked.tolist() == X[[0, 2]].tolist()
    assert rest["count"].item() == 2
    assert sw.grad(lambda x: pick(x, sw.tensor([0, 2]))[0].sum())(X).tolist() == [2.0] * 3


def test_a_gradient_may_be_a_number_and_is_given_the_arguments_dtype():
    @sw.custom_gradient
    def constant_slope(x):
        return ops.absolute(x), lambda g: g * np.float64(2.0)

    gradient = sw.grad(constant_slope)(sw.tensor(3.0))
    assert (gradient.item(), gradient.dtype) == (2.0, np.float32)

    @sw.custom_gradient
    def fixed(x):
        return x * 1.0, lambda g: 5.0

    assert sw.grad(fixed)(sw.tensor(3.0)).item() == 5.0


def test_captured_constants_are_allowed_and_captured_weights_are_an_error():
    scale = sw.tensor(np.asarray(4.0))

    @sw.custom_gradient
    def scaled(x):
        return x * scale, lambda g: g * scale

    assert sw.grad(lambda x: scaled(x).sum())(X).tolist() == [4.0] * 3
    scale.requires_grad_()
    with pytest.raises(GradientError, match=r"uses a tracked tensor from outside.*make it an argument"):
        scaled(X)
    with sw.no_grad():
        assert scaled(X).tolist() == (X * 4.0).tolist()


def test_a_captured_weight_that_is_tracked_later_is_an_error_too():
    def function(w, x):
        @sw.custom_gradient
        def scaled(x):
            return x * w, lambda g: g * w

        return scaled(x).sum()

    with pytest.raises(GradientError, match="uses a tracked tensor from outside"):
        sw.grad(sw.compile(function))(sw.tensor(np.asarray(2.0)), X)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda x: x, ArgumentError, r"must return a pair: \(result, pull\)"),
        (lambda x: (x, x), ArgumentError, r"must return a pair: \(result, pull\)"),
        (
            lambda x: (x, lambda g: (g, g)),
            ArgumentError,
            "returned 2 gradients for 1 arguments; return None for zero",
        ),
        (
            lambda x: (x, lambda g: g.sum()),
            ShapeError,
            r"custom gradient has shape \(\), its argument \(3,\)",
        ),
    ],
)
def test_wrong_use_says_what_is_wrong(function, error, message):
    with pytest.raises(error, match=message):
        sw.custom_gradient(function)(X)
