"""Initialisers: seeds, shapes, and the variances that their papers ask for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.nn import initializers as init


@pytest.fixture(autouse=True)
def seeded():
    sw.manual_seed(0)


UNIFORM = [
    (init.kaiming_uniform, {}, math.sqrt(6 / 60)),
    (init.kaiming_uniform, {"a": math.sqrt(5)}, math.sqrt(1 / 60)),
    (init.kaiming_uniform, {"mode": "fan_out", "nonlinearity": "linear"}, math.sqrt(3 / 80)),
    (init.kaiming_uniform, {"nonlinearity": "tanh"}, 5 / 3 * math.sqrt(3 / 60)),
    (init.xavier_uniform, {}, math.sqrt(6 / 140)),
    (init.xavier_uniform, {"gain": 2.0}, 2 * math.sqrt(6 / 140)),
]
NORMAL = [
    (init.kaiming_normal, {}, math.sqrt(2 / 60)),
    (init.kaiming_normal, {"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 80)),
    (init.xavier_normal, {"gain": 0.5}, 0.5 * math.sqrt(2 / 140)),
]
RANDOM = [init.kaiming_uniform, init.kaiming_normal, init.xavier_uniform, init.xavier_normal, init.orthogonal]


@pytest.mark.parametrize(("function", "settings", "bound"), UNIFORM)
def test_uniform_weights_fill_their_bounds(function, settings, bound):
    x = function((80, 60), **settings, dtype="float64").numpy()
    assert 0.99 * bound < abs(x).max() <= bound
    assert x.var() == pytest.approx(bound**2 / 3, rel=0.05)


@pytest.mark.parametrize(("function", "settings", "std"), NORMAL)
def test_normal_weights_have_their_standard_deviation(function, settings, std):
    x = function((80, 60), **settings).numpy()
    assert x.std() == pytest.approx(std, rel=0.04)
    assert abs(x.mean()) < 4 * std / math.sqrt(x.size)


@given(
    st.integers(1, 9), st.integers(1, 5), st.lists(st.integers(1, 3), max_size=2), st.sampled_from([0.5, 2.0])
)
def test_orthogonal_rows_or_columns_are_orthonormal(rows, columns, kernel, gain):
    w = init.orthogonal((rows, columns, *kernel), gain, dtype="float64").numpy().reshape(rows, -1)
    product = w @ w.T if rows <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_matrices_point_everywhere():
    determinants = [np.linalg.det(init.orthogonal((3, 3), dtype="float64").numpy()) for _ in range(40)]
    assert 5 < sum(d > 0 for d in determinants) < 35


@pytest.mark.parametrize("function", RANDOM)
def test_the_seed_and_the_order_decide(function):
    first, second = function((4, 3)).numpy(), function((4, 3)).numpy()
    sw.manual_seed(0)
    assert np.array_equal(function((4, 3)).numpy(), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("function", [*RANDOM, init.normal, init.uniform, init.zeros, init.ones])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_the_one_asked_for(function, dtype):
    assert function((4, 3), dtype=dtype).dtype == np.dtype(dtype)


def test_the_same_weights_come_in_every_dtype():
    double = init.normal((50,), dtype="float64").numpy()
    sw.manual_seed(0)
    assert np.array_equal(init.normal((50,)).numpy(), double.astype(np.float32))


def test_the_defaults_of_layers_are_those_of_pytorch():
    layer = nn.Linear(64, 100)
    bound = 1 / math.sqrt(64)
    for parameter in layer.parameters():
        assert 0.95 * bound < abs(parameter.numpy()).max() <= bound
    conv = nn.Conv2d(4, 50, 3, groups=2)
    bound = 1 / math.sqrt(2 * 9)
    for parameter in conv.parameters():
        assert 0.9 * bound < abs(parameter.numpy()).max() <= bound
    assert nn.Embedding(300, 4).weight.numpy().std() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: init.kaiming_uniform((3,)), ShapeError, r"\(out, in, ...\), not \(3,\)"),
        (lambda: init.orthogonal((3,)), ShapeError, "out, in"),
        (lambda: init.kaiming_normal((3, 2), mode="fan"), ArgumentError, "'fan_in' or 'fan_out', not 'fan'"),
        (lambda: init.kaiming_normal((3, 2), nonlinearity="swoosh"), ArgumentError, "'swoosh'; known are"),
        (lambda: init.normal((3,), std=-1.0), ArgumentError, "std >= 0, not -1"),
        (lambda: init.uniform((3,), 2.0, 1.0), ArgumentError, "low <= high"),
        (lambda: init.normal((3,), dtype="int64"), DtypeError, "floating dtype, not int64"),
        (lambda: init.normal((-3,)), ShapeError, "non-negative integers"),
        (lambda: init.normal((2.5,)), ShapeError, "non-negative integers"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_empty_weights_are_possible():
    assert init.xavier_uniform((0, 3)).shape == (0, 3)
    assert init.kaiming_normal((2, 0)).shape == (2, 0)
