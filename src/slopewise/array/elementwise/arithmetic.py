"""Sums, products, powers and extrema of elements."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "abs",
    "add",
    "copysign",
    "divide",
    "floor_divide",
    "hypot",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "positive",
    "pow",
    "reciprocal",
    "remainder",
    "sign",
    "signbit",
    "sqrt",
    "square",
    "subtract",
]


def abs(x: ArrayLike, /) -> Tensor:
    """Return the magnitude of each element; its subgradient at 0 is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.abs(sw.tensor([-2.0, 0.0, 3.0]))
    tensor([2., 0., 3.])
    """
    return ops.absolute(x)


def add(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the sum of elements.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.add(sw.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return ops.add(x1, x2)


def subtract(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the difference of elements.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.subtract(sw.tensor([1.0, 2.0]), 0.5)
    tensor([0.5, 1.5])
    """
    return ops.subtract(x1, x2)


def multiply(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the product of elements.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.multiply(sw.tensor([1.0, 2.0]), sw.tensor([3.0, 4.0]))
    tensor([3., 8.])
    """
    return ops.multiply(x1, x2)


def divide(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the quotient of elements; integers become float32 first.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.divide(sw.tensor([1.0, 3.0]), 2)
    tensor([0.5, 1.5])
    """
    return ops.divide(x1, x2)


def floor_divide(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the quotient rounded down; its gradient is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.floor_divide(sw.tensor([-3, 3]), 2)
    tensor([-2,  1])
    """
    return ops.floor_divide(x1, x2)


def remainder(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return what floor_divide leaves over, with the sign of the divisor.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.remainder(sw.tensor([-3, 3]), 2)
    tensor([1, 1])
    """
    return ops.remainder(x1, x2)


def negative(x: ArrayLike, /) -> Tensor:
    """Return each element with its sign changed.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.negative(sw.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return ops.negative(x)


def positive(x: ArrayLike, /) -> Tensor:
    """Return the same values under a new handle.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.positive(sw.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    return ops.positive(x)


def reciprocal(x: ArrayLike, /) -> Tensor:
    """Return 1 / x for each element.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.reciprocal(sw.tensor([2.0, 4.0]))
    tensor([0.5 , 0.25])
    """
    return ops.divide(1, x)


def square(x: ArrayLike, /) -> Tensor:
    """Return each element times itself.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.square(sw.tensor([2.0, -3.0]))
    tensor([4., 9.])
    """
    return ops.square(x)


def sqrt(x: ArrayLike, /) -> Tensor:
    """Return the square root of each element; its gradient at 0 is infinite.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.sqrt(sw.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return ops.sqrt(x)


def pow(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return x1 to the power of x2.

    The gradient with respect to the exponent is 0 where x1 = 0 and x2 >= 0, its limit from the right. An
    integer to a negative integer power is an error, as it is no integer: convert one to a floating dtype.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.pow(sw.tensor([1.0, 2.0, 3.0]), 3)
    tensor([ 1.,  8., 27.])
    """
    return ops.power(x1, x2)


def hypot(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return sqrt(x1² + x2²) without overflow; its subgradient at (0, 0) is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.hypot(sw.tensor([3.0]), 4.0)
    tensor([5.])
    """
    return ops.hypot(x1, x2)


def maximum(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the larger of two elements, nan if one is nan; a tie shares the gradient equally.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.maximum(sw.tensor([1.0, 5.0]), 3.0)
    tensor([3., 5.])
    """
    return ops.maximum(x1, x2)


def minimum(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the smaller of two elements, nan if one is nan; a tie shares the gradient equally.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.minimum(sw.tensor([1.0, 5.0]), 3.0)
    tensor([1., 3.])
    """
    return ops.minimum(x1, x2)


def sign(x: ArrayLike, /) -> Tensor:
    """Return -1, 0 or 1 for each real element, and x / abs(x) for each complex one; its gradient is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.sign(sw.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return ops.sign(x)


def copysign(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the magnitude of x1 with the sign of x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.copysign(sw.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    return ops.copysign(x1, x2)


def signbit(x: ArrayLike, /) -> Tensor:
    """Tell whether the sign bit of each element is set, as it is for -0.0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.signbit(sw.tensor([-0.0, 1.0]))
    tensor([ True, False])
    """
    return ops.signbit(x)


def nextafter(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the number next to x1 in the direction of x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.nextafter(sw.tensor(1.0), 2.0) - 1.0
    tensor(1.1920929e-07)
    """
    return ops.nextafter(x1, x2)
