"""Copies, DLPack, and data that cannot become a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


def test_asarray_returns_the_tensor_itself_or_a_handle_of_its_own() -> None:
    x = sw.tensor([1.0, 2.0])
    assert xp.asarray(x) is x
    assert xp.asarray(x, copy=False) is x
    copied = xp.asarray(x, copy=True)
    x[0] = 7.0
    np.testing.assert_array_equal(copied.numpy(), [1.0, 2.0])


def test_asarray_lets_gradients_through() -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.asarray(x, copy=True, dtype=xp.float64) ** 2).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])


def test_large_integers_take_the_wanted_dtype_directly() -> None:
    large = 2**63 + 1
    assert xp.asarray([1, large], dtype=xp.uint64).tolist() == [1, large]
    assert xp.asarray(large).dtype == xp.uint64


def test_a_list_of_tensors_is_stacked_with_its_gradients() -> None:
    x = sw.tensor(3.0, requires_grad=True)
    xp.sum([x, 2.0 * x]).backward()
    assert x.grad.item() == 3.0


def test_foreign_memory_is_always_copied() -> None:
    array = np.ones(2)
    x, y = xp.asarray(array), xp.from_dlpack(array)
    array[0] = 5.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 1.0])
    np.testing.assert_array_equal(y.numpy(), [1.0, 1.0])
    for function in (xp.asarray, xp.from_dlpack):
        with pytest.raises(ArgumentError, match="has to copy"):
            function(array, copy=False)
    with pytest.raises(ArgumentError, match="without a copy"):
        xp.asarray(x, dtype=xp.int8, copy=False)


def test_an_export_by_dlpack_never_lets_a_tensor_be_written_to() -> None:
    x = sw.tensor([1.0, 2.0])
    shared = np.from_dlpack(x)
    assert not shared.flags.writeable
    assert np.shares_memory(shared, x.numpy())

    class Older:
        """A consumer that does not know of DLPack 1.0, and could not be told that memory is read-only."""

        def __dlpack__(self, **options: Any) -> Any:
            return x.__dlpack__()

        def __dlpack_device__(self) -> tuple[int, int]:
            return x.__dlpack_device__()

    copied = np.from_dlpack(Older())
    assert not np.shares_memory(copied, x.numpy())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: xp.from_dlpack(3), DtypeError, "__dlpack__"),
        (lambda: xp.asarray(["a"]), DtypeError, "numbers and booleans"),
        (lambda: xp.asarray([300], dtype=xp.int8), ArgumentError, "does not fit in int8"),
        (lambda: xp.asarray([1j], dtype=xp.float32), DtypeError, "complex numbers cannot become float32"),
        (
            lambda: xp.asarray(np.array([1j]), dtype=xp.int64),
            DtypeError,
            "complex numbers cannot become int64",
        ),
        (lambda: xp.asarray([[1, 2], [3]]), ShapeError, "different lengths"),
    ],
)
def test_what_cannot_be_converted_is_said(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()
