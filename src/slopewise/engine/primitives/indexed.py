"""Gather and scatter: elements picked by integer indices, and their adjoints.

Index operands are int64, of one shape, one for each of `axes`; the result of a gather has the indices' shape
first, then the axes that were not indexed. Negative indices count from the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import DtypeError, IndexOutOfRange, ShapeError
from slopewise.engine.primitive import Primitive, apply, define
from slopewise.engine.primitives.rules import INT64, materialize


def _rest(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in range(ndim) if axis not in axes)


def _picked_shape(shape: Shape, index_shape: Shape, axes: tuple[int, ...]) -> Shape:
    return index_shape + tuple(shape[axis] for axis in _rest(len(shape), axes))


def _check_indices(name: str, indices: Sequence[Aval], axes: tuple[int, ...]) -> Shape:
    if len(indices) != len(axes):
        raise ShapeError(f"'{name}' got {len(indices)} indices for {len(axes)} axes")
    for index in indices:
        if index.dtype != INT64:
            raise DtypeError(f"'{name}' needs int64 indices, not {index.dtype}")
        if index.shape != indices[0].shape:
            raise ShapeError(f"'{name}' needs indices of one shape, not {indices[0].shape} and {index.shape}")
    return indices[0].shape


def _check_bounds(shape: Shape, indices: Sequence[Array], axes: tuple[int, ...]) -> None:
    """Raise an error that names the first index which is out of range."""
    for index, axis in zip(indices, axes, strict=True):
        size = shape[axis]
        if index.size and not (-size <= index.min() and index.max() < size):
            bad = index[(index < -size) | (index >= size)].ravel()[0]
            raise IndexOutOfRange(f"index {bad} is out of range for axis {axis} of size {size}")


def _leading(x: Array, axes: tuple[int, ...]) -> Array:
    return x.transpose(axes + _rest(x.ndim, axes))


# ---- gather


def _infer_gather(x: Aval, *indices: Aval, axes: tuple[int, ...]) -> Aval:
    return Aval(_picked_shape(x.shape, _check_indices("gather", indices, axes), axes), x.dtype)


def _gather(x: Array, *indices: Array, axes: tuple[int, ...]) -> Array:
    try:
        if len(axes) == 1:
            return _leading(x, axes).take(indices[0], axis=0)
        return np.asarray(_leading(x, axes)[indices])
    except IndexError:
        _check_bounds(x.shape, indices, axes)
        raise


def _gather_vjp(g: Any, y: Any, x: Any, *indices: Any, needs: Any, axes: tuple[int, ...]) -> list[Any]:
    return [apply(scatter_add, g, *indices, axes=axes, shape=x.shape)] + [None] * len(indices)


def _batch_positions(size: int, like: Any) -> Any:
    """Return indices into the batch axis, aligned with index arrays that have it first."""
    return ops.broadcast_to(ops.arange(size).reshape((size,) + (1,) * (like.ndim - 1)), like.shape)


def _batch_gather(operands: Sequence[Any], batched: Sequence[bool], size: int, axes: tuple[int, ...]) -> Any:
    x, *indices = operands
    if not any(batched[1:]):  # the batch axis is one of the rest, behind the indices' axes
        picked = apply(gather, x, *indices, axes=tuple(axis + 1 for axis in axes))
        return ops.moveaxis(picked, indices[0].ndim, 0)
    indices = [materialize(i, b, size) for i, b in zip(indices, batched[1:], strict=True)]
    if not batched[0]:
        return apply(gather, x, *indices, axes=axes)
    positions = _batch_positions(size, indices[0])
    return apply(gather, x, positions, *indices, axes=(0, *(axis + 1 for axis in axes)))


gather: Primitive = define(
    "gather", infer=_infer_gather, compute=_gather, vjp=_gather_vjp, batch=_batch_gather, saves="x"
)

# ---- scatter_add, the adjoint of gather: updates that meet at one place add up there


def _infer_scatter_add(updates: Aval, *indices: Aval, axes: tuple[int, ...], shape: Shape) -> Aval:
    expected = _picked_shape(shape, _check_indices("scatter_add", indices, axes), axes)
    if updates.shape != expected:
        raise ShapeError(f"'scatter_add' needs updates of shape {expected}, not {updates.shape}")
    return Aval(shape, updates.dtype)


def _scatter_add(updates: Array, *indices: Array, axes: tuple[int, ...], shape: Shape) -> Array:
    """Add up in the order of the updates, so that the bits are the same every time."""
    rest = _rest(len(shape), axes)
    if not rest:
        return _add_numbers(updates, [indices[axes.index(axis)] for axis in range(len(shape))], shape)
    _check_bounds(shape, indices, axes)
    indexed = tuple(shape[axis] for axis in axes)
    rest_shape = tuple(shape[axis] for axis in rest)
    result = np.zeros((math.prod(indexed), math.prod(rest_shape)), updates.dtype)
    if updates.size:
        # rows of updates: sort them by place, then sum each run
        wrapped = [np.where(i < 0, i + n, i).ravel() for i, n in zip(indices, indexed, strict=True)]
        places = np.ravel_multi_index(wrapped, indexed)
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        rows = updates.reshape(len(places), -1)[order]
        result[ordered[starts]] = np.add.reduceat(rows, starts, axis=0, dtype=updates.dtype)
    arranged = result.reshape(indexed + rest_shape)
    order_of_axes = axes + rest
    return arranged.transpose([order_of_axes.index(axis) for axis in range(len(shape))])


def _add_numbers(updates: Array, indices: list[Array], shape: Shape) -> Array:
    """Add each number at its place in zeros."""
    board = np.zeros(shape, updates.dtype)
    try:
        np.add.at(board, tuple(indices), updates)
    except IndexError:
        _check_bounds(shape, indices, tuple(range(len(shape))))
        raise
    return board


def _scatter_add_vjp(
    g: Any, y: Any, updates: Any, *indices: Any, needs: Any, axes: tuple[int, ...], shape: Shape
) -> list[Any]:
    return [apply(gather, g, *indices, axes=axes)] + [None] * len(indices)


def _batch_scatter_add(
    operands: Sequence[Any], batched: Sequence[bool], size: int, axes: tuple[int, ...], shape: Shape
) -> Any:
    updates, *indices = (materialize(x, b, size) for x, b in zip(operands, batched, strict=True))
    positions = _batch_positions(size, indices[0])
    later = tuple(axis + 1 for axis in axes)
    return apply(scatter_add, updates, positions, *indices, axes=(0, *later), shape=(size, *shape))


scatter_add: Primitive = define(
    "scatter_add",
    infer=_infer_scatter_add,
    compute=_scatter_add,
    vjp=_scatter_add_vjp,
    batch=_batch_scatter_add,
    saves="x",
)

# ---- scatter: a copy with some elements replaced; of several updates of one place the last wins


def _infer_scatter(x: Aval, updates: Aval, *indices: Aval, axes: tuple[int, ...]) -> Aval:
    expected = _picked_shape(x.shape, _check_indices("scatter", indices, axes), axes)
    if updates.shape != expected or updates.dtype != x.dtype:
        raise ShapeError(f"'scatter' needs updates {Aval(expected, x.dtype)}, not {updates}")
    return x


def _scatter(x: Array, updates: Array, *indices: Array, axes: tuple[int, ...]) -> Array:
    _check_bounds(x.shape, indices, axes)
    result = x.copy()
    _leading(result, axes)[indices] = updates
    return result


def _scatter_vjp(
    g: Any, y: Any, x: Any, updates: Any, *indices: Any, needs: Any, axes: tuple[int, ...]
) -> list[Any]:
    gradient_x = gradient_updates = None
    if needs[0]:
        gradient_x = apply(scatter, g, ops.zeros(updates.shape, g.dtype), *indices, axes=axes)
    if needs[1]:
        # number the updates and see which number each place ended up with: the overwritten get no gradient
        numbers = ops.arange(math.prod(indices[0].shape)).reshape(indices[0].shape)
        board = ops.zeros(tuple(x.shape[axis] for axis in axes), INT64)
        places = tuple(range(len(axes)))
        winners = apply(gather, apply(scatter, board, numbers, *indices, axes=places), *indices, axes=places)
        won = (winners == numbers).reshape(numbers.shape + (1,) * (updates.ndim - numbers.ndim))
        gradient_updates = ops.where(won, apply(gather, g, *indices, axes=axes), 0.0)
    return [gradient_x, gradient_updates] + [None] * len(indices)


def _batch_scatter(operands: Sequence[Any], batched: Sequence[bool], size: int, axes: tuple[int, ...]) -> Any:
    x, updates, *indices = (materialize(t, b, size) for t, b in zip(operands, batched, strict=True))
    positions = _batch_positions(size, indices[0])
    return apply(scatter, x, updates, positions, *indices, axes=(0, *(axis + 1 for axis in axes)))


scatter: Primitive = define(
    "scatter", infer=_infer_scatter, compute=_scatter, vjp=_scatter_vjp, batch=_batch_scatter, saves="x"
)

from slopewise.engine import ops  # noqa: E402  (gradient rules are written in ops, which are made of these rows)
