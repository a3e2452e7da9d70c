"""Edge cases of arrangements: axes of size zero, negative axes, handles, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, AxisError, DtypeError, ShapeError, TraceError

X = sw.tensor(np.arange(6.0).reshape(2, 3))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(-5, 5), st.data())
def test_roll_and_flip_are_numpys_for_all_shapes(shape: list[int], shift: int, data: Any) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    np.testing.assert_array_equal(
        xp.roll(sw.tensor(array), shift, axis=axis).numpy(), np.roll(array, shift, axis)
    )
    np.testing.assert_array_equal(xp.flip(sw.tensor(array), axis=axis).numpy(), np.flip(array, axis))


@given(st.lists(st.integers(0, 2), max_size=3), st.lists(st.integers(0, 2), max_size=4))
def test_tile_is_numpys_for_all_shapes(shape: list[int], counts: list[int]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    np.testing.assert_array_equal(xp.tile(sw.tensor(array), counts).numpy(), np.tile(array, counts))


@pytest.mark.parametrize(
    "same",
    [
        lambda x: xp.broadcast_to(x, (2,)),
        lambda x: xp.broadcast_arrays(x)[0],
        lambda x: xp.reshape(x, (2,), copy=False),
        lambda x: xp.pad(x, 0),
        lambda x: xp.pad(x, 0, mode="edge"),
        lambda x: xp.repeat(x, 1),
        lambda x: xp.tile(x, 1),
        lambda x: xp.roll(x, 0, axis=()),
        lambda x: xp.squeeze(x),
        lambda x: xp.concat([x]),
        lambda x: xp.permute_dims(x, (0,)),
        lambda x: xp.moveaxis(x, (), ()),
        lambda x: xp.flip(x, axis=()),
        lambda x: xp.diff(x, n=0),
        lambda x: xp.real(x),
        lambda x: xp.positive(x),
        lambda x: xp.expand_dims(x, 0)[0],
        lambda x: xp.linalg.matrix_power(xp.reshape(x, (2, 1, 1)), 1)[:, 0, 0],
    ],
)
def test_a_result_that_changes_nothing_is_still_a_handle_of_its_own(same: Any) -> None:
    x = sw.tensor([1.0, 2.0])
    y = same(x)
    y[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    x[1] = 7.0
    assert y.tolist() == [9.0, 2.0]


def test_parts_of_size_zero_join_and_split() -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    joined = xp.concat([xp.zeros(0), x, xp.zeros(0)])
    assert joined.tolist() == [1.0, 2.0]
    empty, whole = xp.split(joined, [0])
    assert empty.shape == (0,)
    xp.sum(whole).backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert xp.unstack(xp.zeros((0, 2))) == ()


def test_concat_and_stack_promote_their_parts() -> None:
    assert xp.concat([xp.ones(1), xp.ones(1, dtype=xp.int64)]).dtype == xp.float32
    assert xp.stack([xp.ones(1, dtype=xp.int8), xp.ones(1, dtype=xp.int64)]).dtype == xp.int64


def test_the_same_tensor_may_be_stacked_twice() -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.stack([x, x]) * sw.tensor([[1.0], [2.0]])).backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_repeats_in_a_tensor_are_unknown_to_a_trace_but_a_list_is_not() -> None:
    repeated = sw.compile(lambda x: xp.repeat(x, [2, 0, 1]))(sw.tensor([1.0, 2.0, 3.0]))
    assert repeated.tolist() == [1.0, 1.0, 3.0]
    with pytest.raises(TraceError, match=r"test_manipulation\.py"):
        sw.compile(lambda x, n: xp.repeat(x, n))(sw.tensor([1.0]), sw.tensor([2]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xp.reshape(X, (4, 2)), ShapeError, r"\(2, 3\) \(6 elements\) to \(4, 2\)"),
        (lambda: xp.reshape(X, (-1, -1)), ShapeError, "cannot reshape"),
        (lambda: xp.squeeze(X, 0), ShapeError, "its size is 2, not 1"),
        (lambda: xp.expand_dims(X, 4), AxisError, "axis 4"),
        (lambda: xp.permute_dims(X, (0, 0)), ShapeError, "each of the 2 axes"),
        (lambda: xp.permute_dims(X, (0, 2)), AxisError, "axis 2"),
        (lambda: xp.swapaxes(X, 0, 5), AxisError, "axis 5"),
        (lambda: xp.moveaxis(X, (0, 0), (0, 1)), ShapeError, "twice"),
        (lambda: xp.broadcast_to(X, (3, 2)), ShapeError, r"cannot broadcast shape \(2, 3\) to \(3, 2\)"),
        (lambda: xp.concat([]), ArgumentError, "at least one"),
        (lambda: xp.concat([X, xp.ones(2)]), ShapeError, "agree elsewhere"),
        (lambda: xp.stack([X, xp.ones(2)]), ShapeError, "one shape"),
        (lambda: xp.split(X, 2, axis=1), ShapeError, "size 3 into 2 equal parts"),
        (lambda: xp.split(X, 0), ShapeError, "into 0 equal parts"),
        (lambda: xp.repeat(X, -1), ArgumentError, "-1 times"),
        (lambda: xp.repeat(X, 1.5), DtypeError, "integer repeats"),
        (lambda: xp.repeat(X, [1, 2], axis=1), ShapeError, "one number or 3 of them"),
        (lambda: xp.tile(X, (-1,)), ArgumentError, "negative"),
        (lambda: xp.roll(X, (1, 2)), ArgumentError, "one shift"),
        (lambda: xp.roll(X, (1, 2), axis=0), ArgumentError, "2 shifts for 1 axes"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
