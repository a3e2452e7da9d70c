"""Convolution (cross-correlation, as in all deep-learning libraries) and sliding windows, in any dimension.

Groups are an axis of their own: x (groups, batch, channels, *space), w (groups, filters, channels, *kernel).
The input may be dilated too (zeros between its pixels), and then padded or, with negative padding, cropped:
with that, the gradients of a convolution are convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import DtypeError, ShapeError
from slopewise.engine.primitive import Primitive, apply, define
from slopewise.engine.primitives.rules import check_kinds

Padding = tuple[tuple[int, int], ...]


def dilated(size: int, dilation: int) -> int:
    """Return the length of an axis with `dilation - 1` zeros between its elements."""
    return 0 if size == 0 else (size - 1) * dilation + 1


def output_size(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """Return how many places a kernel fits along an axis; pixels that are left over are not used."""
    return max(0, (size + padding[0] + padding[1] - dilated(kernel, dilation)) // stride + 1)


def _infer_conv(
    x: Aval, w: Aval, stride: Shape, padding: Padding, input_dilation: Shape, kernel_dilation: Shape
) -> Aval:
    check_kinds("conv", x, "f")
    if x.dtype != w.dtype:
        raise DtypeError(f"conv needs operands of one dtype, not {x.dtype} and {w.dtype}")
    if len(x.shape) != len(w.shape) or x.shape[0] != w.shape[0] or x.shape[2] != w.shape[2]:
        raise ShapeError(
            f"conv cannot combine input {x.shape} (groups, batch, channels, ...) and kernel {w.shape}"
        )
    space = tuple(
        output_size(dilated(n, di), k, s, p, dk)
        for n, k, s, p, di, dk in zip(
            x.shape[3:], w.shape[3:], stride, padding, input_dilation, kernel_dilation, strict=True
        )
    )
    return Aval((x.shape[0], x.shape[1], w.shape[1], *space), x.dtype)


def _spread(x: Array, padding: Padding, dilation: Shape) -> Array:
    """Dilate the spatial axes of an array, then pad or crop them."""
    if all(p == (0, 0) for p in padding) and all(d == 1 for d in dilation):
        return x
    lead = x.ndim - len(padding)
    sizes = [dilated(n, d) for n, d in zip(x.shape[lead:], dilation, strict=True)]
    shape = [n + max(lo, 0) + max(hi, 0) for n, (lo, hi) in zip(sizes, padding, strict=True)]
    result = np.zeros((*x.shape[:lead], *shape), x.dtype)
    places: list[Any] = [
        slice(max(lo, 0), max(lo, 0) + n, d) for n, d, (lo, _) in zip(sizes, dilation, padding, strict=True)
    ]
    result[(..., *places)] = x
    crops: list[Any] = [
        slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi) in zip(shape, padding, strict=True)
    ]
    return np.asarray(result[(..., *crops)])


def _view_windows(x: Array, window: Shape, stride: Shape, dilation: Shape) -> Array:
    """Return a view (..., *places, *window) of an array whose last axes are spatial."""
    lead = x.ndim - len(window)
    places = tuple(
        output_size(n, k, s, (0, 0), d)
        for n, k, s, d in zip(x.shape[lead:], window, stride, dilation, strict=True)
    )
    steps = x.strides[lead:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:lead], *places, *window),
        (
            *x.strides[:lead],
            *(step * s for step, s in zip(steps, stride, strict=True)),
            *(step * d for step, d in zip(steps, dilation, strict=True)),
        ),
        writeable=False,
    )


def _conv(
    x: Array, w: Array, stride: Shape, padding: Padding, input_dilation: Shape, kernel_dilation: Shape
) -> Array:
    groups, batch, channels = x.shape[:3]
    filters, kernel = w.shape[1], w.shape[3:]
    n_space = len(kernel)
    windows = _view_windows(_spread(x, padding, input_dilation), kernel, stride, kernel_dilation)
    places = windows.shape[3 : 3 + n_space]
    order = (0, 1, *range(3, 3 + n_space), 2, *range(3 + n_space, 3 + 2 * n_space))
    columns = windows.transpose(order).reshape(
        groups, batch * math.prod(places), channels * math.prod(kernel)
    )
    rows = w.reshape(groups, filters, channels * math.prod(kernel))
    product = np.matmul(columns, rows.swapaxes(1, 2))
    back = (0, 1, 2 + n_space, *range(2, 2 + n_space))
    return np.asarray(product.reshape(groups, batch, *places, filters).transpose(back))


def _gradient_x(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    stride: Shape,
    padding: Padding,
    input_dilation: Shape,
    kernel_dilation: Shape,
) -> Any:
    flipped = ops.flip(ops.swapaxes(w, 1, 2), tuple(range(3, w.ndim)))
    pads = []
    for n, k, out, s, (lo, _), di, dk in zip(
        x.shape[3:], w.shape[3:], g.shape[3:], stride, padding, input_dilation, kernel_dilation, strict=True
    ):
        before = dilated(k, dk) - lo - 1
        pads.append((before, dilated(n, di) + dilated(k, dk) - 1 - dilated(out, s) - before))
    return apply(
        conv,
        g,
        flipped,
        stride=input_dilation,
        padding=tuple(pads),
        input_dilation=stride,
        kernel_dilation=kernel_dilation,
    )


def _gradient_w(
    g: Any,
    y: Any,
    x: Any,
    w: Any,
    stride: Shape,
    padding: Padding,
    input_dilation: Shape,
    kernel_dilation: Shape,
) -> Any:
    pads = []
    for n, k, out, s, (lo, _), di, dk in zip(
        x.shape[3:], w.shape[3:], g.shape[3:], stride, padding, input_dilation, kernel_dilation, strict=True
    ):
        pads.append((lo, dilated(out, s) - dilated(n, di) + dilated(k, dk) - lo - 1))
    product = apply(
        conv,
        ops.swapaxes(x, 1, 2),
        ops.swapaxes(g, 1, 2),
        stride=kernel_dilation,
        padding=tuple(pads),
        input_dilation=input_dilation,
        kernel_dilation=stride,
    )
    return ops.swapaxes(product, 1, 2)


def _batch_conv(operands: Sequence[Any], batched: Sequence[bool], size: int, **params: Any) -> Any:
    x, w = operands
    if all(batched):  # the batch joins the groups
        groups = x.shape[1]
        joined = [t.reshape((size * groups, *t.shape[2:])) for t in (x, w)]
        y = apply(conv, *joined, **params)
        return y.reshape((size, groups, *y.shape[1:]))
    mover = x if batched[0] else w  # the batch joins the examples, or the filters
    folded = ops.moveaxis(mover, 0, 1)
    count = folded.shape[2]
    folded = folded.reshape((folded.shape[0], size * count, *folded.shape[3:]))
    y = apply(conv, folded, w, **params) if batched[0] else apply(conv, x, folded, **params)
    axis = 1 if batched[0] else 2
    unfolded = y.reshape((*y.shape[:axis], size, count, *y.shape[axis + 1 :]))
    return ops.moveaxis(unfolded, axis, 0)


conv: Primitive = define(
    "conv", infer=_infer_conv, compute=_conv, vjp=(_gradient_x, _gradient_w), batch=_batch_conv, saves="x"
)

# ---- windows of the last axes, and their adjoint, which adds windows up where they overlap


def _infer_windows(x: Aval, window: Shape, stride: Shape, dilation: Shape) -> Aval:
    lead = len(x.shape) - len(window)
    places = tuple(
        output_size(n, k, s, (0, 0), d)
        for n, k, s, d in zip(x.shape[lead:], window, stride, dilation, strict=True)
    )
    return Aval((*x.shape[:lead], *places, *window), x.dtype)


windows: Primitive = define(
    "windows",
    infer=_infer_windows,
    compute=_view_windows,
    vjp=(
        lambda g, y, x, window, stride, dilation: apply(
            overlap_add, g, space=x.shape[x.ndim - len(window) :], stride=stride, dilation=dilation
        ),
    ),
    batch=lambda operands, batched, size, **params: apply(windows, operands[0], **params),
    saves="",
)


def _infer_overlap_add(x: Aval, space: Shape, stride: Shape, dilation: Shape) -> Aval:
    return Aval((*x.shape[: len(x.shape) - 2 * len(space)], *space), x.dtype)


def _overlap_add(x: Array, space: Shape, stride: Shape, dilation: Shape) -> Array:
    n_space = len(space)
    lead = x.ndim - 2 * n_space
    places, window = x.shape[lead : lead + n_space], x.shape[lead + n_space :]
    result = np.zeros((*x.shape[:lead], *space), x.dtype)
    for offset in np.ndindex(*window):
        target: tuple[Any, ...] = tuple(
            slice(o * d, o * d + s * (p - 1) + 1 if p else o * d, s)
            for o, d, s, p in zip(offset, dilation, stride, places, strict=True)
        )
        result[(..., *target)] += x[(..., *offset)]
    return result


overlap_add: Primitive = define(
    "overlap_add",
    infer=_infer_overlap_add,
    compute=_overlap_add,
    vjp=(
        lambda g, y, x, space, stride, dilation: apply(
            windows, g, window=x.shape[x.ndim - len(space) :], stride=stride, dilation=dilation
        ),
    ),
    batch=lambda operands, batched, size, **params: apply(overlap_add, operands[0], **params),
    saves="",
)

from slopewise.engine import ops  # noqa: E402  (gradient rules are written in ops, which are made of these rows)
