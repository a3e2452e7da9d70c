"""Convolution layers (cross-correlation, as in every deep-learning library)."""

from __future__ import annotations

import math
from typing import Any

from slopewise.engine import ops
from slopewise.engine.aval import Shape
from slopewise.engine.errors import ArgumentError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.convolution import Padding
from slopewise.engine.primitives.convolution import conv as conv_row
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import kaiming_uniform
from slopewise.nn.inputs import floating_input, positive_integer
from slopewise.nn.linear import initial_bias
from slopewise.nn.module import Module
from slopewise.nn.parameter import Parameter
from slopewise.nn.windows import check_windows, per_axis, resolve_padding, settings_text, with_batch


class _Conv(Module):
    """Convolution over `n_space` spatial axes."""

    n_space: int
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        self.in_channels = positive_integer("in_channels", in_channels)
        self.out_channels = positive_integer("out_channels", out_channels)
        self.groups = positive_integer("groups", groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
            )
        self.kernel_size = per_axis("kernel_size", kernel_size, self.n_space)
        self.stride = per_axis("stride", stride, self.n_space)
        self.dilation = per_axis("dilation", dilation, self.n_space)
        self.padding = padding
        self._resolved_padding()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(kaiming_uniform(shape, math.sqrt(5.0)))
        fan_in = math.prod(shape[1:])
        self.bias = Parameter(initial_bias(out_channels, fan_in)) if bias else None

    def _resolved_padding(self) -> Padding:
        return resolve_padding(self.padding, self.kernel_size, self.stride, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        x = floating_input(self, x, self.weight.dtype)
        x, batch_added = with_batch(self._title(), x, self.in_channels, self.n_space)
        padding = self._resolved_padding()
        check_windows(self._title(), x.shape[2:], self.kernel_size, padding, self.dilation)
        y = convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return ops.squeeze(y, 0) if batch_added else y

    def _title(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"

    def extra_repr(self) -> str:
        ones = (1,) * self.n_space
        window = settings_text(self.kernel_size, self.stride, self.padding, self.dilation, ones)
        text = f"{self.in_channels}, {self.out_channels}, {window}"
        text += f", groups={self.groups}" if self.groups != 1 else ""
        return text + (", bias=False" if self.bias is None else "")


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Shape,
    padding: Padding,
    dilation: Shape,
    groups: int,
) -> Tensor:
    """Convolve x (batch, channels, *space) with a weight (filters, channels / groups, *kernel)."""
    batch, channels, *space = x.shape
    filters, _, *kernel = weight.shape
    grouped = x.reshape((batch, groups, channels // groups, *space))
    y: Tensor = apply(
        conv_row,
        ops.swapaxes(grouped, 0, 1) if groups > 1 else grouped.reshape((1, *x.shape)),
        weight.reshape((groups, filters // groups, channels // groups, *kernel)),
        stride=stride,
        padding=padding,
        input_dilation=(1,) * len(kernel),
        kernel_dilation=dilation,
    )
    y = (ops.swapaxes(y, 0, 1) if groups > 1 else y).reshape((batch, filters, *y.shape[3:]))
    return y if bias is None else y + bias.reshape((filters, *(1,) * len(kernel)))


class Conv1d(_Conv):
    """Convolution of sequences: (batch, channels, length) to (batch, filters, places).

    Initial weights and biases are uniform in ±1/√(channels / groups · kernel size) (PyTorch's default).

    Parameters
    ----------
    in_channels, out_channels : channels before and after
    kernel_size, stride, dilation : int
    padding : int, zeros at both ends; "valid" for none; "same" for as many places as pixels, with stride 1
    groups : int that divides both channels; each group of channels has filters of its own
    bias : whether a bias per filter is added

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel_size), float32
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.Conv1d(2, 4, kernel_size=3, padding="same")
    >>> layer(sw.nn.initializers.zeros((8, 2, 10))).shape
    (8, 4, 10)
    """

    n_space = 1


class Conv2d(_Conv):
    """Convolution of images: (batch, channels, height, width) to (batch, filters, rows, columns).

    Initial weights and biases are uniform in ±1/√(channels / groups · kernel size) (PyTorch's default).

    Parameters
    ----------
    in_channels, out_channels : channels before and after
    kernel_size, stride, dilation : int, or one for each axis
    padding : int, or one for each axis, zeros at both ends; "valid" for none; "same" for as many places as
        pixels, with stride 1
    groups : int that divides both channels; each group of channels has filters of its own
    bias : whether a bias per filter is added

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, *kernel_size), float32
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.Conv2d(3, 8, kernel_size=5, stride=2, padding=2)
    >>> layer(sw.nn.initializers.zeros((4, 3, 28, 28))).shape
    (4, 8, 14, 14)
    """

    n_space = 2
