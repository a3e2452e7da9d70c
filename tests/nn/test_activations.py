"""Activations beyond the reference: kinks, far tails, special values, derivatives."""

import math

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError

SMOOTH = {
    "sigmoid": nn.sigmoid,
    "tanh": nn.tanh,
    "gelu": nn.gelu,
    "gelu_tanh": lambda x: nn.gelu(x, "tanh"),
    "silu": nn.silu,
    "mish": nn.mish,
    "softplus": nn.softplus,
    "softplus_beta": lambda x: nn.softplus(x, 2.0),
    "softmax": nn.softmax,
    "softmax_0": lambda x: nn.softmax(x, 0),
    "log_softmax": nn.log_softmax,
}
KINKED = {"relu": nn.relu, "leaky_relu": nn.leaky_relu, "elu": nn.elu, "selu": nn.selu}
ALL = {**SMOOTH, **KINKED, "step": nn.step}
POINTS = np.array([[-3.1, -0.7, -0.01], [0.02, 0.9, 4.2]])


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_first_and_second_derivatives_agree_with_finite_differences(name):
    sw.check_gradients(ALL[name], POINTS, eps=1e-6 if name in SMOOTH else 1e-7, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_values_and_derivatives_are_finite_at_ten_thousand(name, dtype):
    x = sw.tensor(np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4]], dtype))
    value, first = sw.value_and_grad(lambda x: ALL[name](x).sum())(x)
    second = sw.grad(lambda x: (sw.grad(lambda x: (ALL[name](x) ** 2).sum())(x) * x).sum())(x)
    assert ALL[name](x).dtype == np.dtype(dtype)
    for result in (value, first, second):
        assert np.isfinite(result.numpy()).all()


@pytest.mark.parametrize("name", ALL)
def test_not_a_number_stays_one(name):
    assert np.isnan(ALL[name](sw.tensor([np.nan])).numpy()).all()


@pytest.mark.parametrize("name", ALL)
def test_integers_become_floats_but_for_relu(name):
    y = ALL[name](sw.tensor([-2, 0, 3]))
    assert y.dtype == (np.int64 if name == "relu" else np.float32)


@pytest.mark.parametrize("name", ALL)
def test_interpreted_and_plain_have_the_same_bits(name):
    x = sw.tensor(POINTS.astype(np.float32))
    assert np.array_equal(sw.compile(ALL[name], target="interpreter")(x).numpy(), ALL[name](x).numpy())


@pytest.mark.parametrize("name", ALL)
def test_machine_code_and_plain_have_the_same_values(name):
    x = sw.tensor(POINTS.astype(np.float32))
    found = sw.compile(ALL[name], target="native")(x).numpy()
    np.testing.assert_allclose(found, ALL[name](x).numpy(), rtol=2e-6, atol=2e-7)


def test_a_step_has_no_gradient():
    x = sw.tensor([-1.0, -0.0, 0.0, 2.0])
    assert nn.Step()(x).tolist() == [0.0, 0.0, 0.0, 1.0]
    assert sw.grad(lambda x: (nn.step(x) * 3.0).sum())(x).tolist() == [0.0] * 4


def test_the_derivative_of_relu_at_0_is_0():
    assert sw.grad(lambda x: nn.relu(x).sum())(sw.tensor([-1.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 1.0]
    assert sw.grad(lambda x: nn.leaky_relu(x, 0.1).sum())(sw.tensor(0.0)).item() == pytest.approx(0.1)


def test_far_tails_keep_their_precision():
    x = np.array([-30.0, -5.0, 40.0])
    np.testing.assert_allclose(nn.softplus(sw.tensor(x)).numpy(), np.logaddexp(x, 0), rtol=1e-14)
    np.testing.assert_allclose(nn.silu(sw.tensor(x)).numpy(), x / (1 + np.exp(-x)), rtol=1e-14)
    far = nn.log_softmax(sw.tensor([0.0, -50.0], "float64"))
    assert far.tolist()[0] == pytest.approx(-math.exp(-50), rel=1e-10, abs=1e-16)


def test_softmax_with_minus_infinity():
    x = sw.tensor([[0.0, -np.inf, 0.0], [-np.inf, 1.0, -np.inf]], requires_grad=True)
    y = nn.softmax(x)
    assert y.tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    (y * sw.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert np.isnan(nn.softmax(sw.tensor([-np.inf, -np.inf])).numpy()).all()


def test_rows_of_softmax_add_up_to_1_along_the_axis_asked_for():
    x = nn.initializers.normal((3, 4, 5), dtype="float64")
    for axis in (0, 1, 2, -1):
        np.testing.assert_allclose(nn.Softmax(axis)(x).numpy().sum(axis), 1, rtol=1e-14)
        np.testing.assert_allclose(
            nn.LogSoftmax(axis)(x).numpy(), np.log(nn.softmax(x, axis).numpy()), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.gelu(sw.tensor(1.0), "erf"), "'none' or 'tanh', not 'erf'"),
        (lambda: nn.softplus(sw.tensor(1.0), 0.0), "beta > 0, not 0"),
    ],
)
def test_bad_settings_are_named(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_modules_show_their_settings():
    modules = [
        nn.LeakyReLU(0.1),
        nn.ELU(),
        nn.GELU("tanh"),
        nn.Softplus(),
        nn.Softmax(1),
        nn.Step(),
        nn.SiLU(),
    ]
    assert [repr(module) for module in modules] == [
        "LeakyReLU(negative_slope=0.1)",
        "ELU(alpha=1.0)",
        "GELU(approximate='tanh')",
        "Softplus(beta=1.0)",
        "Softmax(axis=1)",
        "Step()",
        "SiLU()",
    ]
