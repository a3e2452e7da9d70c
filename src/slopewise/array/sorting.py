"""Order along an axis. A sort picks elements by their order, and so is its gradient."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from slopewise.array.indexing import take_along_axis
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import host
from slopewise.engine.primitives.rules import normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = ["TopK", "argsort", "sort", "topk"]


def argsort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the indices that sort the tensor along an axis; int64. Nan counts as larger than all numbers.

    Parameters
    ----------
    x : Tensor, not complex
    axis : along which
    descending : largest first
    stable : whether equal elements keep their order

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.argsort(sw.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("argsort", axis, x.ndim)
    return apply(host.argsort, x, axis=position, descending=descending, stable=stable)  # type: ignore[no-any-return]


def sort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the tensor sorted along an axis. Nan counts as larger than all numbers.

    Parameters
    ----------
    x : Tensor, not complex
    axis : along which
    descending : largest first
    stable : whether equal elements keep their order, which decides who of them gets which gradient

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.sort(sw.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([3., 2., 1.])
    """
    x = ops.as_tensor(x)
    order = argsort(x, axis=axis, descending=descending, stable=stable)
    return take_along_axis(x, order, axis=axis)


class TopK(NamedTuple):
    """The result of `topk`."""

    values: Tensor
    indices: Tensor


def topk(x: ArrayLike, k: int, /, *, axis: int = -1, largest: bool = True) -> TopK:
    """Return the k largest (or smallest) elements along an axis, in order, and their places.

    Parameters
    ----------
    x : Tensor, not complex
    k : how many, at most the size of the axis
    axis : along which
    largest : False for the smallest

    Returns
    -------
    TopK
        (values, indices), with k in place of the size of the axis; of equal elements the first come first

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.topk(sw.tensor([3.0, 1.0, 2.0]), 2)
    TopK(values=tensor([3., 2.]), indices=tensor([0, 2]))
    """
    x = ops.as_tensor(x)
    position = normalize_axis("topk", axis, x.ndim)
    if not hasattr(k, "__index__") or not 0 <= k <= x.shape[position]:
        raise ArgumentError(f"topk cannot take {k} elements along axis {position} of shape {x.shape}")
    order = argsort(x, axis=position, descending=largest)
    first = order[(*(slice(None),) * position, slice(0, k))]
    return TopK(take_along_axis(x, first, axis=position), first)
