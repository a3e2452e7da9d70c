"""Special values of elementwise functions and of their gradients, and mixed operands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, ShapeError, SlopewiseError


def _gradient(function: Any, *values: Any) -> list[Any]:
    value, pull = sw.vjp(function, *[sw.tensor(value, dtype="float64") for value in values])
    return [gradient.tolist() for gradient in pull(xp.ones_like(value))]


def test_python_numbers_never_widen_and_come_on_either_side() -> None:
    x = xp.ones(2)
    for result in (x + 1, 1 + x, 2.5 * x, x / 3, xp.pow(2, x), xp.where(x > 0, x, 0.5), xp.maximum(0.5, x)):
        assert result.dtype == xp.float32
    assert xp.add(sw.tensor([1], dtype="int8"), 100).dtype == xp.int8
    with pytest.raises(ArgumentError, match="300 does not fit in int8"):
        xp.add(sw.tensor([1], dtype="int8"), 300)


def test_lists_and_numpy_arrays_are_operands_too() -> None:
    np.testing.assert_array_equal(xp.add(np.array([1, 2]), [3, 4]).numpy(), [4, 6])
    np.testing.assert_array_equal(xp.exp([0.0]).numpy(), [1.0])
    assert xp.exp(np.float64(0.0)).dtype == xp.float32  # a NumPy scalar counts as a Python number


def test_shapes_that_do_not_broadcast_are_named() -> None:
    with pytest.raises(ShapeError, match=r"'add' cannot combine shapes \(2, 3\) and \(2,\)"):
        xp.add(xp.ones((2, 3)), xp.ones(2))


def test_clip_has_gradient_one_inside_and_at_both_bounds() -> None:
    assert _gradient(lambda x: xp.clip(x, 0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0]) == [
        [0.0, 1.0, 1.0, 1.0, 0.0]
    ]


def test_clip_keeps_nan_and_takes_tensors_as_bounds() -> None:
    assert math.isnan(xp.clip(sw.tensor(math.nan), 0, 1).item())
    low = sw.tensor([0.0, 2.0], requires_grad=True)
    xp.sum(xp.clip(sw.tensor([1.0, 1.0]), low)).backward()
    assert low.grad.tolist() == [0.0, 1.0]


def test_clip_without_bounds_is_a_handle_of_its_own() -> None:
    x = sw.tensor([1.0])
    y = xp.clip(x)
    x[0] = 3.0
    assert y.tolist() == [1.0]


@pytest.mark.parametrize(
    ("function", "values", "gradients"),
    [
        (xp.abs, [[0.0, -0.0]], [[0.0, 0.0]]),
        (xp.relu, [[0.0, -1.0, 2.0]], [[0.0, 0.0, 1.0]]),
        (xp.maximum, [[1.0], [1.0]], [[0.5], [0.5]]),
        (xp.minimum, [[1.0], [1.0]], [[0.5], [0.5]]),
        (xp.hypot, [[0.0], [0.0]], [[0.0], [0.0]]),
        (xp.pow, [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),
        (xp.sign, [[0.0, 3.0]], [[0.0, 0.0]]),
        (xp.logaddexp, [[-math.inf], [-math.inf]], [[0.0], [0.0]]),
    ],
)
def test_gradients_at_special_points_follow_the_conventions(
    function: Any, values: Any, gradients: Any
) -> None:
    assert _gradient(function, *values) == gradients


@pytest.mark.parametrize("magnitude", [1e3, 1e4])
def test_saturating_functions_are_finite_far_out_and_so_are_their_gradients(magnitude: float) -> None:
    x = sw.tensor([-magnitude, magnitude], requires_grad=True)
    for function in (xp.sigmoid, xp.tanh, xp.erf, xp.relu, xp.softmax, xp.log_softmax, xp.logsumexp):
        x.grad = None
        y = function(x)
        xp.sum(y).backward()
        assert np.isfinite(y.numpy()).all()
        assert np.isfinite(x.grad.numpy()).all()


def test_an_integer_has_no_negative_power() -> None:
    with pytest.raises(SlopewiseError, match="negative integer powers"):
        xp.pow(sw.tensor([2]), -1)
    assert xp.pow(sw.tensor([2]), -1.0).tolist() == [0.5]


def test_logic_takes_numbers_for_truths() -> None:
    assert xp.logical_and(sw.tensor([2.0, 0.0]), sw.tensor([1, 1])).tolist() == [True, False]
    assert xp.logical_not(sw.tensor([2.0, 0.0])).tolist() == [False, True]


def test_empty_and_scalar_operands_keep_their_shapes() -> None:
    assert xp.exp(xp.zeros((0, 3))).shape == (0, 3)
    assert xp.add(xp.zeros((0, 1)), xp.ones(3)).shape == (0, 3)
    assert xp.add(sw.tensor(1.0), sw.tensor(2.0)).shape == ()


def test_parts_of_real_tensors_are_handles_of_their_own() -> None:
    x = sw.tensor([1.0], requires_grad=True)
    assert xp.imag(x).tolist() == [0.0]
    (xp.real(x) * xp.conj(x)).backward()
    assert x.grad.tolist() == [2.0]
