"""Sums, products, extrema and moments over axes, and running sums and products along one."""

from __future__ import annotations

from numpy.typing import ArrayLike, DTypeLike

from slopewise.array.arguments import as_dtype
from slopewise.engine import ops
from slopewise.engine.aval import Dtype
from slopewise.engine.creation import full as _full
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.ops import Axis
from slopewise.engine.primitives.rules import normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = ["cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "std", "sum", "var"]


def sum(
    x: ArrayLike, /, axis: Axis = None, *, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the sum over axes.

    Parameters
    ----------
    x : Tensor
    axis : an axis, several, or None for all
    dtype : the dtype to add up in; by default that of x, but 64 bits for integers and booleans
    keepdims : whether reduced axes stay, with size 1

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.sum(sw.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([4., 6.])
    """
    return ops.sum(x, axis, dtype=_accumulated(dtype), keepdims=keepdims)


def prod(
    x: ArrayLike, /, axis: Axis = None, *, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the product over axes; its gradient is right with any number of zeros.

    Parameters
    ----------
    x : Tensor
    axis : an axis, several, or None for all
    dtype : the dtype to multiply in; by default that of x, but 64 bits for integers and booleans
    keepdims : whether reduced axes stay, with size 1

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.prod(sw.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    return ops.prod(x, axis, dtype=_accumulated(dtype), keepdims=keepdims)


def max(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the maximum over axes, nan if there is one; ties share the gradient equally.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.max(sw.tensor([[1.0, 4.0], [3.0, 2.0]]), axis=1)
    tensor([4., 3.])
    """
    return ops.max(x, axis, keepdims=keepdims)


def min(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the minimum over axes, nan if there is one; ties share the gradient equally.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.min(sw.tensor([[1.0, 4.0], [3.0, 2.0]]), axis=1)
    tensor([1., 2.])
    """
    return ops.min(x, axis, keepdims=keepdims)


def mean(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean over axes; of no elements it is nan. Integers become float32 first.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.mean(sw.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([2., 3.])
    """
    return ops.mean(x, axis, keepdims=keepdims)


def var(x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over axes.

    Parameters
    ----------
    x : Tensor
    axis : an axis, several, or None for all
    correction : the sum of squares of n elements is divided by n - correction: 0 for the population's
        variance (NumPy's default), 1 for the unbiased estimate (PyTorch's default); nan if that is not
        positive
    keepdims : whether reduced axes stay, with size 1

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.var(sw.tensor([1.0, 2.0, 3.0]), correction=1)
    tensor(1.)
    """
    return ops.var(_real("var", x), axis, correction=correction, keepdims=keepdims)


def std(x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation, the root of `var`; its gradient is 0 where all elements are equal.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.std(sw.tensor([1.0, 3.0]))
    tensor(1.)
    """
    return ops.std(_real("std", x), axis, correction=correction, keepdims=keepdims)


def _accumulated(dtype: DTypeLike | None) -> Dtype | None:
    return None if dtype is None else as_dtype(dtype)


def _real(name: str, x: ArrayLike) -> Tensor:
    tensor = ops.as_tensor(x)
    if tensor.dtype.kind == "c":
        raise DtypeError(f"{name} is not defined for complex numbers; use it on xp.real(x) and xp.imag(x)")
    return tensor


def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """Return the running sum along an axis.

    Parameters
    ----------
    x : Tensor, with at least one axis
    axis : may be left out if there is only one
    dtype : the dtype to add up in; by default that of x, but 64 bits for integers and booleans
    include_initial : whether the result begins with 0, and so is one longer than x

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.cumulative_sum(sw.tensor([1, 2, 3]), include_initial=True)
    tensor([0, 1, 3, 6])
    """
    x = ops.accumulator(ops.as_tensor(x), _accumulated(dtype))
    position = _only_axis("cumulative_sum", x, axis)
    result = ops.cumsum(x, position)
    return _with_initial(result, 0, position) if include_initial else result


def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """Return the running product along an axis; its gradient is right with zeros too.

    Parameters
    ----------
    x : Tensor, with at least one axis
    axis : may be left out if there is only one
    dtype : the dtype to multiply in; by default that of x, but 64 bits for integers and booleans
    include_initial : whether the result begins with 1, and so is one longer than x

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.cumulative_prod(sw.tensor([1, 2, 3]))
    tensor([1, 2, 6])
    """
    x = ops.accumulator(ops.as_tensor(x), _accumulated(dtype))
    position = _only_axis("cumulative_prod", x, axis)
    result = ops.cumprod(x, position)
    return _with_initial(result, 1, position) if include_initial else result


def _only_axis(name: str, x: Tensor, axis: int | None) -> int:
    if axis is None:
        if x.ndim != 1:
            raise ArgumentError(f"{name} needs the argument `axis` for a tensor of shape {x.shape}")
        return 0
    return normalize_axis(name, axis, x.ndim)


def _with_initial(x: Tensor, value: int, axis: int) -> Tensor:
    first = _full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), value, x.dtype)
    return ops.concatenate([first, x], axis)
