"""The matrix product, of stacks of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import DtypeError, ShapeError
from slopewise.engine.primitive import Primitive, apply, define
from slopewise.engine.primitives.rules import align_batched, check_kinds


def _oriented(shape: Shape, transposed: bool) -> tuple[int, int]:
    return (shape[-1], shape[-2]) if transposed else (shape[-2], shape[-1])


def _infer_matmul(a: Aval, b: Aval, transpose_a: bool, transpose_b: bool) -> Aval:
    check_kinds("matmul", a, "iufc")
    if a.dtype != b.dtype:
        raise DtypeError(f"matmul needs operands of one dtype, not {a.dtype} and {b.dtype}")
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ShapeError(f"matmul needs at least two axes on both sides, not shapes {a.shape} and {b.shape}")
    rows, inner = _oriented(a.shape, transpose_a)
    inner_b, columns = _oriented(b.shape, transpose_b)
    if inner != inner_b:
        seen = (*a.shape[:-2], rows, inner), (*b.shape[:-2], inner_b, columns)
        raise ShapeError(
            f"matmul cannot multiply {seen[0]} by {seen[1]}: the last axis of the first ({inner}) must be as "
            f"long as the second to last of the second ({inner_b})"
        )
    try:
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ShapeError(
            f"matmul cannot multiply {a.shape} by {b.shape}: before the last two axes, the stacks "
            f"{a.shape[:-2]} and {b.shape[:-2]} must have equal sizes or 1 at each place"
        ) from None
    return Aval((*stack, rows, columns), a.dtype)


def _matmul(a: Array, b: Array, transpose_a: bool, transpose_b: bool) -> Array:
    left = a.swapaxes(-1, -2) if transpose_a else a
    right = b.swapaxes(-1, -2) if transpose_b else b
    return np.asarray(np.matmul(left, right))


def _gradient_a(g: Any, y: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    if transpose_a:
        return apply(matmul, b, g, transpose_a=transpose_b, transpose_b=True)
    return apply(matmul, g, b, transpose_a=False, transpose_b=not transpose_b)


def _gradient_b(g: Any, y: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    if transpose_b:
        return apply(matmul, g, a, transpose_a=True, transpose_b=transpose_a)
    return apply(matmul, a, g, transpose_a=not transpose_a, transpose_b=False)


def _batch_matmul(operands: Sequence[Any], batched: Sequence[bool], size: int, **flags: bool) -> Any:
    ndim = max(x.ndim - is_batched for x, is_batched in zip(operands, batched, strict=True))
    aligned = [align_batched(x, ndim) if b else x for x, b in zip(operands, batched, strict=True)]
    return apply(matmul, *aligned, **flags)


matmul: Primitive = define(
    "matmul",
    infer=_infer_matmul,
    compute=_matmul,
    vjp=(_gradient_a, _gradient_b),
    batch=_batch_matmul,
    saves="x",
)
