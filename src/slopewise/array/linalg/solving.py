"""Linear systems, inverses, determinants and ranks. Integers become float32 first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slopewise.array.linalg.decompositions import svdvals
from slopewise.engine import ops
from slopewise.engine.creation import wrap_array
from slopewise.engine.errors import ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.tensor import Tensor

__all__ = ["SignedLogDeterminant", "det", "inv", "matrix_rank", "pinv", "slogdet", "solve"]


class SignedLogDeterminant(NamedTuple):
    """The result of `slogdet`."""

    sign: Tensor
    logabsdet: Tensor


def solve(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the solution x of x1 @ x = x2.

    Parameters
    ----------
    x1 : Tensor, shape (..., n, n), invertible
    x2 : Tensor, shape (n,) for one vector, or (..., n, k) for matrices; the leading axes broadcast

    Raises
    ------
    ArgumentError
        If a matrix is singular.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.solve(sw.tensor([[2.0, 0.0], [0.0, 4.0]]), sw.tensor([2.0, 2.0]))
    tensor([1. , 0.5])
    """
    a, b = ops.promote(x1, x2)
    a, b = ops.floating(a), ops.floating(b)
    if b.ndim != 1:
        return apply(host.solve, a, b)  # type: ignore[no-any-return]
    return ops.squeeze(apply(host.solve, a, ops.expand_dims(b, -1)), -1)


def inv(x: ArrayLike, /) -> Tensor:
    """Return the inverse of square matrices. To solve a system, `solve` is faster and more accurate.

    Raises
    ------
    ArgumentError
        If a matrix is singular.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.inv(sw.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return apply(host.inv, ops.floating(ops.as_tensor(x)))  # type: ignore[no-any-return]


def det(x: ArrayLike, /) -> Tensor:
    """Return the determinant of square matrices; its gradient needs the matrix to be invertible.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.det(sw.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return apply(host.det, ops.floating(ops.as_tensor(x)))  # type: ignore[no-any-return]


def slogdet(x: ArrayLike, /) -> SignedLogDeterminant:
    """Return the sign of the determinant of square matrices, and the logarithm of its magnitude.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.slogdet(sw.tensor([[1.0, 0.0], [0.0, -1.0]]))
    SignedLogDeterminant(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    return SignedLogDeterminant(*apply(host.slogdet, ops.floating(ops.as_tensor(x))))


def pinv(x: ArrayLike, /, *, rtol: float | ArrayLike | None = None) -> Tensor:
    """Return the Moore-Penrose pseudo-inverse of matrices. It has no gradient.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    rtol : singular values below rtol times the largest count as 0; by default max(m, n) times the dtype's eps

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.pinv(sw.tensor([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]])).shape
    (2, 3)
    """
    x = ops.floating(ops.as_tensor(x))
    if rtol is None:
        rtol = _default_tolerance(x)
    elif isinstance(rtol, Tensor):
        rtol = rtol.numpy()
    return apply(host.pinv, x, rtol=rtol)  # type: ignore[no-any-return]


def matrix_rank(x: ArrayLike, /, *, rtol: float | ArrayLike | None = None) -> Tensor:
    """Return the rank of matrices: how many singular values are above rtol times the largest; int64.

    Parameters
    ----------
    x : Tensor, shape (..., m, n)
    rtol : by default max(m, n) times the dtype's eps

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.matrix_rank(sw.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    x = ops.floating(ops.as_tensor(x))
    if x.ndim < 2:
        raise ShapeError(f"matrix_rank needs matrices, at least two axes, not shape {x.shape}")
    values = svdvals(x)
    if values.shape[-1] == 0:
        return wrap_array(np.zeros(values.shape[:-1], np.int64))
    tolerance = _default_tolerance(x) if rtol is None else ops.expand_dims(ops.as_tensor(rtol), -1)
    return ops.sum(values > ops.max(values, -1, keepdims=True) * tolerance, -1)


def _default_tolerance(x: Tensor) -> float:
    return max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)
