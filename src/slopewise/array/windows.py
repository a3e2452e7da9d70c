"""Windows that slide along axes, and convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.aval import Shape
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import convolution
from slopewise.engine.primitives.convolution import dilated
from slopewise.engine.primitives.rules import normalize_axes
from slopewise.engine.tensor import Tensor

__all__ = ["conv", "sliding_windows"]

Sizes = int | Sequence[int]
Padding = int | Sequence[int | Sequence[int]] | Literal["same", "valid"]


def sliding_windows(
    x: ArrayLike,
    window: Sizes,
    /,
    *,
    axis: int | Sequence[int] = -1,
    stride: Sizes = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """Return all windows of a tensor, which may overlap; the gradient adds up where they do.

    Parameters
    ----------
    x : Tensor
    window : the size of a window, along each of the axes
    axis : the axes along which it slides
    stride : how far it moves from one place to the next
    dilation : how far apart its elements are in x

    Returns
    -------
    Tensor
        whose axes `axis` count the places where the window fits entirely, with the elements of a window in
        new last axes; with stride and dilation 1, NumPy's `sliding_window_view`

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.sliding_windows(xp.arange(5), 3)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    x = ops.as_tensor(x)
    listed = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    normalize_axes("sliding_windows", listed, x.ndim)
    axes = tuple(int(a) % x.ndim for a in listed)
    sizes = _sizes("sliding_windows", "window", window, len(axes), 1)
    strides = _sizes("sliding_windows", "stride", stride, len(axes), 1)
    dilations = _sizes("sliding_windows", "dilation", dilation, len(axes), 1)
    for a, size, spread in zip(axes, sizes, dilations, strict=True):
        if dilated(size, spread) > x.shape[a]:
            raise ShapeError(
                f"sliding_windows: a window of {dilated(size, spread)} does not fit "
                f"axis {a} of shape {x.shape}"
            )
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = ops.moveaxis(x, axes, last)
    windows: Tensor = apply(convolution.windows, moved, window=sizes, stride=strides, dilation=dilations)
    return ops.moveaxis(windows, last, axes)


def conv(
    x: ArrayLike,
    weight: ArrayLike,
    /,
    *,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution (the cross-correlation, as in every deep-learning library) with a kernel.

    Parameters
    ----------
    x : Tensor, shape (batch, channels, *space), with any number of spatial axes
    weight : Tensor, shape (filters, channels / groups, *kernel)
    stride : how far the kernel moves from one place to the next
    padding : zeros at both ends of each spatial axis: a number, one for each axis, a pair (before, after)
        for each axis, "valid" for none, or "same" for as many as keep the size where the stride is 1 (the
        odd one comes after)
    dilation : how far apart the kernel's elements are in x
    groups : into how many parts channels and filters are divided, each convolved on its own

    Returns
    -------
    Tensor
        shape (batch, filters, *places); pixels where the kernel does not fit any more are not used

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.conv(sw.tensor([[[1.0, 2.0, 3.0, 4.0]]]), sw.tensor([[[1.0, -1.0]]]))
    tensor([[[-1., -1., -1.]]])
    """
    x, weight = (ops.floating(t) for t in ops.promote(x, weight))
    n_space = x.ndim - 2
    _check_conv(x, weight, groups)
    kernel = weight.shape[2:]
    strides = _sizes("conv", "stride", stride, n_space, 1)
    dilations = _sizes("conv", "dilation", dilation, n_space, 1)
    pads = _pads(padding, kernel, strides, dilations)
    batch, channels, *space = x.shape
    for size, length, spread, (low, high) in zip(space, kernel, dilations, pads, strict=True):
        if dilated(length, spread) > size + low + high:
            raise ShapeError(
                f"conv: a kernel of {dilated(length, spread)} does not fit {size} pixels "
                f"and {low + high} of padding"
            )
    grouped_x = ops.moveaxis(x.reshape((batch, groups, channels // groups, *space)), 1, 0)
    grouped_w = weight.reshape((groups, weight.shape[0] // groups, *weight.shape[1:]))
    y: Tensor = apply(
        convolution.conv,
        grouped_x,
        grouped_w,
        stride=strides,
        padding=pads,
        input_dilation=(1,) * n_space,
        kernel_dilation=dilations,
    )
    return ops.moveaxis(y, 0, 1).reshape((batch, weight.shape[0], *y.shape[3:]))


def _check_conv(x: Tensor, weight: Tensor, groups: int) -> None:
    if x.ndim < 3 or weight.ndim != x.ndim:
        raise ShapeError(
            "conv needs x (batch, channels, *space) and a weight (filters, channels / groups, *kernel) "
            f"with as many axes, not shapes {x.shape} and {weight.shape}"
        )
    if groups < 1 or x.shape[1] % groups or weight.shape[0] % groups:
        raise ShapeError(
            f"conv cannot divide {x.shape[1]} channels and {weight.shape[0]} filters into {groups} groups"
        )
    if weight.shape[1] * groups != x.shape[1]:
        raise ShapeError(
            f"conv: a weight of shape {weight.shape} with {groups} groups needs "
            f"{weight.shape[1] * groups} channels, not x of shape {x.shape}"
        )


def _sizes(function: str, name: str, value: Sizes, count: int, least: int) -> Shape:
    """Return a size for each axis."""
    sizes = (value,) * count if isinstance(value, int | np.integer) else tuple(value)
    if len(sizes) != count:
        raise ArgumentError(
            f"{function}: {name} needs one number or {count}, one for each axis, not {value!r}"
        )
    if any(size < least for size in sizes):
        raise ArgumentError(f"{function}: {name} must be at least {least}, not {value!r}")
    return tuple(int(size) for size in sizes)


def _pads(padding: Padding, kernel: Shape, strides: Shape, dilations: Shape) -> tuple[tuple[int, int], ...]:
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(kernel)
        if padding != "same":
            raise ArgumentError(f"conv: padding must be numbers, 'same' or 'valid', not {padding!r}")
        if math.prod(strides) != 1:
            raise ArgumentError("conv: padding 'same' needs stride 1; give the padding in numbers instead")
        totals = [dilated(size, spread) - 1 for size, spread in zip(kernel, dilations, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    given = np.asarray(padding)
    count = len(kernel)
    if given.dtype.kind in "iu" and (given.size == 0 or given.min() >= 0):
        if given.shape == (count, 2):
            return tuple((int(before), int(after)) for before, after in given)
        if given.shape in ((), (count,)):
            return tuple((int(pad), int(pad)) for pad in np.broadcast_to(given, (count,)))
    raise ArgumentError(
        f"conv: padding must be a number, {count} of them, {count} pairs, 'same' or 'valid', not {padding!r}"
    )
