"""Places of extrema, of nonzero elements and in sorted sequences; choice by a condition."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.creation import wrap_array
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.ops import Axis
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor

__all__ = ["argmax", "argmin", "count_nonzero", "nonzero", "searchsorted", "where"]


def argmax(x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first maximum along an axis, or in the flattened tensor; int64.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.argmax(sw.tensor([[1.0, 4.0], [3.0, 2.0]]), axis=1)
    tensor([1, 0])
    """
    return ops.argmax(x, axis, keepdims=keepdims)


def argmin(x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first minimum along an axis, or in the flattened tensor; int64.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.argmin(sw.tensor([[1.0, 4.0], [3.0, 2.0]]), axis=1)
    tensor([0, 1])
    """
    return ops.argmin(x, axis, keepdims=keepdims)


def count_nonzero(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return how many elements over axes are not 0 (or False); int64.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.count_nonzero(sw.tensor([0, 3, 5]))
    tensor(2)
    """
    x = ops.as_tensor(x)
    return ops.sum(x if x.dtype.kind == "b" else ops.not_equal(x, 0), axis, keepdims=keepdims)


def nonzero(x: ArrayLike, /) -> tuple[Tensor, ...]:
    """Return the places of the elements that are not 0 (or False), one int64 tensor for each axis.

    Their number depends on the data, so that a traced function cannot ask for them.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.nonzero(sw.tensor([0, 3, 5]))
    (tensor([1, 2]),)
    """
    x = ops.as_tensor(x)
    if x.ndim == 0:
        raise ShapeError("nonzero needs a tensor with at least one axis")
    return tuple(wrap_array(places.astype(np.int64)) for places in x._array("nonzero").nonzero())


def searchsorted(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: ArrayLike | None = None,
) -> Tensor:
    """Return at which places values would go into a sorted sequence to keep it sorted; int64.

    Parameters
    ----------
    x1 : Tensor with one axis, in ascending order
    x2 : the values, of any shape
    side : where a value that is equal to elements of x1 goes: before them or after
    sorter : indices which sort x1, if it is not sorted

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.searchsorted(sw.tensor([1.0, 3.0, 5.0]), sw.tensor([3.0, 4.0]), side="right")
    tensor([2, 2])
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side must be 'left' or 'right', not {side!r}")
    line, values = ops.promote(x1, x2)
    if line.dtype.kind == "c":
        raise DtypeError("searchsorted is not defined for complex numbers, which have no order")
    if line.ndim != 1:
        raise ShapeError(f"searchsorted needs a sorted sequence with one axis, not shape {line.shape}")
    if sorter is not None:
        line = line[ops.as_tensor(sorter).astype(INT64)]
    return apply(host.searchsorted, line, values, side=side)  # type: ignore[no-any-return]


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return elements of x1 where the condition holds, and of x2 elsewhere.

    The gradient goes to what was chosen. Mind that 0 times an infinite derivative in the other branch is
    still nan: where a function is not defined, change its argument too, as in `where(x > 0, log(where(x >
    0, x, 1)), 0)`.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> x = sw.tensor([-1.0, 2.0])
    >>> xp.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    return ops.where(condition, x1, x2)
