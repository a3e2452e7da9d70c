"""Conversion and promotion of arguments.

A Python number takes the dtype of the tensor that it meets; among tensors of one kind the wider wins; a
floating tensor keeps its dtype when it meets integers or booleans (PyTorch's convention, so that float32 is
never widened by accident).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Dtype
from slopewise.engine.creation import DEFAULT_FLOAT, as_array, as_dtype, scalar_like, tensor, wrap_array
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import elementwise as rows
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor
from slopewise.engine.tree import flatten

_KIND_ORDER = "biufc"


_LOSSES = {"b": 0, "i": 0, "u": 0, "f": 1, "c": 2}  # a kind of dtype loses something in one of a lower number


def as_tensor(value: Any) -> Tensor:
    """Return a tensor as it is, a sequence of tensors as their stack, and anything else as a constant."""
    if isinstance(value, Tensor):
        return value
    return tensor(value) if isinstance(value, list | tuple) else wrap_array(as_array(value, copy=True))


def result_dtype(*dtypes: Dtype) -> Dtype:
    """Return the dtype of an operation among tensors of the given dtypes."""
    result = dtypes[0]
    for dtype in dtypes[1:]:
        if dtype == result:
            continue
        if dtype.kind in "fc" and result.kind not in "fc":
            result = dtype
        elif result.kind in "fc" and dtype.kind not in "fc":
            continue
        else:
            promoted = np.promote_types(result, dtype)
            if promoted.kind == "f" and result.kind != "f" and dtype.kind != "f":
                raise DtypeError(
                    f"no integer dtype holds both {result} and {dtype}; convert one of them with .astype()"
                )
            result = promoted
    return result


def _scalar_dtype(value: Any, like: Dtype) -> Dtype:
    """Return the dtype that a Python number takes beside a tensor of the given dtype."""
    if isinstance(value, bool | np.bool_) or like.kind == "c":
        return like
    if isinstance(value, int | np.integer):
        return like if like.kind != "b" else INT64
    if isinstance(value, float | np.floating):
        return like if like.kind == "f" else DEFAULT_FLOAT
    return np.promote_types(like, np.complex64) if like.kind == "f" else np.dtype(np.complex64)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, int | float | complex | np.generic)


def _constant(value: Any, dtype: Dtype) -> Tensor:
    try:
        return scalar_like(value, dtype)
    except OverflowError:
        raise ArgumentError(f"the number {value} does not fit in {dtype}") from None


def _with_scalars(dtype: Dtype, values: Sequence[Any]) -> Dtype:
    """Return what a dtype becomes beside the Python numbers among some values."""
    for value in values:
        if _is_scalar(value):
            wanted = _scalar_dtype(value, dtype)
            dtype = wanted if wanted == dtype else result_dtype(dtype, wanted)
    return dtype


def result_dtype_of(*values: Any) -> Dtype:
    """Return the dtype of an operation among tensors, dtypes and Python numbers."""
    dtypes = [v.dtype if isinstance(v, Tensor) else np.dtype(v) for v in values if not _is_scalar(v)]
    if not dtypes:
        dtypes = [as_tensor(values[0]).dtype]
    return _with_scalars(result_dtype(*dtypes), values)


def stored(value: Any, dtype: Dtype) -> Tensor:
    """Return a value in the dtype of the tensor that it is assigned to.

    Numbers take it directly, not by way of the default one. Losing bits is allowed, losing a fraction or an
    imaginary part is not.
    """
    if isinstance(value, list | tuple) and [x for x in flatten(value)[0] if isinstance(x, Tensor)]:
        value = as_tensor(value)
    given = value.dtype if isinstance(value, Tensor) else as_array(value).dtype
    if _LOSSES[given.kind] > _LOSSES[dtype.kind]:
        raise DtypeError(f"cannot assign {given} to elements of a {dtype} tensor; convert one with .astype()")
    if isinstance(value, Tensor):
        return astype(value, dtype)
    return _constant(value, dtype) if _is_scalar(value) else wrap_array(as_array(value, dtype, copy=True))


def promote(*values: Any) -> list[Tensor]:
    """Return values as tensors of one dtype."""
    tensors = [value for value in values if not _is_scalar(value)]
    if not tensors:
        return promote(as_tensor(values[0]), *values[1:])
    converted = [value if isinstance(value, Tensor) else as_tensor(value) for value in tensors]
    dtype = converted[0].dtype
    if len(converted) > 1:
        dtype = result_dtype(*[t.dtype for t in converted])
    if len(converted) < len(values):
        dtype = _with_scalars(dtype, values)
    queue = iter(converted)
    return [_constant(value, dtype) if _is_scalar(value) else astype(next(queue), dtype) for value in values]


def promote_pair(x1: Any, x2: Any) -> Sequence[Tensor]:
    """Return two values as tensors of one dtype; the common cases, which training meets, take no detour."""
    if isinstance(x1, Tensor):
        dtype = x1._ref.buffer.dtype
        if isinstance(x2, Tensor):
            if x2._ref.buffer.dtype == dtype:
                return x1, x2
        elif type(x2) is float and dtype.kind == "f":
            return x1, scalar_like(x2, dtype)
    elif type(x1) is float and isinstance(x2, Tensor) and x2._ref.buffer.dtype.kind == "f":
        return scalar_like(x1, x2._ref.buffer.dtype), x2
    return promote(x1, x2)


def floating(x: Tensor) -> Tensor:
    """Return a tensor in a floating dtype: integers and booleans become float32."""
    return x if x.dtype.kind in "fc" else astype(x, DEFAULT_FLOAT)


def astype(x: Tensor, dtype: Any) -> Tensor:
    """Return a tensor in another dtype, or itself if it has that dtype."""
    dtype = as_dtype(dtype)
    if x.dtype == dtype:
        return x
    if dtype.kind not in _KIND_ORDER:
        raise DtypeError(f"a tensor cannot hold {dtype}; use a numeric or boolean dtype")
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        raise DtypeError(f"complex numbers cannot become {dtype}: take their real part or magnitude first")
    return apply(rows.cast, x, dtype=dtype)  # type: ignore[no-any-return]


def detach(x: Tensor) -> Tensor:
    """Return a tensor with the same value through which no gradient flows."""
    return apply(rows.detach, x)  # type: ignore[no-any-return]


def positive(x: Any) -> Tensor:
    """Return the tensor itself, under a new handle."""
    return apply(rows.alias, as_tensor(x))  # type: ignore[no-any-return]
