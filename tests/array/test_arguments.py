"""Shapes, dtypes and axes that make no sense are said in one line, by every function that takes them."""

from __future__ import annotations

import math
from typing import Any

import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, AxisError, DtypeError, ShapeError, SlopewiseError

X = xp.ones((2, 3))

ONE_AXIS = [
    lambda axis: xp.sort(X, axis=axis),
    lambda axis: xp.topk(X, 1, axis=axis),
    lambda axis: xp.take(X, [0], axis=axis),
    lambda axis: xp.take_along_axis(X, [[0, 0, 0]], axis=axis),
    lambda axis: xp.index_add(X, [0], 1.0, axis=axis),
    lambda axis: xp.diff(X, axis=axis),
    lambda axis: xp.unstack(X, axis=axis),
    lambda axis: xp.split(X, 1, axis=axis),
    lambda axis: xp.repeat(X, 2, axis=axis),
    lambda axis: xp.cumulative_sum(X, axis=axis),
    lambda axis: xp.cumulative_prod(X, axis=axis),
    lambda axis: xp.concat([X, X], axis=axis),
    lambda axis: xp.argmax(X, axis=axis),
    lambda axis: xp.argsort(X, axis=axis),
    lambda axis: xp.roll(X, 1, axis=(axis,)),
]
ANY_AXES = [
    lambda axis: xp.sum(X, axis=axis),
    lambda axis: xp.max(X, axis=axis),
    lambda axis: xp.std(X, axis=axis),
    lambda axis: xp.flip(X, axis=axis),
    lambda axis: xp.softmax(X, axis=axis),
    lambda axis: xp.squeeze(X, axis=axis),
    lambda axis: xp.linalg.vector_norm(X, axis=axis),
]


@pytest.mark.parametrize("call", ONE_AXIS + ANY_AXES)
def test_an_axis_is_a_whole_number_that_exists(call: Any) -> None:
    for axis in ("a", 1.5):
        with pytest.raises(ArgumentError, match="whole number, not"):
            call(axis)
    for axis in (2, -3):
        with pytest.raises(AxisError, match=f"axis {axis} does not exist in a tensor with 2 axes"):
            call(axis)


@pytest.mark.parametrize("call", ONE_AXIS)
def test_several_axes_are_not_taken_for_the_first_of_them(call: Any) -> None:
    with pytest.raises(ArgumentError, match=r"takes one axis, a whole number, not \(0, 1\)"):
        call((0, 1))


def test_expand_dims_takes_several_axes() -> None:
    assert xp.expand_dims(X, (0, -1)).shape == (1, 2, 3, 1)
    assert xp.expand_dims(X, (1, 2)).shape == (2, 1, 1, 3)
    with pytest.raises(ShapeError, match="name one axis twice"):
        xp.expand_dims(X, (0, 0))


@pytest.mark.parametrize(
    "call", [xp.zeros, lambda shape: xp.reshape(X, shape), lambda shape: xp.broadcast_to(X, shape)]
)
@pytest.mark.parametrize("shape", ["ab", None, 2.5, (2.0, 3.0)], ids=str)
def test_a_shape_is_made_of_whole_numbers(call: Any, shape: Any) -> None:
    with pytest.raises(ArgumentError, match="a shape is a whole number or a tuple of them, not"):
        call(shape)


def test_integer_tensors_are_sizes_too() -> None:
    assert xp.zeros(sw.tensor(2)).shape == (2,)
    assert xp.reshape(X, (sw.tensor(3), -1)).shape == (3, 2)
    with pytest.raises(ShapeError, match="negative size"):
        xp.reshape(X, (-2, 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda dtype: xp.zeros(2, dtype=dtype),
        lambda dtype: xp.eye(2, dtype=dtype),
        lambda dtype: xp.arange(2, dtype=dtype),
        lambda dtype: xp.asarray([1], dtype=dtype),
        lambda dtype: xp.asarray(X, dtype=dtype),
        lambda dtype: xp.astype(X, dtype),
        lambda dtype: xp.sum(X, dtype=dtype),
        lambda dtype: xp.cumulative_sum(X, axis=0, dtype=dtype),
        lambda dtype: xp.one_hot([0], 1, dtype=dtype),
        lambda dtype: xp.fft.fftfreq(2, dtype=dtype),
        lambda dtype: xp.result_type(dtype),
    ],
)
def test_a_dtype_is_one_that_a_tensor_can_hold(call: Any) -> None:
    with pytest.raises(DtypeError, match="there is no dtype 'floaty'"):
        call("floaty")
    for dtype in ("str", object, "datetime64[s]"):
        with pytest.raises(DtypeError, match="a tensor cannot hold"):
            call(dtype)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: xp.full(2, math.nan, dtype=xp.int64), "the number nan does not fit in int64"),
        (lambda: xp.full(2, 1j, dtype=xp.float32), "the number 1j does not fit in float32"),
        (lambda: xp.arange(math.inf), "arange cannot go from 0 to inf by 1"),
        (lambda: xp.topk(X, 1.5), "topk cannot take 1.5 elements"),
        (lambda: xp.einsum(X, X), "einsum needs its subscripts first"),
    ],
)
def test_numbers_that_make_no_sense_are_named(call: Any, message: str) -> None:
    with pytest.raises(SlopewiseError, match=message):
        call()
