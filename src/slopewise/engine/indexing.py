"""`x[key]` and `x[key] = value`: NumPy's indexing, in primitives. Nothing here ever aliases."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import as_array, wrap_array
from slopewise.engine.errors import (
    ArgumentError,
    AxisError,
    DtypeError,
    IndexOutOfRange,
    ShapeError,
    TraceError,
)
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import indexed, shapes
from slopewise.engine.primitives.rules import BOOL, INT64
from slopewise.engine.tensor import Tensor
from slopewise.engine.tree import flatten


def get(x: Tensor, key: Any) -> Tensor:
    """Return x[key]."""
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = [_as_index(part) if isinstance(part, list) else part for part in parts]
    if any(map(_is_truth, parts)):
        x, parts = _lift_truths(x, parts)
    entries = _expand(x, parts)
    if any(isinstance(entry, Tensor) for entry in entries):
        # NumPy counts an integer beside index arrays as one of them
        entries = [_constant_index(entry) if isinstance(entry, int) else entry for entry in entries]
    y = _slice(x, [entry for entry in entries if entry is not None])
    y, places = _arrange(y, entries)
    return _pick(y, entries, places) if places else y


def put(x: Tensor, key: Any, value: Any) -> Tensor:
    """Return a copy of x with x[key] replaced; `value` broadcasts to what the key picks."""
    value = ops.stored(value, x.dtype)
    mask = _single_mask(key)
    if mask is not None and value.size == 1 and mask.shape == x.shape[: mask.ndim]:
        spread = mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim))
        return ops.where(spread, value.reshape(()), x)
    places = get(ops.arange(x.size).reshape(x.shape), key)
    try:
        updates = ops.broadcast_to(value, places.shape)
    except ShapeError:
        extra = value.ndim - places.ndim
        if extra > 0 and value.shape[:extra] == (1,) * extra:
            updates = ops.broadcast_to(value.reshape(value.shape[extra:]), places.shape)
        else:
            raise ShapeError(
                f"cannot assign a value of shape {value.shape} to a place of shape {places.shape}"
            ) from None
    flat: Tensor = apply(
        indexed.scatter,
        x.reshape((x.size,)),
        updates.reshape((places.size,)),
        places.reshape((places.size,)),
        axes=(0,),
    )
    return flat.reshape(x.shape)


def _single_mask(key: Any) -> Tensor | None:
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if isinstance(key, Tensor) and key.dtype == BOOL:
        return key
    if isinstance(key, bool | np.bool_) or (isinstance(key, np.ndarray) and key.dtype == BOOL):
        return ops.as_tensor(key)
    return None


def _as_index(part: list[Any]) -> Tensor | np.ndarray[Any, Any]:
    """Turn a list into an array, or into a tensor if it holds tensors."""
    if any(isinstance(leaf, Tensor) for leaf in flatten(part)[0]):
        return ops.as_tensor(part)
    array = as_array(part)
    return array if array.size else array.astype(np.int64)


def _is_truth(part: Any) -> bool:
    """Tell whether a part of an index is a single True or False."""
    if isinstance(part, bool | np.bool_):
        return True
    return isinstance(part, Tensor | np.ndarray) and part.dtype == BOOL and part.ndim == 0


def _lift_truths(x: Tensor, parts: list[Any]) -> tuple[Tensor, list[Any]]:
    """Turn each single True or False into an index, of one element or of none, along a new axis of size 1."""
    hidden = max(x.ndim - sum(_axes_used(part) for part in parts), 0)
    shape: list[int] = []
    lifted: list[Any] = []
    axis = 0
    for part in parts:
        if _is_truth(part):
            shape.append(1)
            lifted.append(wrap_array(np.arange(_truth(part), dtype=np.int64)))
        else:
            stop = axis + (hidden if part is Ellipsis else _axes_used(part))
            shape += x.shape[axis:stop]
            axis = stop
            lifted.append(part)
    return x.reshape((*shape, *x.shape[axis:])), lifted


def _truth(part: Any) -> bool:
    if isinstance(part, Tensor) and not isinstance(part._ref.buffer, np.ndarray):
        raise _mask_error()
    return bool(part)


def _constant_index(value: int) -> Tensor:
    return wrap_array(np.asarray(value, np.int64))


def _expand(x: Tensor, parts: list[Any]) -> list[Any]:
    """Return an entry per axis of x (slice, int, or int64 Tensor), with None for new axes between them."""
    entries: list[Any] = []
    used = sum(_axes_used(part) for part in parts)
    if used > x.ndim:
        raise AxisError(f"too many indices: {used} for a tensor of shape {x.shape}")
    if sum(part is Ellipsis for part in parts) > 1:
        raise ArgumentError("an index can hold only one ellipsis (...)")
    if not any(part is Ellipsis for part in parts):
        parts = [*parts, Ellipsis]
    for part in parts:
        axis = sum(entry is not None for entry in entries)
        if part is Ellipsis:
            entries += [slice(None)] * (x.ndim - used)
        elif part is None or isinstance(part, slice):
            entries.append(part)
        elif isinstance(part, int | np.integer):
            entries.append(_checked(int(part), axis, x.shape[axis]))
        else:
            entries += _index_tensors(x, part, axis)
    return entries


def _axes_used(part: Any) -> int:
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    dtype = getattr(part, "dtype", None)
    return part.ndim if dtype is not None and dtype.kind == "b" else 1


def _checked(index: int, axis: int, size: int) -> int:
    if not -size <= index < size:
        raise IndexOutOfRange(f"index {index} is out of range for axis {axis} of size {size}")
    return index % size


def _index_tensors(x: Tensor, part: Any, axis: int) -> list[Tensor]:
    if isinstance(part, np.ndarray) and part.dtype == BOOL:  # a constant, whose value is known in a trace too
        _check_mask(x, part, axis)
        return [wrap_array(places.astype(np.int64)) for places in part.nonzero()]
    index = ops.as_tensor(part)
    if index.dtype == BOOL:
        _check_mask(x, index, axis)
        buffer = index._ref.buffer
        if not isinstance(buffer, np.ndarray):
            raise _mask_error()
        return [wrap_array(places.astype(np.int64)) for places in buffer.nonzero()]
    if index.dtype.kind not in "iu":
        raise DtypeError(f"an index must be integer or boolean, not {index.dtype}")
    return [index.astype(INT64)]


def _mask_error() -> TraceError:
    from slopewise.engine.trace import user_line

    return TraceError(
        "indexing with a mask has a shape that depends on the data, which a traced function cannot have; "
        f"use where(mask, x, 0) or assign a scalar with x[mask] = value, at {user_line()}"
    )


def _check_mask(x: Tensor, mask: Tensor | np.ndarray[Any, Any], axis: int) -> None:
    sizes = x.shape[axis : axis + mask.ndim]
    # an axis of size 0 fits any, by the Array API standard: such a mask picks nothing
    if len(sizes) < mask.ndim or any(m not in (n, 0) for m, n in zip(mask.shape, sizes, strict=True)):
        raise AxisError(f"a mask of shape {mask.shape} does not fit axes {axis}... of shape {x.shape}")


def _slice(x: Tensor, per_axis: list[Any]) -> Tensor:
    """Take the slices and the integers; integers leave an axis of size 1."""
    starts, stops, steps, flipped = [], [], [], []
    for axis, (entry, size) in enumerate(zip(per_axis, x.shape, strict=True)):
        if isinstance(entry, int):
            start, stop, step = entry, entry + 1, 1
        elif isinstance(entry, slice):
            if entry.step == 0:
                raise ArgumentError("the step of a slice cannot be 0")
            start, stop, step = entry.indices(size)
            if step < 0:
                length = len(range(start, stop, step))
                start, stop, step = start + (length - 1) * step, start + 1, -step
                flipped.append(axis)
                if length == 0:
                    start, stop, step = 0, 0, 1
            elif stop <= start:
                start, stop, step = 0, 0, 1
        else:
            start, stop, step = 0, size, 1
        starts.append(start)
        stops.append(stop)
        steps.append(step)
    if starts != [0] * x.ndim or stops != list(x.shape) or steps != [1] * x.ndim:
        x = apply(shapes.slice_, x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))
    return ops.flip(x, tuple(flipped)) if flipped else x


def _arrange(y: Tensor, entries: list[Any]) -> tuple[Tensor, list[int]]:
    """Drop the axes of integers, insert the new ones; return also where the axes to gather from are."""
    sizes: list[int] = []
    places: list[int] = []
    axis = 0
    for entry in entries:
        if entry is None:
            sizes.append(1)
            continue
        if isinstance(entry, Tensor):
            places.append(len(sizes))
        if not isinstance(entry, int):
            sizes.append(y.shape[axis])
        axis += 1
    return ops.reshape(y, tuple(sizes)), places


def _pick(y: Tensor, entries: list[Any], places: list[int]) -> Tensor:
    indices = ops.broadcast_together(*[entry for entry in entries if isinstance(entry, Tensor)])
    picked: Tensor = apply(indexed.gather, y, *indices, axes=tuple(places))
    adjacent = places == list(range(places[0], places[0] + len(places)))
    ndim = indices[0].ndim
    if adjacent and places[0] and ndim:
        # the indices' axes stand where the indexed ones were, unless something separates those
        return ops.moveaxis(picked, tuple(range(ndim)), tuple(range(places[0], places[0] + ndim)))
    return picked
