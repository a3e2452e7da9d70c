"""Tensors from numbers and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from slopewise.array.arguments import as_dtype, as_shape, check_device
from slopewise.engine import ops
from slopewise.engine.aval import Dtype
from slopewise.engine.creation import DEFAULT_FLOAT, wrap_array
from slopewise.engine.creation import full as _full
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitives.rules import BOOL, INT64
from slopewise.engine.tensor import Tensor

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "one_hot",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]

DEFAULT_COMPLEX: Dtype = np.dtype(np.complex64)
UINT64: Dtype = np.dtype(np.uint64)


def _default_dtype(value: Any) -> Dtype:
    """Return the dtype of a number that came without one."""
    if isinstance(value, Tensor | np.generic | np.ndarray):
        return value.dtype
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT64
    return DEFAULT_COMPLEX if isinstance(value, complex) else DEFAULT_FLOAT


def full(
    shape: int | Sequence[int], fill_value: Any, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return a tensor filled with one value.

    Parameters
    ----------
    shape : the size of each axis
    fill_value : a number, or a Tensor with no axes (through which gradients flow)
    dtype : by default that of the value, as in `asarray`

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    check_device(device)
    wanted = _default_dtype(fill_value) if dtype is None else as_dtype(dtype)
    sizes = as_shape(shape)
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise ShapeError(f"full needs one number to fill with, not a tensor of shape {fill_value.shape}")
        return ops.broadcast_to(fill_value.astype(wanted), sizes)
    try:
        return _full(sizes, fill_value, wanted)
    except OverflowError:
        raise ArgumentError(f"the number {fill_value} does not fit in {wanted}") from None
    except (TypeError, ValueError):
        if isinstance(fill_value, int | float | complex):
            raise ArgumentError(f"the number {fill_value} does not fit in {wanted}") from None
        raise ArgumentError(f"full needs one number to fill with, not {fill_value!r}") from None


def full_like(
    x: ArrayLike, /, fill_value: Any, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return a tensor filled with one value, of another one's shape and dtype.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.full_like(sw.tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """
    like = ops.as_tensor(x)
    return full(like.shape, fill_value, dtype=like.dtype if dtype is None else dtype, device=device)


