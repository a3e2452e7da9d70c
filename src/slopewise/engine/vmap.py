"""vmap: a function of one example becomes a function of a batch, by each primitive's batching rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Dtype, Shape, aval_of
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.mode import changed_mode, current_mode
from slopewise.engine.primitive import Primitive
from slopewise.engine.primitives.rules import materialize
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.tree import flatten, map_tree, unflatten


class Batched:
    """The buffer of a tensor that stands for one example of a batch, which is in `tensor`, on axis 0."""

    __slots__ = ("batch_level", "tensor")

    def __init__(self, tensor: Tensor, batch_level: int) -> None:
        self.tensor = tensor
        self.batch_level = batch_level

    @property
    def shape(self) -> Shape:
        return self.tensor.shape[1:]

    @property
    def dtype(self) -> Dtype:
        return self.tensor.dtype


def apply_batched(
    primitive: Primitive, operands: Sequence[Tensor], level: int, params: dict[str, Any]
) -> Any:
    """Apply a primitive to the whole batches behind its operands; return buffers."""
    primitive.infer(
        *[aval_of(operand._ref.buffer) for operand in operands], **params
    )  # speaks of one example
    inner: list[Tensor] = []
    batched: list[bool] = []
    size = 0
    for operand in operands:
        buffer = operand._ref.buffer
        if isinstance(buffer, Batched) and buffer.batch_level == level:
            inner.append(buffer.tensor)
            batched.append(True)
            size = buffer.tensor.shape[0]
        else:
            inner.append(operand)
            batched.append(False)
    result = primitive.batch(inner, batched, size, **params)
    if primitive.outputs == 1:
        return Batched(result, level)
    return tuple(Batched(part, level) for part in result)


def vmap(function: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """Return a function that applies `function` to each example of a batch, all at once.

    Parameters
    ----------
    function : takes tensors without the batch axis
    in_axes : which axis of the arguments is the batch: an int or None (not batched) for all, or a tuple or
        list with one per argument, each an int, None, or ints and None in the structure of the argument
    out_axes : where the batch axis goes in the results

    Returns
    -------
    callable

    Examples
    --------
    >>> import slopewise as sw
    >>> dot = lambda a, b: (a * b).sum()
    >>> sw.vmap(dot)(sw.tensor([[1.0, 2.0], [3.0, 4.0]]), sw.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor([1., 4.])
    """

    @wraps(function)
    def batched_function(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple | list) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise ArgumentError(f"vmap: in_axes names {len(axes)} arguments, but {len(args)} came")
        args = map_tree(lambda leaf: ops.as_tensor(leaf) if isinstance(leaf, np.ndarray) else leaf, args)
        leaves, structure = flatten(args)
        leaf_axes = [axis for arg, axis in zip(args, axes, strict=True) for axis in _spread(axis, arg)]
        size = _batch_size(leaves, leaf_axes)
        level = current_mode().level + 1
        with changed_mode(level=level):
            wrapped = [
                leaf if axis is None else wrap(ops.moveaxis(leaf, axis, 0), level)
                for leaf, axis in zip(leaves, leaf_axes, strict=True)
            ]
            result = function(*unflatten(structure, wrapped))
        outputs, result_structure = flatten(result)
        placed = [
            unwrap(output, level, size, out_axes) if isinstance(output, Tensor) else output
            for output in outputs
        ]
        return unflatten(result_structure, placed)

    return batched_function


def _spread(axis: Any, arg: Any) -> list[Any]:
    """Return an axis for each leaf of an argument."""
    leaves, structure = flatten(arg)
    if axis is None or isinstance(axis, int):
        return [axis if isinstance(leaf, Tensor) else None for leaf in leaves]
    axes, axes_structure = flatten(axis)
    if axes_structure != structure:
        raise ArgumentError(
            "vmap: an entry of in_axes must be an int, None, or have the structure of its argument"
        )
    return axes


def _batch_size(leaves: Sequence[Any], axes: Sequence[int | None]) -> int:
    sizes: dict[int, Shape] = {}
    for leaf, axis in zip(leaves, axes, strict=True):
        if axis is not None:
            if not -leaf.ndim <= axis < leaf.ndim:
                raise ShapeError(f"vmap: axis {axis} does not exist in an argument of shape {leaf.shape}")
            sizes[leaf.shape[axis]] = leaf.shape
    if not sizes:
        raise ArgumentError("vmap needs at least one tensor with a batch axis")
    if len(sizes) > 1:
        raise ShapeError(f"vmap: the batch axes have different sizes, {sorted(sizes)}")
    return next(iter(sizes))


def wrap(tensor: Tensor, level: int) -> Tensor:
    """Return a tensor that stands for one example of a batch on axis 0."""
    return Tensor._from_ref(Ref(Batched(tensor, level)))


def unwrap(tensor: Tensor, level: int, size: int, axis: int = 0) -> Tensor:
    """Return the whole batch behind a tensor of a level; what does not depend on the batch is repeated."""
    buffer = tensor._ref.buffer
    if isinstance(buffer, Batched) and buffer.batch_level == level:
        whole = buffer.tensor
    else:
        whole = materialize(tensor, False, size)
    return ops.moveaxis(whole, 0, axis) if axis else whole
