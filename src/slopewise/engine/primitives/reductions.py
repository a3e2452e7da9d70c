"""Reductions over axes, and cumulative sums and products along one. `axes` are sorted and non-negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from slopewise.engine import special
from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import ShapeError
from slopewise.engine.primitive import Primitive, Rule, apply, define
from slopewise.engine.primitives.rules import BOOL, INT64, check_kinds


def kept_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape with the reduced axes kept as size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def reduced_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape without the reduced axes."""
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _infer(name: str, kinds: str, result: Any = None, needs_elements: bool = False) -> Rule:
    def infer(x: Aval, axes: tuple[int, ...]) -> Aval:
        check_kinds(name, x, kinds)
        if needs_elements and 0 in [x.shape[axis] for axis in axes]:
            raise ShapeError(f"'{name}' of no elements is not defined: shape {x.shape}, axes {axes}")
        return Aval(reduced_shape(x.shape, axes), result or x.dtype)

    return infer


def _batch(name: str) -> Rule:
    def batch(operands: Any, batched: Any, size: int, axes: tuple[int, ...]) -> Any:
        from slopewise.engine.primitive import TABLE

        return apply(TABLE[name], operands[0], axes=tuple(axis + 1 for axis in axes))

    return batch


def _row(
    name: str,
    kinds: str,
    compute: Callable[..., Any],
    vjp: Rule | None,
    *,
    saves: str = "",
    result: Any = None,
    needs_elements: bool = False,
) -> Primitive:
    return define(
        name,
        infer=_infer(name, kinds, result, needs_elements),
        compute=compute,
        vjp=None if vjp is None else (vjp,),
        batch=_batch(name),
        saves=saves,
    )


