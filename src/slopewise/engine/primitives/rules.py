"""Shape, dtype and batching rules that many rows share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Aval, Dtype, Shape
from slopewise.engine.errors import ArgumentError, AxisError, DtypeError, ShapeError

if TYPE_CHECKING:
    from slopewise.engine.primitive import Primitive
    from slopewise.engine.tensor import Tensor

BOOL = np.dtype(np.bool_)
INT64 = np.dtype(np.int64)

KIND_NAMES = {"b": "boolean", "i": "integer", "u": "unsigned integer", "f": "floating", "c": "complex"}


def check_kinds(name: str, aval: Aval, kinds: str) -> None:
    """Raise DtypeError unless the dtype is of one of the kinds."""
    if aval.dtype.kind not in kinds:
        wanted = " or ".join(KIND_NAMES[kind] for kind in kinds)
        article = "an" if wanted[0] in "iu" else "a"
        raise DtypeError(f"'{name}' needs {article} {wanted} tensor, not {aval.dtype}")


def broadcast_shapes(name: str, *shapes: Shape) -> Shape:
    """Return the shape that shapes broadcast to, or raise an error that names them all."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ShapeError(
            f"'{name}' cannot combine shapes {listed}: aligned at the right, each pair of sizes must be "
            "equal or one of them 1"
        ) from None


def elementwise(name: str, kinds: str, result: Dtype | None = None) -> Callable[..., Aval]:
    """Return the rule of an elementwise primitive: operands of one dtype, shapes that broadcast."""

    def infer(*avals: Aval, **params: Any) -> Aval:
        first = avals[0]
        for aval in avals:
            check_kinds(name, aval, kinds)
            if aval.dtype != first.dtype:
                raise DtypeError(f"'{name}' needs operands of one dtype, not {first.dtype} and {aval.dtype}")
        shape = first.shape if len(avals) == 1 else broadcast_shapes(name, *[aval.shape for aval in avals])
        return Aval(shape, result or first.dtype)

    return infer


def batch_elementwise(primitive: str) -> Callable[..., Any]:
    """Return the batching rule of an elementwise primitive: batched operands get room for other axes."""

    def batch(operands: Sequence[Tensor], batched: Sequence[bool], size: int, **params: Any) -> Any:
        from slopewise.engine.primitive import TABLE, apply

        ndim = max(operand.ndim - is_batched for operand, is_batched in zip(operands, batched, strict=True))
        aligned = [
            align_batched(operand, ndim) if is_batched else operand
            for operand, is_batched in zip(operands, batched, strict=True)
        ]
        return apply(TABLE[primitive], *aligned, **params)

    return batch


def align_batched(operand: Tensor, ndim: int) -> Tensor:
    """Insert axes of size 1 after the batch axis, so that the rest has `ndim` axes."""
    missing = ndim + 1 - operand.ndim
    if missing <= 0:
        return operand
    return operand.reshape((operand.shape[0],) + (1,) * missing + operand.shape[1:])


def materialize(operand: Tensor, batched: bool, size: int) -> Tensor:
    """Return an operand with the batch on axis 0, repeated if it has none."""
    from slopewise.engine import ops

    return operand if batched else ops.broadcast_to(operand, (size, *operand.shape))


def batch_by_loop(primitive: str) -> Callable[..., Any]:
    """Return a batching rule that applies the primitive to each example in turn, for rare host primitives."""

    def batch(operands: Sequence[Tensor], batched: Sequence[bool], size: int, **params: Any) -> Any:
        from slopewise.engine import ops
        from slopewise.engine.primitive import TABLE, apply

        row: Primitive = TABLE[primitive]
        if size == 0:
            avals = [Aval(op.shape[is_b:], op.dtype) for op, is_b in zip(operands, batched, strict=True)]
            inferred = row.infer(*avals, **params)
            empty = [
                ops.zeros((0, *y.shape), y.dtype) for y in ((inferred,) if row.outputs == 1 else inferred)
            ]
            return empty[0] if row.outputs == 1 else tuple(empty)
        results = [
            apply(row, *[op[i] if is_b else op for op, is_b in zip(operands, batched, strict=True)], **params)
            for i in range(size)
        ]
        if row.outputs == 1:
            return ops.stack(results)
        return tuple(ops.stack(list(parts)) for parts in zip(*results, strict=True))

    return batch


def normalize_axis(name: str, axis: int, ndim: int) -> int:
    """Return one axis as a non-negative number."""
    try:
        position = index(axis)
    except TypeError:
        raise ArgumentError(f"'{name}' takes one axis, a whole number, not {axis!r}") from None
    if not -ndim <= position < ndim:
        raise AxisError(f"'{name}': axis {position} does not exist in a tensor with {ndim} axes")
    return position % ndim


def normalize_axes(name: str, axes: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return axes as sorted non-negative numbers; None means all."""
    if axes is None:
        return tuple(range(ndim))
    try:
        listed = (axes,) if isinstance(axes, int | np.integer) else tuple(map(index, axes))
    except TypeError:
        raise ArgumentError(f"'{name}': an axis is a whole number, not {axes!r}") from None
    normal = []
    for axis in listed:
        if not -ndim <= axis < ndim:
            raise AxisError(f"'{name}': axis {axis} does not exist in a tensor with {ndim} axes")
        normal.append(int(axis) % ndim)
    if len(set(normal)) != len(normal):
        raise ShapeError(f"'{name}': axes {listed} name one axis twice")
    return tuple(sorted(normal))