def zeros(shape: int | Sequence[int], *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of zeros, float32 by default.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.zeros(3)
    tensor([0., 0., 0.])
    """
    return full(shape, 0, dtype=DEFAULT_FLOAT if dtype is None else dtype, device=device)


def ones(shape: int | Sequence[int], *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of ones, float32 by default.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.ones((1, 2), dtype=xp.int64)
    tensor([[1, 1]])
    """
    return full(shape, 1, dtype=DEFAULT_FLOAT if dtype is None else dtype, device=device)


def empty(shape: int | Sequence[int], *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor whose values do not matter. They are zeros, so that no run depends on stale memory.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x: ArrayLike, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of zeros of another one's shape and dtype.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.zeros_like(sw.tensor([1, 2]))
    tensor([0, 0])
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: ArrayLike, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of ones of another one's shape and dtype.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.ones_like(sw.tensor([1, 2]))
    tensor([1, 1])
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: ArrayLike, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return a tensor of another one's shape and dtype whose values do not matter; see `empty`.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.empty_like(sw.tensor([1, 2])).shape
    (2,)
    """
    return zeros_like(x, dtype=dtype, device=device)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return evenly spaced numbers from `start` (0 if only one number is given) up to, not including, `stop`.

    Parameters
    ----------
    start, stop, step : numbers
    dtype : by default int64 if all are integers, else float32

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.arange(3)
    tensor([0, 1, 2])
    >>> xp.arange(1.0, 2.0, 0.25)
    tensor([1.  , 1.25, 1.5 , 1.75])
    """
    check_device(device)
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange needs a step that is not 0")
    whole = all(isinstance(number, int | np.integer) for number in (first, last, step))
    wanted = as_dtype(dtype) if dtype is not None else INT64 if whole else DEFAULT_FLOAT
    # NumPy rounds the step of a fractional range to an integer dtype: compute in floating point, then convert
    exact = wanted if whole and wanted in (INT64, UINT64) else None
    try:
        numbers = np.arange(first, last, step, dtype=exact)
    except (ValueError, OverflowError, TypeError) as error:
        raise ArgumentError(f"arange cannot go from {first} to {last} by {step}: {error}") from None
    if wanted.kind in "iu" and not np.array_equal(numbers.astype(wanted), np.trunc(numbers)):
        raise ArgumentError(f"the numbers from {first} to {last} do not fit in {wanted}")
    return wrap_array(numbers.astype(wanted))


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    endpoint: bool = True,
) -> Tensor:
    """Return `num` evenly spaced numbers from `start` to `stop`.

    Parameters
    ----------
    start, stop : numbers
    num : how many, at least 0
    dtype : a floating dtype, by default float32, or complex64 if a number is complex
    endpoint : whether `stop` is the last of them; if not, it would be the next

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    check_device(device)
    if not hasattr(num, "__index__") or num < 0:
        raise ArgumentError(f"linspace cannot return {num!r} numbers")
    default = (
        DEFAULT_COMPLEX if any(isinstance(number, complex) for number in (start, stop)) else DEFAULT_FLOAT
    )
    wanted = default if dtype is None else as_dtype(dtype)
    return wrap_array(np.linspace(start, stop, num, endpoint=endpoint, dtype=wanted))


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return a matrix with ones on its k-th diagonal (above the main one if k > 0) and zeros elsewhere.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device(device)
    rows, columns = as_shape((n_rows, n_rows if n_cols is None else n_cols))
    return wrap_array(np.eye(rows, columns, k, dtype=DEFAULT_FLOAT if dtype is None else as_dtype(dtype)))


def tril(x: ArrayLike, /, *, k: int = 0) -> Tensor:
    """Return the lower triangle of matrices, up to the k-th diagonal, and zeros above.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.tril(xp.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return ops.tril(_matrices("tril", x), k)


def triu(x: ArrayLike, /, *, k: int = 0) -> Tensor:
    """Return the upper triangle of matrices, from the k-th diagonal on, and zeros below.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.triu(xp.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return ops.triu(_matrices("triu", x), k)


def _matrices(name: str, x: ArrayLike) -> Tensor:
    matrices = ops.as_tensor(x)
    if matrices.ndim < 2:
        raise ShapeError(f"{name} needs matrices, at least two axes, not shape {matrices.shape}")
    return matrices


def meshgrid(*arrays: ArrayLike, indexing: Literal["xy", "ij"] = "xy") -> list[Tensor]:
    """Return coordinate tensors of the grid that coordinate vectors span.

    Parameters
    ----------
    arrays : one-dimensional, of sizes n1, n2, n3, ...
    indexing : "ij" gives results of shape (n1, n2, n3, ...), "xy" of shape (n2, n1, n3, ...)

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.meshgrid(xp.arange(2), xp.arange(3))[0]
    tensor([[0, 1],
            [0, 1],
            [0, 1]])
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    vectors = [ops.as_tensor(array) for array in arrays]
    for vector in vectors:
        if vector.ndim > 1:
            raise ShapeError(f"meshgrid needs vectors, not a tensor of shape {vector.shape}")
    n = len(vectors)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    spread = [
        vector.reshape((1,) * place + (vector.size,) + (1,) * (n - 1 - place))
        for vector, place in zip(vectors, places, strict=True)
    ]
    return [ops.positive(grid) for grid in ops.broadcast_together(*spread)] if spread else []


def one_hot(indices: ArrayLike, /, num_classes: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return vectors that are 1 at the given place and 0 elsewhere.

    Parameters
    ----------
    indices : integers of any shape; one outside of [0, num_classes) gives a vector of zeros, as in JAX
    num_classes : the size of the new last axis
    dtype : float32 by default

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.one_hot([0, 2], 3)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    places = ops.as_tensor(indices)
    if places.dtype.kind not in "iu":
        raise DtypeError(f"one_hot needs integers, not {places.dtype}")
    if num_classes < 0:
        raise ArgumentError(f"one_hot cannot have {num_classes} classes")
    hit = ops.equal(ops.expand_dims(places, -1), ops.astype(ops.arange(num_classes), places.dtype))
    return ops.astype(hit, DEFAULT_FLOAT if dtype is None else as_dtype(dtype))
