"""Reductions of nothing, of zeros and of ties; the dtypes they add up in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


@pytest.mark.parametrize("function", [xp.sum, xp.prod, lambda x: xp.cumulative_sum(x, axis=0)[-1]])
@pytest.mark.parametrize(
    ("dtype", "expected"), [("int8", "int64"), ("uint8", "uint64"), ("bool", "int64"), ("float32", "float32")]
)
def test_small_integers_are_added_up_in_64_bits(function: Any, dtype: str, expected: str) -> None:
    assert function(xp.ones(3, dtype=dtype)).dtype == expected
    assert xp.sum(xp.ones(3, dtype=dtype), dtype="float64").dtype == "float64"


def test_reductions_of_nothing_are_what_the_standard_says() -> None:
    empty = xp.zeros((0, 2))
    assert xp.sum(empty, axis=0).tolist() == [0.0, 0.0]
    assert xp.prod(empty, axis=0).tolist() == [1.0, 1.0]
    assert math.isnan(xp.mean(empty).item())
    assert xp.any(empty).item() is False
    assert xp.all(empty).item() is True
    assert xp.max(empty, axis=1).shape == (0,)
    for function in (xp.max, xp.min, xp.argmax, xp.argmin):
        with pytest.raises(ShapeError, match="of no elements is not defined"):
            function(empty)


@pytest.mark.parametrize(
    ("values", "gradient"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([0.0, 3.0, 4.0], [12.0, 0.0, 0.0]),
        ([0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
    ],
)
def test_a_product_with_zeros_has_the_right_gradient(values: list[float], gradient: list[float]) -> None:
    x = sw.tensor(values, requires_grad=True)
    xp.prod(x).backward()
    assert x.grad.tolist() == gradient


def test_ties_share_the_gradient_of_an_extremum() -> None:
    x = sw.tensor([[3.0, 3.0, 1.0], [2.0, 5.0, 5.0]], requires_grad=True)
    xp.sum(xp.max(x, axis=1)).backward()
    assert x.grad.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]


def test_a_deviation_of_equal_numbers_has_gradient_zero() -> None:
    x = sw.tensor([2.0, 2.0], requires_grad=True)
    xp.std(x).backward()
    assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("correction", [3, 4.5])
def test_a_variance_without_degrees_of_freedom_is_nan(correction: float) -> None:
    assert math.isnan(xp.var(xp.arange(3.0), correction=correction).item())


def test_moments_are_for_real_numbers() -> None:
    for function in (xp.var, xp.std):
        with pytest.raises(DtypeError, match="not defined for complex"):
            function(sw.tensor([1j]))
    assert xp.mean(sw.tensor([1j, 3j])).item() == 2j


@pytest.mark.parametrize("function", [xp.cumulative_sum, xp.cumulative_prod])
def test_running_totals_need_an_axis_where_there_are_several(function: Any) -> None:
    with pytest.raises(ArgumentError, match="needs the argument `axis`"):
        function(xp.ones((2, 2)))
    with pytest.raises(ArgumentError, match="needs the argument `axis`"):
        function(sw.tensor(1.0))
    assert function(xp.zeros((2, 0)), axis=1, include_initial=True).shape == (2, 1)


def test_negative_axes_tuples_and_kept_dimensions_are_understood_alike() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    x = sw.tensor(array)
    for axis in (-1, (0, -1), (), None):
        for function in (xp.sum, xp.max, xp.mean, xp.var, xp.logsumexp):
            assert function(x, axis=axis, keepdims=True).ndim == 3
            assert function(x, axis=axis).shape == np.sum(array, axis=axis).shape
    with pytest.raises(ShapeError, match="name one axis twice"):
        xp.sum(x, axis=(0, -3))
