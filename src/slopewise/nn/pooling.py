"""Pooling: the maximum or the mean of windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Array, Shape
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.convolution import dilated
from slopewise.engine.primitives.convolution import windows as windows_row
from slopewise.engine.primitives.shapes import pad as pad_row
from slopewise.engine.tensor import Tensor
from slopewise.nn.module import Module
from slopewise.nn.windows import ceil_extension, check_windows, per_axis, settings_text, with_batch


class _Pool(Module):
    """Windows of `kernel_size` over the last `n_space` axes, each reduced to one number."""

    n_space: int

    def __init__(self, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> None:
        self.kernel_size = per_axis("kernel_size", kernel_size, self.n_space)
        self.stride = self.kernel_size if stride is None else per_axis("stride", stride, self.n_space)
        self.padding = per_axis("padding", padding, self.n_space, least=0)
        self.dilation = per_axis("dilation", dilation, self.n_space)
        self.ceil_mode = ceil_mode
        if any(2 * p > dilated(k, d) for p, k, d in zip(self.padding, self.kernel_size, self.dilation)):
            raise ArgumentError(
                f"padding {padding} must be at most half of the window {self.kernel_size}, "
                "or some windows would be empty"
            )

    def _extensions(self, space: Shape) -> Shape:
        """Return how many pixels are added at the end of each axis, besides the padding."""
        if not self.ceil_mode:
            return (0,) * self.n_space
        settings = zip(space, self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        return tuple(ceil_extension(*setting) for setting in settings)

    def _windows(self, x: Tensor, fill: float) -> Tensor:
        """Return the windows of x as (batch, channels, *places, *kernel)."""
        space = x.shape[2:]
        padded = tuple((p, p + e) for p, e in zip(self.padding, self._extensions(space), strict=True))
        check_windows(type(self).__name__, space, self.kernel_size, padded, self.dilation)
        result: Tensor = apply(
            windows_row,
            _padded(x, padded, fill),
            window=self.kernel_size,
            stride=self.stride,
            dilation=self.dilation,
        )
        return result

    def forward(self, x: Tensor) -> Tensor:
        x = ops.as_tensor(x)
        if x.dtype.kind != "f":
            raise DtypeError(f"{type(self).__name__} needs a floating input, not {x.dtype}")
        x, batch_added = with_batch(type(self).__name__, x, None, self.n_space)
        y = self._pool(x)
        return ops.squeeze(y, 0) if batch_added else y

    def _pool(self, x: Tensor) -> Tensor:
        """Reduce the windows of x (batch, channels, *space)."""
        raise NotImplementedError

    def _window_axes(self) -> tuple[int, ...]:
        return tuple(range(-self.n_space, 0))

    def extra_repr(self) -> str:
        text = settings_text(self.kernel_size, self.stride, self.padding, self.dilation, self.kernel_size)
        return text + (", ceil_mode=True" if self.ceil_mode else "")


def _padded(x: Tensor, padding: tuple[tuple[int, int], ...], fill: float) -> Tensor:
    """Return x with its last axes padded with a number."""
    if all(p == (0, 0) for p in padding):
        return x
    lead = x.ndim - len(padding)
    widths = {
        "before": (0,) * lead + tuple(lo for lo, _ in padding),
        "after": (0,) * lead + tuple(hi for _, hi in padding),
        "inner": (0,) * x.ndim,
    }
    result: Tensor = apply(pad_row, x, **widths)
    if fill == 0.0:
        return result
    inside = np.pad(np.ones(x.shape[lead:], np.bool_), padding)
    return ops.where(tensor(inside), result, fill)


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)

    def _pool(self, x: Tensor) -> Tensor:
        return ops.max(self._windows(x, -np.inf), self._window_axes())


class MaxPool1d(_MaxPool):
    """The maximum of each window of a sequence (batch, channels, length).

    Ties share the gradient equally.

    Parameters
    ----------
    kernel_size, dilation : int
    stride : int; by default the kernel size, windows side by side
    padding : int, places of -inf at both ends
    ceil_mode : whether a last, partial window counts

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.MaxPool1d(2)(sw.tensor([[[1.0, 3.0, 2.0, 0.0, 9.0]]]))
    tensor([[[3., 2.]]])
    """

    n_space = 1


class MaxPool2d(_MaxPool):
    """The maximum of each window of an image (batch, channels, height, width).

    Ties share the gradient equally.

    Parameters
    ----------
    kernel_size, dilation : int, or one for each axis
    stride : int, or one for each axis; by default the kernel size, windows side by side
    padding : int, or one for each axis, places of -inf at both ends
    ceil_mode : whether last, partial windows count

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.MaxPool2d(2)(sw.nn.initializers.zeros((1, 3, 7, 6))).shape
    (1, 3, 3, 3)
    """

    n_space = 2


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad = count_include_pad

    def _pool(self, x: Tensor) -> Tensor:
        total = ops.sum(self._windows(x, 0.0), self._window_axes())
        counts = self._counts(x.shape[2:])
        if (counts == counts.flat[0]).all():
            return total / float(counts.flat[0])
        return total / tensor(counts.astype(x.dtype))

    def _counts(self, space: Shape) -> Array:
        """Return by how many elements each window's sum is divided."""
        counts = np.ones((), np.int64)
        settings = zip(space, self.kernel_size, self.stride, self.padding, self._extensions(space))
        for size, kernel, stride, pad, extension in settings:
            starts = np.arange(0, size + 2 * pad + extension - kernel + 1, stride) - pad
            low, high = (-pad, size + pad) if self.count_include_pad else (0, size)
            inside = np.minimum(starts + kernel, high) - np.maximum(starts, low)
            counts = np.multiply.outer(counts, inside)
        return counts

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.count_include_pad else ", count_include_pad=False")


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence (batch, channels, length).

    Parameters
    ----------
    kernel_size : int
    stride : int; by default the kernel size, windows side by side
    padding : int, zeros at both ends
    ceil_mode : whether a last, partial window counts
    count_include_pad : whether zeros of the padding count in the divisor

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.AvgPool1d(2)(sw.tensor([[[1.0, 3.0, 2.0, 0.0, 9.0]]]))
    tensor([[[2., 1.]]])
    """

    n_space = 1


class AvgPool2d(_AvgPool):
    """The mean of each window of an image (batch, channels, height, width).

    Parameters
    ----------
    kernel_size : int, or one for each axis
    stride : int, or one for each axis; by default the kernel size, windows side by side
    padding : int, or one for each axis, zeros at both ends
    ceil_mode : whether last, partial windows count
    count_include_pad : whether zeros of the padding count in the divisor

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.AvgPool2d(2)(sw.nn.initializers.ones((1, 3, 6, 6))).shape
    (1, 3, 3, 3)
    """

    n_space = 2


class _AdaptiveAvgPool(Module):
    """Means over `output_size` windows that cover each spatial axis evenly."""

    n_space: int

    def __init__(self, output_size: Any) -> None:
        self.output_size = per_axis("output_size", output_size, self.n_space)

    def forward(self, x: Tensor) -> Tensor:
        x = ops.as_tensor(x)
        if x.dtype.kind != "f":
            raise DtypeError(f"{type(self).__name__} needs a floating input, not {x.dtype}")
        x, batch_added = with_batch(type(self).__name__, x, None, self.n_space)
        if 0 in x.shape[2:]:
            raise ShapeError(f"{type(self).__name__} needs at least one pixel, got shape {x.shape}")
        for axis, places in zip(range(2, x.ndim), self.output_size, strict=True):
            averages = _averages(x.shape[axis], places).astype(x.dtype)
            x = ops.moveaxis(ops.linear(ops.moveaxis(x, axis, -1), tensor(averages)), -1, axis)
        return ops.squeeze(x, 0) if batch_added else x

    def extra_repr(self) -> str:
        return f"output_size={self.output_size if self.n_space > 1 else self.output_size[0]}"


def _averages(size: int, places: int) -> Array:
    """Return the matrix (places, size) that takes means of the pixels from ⌊i n/m⌋ to ⌈(i+1) n/m⌉."""
    matrix = np.zeros((places, size))
    for i in range(places):
        first, last = i * size // places, -(-(i + 1) * size // places)
        matrix[i, first:last] = 1.0 / (last - first)
    return matrix


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of a sequence (batch, channels, length) at a given number of places; 1 is the global mean.

    Parameters
    ----------
    output_size : int

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.AdaptiveAvgPool1d(1)(sw.tensor([[[1.0, 2.0, 6.0]]]))
    tensor([[[3.]]])
    """

    n_space = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of an image (batch, channels, height, width) at a given number of places; 1 is the global mean.

    Parameters
    ----------
    output_size : int, or one for each axis

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.AdaptiveAvgPool2d((2, 1))(sw.nn.initializers.zeros((1, 3, 7, 5))).shape
    (1, 3, 2, 1)
    """

    n_space = 2
