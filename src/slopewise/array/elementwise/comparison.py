"""Comparisons and tests of elements; the results are boolean."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "not_equal",
]


def equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether elements are equal; nan equals nothing.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.equal(sw.tensor([1, 2, 3]), 2)
    tensor([False,  True, False])
    """
    return ops.equal(x1, x2)


def not_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether elements differ.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.not_equal(sw.tensor([1, 2, 3]), 2)
    tensor([ True, False,  True])
    """
    return ops.not_equal(x1, x2)


def less(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether x1 < x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.less(sw.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """
    return ops.less(x1, x2)


def less_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether x1 <= x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.less_equal(sw.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return ops.less_equal(x1, x2)


def greater(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether x1 > x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.greater(sw.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return ops.greater(x1, x2)


def greater_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell whether x1 >= x2.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.greater_equal(sw.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return ops.greater_equal(x1, x2)


def isfinite(x: ArrayLike, /) -> Tensor:
    """Tell whether each element is neither infinite nor nan.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.isfinite(sw.tensor([1.0, float('inf'), float('nan')]))
    tensor([ True, False, False])
    """
    return ops.isfinite(x)


def isinf(x: ArrayLike, /) -> Tensor:
    """Tell whether each element is infinite.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.isinf(sw.tensor([1.0, float('inf'), float('nan')]))
    tensor([False,  True, False])
    """
    return ops.isinf(x)


def isnan(x: ArrayLike, /) -> Tensor:
    """Tell whether each element is nan.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.isnan(sw.tensor([1.0, float('inf'), float('nan')]))
    tensor([False, False,  True])
    """
    return ops.isnan(x)
