"""Default dtypes, copies, DLPack, and what cannot be made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(True, "bool"), (1, "int64"), (1.5, "float32"), (1j, "complex64"), (np.float64(1.5), "float64")],
)
def test_numbers_without_a_dtype_get_the_default_one(value: Any, dtype: str) -> None:
    assert xp.full((2,), value).dtype == dtype
    if not isinstance(value, np.generic):
        assert xp.asarray([value]).dtype == dtype


def test_ranges_have_the_default_dtypes() -> None:
    assert xp.arange(3).dtype == xp.int64
    assert xp.arange(3.0).dtype == xp.float32
    assert xp.arange(0, 1, 0.5).dtype == xp.float32
    assert xp.linspace(0, 1, 3).dtype == xp.float32
    assert xp.linspace(0, 1j, 3).dtype == xp.complex64
    assert xp.eye(2).dtype == xp.zeros(2).dtype == xp.ones(2).dtype == xp.empty(2).dtype == xp.float32


def test_full_takes_a_tensor_and_its_gradient() -> None:
    value = sw.tensor(2.0, requires_grad=True)
    xp.sum(xp.full((3, 2), value)).backward()
    assert value.grad.item() == 6.0


def test_one_hot_gives_zeros_for_classes_that_do_not_exist() -> None:
    np.testing.assert_array_equal(
        xp.one_hot([[1], [-1], [3]], 3).numpy(), [[[0, 1, 0]], [[0, 0, 0]], [[0, 0, 0]]]
    )
    assert xp.one_hot([0], 2, dtype=xp.int8).dtype == xp.int8


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: xp.zeros((2, -1)), ShapeError, "negative size"),
        (lambda: xp.zeros(2.5), ArgumentError, "whole number or a tuple of them, not 2.5"),
        (lambda: xp.zeros("ab"), ArgumentError, "whole number or a tuple of them, not 'ab'"),
        (lambda: xp.eye(-1), ShapeError, "negative size"),
        (lambda: xp.full(2, 300, dtype=xp.int8), ArgumentError, "300 does not fit in int8"),
        (lambda: xp.full(2, "x"), ArgumentError, "not 'x'"),
        (lambda: xp.full(2, xp.ones(2)), ShapeError, r"not a tensor of shape \(2,\)"),
        (lambda: xp.arange(0, 5, 0), ArgumentError, "step that is not 0"),
        (lambda: xp.arange(0, 300, dtype=xp.int8), ArgumentError, "do not fit in int8"),
        (lambda: xp.linspace(0, 1, -1), ArgumentError, "-1 numbers"),
        (lambda: xp.linspace(0, 1, 2.5), ArgumentError, "2.5 numbers"),
        (lambda: xp.ones(2, device="gpu"), ArgumentError, "device must be 'cpu' or None, not 'gpu'"),
        (lambda: xp.meshgrid(xp.ones((2, 2))), ShapeError, "needs vectors"),
        (lambda: xp.meshgrid(xp.ones(2), indexing="yx"), ArgumentError, "not 'yx'"),
        (lambda: xp.tril(xp.ones(2)), ShapeError, "at least two axes"),
        (lambda: xp.one_hot([0.5], 2), DtypeError, "needs integers"),
        (lambda: xp.one_hot([0], -2), ArgumentError, "-2 classes"),
    ],
)
def test_what_cannot_be_made_is_said(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_meshgrid_gives_handles_of_their_own() -> None:
    (x,) = grids = xp.meshgrid(xp.arange(2))
    assert len(grids) == 1
    x[0] = 5
    assert xp.meshgrid() == []
