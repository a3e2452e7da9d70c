"""Reductions over axes, running sums and products, and softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from slopewise.engine.aval import Axis, Shape
from slopewise.engine.ops.arrangement import expand_dims, squeeze
from slopewise.engine.ops.elementwise import (
    divide,
    equal,
    exp,
    isfinite,
    log,
    not_equal,
    sqrt,
    where,
)
from slopewise.engine.ops.promotion import as_tensor, astype, detach, floating
from slopewise.engine.primitive import Primitive, apply
from slopewise.engine.primitives import reductions
from slopewise.engine.primitives.rules import BOOL, INT64, normalize_axes, normalize_axis
from slopewise.engine.tensor import Tensor


def _reduce(row: Primitive, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    axes = normalize_axes(row.name, axis, x.ndim)
    result: Tensor = apply(row, x, axes=axes)
    return result.reshape(reductions.kept_shape(x.shape, axes)) if keepdims else result


def accumulator(x: Tensor, dtype: Any) -> Tensor:
    """Integers are added up in 64 bits."""
    if dtype is not None:
        return astype(x, dtype)
    if x.dtype.kind in "bi":
        return astype(x, INT64)
    return astype(x, np.uint64) if x.dtype.kind == "u" else x


def sum(x: Any, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes."""
    return _reduce(reductions.sum, accumulator(as_tensor(x), dtype), axis, keepdims)


def prod(x: Any, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes; its gradient is right with any number of zeros."""
    return _reduce(reductions.prod, accumulator(as_tensor(x), dtype), axis, keepdims)


def max(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the maximum over axes; ties share the gradient equally."""
    return _reduce(reductions.max, x, axis, keepdims)


def min(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the minimum over axes; ties share the gradient equally."""
    return _reduce(reductions.min, x, axis, keepdims)


def any(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether any element is true (not zero)."""
    x = as_tensor(x)
    return _reduce(reductions.any, x if x.dtype == BOOL else not_equal(x, 0), axis, keepdims)


def all(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Tell whether all elements are true (not zero)."""
    x = as_tensor(x)
    return _reduce(reductions.all, x if x.dtype == BOOL else not_equal(x, 0), axis, keepdims)


def count(shape: Shape, axis: Axis) -> int:
    """Return how many elements a reduction over axes combines."""
    return math.prod(shape[a] for a in normalize_axes("reduction", axis, len(shape)))


def mean(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the mean over axes; of no elements it is nan."""
    x = floating(as_tensor(x))
    if axis is None and not keepdims:
        return divide(apply(reductions.sum, x, axes=tuple(range(x.ndim))), float(x.size))
    return sum(x, axis, keepdims=keepdims) / float(count(x.shape, axis))


def var(x: Any, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over axes, divided by n - correction; nan if that is not positive."""
    x = floating(as_tensor(x))
    n = count(x.shape, axis)
    centred = x - mean(x, axis, keepdims=True)
    divisor = float(n - correction)
    return sum(centred * centred, axis, keepdims=keepdims) / (divisor if divisor > 0 else math.nan)


def std(x: Any, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over axes; its gradient is 0 where all elements are equal."""
    return safe_sqrt(var(x, axis, correction=correction, keepdims=keepdims))


def safe_sqrt(x: Tensor) -> Tensor:
    """Return the square root with the subgradient 0 at 0, for norms and deviations."""
    at_zero = equal(x, 0)
    return where(at_zero, 0.0, sqrt(where(at_zero, 1.0, x)))


def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first maximum along an axis, or in the flattened tensor."""
    return _arg(reductions.argmax, as_tensor(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return the place of the first minimum along an axis, or in the flattened tensor."""
    return _arg(reductions.argmin, as_tensor(x), axis, keepdims)


def _arg(row: Primitive, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if axis is None:
        result: Tensor = apply(row, x.reshape((-1,) if x.size else (0,)), axis=0)
        return result.reshape((1,) * x.ndim) if keepdims else result
    position = normalize_axis(row.name, axis, x.ndim)
    result = apply(row, x, axis=position)
    return expand_dims(result, position) if keepdims else result


def logsumexp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) without overflow; -inf, with gradient 0, where all elements are -inf."""
    x = floating(as_tensor(x))
    top = detach(max(x, axis, keepdims=True))
    total = sum(exp(x - where(isfinite(top), top, 0.0)), axis, keepdims=True)
    result = log(where(total == 0, 1.0, total)) + top  # a total of 0 would have an infinite slope
    return result if keepdims else squeeze(result, normalize_axes("logsumexp", axis, x.ndim))


def log_softmax(x: Any, axis: Axis = -1) -> Tensor:
    """Return log(softmax(x)) over axes, without overflow and without the loss of small probabilities."""
    x = floating(as_tensor(x))
    axes = normalize_axes("log_softmax", axis, x.ndim)
    return apply(reductions.log_softmax, x, axes=axes)  # type: ignore[no-any-return]


def softmax(x: Any, axis: Axis = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) over axes, without overflow."""
    logits = floating(as_tensor(x))
    if count(logits.shape, axis) == 0:
        return logits
    # the maximum is a constant to the gradient, as its own contributions cancel
    powers = exp(logits - detach(max(logits, axis, keepdims=True)))
    return powers / sum(powers, axis, keepdims=True)


def cumsum(x: Any, axis: int) -> Tensor:
    """Return the running sum along an axis."""
    x = as_tensor(x)
    return apply(reductions.cumsum, x, axis=normalize_axis("cumsum", axis, x.ndim))  # type: ignore[no-any-return]


def cumprod(x: Any, axis: int) -> Tensor:
    """Return the running product along an axis; its gradient is right with zeros too."""
    x = as_tensor(x)
    return apply(reductions.cumprod, x, axis=normalize_axis("cumprod", axis, x.ndim))  # type: ignore[no-any-return]
