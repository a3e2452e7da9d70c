"""Geometry of sliding windows, which convolution and pooling share: sizes, strides, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Shape
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.primitives.convolution import Padding, dilated
from slopewise.engine.tensor import Tensor


def per_axis(name: str, value: Any, n_axes: int, least: int = 1) -> Shape:
    """Return an integer argument for each spatial axis; a single one counts for all."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * n_axes
    integers = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values)
    if len(values) != n_axes or not integers or min(values) < least:
        one = "an integer" if n_axes == 1 else f"an integer or {n_axes} of them"
        raise ArgumentError(f"{name} must be {one}, at least {least}, not {value!r}")
    return tuple(map(int, values))


def resolve_padding(padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Padding:
    """Return the padding (before, after) of each spatial axis.

    Parameters
    ----------
    padding : an integer, one for each axis, "valid" for none, or "same" for as many places as pixels; of an
        uneven "same", the extra pixel comes after, as in PyTorch
    """
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(f"padding='same' needs stride 1, not {_shown(stride)}")
        totals = [dilated(k, d) - 1 for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ArgumentError(f"padding must be integers, 'same' or 'valid', not {padding!r}")
    return tuple((p, p) for p in per_axis("padding", padding, len(kernel), least=0))


def check_windows(title: str, space: Shape, kernel: Shape, padding: Padding, dilation: Shape) -> None:
    """Raise an error if a kernel is larger than the padded input."""
    for axis, (size, k, (lo, hi), d) in enumerate(zip(space, kernel, padding, dilation, strict=True)):
        if size + lo + hi < dilated(k, d):
            raise ShapeError(
                f"{title}: a window of {dilated(k, d)} does not fit in spatial axis {axis}, "
                f"{size} long and padded to {size + lo + hi}"
            )


def with_batch(title: str, x: Tensor, channels: int | None, n_space: int) -> tuple[Tensor, bool]:
    """Return the input (batch, channels, *space), and whether the batch axis had to be added."""
    axes = ", ".join(("length",) if n_space == 1 else ("height", "width"))
    if x.ndim not in (n_space + 1, n_space + 2):
        raise ShapeError(f"{title} needs an input of shape (batch, channels, {axes}), got {x.shape}")
    if channels is not None and x.shape[-n_space - 1] != channels:
        hint = " (the channels come before the space)" if x.shape[-1] == channels else ""
        raise ShapeError(
            f"{title} needs {channels} channels in shape (batch, channels, {axes}), got {x.shape}{hint}"
        )
    return (x, False) if x.ndim == n_space + 2 else (ops.expand_dims(x, 0), True)


def ceil_extension(size: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Return how many pixels more at the end let a last, partial window count.

    A window that would begin in the padding at the end does not count (PyTorch's rule for `ceil_mode`).
    """
    span = dilated(kernel, dilation)
    places = math.ceil((size + 2 * pad - span) / stride) + 1
    if (places - 1) * stride >= size + pad:
        places -= 1
    return max(0, (places - 1) * stride + span - size - 2 * pad)


def settings_text(kernel: Shape, stride: Shape, padding: Any, dilation: Sequence[int], default: Shape) -> str:
    """Return settings as text, those at their default left out."""
    parts = [f"kernel_size={_shown(kernel)}"]
    if tuple(stride) != tuple(default):
        parts.append(f"stride={_shown(stride)}")
    if padding not in (0, "valid") and padding != (0,) * len(kernel):
        parts.append(f"padding={_shown(padding) if isinstance(padding, tuple) else repr(padding)}")
    if any(d != 1 for d in dilation):
        parts.append(f"dilation={_shown(dilation)}")
    return ", ".join(parts)


def _shown(values: Sequence[int]) -> str:
    return str(values[0] if len(set(values)) == 1 else tuple(values))
