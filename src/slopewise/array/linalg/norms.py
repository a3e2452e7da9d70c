"""Norms of vectors and matrices. Where a norm has no gradient, at 0, its subgradient is 0."""

from __future__ import annotations

import math
from typing import Literal

from numpy.typing import ArrayLike

from slopewise.array.linalg.decompositions import svdvals
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.ops import Axis
from slopewise.engine.primitives.rules import normalize_axes
from slopewise.engine.tensor import Tensor

__all__ = ["matrix_norm", "vector_norm"]


def vector_norm(x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Return the norm of vectors, (sum(abs(x)**ord))**(1/ord).

    Parameters
    ----------
    x : Tensor; integers become float32
    axis : the axes that hold a vector; by default all
    keepdims : whether these axes stay, with size 1
    ord : the order; inf gives max(abs(x)), -inf min(abs(x)), 0 how many elements are not 0

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.vector_norm(sw.tensor([3.0, 4.0]))
    tensor(5.)
    """
    magnitude = ops.absolute(ops.floating(ops.as_tensor(x)))
    if ord == math.inf:
        return _maximum(magnitude, axis, keepdims)
    if ord == -math.inf:
        return ops.min(magnitude, axis, keepdims=keepdims)
    if ord == 0:
        nonzero = ops.astype(ops.not_equal(magnitude, 0), magnitude.dtype)
        return ops.sum(nonzero, axis, keepdims=keepdims)
    if ord == 1:
        return ops.sum(magnitude, axis, keepdims=keepdims)
    if ord == 2:
        return ops.safe_sqrt(ops.sum(ops.square(magnitude), axis, keepdims=keepdims))
    total = ops.sum(_power(magnitude, ord), axis, keepdims=keepdims)
    return _power(total, 1 / ord)


def _maximum(magnitude: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    if ops.count(magnitude.shape, axis) == 0:
        return ops.sum(magnitude, axis, keepdims=keepdims)  # the norm of no elements is 0
    return ops.max(magnitude, axis, keepdims=keepdims)


def _power(x: Tensor, exponent: float) -> Tensor:
    """Return x**exponent for x >= 0, with the subgradient 0 at 0."""
    at_zero = ops.equal(x, 0)
    of_zero = 0.0 if exponent > 0 else math.inf
    return ops.where(at_zero, of_zero, ops.power(ops.where(at_zero, 1.0, x), float(exponent)))


def matrix_norm(
    x: ArrayLike,
    /,
    *,
    keepdims: bool = False,
    ord: float | Literal["fro", "nuc"] | None = "fro",
) -> Tensor:
    """Return the norm of matrices, in the last two axes.

    Parameters
    ----------
    x : Tensor, shape (..., m, n); integers become float32
    keepdims : whether the last two axes stay, with size 1
    ord : "fro" (the root of the sum of squares; also None), "nuc" (the sum of singular values), 1 and -1
        (the largest and smallest sum of magnitudes in a column), inf and -inf (in a row), 2 and -2 (the
        largest and smallest singular value); those of singular values have no gradient

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.linalg.matrix_norm(sw.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    x = ops.floating(ops.as_tensor(x))
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm needs matrices, at least two axes, not shape {x.shape}")
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        values = svdvals(x)
        result = ops.sum(values, -1) if ord == "nuc" else _extremum(values, -1, ord == 2)
    elif ord in (1, -1, math.inf, -math.inf):
        summed, compared = (-2, -1) if abs(float(ord)) == 1 else (-1, -2)
        sums = ops.sum(ops.absolute(x), summed, keepdims=True)
        result = ops.squeeze(_extremum(sums, compared, float(ord) > 0, keepdims=True), (-2, -1))
    else:
        raise ArgumentError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {ord!r}")
    return result.reshape((*result.shape, 1, 1)) if keepdims else result


def _extremum(x: Tensor, axis: int, largest: bool, keepdims: bool = False) -> Tensor:
    if largest:
        return _maximum(x, normalize_axes("matrix_norm", axis, x.ndim), keepdims)
    return ops.min(x, axis, keepdims=keepdims)
