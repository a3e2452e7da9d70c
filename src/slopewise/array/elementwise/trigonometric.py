"""Trigonometric and hyperbolic functions, angles in radians. Integers become float32 first."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


def sin(x: ArrayLike, /) -> Tensor:
    """Return the sine of each angle.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.sin(0.5):.4f}'
    '0.4794'
    """
    return ops.sin(x)


def cos(x: ArrayLike, /) -> Tensor:
    """Return the cosine of each angle.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.cos(0.5):.4f}'
    '0.8776'
    """
    return ops.cos(x)


def tan(x: ArrayLike, /) -> Tensor:
    """Return the tangent of each angle.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.tan(0.5):.4f}'
    '0.5463'
    """
    return ops.tan(x)


def asin(x: ArrayLike, /) -> Tensor:
    """Return the angle whose sine is the element, in [-π/2, π/2].

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.asin(0.5):.4f}'
    '0.5236'
    """
    return ops.asin(x)


def acos(x: ArrayLike, /) -> Tensor:
    """Return the angle whose cosine is the element, in [0, π].

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.acos(0.5):.4f}'
    '1.0472'
    """
    return ops.acos(x)


def atan(x: ArrayLike, /) -> Tensor:
    """Return the angle whose tangent is the element, in [-π/2, π/2].

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.atan(0.5):.4f}'
    '0.4636'
    """
    return ops.atan(x)


def atan2(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the angle of the point (x2, x1) with the positive x axis, in [-π, π].

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.atan2(1.0, -1.0):.4f}'
    '2.3562'
    """
    return ops.atan2(x1, x2)


def sinh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic sine of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.sinh(0.5):.4f}'
    '0.5211'
    """
    return ops.sinh(x)


def cosh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic cosine of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.cosh(0.5):.4f}'
    '1.1276'
    """
    return ops.cosh(x)


def tanh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic tangent of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.tanh(0.5):.4f}'
    '0.4621'
    """
    return ops.tanh(x)


def asinh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic sine of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.asinh(0.5):.4f}'
    '0.4812'
    """
    return ops.asinh(x)


def acosh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic cosine of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.acosh(2.0):.4f}'
    '1.3170'
    """
    return ops.acosh(x)


def atanh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic tangent of each element.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f'{xp.atanh(0.5):.4f}'
    '0.5493'
    """
    return ops.atanh(x)