def _sum_vjp(g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    if axes != tuple(range(len(axes))):  # axes in front are there for the broadcast to add
        g = g.reshape(kept_shape(x.shape, axes))
    return ops.broadcast_to(g, x.shape)


def _extremum_vjp(g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    kept = kept_shape(x.shape, axes)
    hit = (x == y.reshape(kept)).astype(g.dtype)
    ties = apply(sum, hit, axes=axes)
    return hit * (g / ops.where(ties == 0, 1.0, ties)).reshape(kept)


def _prod_vjp(g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """The product of all others, from the left and from the right, so that zeros do no harm."""
    rest = tuple(axis for axis in range(x.ndim) if axis not in axes)
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    rest_shape = tuple(x.shape[axis] for axis in rest)
    lines = ops.transpose(x, rest + axes).reshape((*rest_shape, count))
    others = _exclusive_product(lines) * ops.flip(_exclusive_product(ops.flip(lines, -1)), -1)
    shaped = others.reshape(rest_shape + tuple(x.shape[axis] for axis in axes))
    order = rest + axes
    back = tuple(order.index(axis) for axis in range(x.ndim))
    return ops.transpose(shaped, back) * g.reshape(kept_shape(x.shape, axes))


def _exclusive_product(x: Any) -> Any:
    """Return for each element the product of those before it, along the last axis."""
    if x.shape[-1] == 0:
        return x
    ones = ops.ones((*x.shape[:-1], 1), x.dtype)
    return apply(cumprod, ops.concatenate([ones, x[..., :-1]], axis=-1), axis=x.ndim - 1)


sum: Primitive = _row("sum", "iufc", lambda x, axes: np.add.reduce(x, axis=axes, dtype=x.dtype), _sum_vjp)
prod: Primitive = _row(
    "prod", "iufc", lambda x, axes: np.multiply.reduce(x, axis=axes, dtype=x.dtype), _prod_vjp, saves="x"
)
max: Primitive = _row(
    "max",
    "iuf",
    lambda x, axes: np.maximum.reduce(x, axis=axes),
    _extremum_vjp,
    saves="xy",
    needs_elements=True,
)
min: Primitive = _row(
    "min",
    "iuf",
    lambda x, axes: np.minimum.reduce(x, axis=axes),
    _extremum_vjp,
    saves="xy",
    needs_elements=True,
)
any: Primitive = _row("any", "b", lambda x, axes: np.logical_or.reduce(x, axis=axes), None, result=BOOL)
all: Primitive = _row("all", "b", lambda x, axes: np.logical_and.reduce(x, axis=axes), None, result=BOOL)


# ---- log_softmax keeps the shape; it stands here because it reduces, in one pass for what training does most


def _infer_log_softmax(x: Aval, axes: tuple[int, ...]) -> Aval:
    check_kinds("log_softmax", x, "f")
    return x


def _log_softmax_vjp(g: Any, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    total: Any = apply(sum, g, axes=axes)
    return g - ops.exp(y) * total.reshape(kept_shape(x.shape, axes))


log_softmax: Primitive = define(
    "log_softmax",
    infer=_infer_log_softmax,
    compute=special.log_softmax,
    vjp=(_log_softmax_vjp,),
    batch=_batch("log_softmax"),
    saves="y",
)

# ---- the place of an extremum; the first one wins


def _infer_arg(name: str) -> Rule:
    def infer(x: Aval, axis: int) -> Aval:
        check_kinds(name, x, "biuf")
        if x.shape[axis] == 0:
            raise ShapeError(f"'{name}' of no elements is not defined: shape {x.shape}, axis {axis}")
        return Aval(reduced_shape(x.shape, (axis,)), INT64)

    return infer


def _batch_axis(name: str) -> Rule:
    def batch(operands: Any, batched: Any, size: int, axis: int) -> Any:
        from slopewise.engine.primitive import TABLE

        return apply(TABLE[name], operands[0], axis=axis + 1)

    return batch


argmax: Primitive = define(
    "argmax",
    infer=_infer_arg("argmax"),
    compute=lambda x, axis: np.asarray(np.argmax(x, axis=axis), np.int64),
    vjp=None,
    batch=_batch_axis("argmax"),
    saves="",
)
argmin: Primitive = define(
    "argmin",
    infer=_infer_arg("argmin"),
    compute=lambda x, axis: np.asarray(np.argmin(x, axis=axis), np.int64),
    vjp=None,
    batch=_batch_axis("argmin"),
    saves="",
)

# ---- cumulative


def _infer_cumulative(name: str) -> Rule:
    def infer(x: Aval, axis: int) -> Aval:
        check_kinds(name, x, "iufc")
        return x

    return infer


def _cumsum_vjp(g: Any, y: Any, x: Any, axis: int) -> Any:
    return ops.flip(apply(cumsum, ops.flip(g, axis), axis=axis), axis)


def _cumprod_vjp(g: Any, y: Any, x: Any, axis: int) -> Any:
    """h_k = g_k + x_{k+1} h_{k+1} runs from the right; the gradient is h_k times the product before k.

    Nothing is divided, so that zeros do no harm.
    """
    last = x.ndim - 1
    order = tuple(a for a in range(x.ndim) if a != axis) + (axis,)
    back = tuple(order.index(a) for a in range(x.ndim))
    lines = ops.transpose(x, order)
    if lines.shape[last] == 0:
        return g
    following = ops.concatenate([lines[..., 1:], ops.zeros((*lines.shape[:-1], 1), x.dtype)], axis=-1)
    h = _recurrence(ops.flip(following, -1), ops.flip(ops.transpose(g, order), -1))
    return ops.transpose(ops.flip(h, -1) * _exclusive_product(lines), back)


def _recurrence(a: Any, b: Any) -> Any:
    """Return h with h_k = a_k h_{k-1} + b_k along the last axis, by doubling: log2(n) steps."""
    length = a.shape[-1]
    reach = 1
    while reach < length:
        lead = (*a.shape[:-1], reach)
        shifted_b = ops.concatenate([ops.zeros(lead, b.dtype), b[..., :-reach]], axis=-1)
        shifted_a = ops.concatenate([ops.zeros(lead, a.dtype), a[..., :-reach]], axis=-1)
        b = a * shifted_b + b
        a = a * shifted_a
        reach *= 2
    return b


cumsum: Primitive = define(
    "cumsum",
    infer=_infer_cumulative("cumsum"),
    compute=lambda x, axis: np.cumsum(x, axis=axis, dtype=x.dtype),
    vjp=(_cumsum_vjp,),
    batch=_batch_axis("cumsum"),
    saves="",
)


def _cumprod(x: Array, axis: int) -> Array:
    return np.cumprod(x, axis=axis, dtype=x.dtype)


cumprod: Primitive = define(
    "cumprod",
    infer=_infer_cumulative("cumprod"),
    compute=_cumprod,
    vjp=(_cumprod_vjp,),
    batch=_batch_axis("cumprod"),
    saves="x",
)

from slopewise.engine import ops  # noqa: E402  (gradient rules are written in ops, which are made of these rows)
