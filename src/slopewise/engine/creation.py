"""Making tensors: of data, of numbers, of arrays that are at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from slopewise.engine.aval import Array, Buffer, Dtype, Shape
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.mode import current_mode
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor

DEFAULT_FLOAT: Dtype = np.dtype(np.float32)
_SUPPORTED_KINDS = "biufc"


def wrap_array(array: Array) -> Tensor:
    """Make a tensor of an array that nobody else will write to; under a trace, a constant of the graph."""
    trace = current_mode().trace
    buffer: Buffer = array if trace is None else trace.constant(array)
    return Tensor._from_ref(Ref(buffer))


def default_dtype(data: Any, array: Array) -> Dtype:
    """Return the dtype for data that came without one: Python floats become float32, arrays keep theirs."""
    dtype: Dtype = array.dtype
    if dtype.kind == "f" and not _holds_arrays(data):
        return DEFAULT_FLOAT
    if dtype.kind == "c" and not _holds_arrays(data):
        return np.dtype(np.complex64)
    return dtype


def _holds_arrays(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(map(_holds_arrays, data))
    return hasattr(data, "dtype") and not isinstance(data, float | complex)


def tensor(data: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Make a tensor; the data is copied.

    Parameters
    ----------
    data : number, nested sequence, NumPy array, Tensor, or anything that converts to a NumPy array
    dtype : data type; by default Python floats become float32, integers int64, and arrays keep theirs
    requires_grad : whether gradients with respect to this tensor will be asked for

    Raises
    ------
    ShapeError
        If nested sequences have rows of different lengths.
    DtypeError
        If the data is not numeric.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    if isinstance(data, Tensor):
        result = data.detach() if dtype is None else data.detach().astype(dtype)
    elif isinstance(data, list | tuple) and any(isinstance(part, Tensor) for part in _leaves(data)):
        result = ops.stack_nested(data)
        if dtype is not None:
            result = result.astype(dtype)
    else:
        result = wrap_array(as_array(data, dtype, copy=True))
    return result.requires_grad_() if requires_grad else result


def adopt(array: Array, dtype: DTypeLike | None = None) -> Tensor:
    """Make a tensor of an array that nobody else will write to; it is copied only to convert it."""
    return wrap_array(as_array(array, dtype))


def _leaves(data: Any) -> Iterator[Any]:
    for part in data:
        if isinstance(part, list | tuple):
            yield from _leaves(part)
        else:
            yield part


def as_dtype(dtype: DTypeLike) -> Dtype:
    """Return a NumPy dtype for its name or type."""
    try:
        return np.dtype(dtype)
    except TypeError:
        raise DtypeError(f"there is no dtype {dtype!r}; use one such as 'float32' or 'int64'") from None


def as_array(data: Any, dtype: DTypeLike | None = None, *, copy: bool | None = None) -> Array:
    """Convert data to a NumPy array of a supported dtype, in native byte order."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        seen = re.search(r"shape was (\(.*?\)) \+ inhomogeneous", str(error))
        where = f"; up to there the shape is {seen[1]}" if seen else f" ({error})"
        raise ShapeError(
            f"cannot make a tensor: the nested sequences have different lengths{where}"
        ) from None
    if array.dtype.kind not in _SUPPORTED_KINDS or array.dtype.itemsize > 16:
        raise DtypeError(
            f"cannot make a tensor of {type(data).__name__} with dtype {array.dtype}; "
            "numbers and booleans are expected"
        )
    wanted = default_dtype(data, array) if dtype is None else as_dtype(dtype)
    if wanted.kind not in _SUPPORTED_KINDS:
        raise DtypeError(f"dtype {wanted} is not supported; use a numeric or boolean one")
    if array.dtype.kind == "c" and wanted.kind not in "cb":
        raise DtypeError(f"complex numbers cannot become {wanted}: take their real part or magnitude first")
    # numbers take the wanted dtype directly: NumPy's own choice for them may be a coarser one
    source = array if dtype is None else data
    try:
        return np.array(source, dtype=wanted.newbyteorder("="), copy=copy)
    except OverflowError:
        raise ArgumentError(f"cannot make a tensor: a number does not fit in {wanted}") from None


def zeros(shape: Shape, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return a tensor of zeros."""
    return full(shape, 0, dtype)


def full(shape: Shape, value: Any, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return a tensor filled with one number."""
    scalar = wrap_array(np.asarray(value, dtype))
    return scalar if shape == () else ops.broadcast_to(scalar, shape)


def scalar_like(value: Any, dtype: Dtype) -> Tensor:
    """Return a 0-d tensor for a Python number, in the dtype of the tensor that it meets."""
    return wrap_array(np.asarray(value, dtype))


from slopewise.engine import ops  # noqa: E402  (ops make tensors of their arguments)
