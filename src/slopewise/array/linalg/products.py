"""Products of vectors and powers of matrices; diagonals and their sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from slopewise.array.linalg.solving import inv
from slopewise.engine import ops
from slopewise.engine.creation import wrap_array
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import indexed
from slopewise.engine.primitives.rules import broadcast_shapes, normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = ["cross", "diagonal", "matrix_power", "outer", "trace"]


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Return the cross product of vectors of three elements along an axis.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.cross(sw.tensor([1.0, 0.0, 0.0]), sw.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = ops.promote(x1, x2)
    ndim = len(broadcast_shapes("cross", a.shape, b.shape))
    position = normalize_axis("cross", axis, ndim) - ndim
    for t in (a, b):
        if t.ndim < -position or t.shape[position] != 3:
            raise ShapeError(f"cross needs three elements along axis {axis}, not shape {t.shape}")
    a, b = ops.moveaxis(a, position, -1), ops.moveaxis(b, position, -1)
    forward, backward = wrap_array(np.array([1, 2, 0])), wrap_array(np.array([2, 0, 1]))
    product = a[..., forward] * b[..., backward] - a[..., backward] * b[..., forward]
    return ops.moveaxis(product, -1, position)


def outer(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the products of each element of one vector with each of another.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.outer(sw.tensor([1, 2]), sw.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    a, b = ops.promote(x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer needs two vectors, not shapes {a.shape} and {b.shape}")
    return ops.multiply(ops.expand_dims(a, 1), b)


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Tensor:
    """Return a diagonal of matrices: the main one, one above it (offset > 0) or one below.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.diagonal(sw.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    x = _matrices("diagonal", x)
    rows, columns = x.shape[-2:]
    first_row, first_column = max(-offset, 0), max(offset, 0)
    length = max(min(rows - first_row, columns - first_column), 0)
    places = ops.arange(length)
    picked: Tensor = apply(
        indexed.gather, x, places + first_row, places + first_column, axes=(x.ndim - 2, x.ndim - 1)
    )
    return ops.moveaxis(picked, 0, -1)


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """Return the sum of a diagonal of matrices, in a dtype as in `sum`.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.trace(sw.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return ops.sum(diagonal(x, offset=offset), -1, dtype=dtype)


def matrix_power(x: ArrayLike, n: int, /) -> Tensor:
    """Return square matrices multiplied by themselves n times; the inverse's power if n is negative.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.matrix_power(sw.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    x = _matrices("matrix_power", x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrix_power needs square matrices, not shape {x.shape}")
    if not isinstance(n, int | np.integer):
        raise ArgumentError(f"matrix_power needs a whole number of times, not {n!r}")
    if n < 0:
        x, n = inv(x), -n
    result = None
    while n:
        if n % 2:
            result = x if result is None else ops.matmul(result, x)
        n //= 2
        if n:
            x = ops.matmul(x, x)
    if result is None:
        return ops.positive(ops.broadcast_to(ops.eye(x.shape[-1], x.dtype), x.shape))
    return ops.positive(result)


def _matrices(name: str, x: ArrayLike) -> Tensor:
    matrices = ops.as_tensor(x)
    if matrices.ndim < 2:
        raise ShapeError(f"{name} needs matrices, at least two axes, not shape {matrices.shape}")
    return matrices
