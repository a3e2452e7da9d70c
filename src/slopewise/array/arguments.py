"""Arguments that many functions take: shapes, dtypes and devices."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from numpy.typing import DTypeLike

from slopewise.engine.aval import Dtype, Shape
from slopewise.engine.creation import as_dtype as named_dtype
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.tensor import Tensor

CPU = "cpu"  # the one device there is for now


def check_device(device: str | None) -> None:
    """Raise ArgumentError unless the device is "cpu", or None for the default."""
    if device is not None and device != CPU:
        raise ArgumentError(f"device must be 'cpu' or None, not {device!r}")


def as_dtype(value: DTypeLike | Tensor) -> Dtype:
    """Return the dtype of a tensor, or the one that a name or NumPy type stands for."""
    if isinstance(value, Tensor):
        return value.dtype
    dtype = named_dtype(value)
    if dtype.kind not in "biufc":
        raise DtypeError(f"a tensor cannot hold {dtype}; use a numeric or boolean dtype")
    return dtype


def as_shape(shape: Any, *, least: int = 0) -> Shape:
    """Return the size of each axis, given as a whole number or a sequence of them, none below `least`."""
    sizes = shape if isinstance(shape, Sequence) and not isinstance(shape, str) else (shape,)
    try:
        result = tuple(map(index, sizes))
    except TypeError:
        raise ArgumentError(f"a shape is a whole number or a tuple of them, not {shape!r}") from None
    if any(size < least for size in result):
        raise ShapeError(f"a shape cannot hold a negative size: {result}")
    return result
