"""Rounding, and limits. The gradient of a rounded number is 0."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "ceil",
    "clip",
    "floor",
    "round",
    "trunc",
]


def ceil(x: ArrayLike, /) -> Tensor:
    """Return each element rounded up.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.ceil(sw.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return ops.ceil(x)


def floor(x: ArrayLike, /) -> Tensor:
    """Return each element rounded down.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.floor(sw.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return ops.floor(x)


def trunc(x: ArrayLike, /) -> Tensor:
    """Return each element rounded toward zero.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.trunc(sw.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return ops.trunc(x)


def round(x: ArrayLike, /) -> Tensor:
    """Return each element rounded to the nearest integer, halves to the even one.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.round(sw.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    """
    return ops.round(x)


def clip(x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Tensor:
    """Limit each element to [min, max]; either may be left out.

    The gradient is 1 inside and at both bounds, 0 outside (PyTorch's convention).

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.clip(sw.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0. , 0.5, 1. ])
    """
    limited = ops.clip(x, min, max)
    return ops.positive(limited) if limited is x else limited
