"""Distinct elements. Their number depends on the data, so that a traced function cannot ask for them.

Values are in ascending order, and each nan counts as distinct. Of equal elements the first gets the gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.creation import wrap_array
from slopewise.engine.tensor import Tensor

__all__ = [
    "UniqueAll",
    "UniqueCounts",
    "UniqueInverse",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """The result of `unique_all`."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """The result of `unique_counts`."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """The result of `unique_inverse`."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: ArrayLike, /) -> UniqueAll:
    """Return the distinct elements, and all that is known of them.

    Returns
    -------
    UniqueAll
        (values, indices, inverse_indices, counts): where each value occurs first in the flattened tensor;
        which value each element has, in the shape of x; and how often each occurs

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_all(sw.tensor([3, 1, 3])).counts
    tensor([1, 2])
    """
    return _unique("unique_all", x)


def unique_counts(x: ArrayLike, /) -> UniqueCounts:
    """Return the distinct elements, and how often each occurs.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_counts(sw.tensor([3, 1, 3]))
    UniqueCounts(values=tensor([1, 3]), counts=tensor([1, 2]))
    """
    found = _unique("unique_counts", x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: ArrayLike, /) -> UniqueInverse:
    """Return the distinct elements, and which of them each element of x is.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_inverse(sw.tensor([3, 1, 3]))
    UniqueInverse(values=tensor([1, 3]), inverse_indices=tensor([1, 0, 1]))
    """
    found = _unique("unique_inverse", x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: ArrayLike, /) -> Tensor:
    """Return the distinct elements.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_values(sw.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    return _unique("unique_values", x).values


def _unique(name: str, x: ArrayLike) -> UniqueAll:
    x = ops.as_tensor(x)
    array = x._array(name)
    _, first, inverse, counts = np.unique(
        array, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    indices = _int64(first)
    values = ops.reshape(x, (x.size,))[indices]
    return UniqueAll(values, indices, _int64(inverse.reshape(array.shape)), _int64(counts))


def _int64(array: Array) -> Tensor:
    return wrap_array(array.astype(np.int64))
