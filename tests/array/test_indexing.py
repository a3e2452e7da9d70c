"""Gather and scatter along axes: repeated places, broadcasting, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

X = sw.tensor(np.arange(6.0).reshape(2, 3))


@given(st.data())
def test_take_along_axis_is_numpys_and_broadcasts(data: Any) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    index_shape = [data.draw(st.sampled_from((1, size))) for size in shape]
    index_shape[axis] = data.draw(st.integers(0, 4))
    size = shape[axis]
    array = np.arange(np.prod(shape)).reshape(shape)
    draws = st.lists(
        st.integers(-size, size - 1), min_size=int(np.prod(index_shape)), max_size=int(np.prod(index_shape))
    )
    indices = np.array(data.draw(draws), np.int64).reshape(index_shape)
    result = xp.take_along_axis(sw.tensor(array), sw.tensor(indices), axis=axis)
    np.testing.assert_array_equal(result.numpy(), np.take_along_axis(array, indices, axis))


def test_repeated_places_add_up_in_the_gradient_of_a_gather() -> None:
    x = sw.tensor([1.0, 2.0, 3.0], requires_grad=True)
    xp.sum(xp.take(x, sw.tensor([0, 0, 2])) * sw.tensor([1.0, 10.0, 100.0])).backward()
    assert x.grad.tolist() == [11.0, 0.0, 100.0]


def test_of_several_values_put_at_one_place_only_the_last_gets_a_gradient() -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    values = sw.tensor([5.0, 6.0], requires_grad=True)
    y = xp.put_along_axis(x, sw.tensor([1, 1]), values)
    assert y.tolist() == [1.0, 6.0]
    xp.sum(y).backward()
    assert x.grad.tolist() == [1.0, 0.0]
    assert values.grad.tolist() == [0.0, 1.0]


def test_nothing_written_changes_the_argument() -> None:
    x = xp.zeros((2, 3))
    index = sw.tensor([[0], [1]])
    for function in (xp.put_along_axis, xp.scatter_add):
        function(x, index, 1.0, axis=1)
    xp.index_add(x, sw.tensor([0]), 1.0)
    assert not x.numpy().any()


def test_values_take_the_dtype_of_the_tensor_unless_they_would_lose_a_fraction() -> None:
    integers = xp.zeros(2, dtype=xp.int64)
    assert xp.put_along_axis(X, sw.tensor([[0], [1]]), 1, axis=1).dtype == X.dtype
    with pytest.raises(DtypeError, match="cannot assign float32 to elements of a int64 tensor"):
        xp.index_add(integers, sw.tensor([0]), 1.5)


def test_a_take_without_an_axis_is_for_vectors() -> None:
    assert xp.take(sw.tensor([5, 6]), 1).item() == 6
    with pytest.raises(ArgumentError, match="needs the argument `axis`"):
        xp.take(X, sw.tensor([0]))


def test_an_empty_list_picks_nothing() -> None:
    assert xp.take(X, [], axis=1).shape == (2, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xp.take(X, [3], axis=1), ArgumentError, "index 3 is out of range for axis 1 of size 3"),
        (lambda: xp.take(X, [0.5], axis=1), DtypeError, "integer indices, not float32"),
        (lambda: xp.take_along_axis(X, [0]), ShapeError, "as many axes"),
        (lambda: xp.take_along_axis(X, [[-4], [0]]), ArgumentError, "index -4 is out of range"),
        (lambda: xp.take_along_axis(X, [[0]] * 3), ShapeError, "cannot combine"),
        (lambda: xp.put_along_axis(X, [[0], [1]], [1.0, 2.0]), ShapeError, "values that broadcast to"),
        (lambda: xp.index_add(X, [[0]], 1.0), ShapeError, "indices with one axis"),
        (lambda: xp.index_add(X, [5], 1.0), ArgumentError, "index 5 is out of range for axis 0 of size 2"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
