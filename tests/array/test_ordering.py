"""Sorting, searching and sets: ties, nan, empty tensors, and what only eager calls can do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, AxisError, DtypeError, ShapeError


@pytest.mark.parametrize("descending", [False, True])
def test_a_stable_sort_keeps_the_order_of_equal_elements(descending: bool) -> None:
    x = sw.tensor([2, 1, 2, 1, 2])
    expected = [0, 2, 4, 1, 3] if descending else [1, 3, 0, 2, 4]
    assert xp.argsort(x, descending=descending).tolist() == expected


def test_nan_counts_as_larger_than_all_numbers() -> None:
    x = sw.tensor([math.nan, 1.0, math.inf])
    np.testing.assert_array_equal(xp.sort(x).numpy(), [1.0, math.inf, math.nan])
    np.testing.assert_array_equal(xp.sort(x, descending=True).numpy(), [math.nan, math.inf, 1.0])


def test_the_gradient_of_a_sort_goes_back_to_where_elements_came_from() -> None:
    x = sw.tensor([3.0, 1.0, 2.0], requires_grad=True)
    xp.sum(xp.sort(x) * sw.tensor([1.0, 10.0, 100.0])).backward()
    assert x.grad.tolist() == [100.0, 1.0, 10.0]


def test_topk_of_ties_takes_the_first_of_them() -> None:
    values, indices = xp.topk(sw.tensor([1.0, 2.0, 2.0, 2.0]), 2)
    assert (values.tolist(), indices.tolist()) == ([2.0, 2.0], [1, 2])
    values, indices = xp.topk(sw.tensor([[1, 0], [0, 1]]), 0, axis=0)
    assert values.shape == indices.shape == (0, 2)
    for k in (-1, 3):
        with pytest.raises(ArgumentError, match=f"cannot take {k} elements"):
            xp.topk(sw.tensor([1.0, 2.0]), k)


@pytest.mark.parametrize("function", [xp.sort, xp.argsort])
def test_sorting_needs_an_axis_and_an_order(function: Any) -> None:
    assert function(xp.zeros((0, 3)), axis=0).shape == (0, 3)
    with pytest.raises(AxisError):
        function(sw.tensor(1.0))
    with pytest.raises(DtypeError, match="not complex64"):
        function(sw.tensor([1j]))


def test_the_first_of_several_extrema_is_found() -> None:
    x = sw.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 5.0]])
    assert xp.argmax(x, axis=1).tolist() == [1, 2]
    assert xp.argmin(x, axis=1).tolist() == [0, 0]
    assert xp.argmax(x).item() == 5
    assert xp.argmax(x, keepdims=True).shape == (1, 1)


def test_where_passes_no_nan_from_the_branch_that_was_not_chosen() -> None:
    x = sw.tensor([-1.0, 4.0], requires_grad=True)
    safe = xp.where(x > 0, x, 1.0)
    xp.sum(xp.where(x > 0, xp.sqrt(safe), 0.0)).backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_where_promotes_what_it_chooses_from() -> None:
    flags = sw.tensor([True, False])
    assert xp.where(flags, 1, 2).dtype == xp.int64
    assert xp.where(flags, 1.5, 2).dtype == xp.float32
    assert xp.where(flags, xp.ones(2, dtype=xp.int8), 2).dtype == xp.int8
    with pytest.raises(DtypeError, match="boolean condition"):
        xp.where(sw.tensor([1, 0]), 1, 2)


def test_searchsorted_says_what_it_cannot_search() -> None:
    line = sw.tensor([1.0, 2.0])
    with pytest.raises(ArgumentError, match="'left' or 'right', not 'middle'"):
        xp.searchsorted(line, line, side="middle")
    with pytest.raises(ShapeError, match="one axis"):
        xp.searchsorted(xp.ones((2, 2)), line)
    with pytest.raises(DtypeError, match="no order"):
        xp.searchsorted(sw.tensor([1j]), line)
    assert xp.searchsorted(line, 1.5).item() == 1


def test_each_nan_is_distinct() -> None:
    x = sw.tensor([math.nan, 1.0, math.nan, 1.0])
    values, indices, inverse, counts = xp.unique_all(x)
    np.testing.assert_array_equal(values.numpy(), [1.0, math.nan, math.nan])
    assert (indices.tolist(), counts.tolist()) == ([1, 0, 2], [2, 1, 1])
    np.testing.assert_array_equal(values[inverse].numpy(), x.numpy())


def test_distinct_elements_carry_the_gradient_of_the_first_of_them() -> None:
    x = sw.tensor([[2.0, 1.0], [2.0, 3.0]], requires_grad=True)
    xp.sum(xp.unique_values(x) ** 2).backward()
    assert x.grad.tolist() == [[4.0, 2.0], [0.0, 6.0]]


def test_sets_of_nothing_are_empty() -> None:
    values, indices, inverse, counts = xp.unique_all(xp.zeros((0, 2)))
    assert [part.shape for part in (values, indices, inverse, counts)] == [(0,), (0,), (0, 2), (0,)]
    assert xp.nonzero(xp.zeros((2, 0)))[1].shape == (0,)
    with pytest.raises(ShapeError, match="at least one axis"):
        xp.nonzero(sw.tensor(1))


def test_indices_are_int64() -> None:
    x = sw.tensor([3.0, 1.0])
    for result in (
        xp.argsort(x),
        xp.argmax(x),
        xp.nonzero(x)[0],
        xp.searchsorted(x, x),
        xp.unique_all(x).counts,
        xp.count_nonzero(x),
    ):
        assert result.dtype == xp.int64


def test_differences_of_truths_are_where_they_change() -> None:
    assert xp.diff(sw.tensor([True, True, False])).tolist() == [False, True]
    assert xp.diff(sw.tensor([1, 2]), n=5).shape == (0,)
    with pytest.raises(ArgumentError, match="-1 times"):
        xp.diff(sw.tensor([1, 2]), n=-1)
