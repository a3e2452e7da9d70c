"""Creation, and the same elements arranged otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from slopewise.engine.aval import Axis, Shape
from slopewise.engine.creation import DEFAULT_FLOAT, full, wrap_array
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.ops.elementwise import where
from slopewise.engine.ops.promotion import as_tensor, promote
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import shapes
from slopewise.engine.primitives.indexed import gather as gather_row
from slopewise.engine.primitives.rules import broadcast_shapes, normalize_axes, normalize_axis
from slopewise.engine.tensor import Tensor


def ones(shape: Shape, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Return a tensor of ones."""
    return full(shape, 1, dtype)


def arange(start: int, stop: int | None = None, step: int = 1) -> Tensor:
    """Return the integers of a range, int64."""
    first, last = (0, start) if stop is None else (start, stop)
    return wrap_array(np.arange(first, last, step, dtype=np.int64))


def eye(n: int, dtype: Any = DEFAULT_FLOAT) -> Tensor:
    """Return the n by n identity matrix."""
    return wrap_array(np.eye(n, dtype=dtype))


def tril(x: Tensor, k: int = 0) -> Tensor:
    """Return the lower triangle of matrices, zero elsewhere."""
    mask = wrap_array(np.tri(x.shape[-2], x.shape[-1], k, dtype=np.bool_))
    return where(mask, x, False if x.dtype.kind == "b" else 0)


def triu(x: Tensor, k: int = 0) -> Tensor:
    """Return the upper triangle of matrices, zero elsewhere."""
    mask = wrap_array(~np.tri(x.shape[-2], x.shape[-1], k - 1, dtype=np.bool_))
    return where(mask, x, False if x.dtype.kind == "b" else 0)


def reshape(x: Tensor, shape: int | Sequence[int]) -> Tensor:
    """Return the same elements in another shape; one size may be -1."""
    sizes = _sizes(shape)
    if [size for size in sizes if size < -1]:
        raise ShapeError(f"cannot reshape {x.shape} to {sizes}: sizes are not negative, but for one -1")
    if -1 in sizes:
        known = math.prod(size for size in sizes if size != -1)
        if sizes.count(-1) > 1 or known == 0 or x.size % known:
            raise ShapeError(f"cannot reshape {x.shape} ({x.size} elements) to {sizes}")
        sizes = tuple(x.size // known if size == -1 else size for size in sizes)
    return apply(shapes.reshape, x, shape=sizes)  # type: ignore[no-any-return]


def _sizes(shape: Any) -> Shape:
    """Return a shape as a tuple of Python integers."""
    try:
        return (index(shape),) if isinstance(shape, int | np.integer) else tuple(map(index, shape))
    except TypeError:
        raise ShapeError(f"a shape is an integer or a sequence of integers, not {shape!r}") from None


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Return the tensor with its axes permuted, reversed by default."""
    order = tuple(range(x.ndim))[::-1]
    if axes is not None:
        order = tuple([axis + x.ndim if -x.ndim <= axis < 0 else int(axis) for axis in axes])
    return apply(shapes.transpose, x, axes=order)  # type: ignore[no-any-return]


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return the tensor with some axes moved and the others in their order."""
    sources = [source] if isinstance(source, int) else list(source)
    destinations = [destination] if isinstance(destination, int) else list(destination)
    if len(sources) != len(destinations):
        raise ShapeError(f"moveaxis needs as many sources as destinations, not {sources} and {destinations}")
    for axis in (*sources, *destinations):
        normalize_axes("moveaxis", axis, x.ndim)
    moved = {d % x.ndim: s % x.ndim for s, d in zip(sources, destinations, strict=True)}
    if len(moved) != len(sources) or len(set(moved.values())) != len(sources):
        raise ShapeError(f"moveaxis names one axis twice: {sources} and {destinations}")
    rest = iter(axis for axis in range(x.ndim) if axis not in moved.values())
    return transpose(x, [moved[axis] if axis in moved else next(rest) for axis in range(x.ndim)])


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Return the tensor with two axes exchanged."""
    order = list(range(x.ndim))
    first, second = (normalize_axis("swapaxes", axis, x.ndim) for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return transpose(x, order)


def broadcast_to(x: Tensor, shape: Shape) -> Tensor:
    """Return the tensor repeated along new axes and along axes of size 1."""
    shape = tuple(shape)
    return x if x.shape == shape else apply(shapes.broadcast_to, x, shape=shape)


def broadcast_together(*tensors: Tensor) -> list[Tensor]:
    """Return tensors broadcast to their common shape."""
    shape = broadcast_shapes("broadcast", *[t.shape for t in tensors])
    return [broadcast_to(t, shape) for t in tensors]


def expand_dims(x: Tensor, axis: int) -> Tensor:
    """Return the tensor with an axis of size 1 inserted."""
    position = normalize_axis("expand_dims", axis, x.ndim + 1)
    return x.reshape((*x.shape[:position], 1, *x.shape[position:]))


def squeeze(x: Tensor, axis: Axis = None) -> Tensor:
    """Return the tensor without the given axes of size 1, all of them by default."""
    if axis is None:
        axes: tuple[int, ...] = tuple(a for a, size in enumerate(x.shape) if size == 1)
    else:
        axes = normalize_axes("squeeze", axis, x.ndim)
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(f"cannot squeeze axis {a} of shape {x.shape}: its size is {x.shape[a]}, not 1")
    return x.reshape(tuple(size for a, size in enumerate(x.shape) if a not in axes))


def flip(x: Tensor, axis: Axis = None) -> Tensor:
    """Return the tensor with the order of elements reversed along axes, all by default."""
    return apply(shapes.flip, x, axes=normalize_axes("flip", axis, x.ndim))  # type: ignore[no-any-return]


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors along an axis that they have."""
    if not tensors:
        raise ArgumentError("concat needs at least one tensor")
    promoted = promote(*tensors)
    position = normalize_axis("concat", axis, promoted[0].ndim)
    return apply(shapes.concatenate, *promoted, axis=position)  # type: ignore[no-any-return]


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis."""
    if not tensors:
        raise ArgumentError("stack needs at least one tensor")
    promoted = promote(*tensors)
    for t in promoted:
        if t.shape != promoted[0].shape:
            raise ShapeError(f"stack needs tensors of one shape, not {promoted[0].shape} and {t.shape}")
    return concatenate([expand_dims(t, axis) for t in promoted], axis)


def stack_nested(data: Any) -> Tensor:
    """Stack nested lists that hold tensors and numbers."""
    if isinstance(data, list | tuple):
        return stack([stack_nested(part) for part in data])
    return as_tensor(data)


def gather(x: Tensor, *indices: Tensor) -> Tensor:
    """Return the elements at int64 indices into the first axes; the indices have one shape."""
    return apply(gather_row, x, *indices, axes=tuple(range(len(indices))))  # type: ignore[no-any-return]
