"""Products of matrices and tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, AxisError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.primitives.rules import normalize_axes
from slopewise.engine.tensor import Tensor

__all__ = ["kron", "matmul", "matrix_transpose", "tensordot", "vecdot"]


def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the matrix product; operands with one axis are vectors, with more than two stacks of matrices.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.matmul(sw.tensor([[1.0, 2.0], [3.0, 4.0]]), sw.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return ops.matmul(x1, x2)


def matrix_transpose(x: ArrayLike, /) -> Tensor:
    """Return matrices with rows and columns exchanged.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.matrix_transpose(xp.ones((4, 2, 3))).shape
    (4, 3, 2)
    """
    return ops.as_tensor(x).mT


def tensordot(
    x1: ArrayLike, x2: ArrayLike, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """Return the sum of products over pairs of axes.

    Parameters
    ----------
    x1, x2 : Tensor
    axes : how many of the last axes of x1 pair with the first of x2; or two sequences, the axes of x1 and
        those of x2

    Returns
    -------
    Tensor
        with the other axes of x1, then those of x2

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.tensordot(xp.ones((2, 3, 4)), xp.ones((3, 4, 5))).shape
    (2, 5)
    """
    a, b = ops.promote(x1, x2)
    axes_a, axes_b = _paired_axes(a, b, axes)
    rest_a = tuple(axis for axis in range(a.ndim) if axis not in axes_a)
    rest_b = tuple(axis for axis in range(b.ndim) if axis not in axes_b)
    inner = math.prod(a.shape[axis] for axis in axes_a)
    outer_a = tuple(a.shape[axis] for axis in rest_a)
    outer_b = tuple(b.shape[axis] for axis in rest_b)
    rows = ops.transpose(a, rest_a + axes_a).reshape((math.prod(outer_a), inner))
    columns = ops.transpose(b, axes_b + rest_b).reshape((inner, math.prod(outer_b)))
    return ops.matmul(rows, columns).reshape(outer_a + outer_b)


def _paired_axes(
    a: Tensor, b: Tensor, axes: int | tuple[Sequence[int], Sequence[int]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int | np.integer):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ArgumentError(f"tensordot cannot pair {axes} axes of shapes {a.shape} and {b.shape}")
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    if len(axes) != 2 or len(axes[0]) != len(axes[1]):
        raise ArgumentError(f"tensordot needs as many axes of x1 as of x2, not {axes}")
    for t, listed in zip((a, b), axes, strict=True):
        normalize_axes("tensordot", listed, t.ndim)
    axes_a = tuple(int(axis) % a.ndim for axis in axes[0])
    axes_b = tuple(int(axis) % b.ndim for axis in axes[1])
    for i, j in zip(axes_a, axes_b, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(
                f"tensordot cannot pair axis {i} of shape {a.shape} with axis {j} of shape {b.shape}: "
                "the sizes differ"
            )
    return axes_a, axes_b


def vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Return the inner product of vectors along an axis; the first is conjugated if it is complex.

    Parameters
    ----------
    x1, x2 : Tensor, whose other axes broadcast
    axis : negative, as it is counted before broadcasting

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.vecdot(sw.tensor([[1.0, 2.0], [3.0, 4.0]]), sw.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    a, b = ops.promote(x1, x2)
    if not -min(a.ndim, b.ndim) <= axis < 0 and not (a.ndim == b.ndim and 0 <= axis < a.ndim):
        raise AxisError(f"vecdot: axis {axis} does not exist in shapes {a.shape} and {b.shape}")
    if a.shape[axis] != b.shape[axis]:
        raise ShapeError(
            f"vecdot needs vectors of one size along axis {axis}, not shapes {a.shape} and {b.shape}"
        )
    if a.dtype.kind == "c":
        a = apply(host.conj, a)
    return ops.sum(ops.multiply(a, b), axis, dtype=a.dtype)


def kron(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the Kronecker product: each element of the first times the whole of the second.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.kron(sw.tensor([1, 10]), sw.tensor([1, 2, 3]))
    tensor([ 1,  2,  3, 10, 20, 30])
    """
    a, b = ops.promote(x1, x2)
    ndim = max(a.ndim, b.ndim)
    shape_a = (1,) * (ndim - a.ndim) + a.shape
    shape_b = (1,) * (ndim - b.ndim) + b.shape
    spread_a = a.reshape(tuple(size for n in shape_a for size in (n, 1)))
    spread_b = b.reshape(tuple(size for n in shape_b for size in (1, n)))
    return (spread_a * spread_b).reshape(tuple(n * m for n, m in zip(shape_a, shape_b, strict=True)))
