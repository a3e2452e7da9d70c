"""Elements added at the ends of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.creation import wrap_array
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import shapes
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor

__all__ = ["pad"]

PadMode = Literal["constant", "edge", "reflect", "wrap"]
_PAD_MODES = ("constant", "edge", "reflect", "wrap")


def pad(
    x: ArrayLike,
    pad_width: int | Sequence[Any],
    /,
    mode: PadMode = "constant",
    *,
    constant_values: Any = 0,
) -> Tensor:
    """Return the tensor with elements added at the ends of its axes.

    Parameters
    ----------
    x : Tensor
    pad_width : how many; one number for all ends, a pair (before, after) for all axes, or such a pair for
        each axis
    mode : "constant", "edge" (repeats the outermost element), "reflect" (mirrors without repeating it) or
        "wrap" (goes round), as in NumPy
    constant_values : the number to add in mode "constant"

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.pad(xp.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    >>> xp.pad(xp.arange(3), 2, mode="reflect")
    tensor([2, 1, 0, 1, 2, 1, 0])
    """
    x = ops.as_tensor(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode not in _PAD_MODES:
        raise ArgumentError(f"pad: mode must be one of {', '.join(_PAD_MODES)}, not {mode!r}")
    if mode == "constant":
        return _pad_constant(x, widths, constant_values)
    for axis, width in enumerate(widths):
        if width != (0, 0):
            places = _padded_places(x.shape[axis], width, mode, axis)
            x = x[(*(slice(None),) * axis, wrap_array(places))]
    return ops.positive(x)


def _pad_widths(pad_width: int | Sequence[Any], ndim: int) -> list[tuple[int, int]]:
    given = np.asarray(pad_width)
    if given.dtype.kind not in "iu":
        raise ArgumentError(f"pad: pad_width must hold integers, not {pad_width!r}")
    try:
        widths = np.broadcast_to(given, (ndim, 2))
    except ValueError:
        raise ShapeError(
            f"pad: pad_width must be a number, a pair, or {ndim} pairs, one for each axis, not {pad_width!r}"
        ) from None
    if widths.size and widths.min() < 0:
        raise ArgumentError(f"pad cannot remove elements: pad_width {pad_width!r}; use a slice")
    return [(int(before), int(after)) for before, after in widths]


def _pad_constant(x: Tensor, widths: list[tuple[int, int]], value: Any) -> Tensor:
    before = tuple(low for low, _ in widths)
    after = tuple(high for _, high in widths)
    zero_padded: Tensor = apply(shapes.pad, x, before=before, after=after, inner=(0,) * x.ndim)
    if isinstance(value, int | float | complex) and value == 0:
        return zero_padded
    inside = np.pad(np.ones(x.shape, np.bool_), widths)
    return ops.where(wrap_array(inside), zero_padded, ops.stored(value, x.dtype))


def _padded_places(size: int, width: tuple[int, int], mode: PadMode, axis: int) -> Array:
    """Return from which place along an axis each element of the padded axis comes."""
    if size == 0:
        raise ShapeError(f"pad: mode {mode!r} cannot extend axis {axis}, which has no elements")
    return np.pad(np.arange(size), width, mode=mode).astype(INT64)
