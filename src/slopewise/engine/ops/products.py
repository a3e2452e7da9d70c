"""Matrix products."""

from __future__ import annotations

from typing import Any

from slopewise.engine.errors import ShapeError
from slopewise.engine.ops.arrangement import expand_dims, squeeze
from slopewise.engine.ops.promotion import astype, promote
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import elementwise as rows
from slopewise.engine.primitives.matrix import matmul as matmul_row
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor


def matmul(x1: Any, x2: Any, /) -> Tensor:
    """Return the matrix product; operands with one axis are vectors, more than two are stacks of matrices."""
    a, b = promote(x1, x2)
    if a.dtype.kind == "b":
        a, b = astype(a, INT64), astype(b, INT64)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul needs tensors with at least one axis, not shapes {a.shape} and {b.shape}")
    if a.ndim > 1 and b.ndim > 1:
        return _matrix_product(a, b)
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(f"matmul cannot multiply {a.shape} by {b.shape}: the inner sizes differ")
    rows_of_a = a if a.ndim > 1 else expand_dims(a, 0)
    columns_of_b = b if b.ndim > 1 else expand_dims(b, 1)
    result = _matrix_product(rows_of_a, columns_of_b)
    if b.ndim == 1:
        result = squeeze(result, -1)
    return result if a.ndim > 1 else squeeze(result, -1 if b.ndim == 1 else -2)


def _matrix_product(a: Tensor, b: Tensor, transpose_b: bool = False) -> Tensor:
    return apply(matmul_row, a, b, transpose_a=False, transpose_b=transpose_b)  # type: ignore[no-any-return]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x @ weight.T + bias, for a weight of shape (out, in)."""
    if x.shape[-1:] != weight.shape[1:]:
        raise ShapeError(
            f"a linear layer with weight {weight.shape} (out, in) needs {weight.shape[1]} features in the "
            f"last axis, not shape {x.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"a linear layer with weight {weight.shape} (out, in) needs a bias of shape {weight.shape[:1]}, "
            f"not {bias.shape}"
        )
    rows_of_x = x if x.ndim > 1 else expand_dims(x, 0)
    product = _matrix_product(rows_of_x, weight, transpose_b=True)
    if bias is not None:
        product = apply(rows.add, product, bias)
    return product if x.ndim > 1 else squeeze(product, 0)
