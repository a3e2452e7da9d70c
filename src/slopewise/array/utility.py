"""Tests over axes, and differences along one."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError
from slopewise.engine.ops import Axis
from slopewise.engine.primitives.rules import normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = ["all", "any", "diff"]


def all(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether all elements over axes are true; a number is true unless it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.all(sw.tensor([[True, False], [True, True]]), axis=1)
    tensor([False,  True])
    """
    return ops.all(x, axis, keepdims=keepdims)


def any(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether any element over axes is true; a number is true unless it is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.any(sw.tensor([[True, False], [False, False]]), axis=1)
    tensor([ True, False])
    """
    return ops.any(x, axis, keepdims=keepdims)


def diff(
    x: ArrayLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Tensor:
    """Return the differences of neighbours along an axis.

    Parameters
    ----------
    x : Tensor
    axis : along which
    n : how many times to take differences
    prepend, append : tensors to put before and after x along the axis first

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.diff(sw.tensor([1, 4, 9, 16]))
    tensor([3, 5, 7])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("diff", axis, x.ndim)
    if n < 0:
        raise ArgumentError(f"diff cannot be taken {n} times")
    parts = [part for part in (prepend, x, append) if part is not None]
    if len(parts) > 1:
        x = ops.concatenate(parts, position)
    lead = (slice(None),) * position
    difference = ops.not_equal if x.dtype.kind == "b" else ops.subtract
    result = x
    for _ in range(n):
        result = difference(result[(*lead, slice(1, None))], result[(*lead, slice(None, -1))])
    return ops.positive(x) if n == 0 else result
