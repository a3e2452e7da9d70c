"""Distinct elements. Their number depends on the data, so that a traced function cannot ask for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.tensor import Tensor, _wrap_array

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
    """Return the distinct elements in ascending order, with all that is known of them.

    Returns
    -------
    UniqueAll
        (values, indices, inverse_indices, counts): where each value occurs first in the flattened tensor;
        which value each element has, in the shape of x; and how often each occurs. Each nan counts as
        distinct.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_all(sw.tensor([3, 1, 3])).counts
    tensor([1, 2])
    """
    array = _concrete("unique_all", x)
    values, indices, inverse, counts = np.unique(
        array, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    return UniqueAll(
        _wrap_array(values), _int64(indices), _int64(inverse.reshape(array.shape)), _int64(counts)
    )


def unique_counts(x: ArrayLike, /) -> UniqueCounts:
    """Return the distinct elements in ascending order and how often each occurs. Each nan is distinct.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_counts(sw.tensor([3, 1, 3]))
    UniqueCounts(values=tensor([1, 3]), counts=tensor([1, 2]))
    """
    values, counts = np.unique(_concrete("unique_counts", x), return_counts=True, equal_nan=False)
    return UniqueCounts(_wrap_array(values), _int64(counts))


def unique_inverse(x: ArrayLike, /) -> UniqueInverse:
    """Return the distinct elements in ascending order and which one each element is. Each nan is distinct.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_inverse(sw.tensor([3, 1, 3]))
    UniqueInverse(values=tensor([1, 3]), inverse_indices=tensor([1, 0, 1]))
    """
    array = _concrete("unique_inverse", x)
    values, inverse = np.unique(array, return_inverse=True, equal_nan=False)
    return UniqueInverse(_wrap_array(values), _int64(inverse.reshape(array.shape)))


def unique_values(x: ArrayLike, /) -> Tensor:
    """Return the distinct elements in ascending order. Each nan counts as distinct.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.unique_values(sw.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    return _wrap_array(np.unique(_concrete("unique_values", x), equal_nan=False))


def _concrete(name: str, x: ArrayLike) -> Array:
    return ops.as_tensor(x)._array(name)


def _int64(array: Array) -> Tensor:
    return _wrap_array(array.astype(np.int64))
