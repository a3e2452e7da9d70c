"""Gather and scatter: elements picked by integer indices, and written or added to such places.

Negative indices count from the end; one that is out of range is an error. Nothing here changes its argument.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import indexed
from slopewise.engine.primitives.rules import INT64, broadcast_shapes, normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = ["index_add", "put_along_axis", "scatter_add", "take", "take_along_axis"]


def _indices(name: str, indices: ArrayLike) -> Tensor:
    tensor = ops.as_tensor(
        np.asarray(indices, np.int64) if isinstance(indices, list) and not indices else indices
    )
    if tensor.dtype.kind not in "iu":
        raise DtypeError(f"{name} needs integer indices, not {tensor.dtype}")
    return ops.astype(tensor, INT64)


def take(x: ArrayLike, indices: ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Return the slices at the given places along an axis.

    Parameters
    ----------
    x : Tensor
    indices : integers of any shape, which takes the place of the axis in the result
    axis : may be left out if there is only one

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.take(sw.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), sw.tensor([2, 0]), axis=1)
    tensor([[3., 1.],
            [6., 4.]])
    """
    x = ops.as_tensor(x)
    if axis is None:
        if x.ndim != 1:
            raise ArgumentError(f"take needs the argument `axis` for a tensor of shape {x.shape}")
        axis = 0
    position = normalize_axis("take", axis, x.ndim)
    places = _indices("take", indices)
    picked: Tensor = apply(indexed.gather, x, places, axes=(position,))
    if position == 0 or places.ndim == 0:
        return picked
    moved = tuple(range(places.ndim))
    return ops.moveaxis(picked, moved, tuple(position + axis for axis in moved))


def _grid(name: str, x: Tensor, indices: Tensor, axis: int) -> tuple[Tensor, list[Tensor]]:
    """Return x and one index for each of its axes: `indices` along one, the place itself along the others."""
    if x.ndim != indices.ndim:
        raise ShapeError(
            f"{name} needs as many axes in the indices {indices.shape} as in the tensor {x.shape}"
        )
    others = [(size if a != axis else 1) for a, size in enumerate(x.shape)]
    shape = broadcast_shapes(name, tuple(others), indices.shape)
    full = tuple(x.shape[axis] if a == axis else size for a, size in enumerate(shape))
    grid = []
    for a, size in enumerate(shape):
        line = (1,) * a + (size,) + (1,) * (len(shape) - a - 1)
        index = indices if a == axis else ops.arange(size).reshape(line)
        grid.append(ops.broadcast_to(index, shape))
    return ops.broadcast_to(x, full), grid


def take_along_axis(x: ArrayLike, indices: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Return for each place in the result the element that an index picks along an axis.

    Parameters
    ----------
    x : Tensor
    indices : integers, with as many axes as x; the other axes broadcast
    axis : the axis along which they pick

    Notes
    -----
    PyTorch calls this `gather`. `sort` is this with the indices of `argsort`.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> x = sw.tensor([[3.0, 1.0], [2.0, 4.0]])
    >>> xp.take_along_axis(x, xp.argmax(x, axis=1, keepdims=True), axis=1)
    tensor([[3.],
            [4.]])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("take_along_axis", axis, x.ndim)
    x, grid = _grid("take_along_axis", x, _indices("take_along_axis", indices), position)
    return apply(indexed.gather, x, *grid, axes=tuple(range(x.ndim)))  # type: ignore[no-any-return]


def put_along_axis(x: ArrayLike, indices: ArrayLike, values: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Return a copy of x in which the elements that `take_along_axis` picks are replaced.

    Parameters
    ----------
    x : Tensor
    indices : integers, with as many axes as x; the other axes broadcast
    values : broadcast to the shape of the indices; where several meet at one place, the last wins and the
        others get no gradient
    axis : the axis along which the indices pick

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.put_along_axis(xp.zeros((2, 2)), sw.tensor([[1], [0]]), 5.0, axis=1)
    tensor([[0., 5.],
            [5., 0.]])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("put_along_axis", axis, x.ndim)
    x, grid = _grid("put_along_axis", x, _indices("put_along_axis", indices), position)
    updates = _updates("put_along_axis", x, values, grid[0].shape)
    return apply(indexed.scatter, x, updates, *grid, axes=tuple(range(x.ndim)))  # type: ignore[no-any-return]


def scatter_add(x: ArrayLike, indices: ArrayLike, values: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Return a copy of x to which values are added at the places that `take_along_axis` picks.

    Parameters
    ----------
    x : Tensor
    indices : integers, with as many axes as x; the other axes broadcast
    values : broadcast to the shape of the indices; those that meet at one place add up
    axis : the axis along which the indices pick

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.scatter_add(xp.zeros(3), sw.tensor([0, 2, 0]), sw.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("scatter_add", axis, x.ndim)
    x, grid = _grid("scatter_add", x, _indices("scatter_add", indices), position)
    updates = _updates("scatter_add", x, values, grid[0].shape)
    total: Tensor = apply(indexed.scatter_add, updates, *grid, axes=tuple(range(x.ndim)), shape=x.shape)
    return ops.add(x, total)


def index_add(x: ArrayLike, indices: ArrayLike, values: ArrayLike, /, *, axis: int = 0) -> Tensor:
    """Return a copy of x to which slices are added at the given places along an axis.

    Parameters
    ----------
    x : Tensor
    indices : integers, one axis
    values : broadcast to the shape of `take(x, indices, axis=axis)`; slices that meet at one place add up
    axis : the axis of the places

    Notes
    -----
    The adjoint of `take`, and PyTorch's `index_add`; with zeros for x, a sum over segments.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.index_add(xp.zeros((2, 2)), sw.tensor([1, 1]), sw.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[0., 0.],
            [4., 6.]])
    """
    x = ops.as_tensor(x)
    position = normalize_axis("index_add", axis, x.ndim)
    places = _indices("index_add", indices)
    if places.ndim != 1:
        raise ShapeError(f"index_add needs indices with one axis, not shape {places.shape}")
    shape = (*x.shape[:position], places.size, *x.shape[position + 1 :])
    updates = ops.moveaxis(_updates("index_add", x, values, shape), position, 0)
    total: Tensor = apply(indexed.scatter_add, updates, places, axes=(position,), shape=x.shape)
    return ops.add(x, total)


def _updates(name: str, x: Tensor, values: ArrayLike, shape: tuple[int, ...]) -> Tensor:
    updates = ops.stored(values, x.dtype)
    if broadcast_shapes(name, updates.shape, shape) != shape:
        raise ShapeError(f"{name} needs values that broadcast to {shape}, not shape {updates.shape}")
    return ops.broadcast_to(updates, shape)
