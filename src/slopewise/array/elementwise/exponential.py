"""Exponentials and logarithms. Integers become float32 first."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
]


def exp(x: ArrayLike, /) -> Tensor:
    """Return e to the power of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.exp(1.0):.4f}'
    '2.7183'
    """
    return ops.exp(x)


def expm1(x: ArrayLike, /) -> Tensor:
    """Return exp(x) - 1, accurate also near 0.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.expm1(1e-8):.4g}'
    '1e-08'
    """
    return ops.expm1(x)


def log(x: ArrayLike, /) -> Tensor:
    """Return the natural logarithm of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.log(10.0):.4f}'
    '2.3026'
    """
    return ops.log(x)


def log1p(x: ArrayLike, /) -> Tensor:
    """Return log(1 + x), accurate also near 0.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.log1p(1e-8):.4g}'
    '1e-08'
    """
    return ops.log1p(x)


def log2(x: ArrayLike, /) -> Tensor:
    """Return the logarithm to base 2 of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.log2(8.0):.4f}'
    '3.0000'
    """
    return ops.log2(x)


def log10(x: ArrayLike, /) -> Tensor:
    """Return the logarithm to base 10 of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.log10(1000.0):.4f}'
    '3.0000'
    """
    return ops.log10(x)


def logaddexp(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return log(exp(x1) + exp(x2)) without overflow.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.logaddexp(1000.0, 1000.0):.4f}'
    '1000.6932'
    """
    return ops.logaddexp(x1, x2)
