"""What the data-apis suite showed about indexing and operators of the array object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError, DtypeError, TraceError

ARRAY = np.arange(24).reshape(2, 3, 4)
ROWS = np.array([0, 1])
MASK = ARRAY[0] > 5

KEYS = [
    True,
    False,
    np.bool_(True),
    (True, ...),
    (..., False),
    (None, True),
    (0, True),
    (True, 0),
    (ROWS, True),
    (slice(None), True, ROWS),
    (slice(None), ROWS, True),
    (slice(None), True, 0),
    (True, False),
    (slice(None), MASK),
    (True, slice(None), MASK),
    (..., False, slice(0, 2)),
    np.zeros(0, bool),  # by the standard, an axis of size 0 fits any: such a mask picks nothing
    np.zeros((2, 0), bool),
    (slice(None), np.zeros((0, 4), bool)),
]


@pytest.mark.parametrize("key", KEYS, ids=[f"key-{number}" for number in range(len(KEYS))])
def test_single_truths_index_as_in_numpy(key: Any) -> None:
    x = sw.tensor(ARRAY)
    result, expected = x[key].numpy(), ARRAY[key]
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)
    changed = ARRAY.copy()
    changed[key] = -1
    x[key] = -1
    np.testing.assert_array_equal(x.numpy(), changed)


@pytest.mark.parametrize("truth", [True, False])
def test_a_tensor_with_no_axes_is_a_truth_too(truth: bool) -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    picked = x[sw.tensor(truth)]
    assert picked.shape == (int(truth), 2)
    picked.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [float(truth)] * 2)


def test_a_traced_truth_can_choose_what_to_assign_but_not_a_shape() -> None:
    @sw.compile
    def assign(x: sw.Tensor, truth: sw.Tensor) -> sw.Tensor:
        x = x + 0.0
        x[truth] = 9.0
        return x

    x = sw.tensor([1.0, 2.0])
    assert assign(x, sw.tensor(True)).tolist() == [9.0, 9.0]
    assert assign(x, sw.tensor(False)).tolist() == [1.0, 2.0]
    with pytest.raises(TraceError, match=r"test_array_object\.py"):
        sw.compile(lambda x, truth: x[truth])(x, sw.tensor(True))


@pytest.mark.parametrize(
    "key",
    [
        2,
        -3,
        (0, 3),
        (0, 0, 0, 0),
        np.ones(3, bool),
        np.ones((2, 2), bool),
        np.ones((0, 2), bool),
        np.array([2]),
        (..., [7]),
    ],
    ids=str,
)
def test_an_index_that_does_not_fit_is_an_index_error(key: Any) -> None:
    x = sw.tensor(ARRAY)
    with pytest.raises(IndexError):
        ARRAY[key]
    with pytest.raises(IndexError):
        x[key]


@pytest.mark.parametrize("axis", [3, -4])
def test_an_axis_that_does_not_exist_is_an_index_error(axis: int) -> None:
    x = sw.tensor(ARRAY)
    for call in (lambda: sw.sum(x, axis), lambda: sw.flip(x, axis=axis), lambda: sw.moveaxis(x, axis, 0)):
        with pytest.raises(IndexError, match=f"axis {axis} does not exist"):
            call()


def test_eager_calls_refuse_the_dtypes_that_traced_ones_do() -> None:
    flags, numbers, complexes = sw.tensor([True]), sw.tensor([1.5]), sw.tensor([1j])
    for call in (
        lambda: flags + flags,
        lambda: abs(flags),
        lambda: ~numbers,
        lambda: sw.floor(complexes),
        lambda: sw.maximum(complexes, complexes),
        lambda: sw.sort(complexes),
        lambda: complexes < complexes,
        lambda: sw.where(numbers, numbers, numbers),
    ):
        with pytest.raises(DtypeError):
            call()
        with pytest.raises(DtypeError):
            sw.compile(call)()


def test_a_complex_number_does_not_fit_in_a_real_tensor() -> None:
    x = sw.tensor([1.0, 2.0])
    with pytest.raises(DtypeError, match="complex"):
        x[0] = 1j
    with pytest.raises(DtypeError, match="complex"):
        x += 1j
    assert x.tolist() == [1.0, 2.0]


def test_numbers_are_assigned_with_all_the_bits_of_the_tensor() -> None:
    x = sw.tensor([0.0, 0.0, 0.0, 0.0], dtype="float64")
    x[0] = 0.1
    x[1:3] = [0.2, 0.3]
    x[x == 0.0] = 0.7
    assert x.tolist() == [0.1, 0.2, 0.3, 0.7]
    assert x.copy_(0.1).tolist() == [0.1] * 4
    z = sw.tensor([0j], dtype="complex128")
    z[0] = 16777217j
    assert z.item() == 16777217j
    assert sw.array.put_along_axis(x, [0], 0.3).tolist() == [0.3, 0.1, 0.1, 0.1]
    assert sw.pad(x[:1], (0, 1), constant_values=0.3).tolist() == [0.1, 0.3]


def test_a_number_that_does_not_fit_is_not_assigned() -> None:
    x = sw.tensor([1, 2], dtype="int8")
    with pytest.raises(ArgumentError, match="the number 300 does not fit in int8"):
        x[0] = 300
    with pytest.raises(ArgumentError, match="a number does not fit in int8"):
        x[:] = [300, 1]
    with pytest.raises(DtypeError, match="cannot assign float32 to elements of a int8 tensor"):
        x[0] = 1.5
    assert x.tolist() == [1, 2]
