"""The same elements, arranged, joined or repeated otherwise. Nothing here aliases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from slopewise.array.arguments import as_shape
from slopewise.engine import ops
from slopewise.engine.creation import wrap_array
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.ops import Axis
from slopewise.engine.primitives.rules import normalize_axes, normalize_axis
from slopewise.engine.tensor import Tensor

__all__ = [
    "broadcast_arrays",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "unstack",
]


def broadcast_arrays(*arrays: ArrayLike) -> list[Tensor]:
    """Return tensors repeated to their common shape.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> [x.shape for x in xp.broadcast_arrays(xp.ones((2, 1)), xp.ones(3))]
    [(2, 3), (2, 3)]
    """
    tensors = [ops.as_tensor(array) for array in arrays]
    return [ops.positive(x) for x in ops.broadcast_together(*tensors)] if tensors else []


def broadcast_to(x: ArrayLike, /, shape: Sequence[int]) -> Tensor:
    """Return the tensor repeated along new axes and along axes of size 1; its gradient sums over them.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.broadcast_to(sw.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    result = ops.broadcast_to(ops.as_tensor(x), as_shape(shape))
    return ops.positive(result) if result is x else result


def concat(arrays: Sequence[ArrayLike], /, *, axis: int | None = 0) -> Tensor:
    """Join tensors along an axis that they have; with axis None they are flattened first.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.concat([xp.zeros(2), xp.ones(1)])
    tensor([0., 0., 1.])
    """
    if axis is None:
        return ops.concatenate([_flattened(array) for array in arrays])
    return ops.concatenate(list(arrays), axis)


def _flattened(x: ArrayLike) -> Tensor:
    x = ops.as_tensor(x)
    return ops.reshape(x, (x.size,))


def expand_dims(x: ArrayLike, /, axis: int | Sequence[int] = 0) -> Tensor:
    """Return the tensor with axes of size 1 inserted, so that they have the given positions in the result.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.expand_dims(xp.ones(3), -1).shape
    (3, 1)
    """
    x = ops.as_tensor(x)
    inserted = 1 if isinstance(axis, int | np.integer) else len(axis)
    positions = normalize_axes("expand_dims", axis, x.ndim + inserted)
    sizes = iter(x.shape)
    return x.reshape(tuple(1 if a in positions else next(sizes) for a in range(x.ndim + inserted)))


def squeeze(x: ArrayLike, /, axis: Axis = None) -> Tensor:
    """Return the tensor without the given axes of size 1, without all such axes by default.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.squeeze(xp.ones((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    return ops.squeeze(ops.as_tensor(x), axis)


def flip(x: ArrayLike, /, *, axis: Axis = None) -> Tensor:
    """Return the tensor with the order of elements reversed along axes, along all by default.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.flip(sw.tensor([1, 2, 3]))
    tensor([3, 2, 1])
    """
    return ops.flip(ops.as_tensor(x), axis)


def moveaxis(x: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """Return the tensor with some axes moved and the others in their order.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.moveaxis(xp.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return ops.moveaxis(ops.as_tensor(x), source, destination)


def swapaxes(x: ArrayLike, axis1: int, axis2: int, /) -> Tensor:
    """Return the tensor with two axes exchanged.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.swapaxes(xp.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = ops.as_tensor(x)
    for axis in (axis1, axis2):
        normalize_axes("swapaxes", axis, x.ndim)
    return ops.swapaxes(x, axis1, axis2)


def permute_dims(x: ArrayLike, /, axes: Sequence[int]) -> Tensor:
    """Return the tensor with its axes in another order.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.permute_dims(xp.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = ops.as_tensor(x)
    for axis in axes:
        normalize_axes("permute_dims", axis, x.ndim)
    return ops.transpose(x, axes)


def reshape(x: ArrayLike, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """Return the same elements in another shape.

    Parameters
    ----------
    x : Tensor
    shape : the size of each axis; one may be -1, and is then worked out
    copy : the result never aliases, so that each value does the same

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.reshape(xp.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return ops.reshape(ops.as_tensor(x), as_shape(shape, least=-1))


def stack(arrays: Sequence[ArrayLike], /, *, axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.stack([xp.zeros(2), xp.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    return ops.stack(list(arrays), axis)


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices along an axis, without that axis.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.unstack(xp.arange(2))
    (tensor(0), tensor(1))
    """
    x = ops.as_tensor(x)
    position = normalize_axis("unstack", axis, x.ndim)
    lead = (slice(None),) * position
    return tuple(x[(*lead, index)] for index in range(x.shape[position]))


def split(x: ArrayLike, indices_or_sections: int | Sequence[int], /, *, axis: int = 0) -> list[Tensor]:
    """Cut the tensor into parts along an axis (NumPy's convention).

    Parameters
    ----------
    x : Tensor
    indices_or_sections : into how many equal parts; or the places where each part but the first begins
    axis : the axis to cut

    Raises
    ------
    ShapeError
        If the axis cannot be cut into that many equal parts.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.split(xp.arange(4), 2)
    [tensor([0, 1]), tensor([2, 3])]
    >>> xp.split(xp.arange(4), [1])
    [tensor([0]), tensor([1, 2, 3])]
    """
    x = ops.as_tensor(x)
    position = normalize_axis("split", axis, x.ndim)
    size = x.shape[position]
    if isinstance(indices_or_sections, int | np.integer):
        parts = int(indices_or_sections)
        if parts <= 0 or size % parts:
            raise ShapeError(f"split cannot cut axis {position} of size {size} into {parts} equal parts")
        places = [size // parts * part for part in range(1, parts)]
    else:
        places = [int(place) for place in indices_or_sections]
    lead = (slice(None),) * position
    bounds = zip([0, *places], [*places, size], strict=True)
    return [x[(*lead, slice(start, stop))] for start, stop in bounds]


def repeat(x: ArrayLike, repeats: int | ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Return the tensor with each element repeated.

    Parameters
    ----------
    x : Tensor
    repeats : how often; one number, or one for each place along the axis (whose values must be known: not
        in a traced function)
    axis : the axis along which to repeat; by default the tensor is flattened first

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.repeat(xp.arange(3), 2)
    tensor([0, 0, 1, 1, 2, 2])
    """
    x = _flattened(x) if axis is None else ops.as_tensor(x)
    position = normalize_axis("repeat", 0 if axis is None else axis, x.ndim)
    size = x.shape[position]
    if isinstance(repeats, Tensor):
        counts = repeats._array("repeat with a tensor of repeats")
    else:
        counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise DtypeError(f"repeat needs integer repeats, not {counts.dtype}")
    if counts.shape not in ((), (1,), (size,)):
        raise ShapeError(f"repeat needs one number or {size} of them, one for each place, not {counts.shape}")
    if counts.size and counts.min() < 0:
        raise ArgumentError(f"repeat cannot repeat {counts.min()} times")
    if counts.size == 1:
        return _repeat_evenly(x, int(counts.reshape(())), position)
    places = np.repeat(np.arange(size), counts)
    return x[(*(slice(None),) * position, wrap_array(places.astype(np.int64)))]


def _repeat_evenly(x: Tensor, count: int, axis: int) -> Tensor:
    lead, size, rest = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    spread = ops.broadcast_to(x.reshape((*lead, size, 1, *rest)), (*lead, size, count, *rest))
    return spread.reshape((*lead, size * count, *rest))


def tile(x: ArrayLike, repetitions: int | Sequence[int], /) -> Tensor:
    """Return copies of the tensor side by side.

    Parameters
    ----------
    x : Tensor
    repetitions : how often along each axis, the last one last

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.tile(xp.arange(2), (2, 2))
    tensor([[0, 1, 0, 1],
            [0, 1, 0, 1]])
    """
    x = ops.as_tensor(x)
    counts = [repetitions] if isinstance(repetitions, int | np.integer) else [int(n) for n in repetitions]
    if any(count < 0 for count in counts):
        raise ArgumentError(f"tile cannot repeat a negative number of times: {tuple(counts)}")
    ndim = max(x.ndim, len(counts))
    counts = [1] * (ndim - len(counts)) + counts
    sizes = (1,) * (ndim - x.ndim) + x.shape
    interleaved = tuple(part for size in sizes for part in (1, size))
    wanted = tuple(part for pair in zip(counts, sizes, strict=True) for part in pair)
    spread = ops.broadcast_to(x.reshape(interleaved), wanted)
    return spread.reshape(tuple(count * size for count, size in zip(counts, sizes, strict=True)))


def roll(x: ArrayLike, /, shift: int | Sequence[int], *, axis: Axis = None) -> Tensor:
    """Return the tensor with its elements shifted; what leaves at one end comes in at the other.

    Parameters
    ----------
    x : Tensor
    shift : by how many places, a number or one for each axis
    axis : the axes; by default the tensor is flattened, shifted and given its shape back

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.roll(xp.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    x = ops.as_tensor(x)
    if axis is None:
        if not isinstance(shift, int | np.integer):
            raise ArgumentError("roll needs one shift where no axis is given")
        return _roll(_flattened(x), int(shift), 0).reshape(x.shape)
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int | np.integer) else tuple(shift)
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll got {len(shifts)} shifts for {len(axes)} axes")
    for one_axis, one_shift in zip(axes, shifts, strict=True):
        x = _roll(x, int(one_shift), normalize_axis("roll", one_axis, x.ndim))
    return x if axes else ops.positive(x)


def _roll(x: Tensor, shift: int, axis: int) -> Tensor:
    size = x.shape[axis]
    place = -shift % size if size else 0
    lead = (slice(None),) * axis
    return ops.concatenate([x[(*lead, slice(place, None))], x[(*lead, slice(0, place))]], axis)
