"""What a convolution reads: its operands with two spatial axes at least, and one row of numbers per axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from slopewise.compiler.native.emission.views import View
from slopewise.engine.graph import GraphNode


class Axis(NamedTuple):
    """One spatial axis: place `o` meets kernel element `k` at o * stride + k * dilation - low of the input
    that has been spread, where only multiples of `spread` are elements and all else is zero."""

    size: int
    kernel: int
    out: int
    stride: int
    dilation: int
    low: int
    spread: int

    def swapped(self) -> Axis:
        """Return the axis with places and kernel elements in each other's role."""
        return self._replace(kernel=self.out, out=self.kernel, stride=self.dilation, dilation=self.stride)


@dataclass(frozen=True)
class Geometry:
    """A convolution.

    Attributes
    ----------
    x : (groups, batch, channels, *lead, rows, columns)
    w : (groups, filters, channels, *lead, rows, columns)
    y : (groups, batch, filters, *lead, rows, columns), contiguous
    lead : the spatial axes in front of the last two
    """

    x: View
    w: View
    y: View
    lead: tuple[Axis, ...]
    rows: Axis
    columns: Axis

    @staticmethod
    def of(node: GraphNode, x: View, w: View, y: View) -> Geometry:
        params = node.params
        axes = [
            Axis(size, kernel, out, stride, dilation, low, spread)
            for size, kernel, out, stride, dilation, (low, _), spread in zip(
                x.shape[3:],
                w.shape[3:],
                y.shape[3:],
                params["stride"],
                params["kernel_dilation"],
                params["padding"],
                params["input_dilation"],
                strict=True,
            )
        ]
        missing = max(0, 2 - len(axes))
        x, w, y = (_with_unit_axes(view, missing) for view in (x, w, y))
        *lead, rows, columns = [*[Axis(1, 1, 1, 1, 1, 0, 1)] * missing, *axes]
        return Geometry(x, w, y, tuple(lead), rows, columns)

    @property
    def groups(self) -> int:
        return self.x.shape[0]

    @property
    def batch(self) -> int:
        return self.x.shape[1]

    @property
    def channels(self) -> int:
        return self.x.shape[2]

    @property
    def filters(self) -> int:
        return self.w.shape[1]

    @property
    def itemsize(self) -> int:
        return self.y.dtype.itemsize

    @property
    def places(self) -> View:
        """The result with rows and columns as one axis."""
        return flat_places(self.y)


def _with_unit_axes(view: View, count: int) -> View:
    ones = (1,) * count
    return replace(
        view,
        shape=(*view.shape[:3], *ones, *view.shape[3:]),
        strides=(*view.strides[:3], *ones, *view.strides[3:]),
    )


def flat_places(view: View) -> View:
    """Return a view whose last two axes lie behind one another with the two as one."""
    *shape, rows, columns = view.shape
    stride = view.strides[-1] if columns > 1 else view.strides[-2]
    return replace(view, shape=(*shape, rows * columns), strides=(*view.strides[:-2], stride))


def is_flat(view: View) -> bool:
    """Tell whether the last two axes lie in memory as one, element by element."""
    *_, rows, columns = view.shape
    *_, down, right = view.strides
    return (columns == 1 or right == 1) and (rows == 1 or down == columns)
