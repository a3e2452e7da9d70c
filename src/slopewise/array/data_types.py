"""Data types, which are NumPy dtypes, and what can be asked about them.

Promotion is the engine's: a Python number takes the dtype of the tensor that it meets, and a floating dtype
keeps its width beside integers and booleans (`float32` with `int64` gives `float32`).
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from slopewise.array.arguments import as_dtype, check_device
from slopewise.engine import ops
from slopewise.engine.aval import Dtype
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.tensor import Tensor

__all__ = [
    "astype",
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "finfo",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "result_type",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

bool: Dtype = np.dtype(np.bool_)
int8: Dtype = np.dtype(np.int8)
int16: Dtype = np.dtype(np.int16)
int32: Dtype = np.dtype(np.int32)
int64: Dtype = np.dtype(np.int64)
uint8: Dtype = np.dtype(np.uint8)
uint16: Dtype = np.dtype(np.uint16)
uint32: Dtype = np.dtype(np.uint32)
uint64: Dtype = np.dtype(np.uint64)
float32: Dtype = np.dtype(np.float32)
float64: Dtype = np.dtype(np.float64)
complex64: Dtype = np.dtype(np.complex64)
complex128: Dtype = np.dtype(np.complex128)

KINDS = {
    "bool": (bool,),
    "signed integer": (int8, int16, int32, int64),
    "unsigned integer": (uint8, uint16, uint32, uint64),
    "integral": (int8, int16, int32, int64, uint8, uint16, uint32, uint64),
    "real floating": (float32, float64),
    "complex floating": (complex64, complex128),
}
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]


@dataclass(frozen=True)
class FloatingInfo:
    """The limits of a floating dtype, as Python numbers; those of a complex one are of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Dtype


@dataclass(frozen=True)
class IntegerInfo:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: Dtype


def astype(
    x: ArrayLike, dtype: DTypeLike, /, *, copy: builtins.bool = True, device: str | None = None
) -> Tensor:
    """Return a tensor converted to another dtype; the gradient is converted back.

    Parameters
    ----------
    x : Tensor
    dtype : the wanted dtype; complex numbers become real only by `real` or `abs`
    copy : if False, and the tensor has the dtype already, return the tensor itself instead of a new handle
    device : "cpu" or None

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.astype(sw.tensor([1.5, -1.5]), xp.int32)
    tensor([ 1, -1], dtype=int32)
    """
    check_device(device)
    return ops.as_tensor(x).astype(as_dtype(dtype), copy=copy)


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> builtins.bool:
    """Tell whether promotion of one dtype with another gives the other.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.can_cast(xp.int32, xp.int64), xp.can_cast(xp.float64, xp.float32)
    (True, False)
    """
    source = as_dtype(from_)
    target = as_dtype(to)
    try:
        return ops.result_dtype(source, target) == target
    except DtypeError:  # uint64 with a signed integer
        return False


def finfo(type: DTypeLike | Tensor, /) -> FloatingInfo:
    """Return the limits of a floating dtype.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.finfo(xp.float32).eps
    1.1920928955078125e-07
    """
    dtype = as_dtype(type)
    if dtype.kind not in "fc":
        raise DtypeError(f"finfo needs a floating dtype, not {dtype}; iinfo is for integers")
    info = np.finfo(dtype)
    return FloatingInfo(
        info.bits, float(info.eps), float(info.max), float(info.min), float(info.smallest_normal), info.dtype
    )


def iinfo(type: DTypeLike | Tensor, /) -> IntegerInfo:
    """Return the limits of an integer dtype.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.iinfo(xp.int8).min
    -128
    """
    dtype = as_dtype(type)
    if dtype.kind not in "iu":
        raise DtypeError(f"iinfo needs an integer dtype, not {dtype}; finfo is for floating ones")
    info = np.iinfo(dtype)
    return IntegerInfo(info.bits, int(info.max), int(info.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | tuple[DTypeLike, ...]) -> builtins.bool:
    """Tell whether a dtype is of a kind.

    Parameters
    ----------
    dtype : the dtype in question
    kind : a dtype; or "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex
        floating" or "numeric"; or a tuple of these, any of which may hold

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.float32, ("bool", "integral"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, part) for part in kind)
    if isinstance(kind, str):
        return as_dtype(dtype) in dtypes_of_kind(kind)
    return as_dtype(dtype) == as_dtype(kind)


def dtypes_of_kind(kind: str) -> tuple[Dtype, ...]:
    """Return the dtypes of a kind that the standard names."""
    if kind not in KINDS:
        raise ArgumentError(f"{kind!r} is not a kind of dtype; the kinds are {', '.join(KINDS)}")
    return KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> Dtype:
    """Return the dtype of an operation among tensors, dtypes and Python numbers.

    Raises
    ------
    DtypeError
        If no dtype holds them all (uint64 with a signed integer).

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.result_type(xp.int8, xp.int16), xp.result_type(xp.float32, xp.int64, 1.5)
    (dtype('int16'), dtype('float32'))
    """
    if not arrays_and_dtypes:
        raise ArgumentError("result_type needs at least one tensor or dtype")
    numbers = (builtins.bool, int, float, complex)
    return ops.result_dtype_of(*[v if isinstance(v, numbers) else as_dtype(v) for v in arrays_and_dtypes])
