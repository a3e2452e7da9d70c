"""Promotion, casting, and the limits of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        (("int8", "int16"), "int16"),
        (("uint8", "int8"), "int16"),
        (("float32", "float64"), "float64"),
        (("float64", "complex64"), "complex128"),
        (("float32", "int64"), "float32"),  # a floating dtype keeps its width beside integers
        (("bool", "uint8"), "uint8"),
        (("int64", "bool", "float32"), "float32"),
        (("float32", 1.5), "float32"),  # and beside Python numbers
        (("int8", 1), "int8"),
        (("int8", 1.5), "float32"),
        (("float32", 1j), "complex64"),
        (("float64", 1j), "complex128"),
        (("bool", 1), "int64"),
        ((1, 2.5), "float32"),
        ((True,), "bool"),
    ],
)
def test_results_have_the_dtype_that_result_type_says(operands: tuple[Any, ...], expected: str) -> None:
    assert xp.result_type(*operands) == expected
    tensors = [xp.ones(1, dtype=x) if isinstance(x, str) else x for x in operands]
    if any(isinstance(x, sw.Tensor) for x in tensors):
        assert xp.result_type(*tensors) == expected
        total = tensors[0]
        for tensor in tensors[1:]:
            total = xp.add(total, tensor)
        assert total.dtype == expected


def test_no_integer_dtype_holds_both_signs_of_64_bits() -> None:
    with pytest.raises(DtypeError, match="no integer dtype holds both uint64 and int64"):
        xp.result_type(xp.uint64, xp.int64)
    assert not xp.can_cast(xp.uint64, xp.int64)
    with pytest.raises(ArgumentError, match="at least one"):
        xp.result_type()


def test_can_cast_follows_promotion() -> None:
    assert xp.can_cast(xp.int8, xp.int16)
    assert not xp.can_cast(xp.int16, xp.int8)
    assert xp.can_cast(sw.tensor([1]), xp.float32)
    assert not xp.can_cast(xp.float32, xp.int64)
    assert not xp.can_cast(xp.complex64, xp.float64)


def test_isdtype_knows_kinds_dtypes_and_tuples_of_them() -> None:
    assert xp.isdtype(xp.int8, "signed integer")
    assert xp.isdtype(xp.uint8, ("signed integer", "unsigned integer"))
    assert xp.isdtype(xp.float32, xp.float32)
    assert not xp.isdtype(xp.bool, "numeric")
    assert xp.isdtype(xp.complex64, "numeric")
    with pytest.raises(ArgumentError, match="'real' is not a kind"):
        xp.isdtype(xp.float32, "real")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_finfo_is_numpys_in_python_numbers(dtype: str) -> None:
    info, expected = xp.finfo(dtype), np.finfo(dtype)
    assert info.bits == expected.bits
    for name in ("eps", "max", "min", "smallest_normal"):
        assert type(getattr(info, name)) is float
        assert getattr(info, name) == getattr(expected, name)
    assert xp.finfo(xp.ones(1, dtype=dtype)) == info


@pytest.mark.parametrize("dtype", ["int8", "uint64"])
def test_iinfo_is_numpys_in_python_numbers(dtype: str) -> None:
    info, expected = xp.iinfo(dtype), np.iinfo(dtype)
    assert (info.bits, info.min, info.max, info.dtype) == (expected.bits, expected.min, expected.max, dtype)
    assert type(info.max) is int


def test_limits_are_asked_of_the_right_kind() -> None:
    with pytest.raises(DtypeError, match="iinfo is for integers"):
        xp.finfo(xp.int8)
    with pytest.raises(DtypeError, match="finfo is for floating"):
        xp.iinfo(sw.tensor(1.0))
    with pytest.raises(DtypeError, match="there is no dtype 'float23'"):
        xp.finfo("float23")


def test_astype_gives_a_handle_of_its_own_unless_told_not_to() -> None:
    x = sw.tensor([1.0, 2.0])
    assert xp.astype(x, xp.float32, copy=False) is x
    copied = xp.astype(x, xp.float32)
    x[0] = 5.0
    np.testing.assert_array_equal(copied.numpy(), [1.0, 2.0])


def test_astype_converts_the_gradient_back() -> None:
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.astype(x, xp.float64) * 3.0).backward()
    assert x.grad.dtype == xp.float32
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])


def test_astype_drops_no_imaginary_part_and_knows_no_text() -> None:
    with pytest.raises(DtypeError, match="complex numbers cannot become float32"):
        xp.astype(sw.tensor([1j]), xp.float32)
    with pytest.raises(DtypeError, match="cannot hold <U"):
        xp.astype(sw.tensor([1.0]), "str")
    assert xp.astype(sw.tensor([1j, 0j]), xp.bool).tolist() == [True, False]


def test_the_namespace_says_what_it_can_do() -> None:
    info = xp.__array_namespace_info__()
    assert info.devices() == [info.default_device()] == ["cpu"]
    assert info.capabilities() == {
        "boolean indexing": True,
        "data-dependent shapes": True,
        "max dimensions": 64,
    }
    assert set(info.dtypes()) == {str(dtype) for dtype in map(np.dtype, info.dtypes().values())}
    assert len(info.dtypes()) == 13
    assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {"bool", "complex64", "complex128"}
    for kind, dtype in info.default_dtypes(device="cpu").items():
        made = {"real floating": 1.0, "complex floating": 1j, "integral": 1, "indexing": 1}[kind]
        assert xp.asarray(made).dtype == dtype
    with pytest.raises(ArgumentError, match="device"):
        info.dtypes(device="gpu")
    assert sw.tensor(1.0).__array_namespace__(api_version=xp.__array_api_version__) is xp
