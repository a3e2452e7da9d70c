"""Logic on truth values and on the bits of integers."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def bitwise_and(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the bits that are set in both.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_and(sw.tensor([12, 10]), 6)
    tensor([4, 2])
    """
    return ops.bitwise_and(x1, x2)


def bitwise_or(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the bits that are set in at least one.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_or(sw.tensor([12, 10]), 6)
    tensor([14, 14])
    """
    return ops.bitwise_or(x1, x2)


def bitwise_xor(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the bits that are set in exactly one.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_xor(sw.tensor([12, 10]), 6)
    tensor([10, 12])
    """
    return ops.bitwise_xor(x1, x2)


def bitwise_invert(x: ArrayLike, /) -> Tensor:
    """Return each element with all its bits changed.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_invert(sw.tensor([0, 5]))
    tensor([-1, -6])
    """
    return ops.bitwise_invert(x)


def bitwise_left_shift(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the bits of x1 moved left by x2 places.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_left_shift(sw.tensor([1, 5]), 2)
    tensor([ 4, 20])
    """
    return ops.bitwise_left_shift(x1, x2)


def bitwise_right_shift(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the bits of x1 moved right by x2 places; the sign is kept.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.bitwise_right_shift(sw.tensor([4, -4]), 1)
    tensor([ 2, -2])
    """
    return ops.bitwise_right_shift(x1, x2)


def logical_and(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether both are true; a number is true unless it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.logical_and(sw.tensor([True, False]), True)
    tensor([ True, False])
    """
    return ops.bitwise_and(_truth(x1), _truth(x2))


def logical_or(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether at least one is true; a number is true unless it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.logical_or(sw.tensor([True, False]), True)
    tensor([ True,  True])
    """
    return ops.bitwise_or(_truth(x1), _truth(x2))


def logical_xor(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether exactly one is true; a number is true unless it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.logical_xor(sw.tensor([True, False]), True)
    tensor([False,  True])
    """
    return ops.bitwise_xor(_truth(x1), _truth(x2))


def logical_not(x: ArrayLike, /) -> Tensor:
    """Tell whether each element is false; a number is false if it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.logical_not(sw.tensor([True, False]))
    tensor([False,  True])
    """
    return ops.bitwise_invert(_truth(x))


def _truth(x: ArrayLike) -> Tensor:
    x = ops.as_tensor(x)
    return x if x.dtype.kind == "b" else ops.not_equal(x, 0)
