"""A plot: axes, lines, points, arrows and contours on one pair of scales, as an SVG element."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.site.drawing.scale import Scale

Floats = NDArray[np.float64]
Point = tuple[float, float]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 44
_CHARACTER = 7.2  # width of a tick's character
_NARROW = frozenset(".,⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE, _LARGER = 500, 1.25  # wider pictures are shown smaller than they are drawn: their letters are larger


class Plot:
    """Draws in the order of the calls; `svg` returns the element.

    Parameters
    ----------
    x, y : Scale
    x_title, y_title : str
        What the axes are; "" leaves an axis bare.
    title, description : str
        What a screen reader says.
    size : (width, height) in user units
    picks : (name, name), optional
        The settings of the lab that a click on the plot sets to the place clicked: of x and of y.
    draws : str, optional
        The `Points` of the lab that are drawn on the plot.
    left : float, optional
        The room for the ticks of y, for pictures that something is laid over; else as much as they need.
    """

    def __init__(
        self,
        x: Scale,
        y: Scale,
        *,
        x_title: str,
        y_title: str,
        title: str,
        description: str = "",
        size: tuple[int, int] = (440, 320),
        picks: tuple[str, str] | None = None,
        draws: str | None = None,
        left: float | None = None,
    ) -> None:
        self.x, self.y = x, y
        self.picks, self.draws = picks, draws
        self.title, self.description = title, description
        self.width, self.height = size
        self._unit = _unit(self.width)
        if left is None:
            ticks = max((_width(text) for _, text in y.ticks), default=0.0)
            left = max(_LEFT, ticks + (30 if y_title else 10))
        left, right, top, bottom = (round(room * self._unit) for room in (left, _RIGHT, _TOP, _BOTTOM))
        self._left, self._right, self._top, self._bottom = left, self.width - right, top, self.height - bottom
        self._parts: list[str] = []
        self._axes(x_title, y_title)

    def copy(self) -> Plot:
        """Return a plot with the same marks, to go on from: frames that share a background draw it once."""
        made = copy.copy(self)
        made._parts = list(self._parts)
        return made

    # ---- places

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what the axes enclose, in the units of the drawing."""
        return self._left, self._top, self._right, self._bottom

    def at(self, x: float, y: float) -> Point:
        """Return where a point lies on the page; points far outside are brought near the frame."""
        across = min(max(self.x.place(x), -3.0), 4.0)
        up = min(max(self.y.place(y), -3.0), 4.0)
        return (
            self._left + across * (self._right - self._left),
            self._bottom - up * (self._bottom - self._top),
        )

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point lies inside the frame."""
        return 0 <= self.x.place(x) <= 1 and 0 <= self.y.place(y) <= 1

    # ---- marks

    def line(self, points: Sequence[Point], kind: str) -> None:
        """Draw a line through points; it breaks where a coordinate is not finite."""
        path, pen = [], "M"
        for x, y in points:
            if not (math.isfinite(x) and math.isfinite(y)):
                pen = "M"
                continue
            path.append(pen + _place(self.at(x, y)))
            pen = "L"
        if path:
            self._clipped(f'<path class="line {kind}" d="{"".join(path)}"/>')

    def area(self, low: Sequence[Point], high: Sequence[Point], kind: str) -> None:
        """Fill between two lines."""
        outline = [*low, *reversed(high)]
        path = "L".join(_place(self.at(x, y)) for x, y in outline)
        self._clipped(f'<path class="area {kind}" d="M{path}Z"/>')

    def dots(self, points: Sequence[Point], kind: str, radius: float = 3.5) -> None:
        """Draw a circle at each point that is inside the frame."""
        circles = []
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y) and self.holds(x, y):
                left, top = self.at(x, y)
                circles.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="{radius:g}"/>')
        if circles:
            self._parts.append(f'<g class="dots {kind}">{"".join(circles)}</g>')

    def arrow(self, start: Point, end: Point, kind: str) -> None:
        """Draw an arrow, in the coordinates of the data."""
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        length = math.hypot(x2 - x1, y2 - y1)
        if length < 0.5:
            return
        head = min(9.0, length)
        across, down = (x2 - x1) / length, (y2 - y1) / length
        base = (x2 - across * head, y2 - down * head)
        wing = (-down * head * 0.45, across * head * 0.45)
        tip = (
            f"M{_place((x2, y2))}L{_place((base[0] + wing[0], base[1] + wing[1]))}"
            f"L{_place((base[0] - wing[0], base[1] - wing[1]))}Z"
        )
        shaft = f'<path class="shaft" d="M{_place((x1, y1))}L{_place(base)}"/>'
        self._clipped(f'<g class="arrow {kind}">{shaft}<path class="head" d="{tip}"/></g>')

    def rule(self, kind: str, *, x: float | None = None, y: float | None = None, label: str = "") -> None:
        """Draw a line across the frame at one coordinate, with a label at its end."""
        unit = self._unit
        if x is not None:
            left, _ = self.at(x, self.y.low)
            ends = f"M{left:.1f} {self._top}V{self._bottom}"
            after = left < self.width * 0.62
            place, anchor = (left + (5 if after else -5), self._top + 11 * unit), "start" if after else "end"
        else:
            assert y is not None
            _, top = self.at(self.x.low, y)
            ends = f"M{self._left} {top:.1f}H{self._right}"
            place, anchor = (self._right - 4, top - 5), "end"
        self._parts.append(f'<path class="rule {kind}" d="{ends}"/>')
        if label:
            self._text(place, label, f"label {kind}", anchor)

    def label(self, x: float, y: float, text: str, kind: str = "", *, dx: float = 7, dy: float = -7) -> None:
        """Write beside a point of the data."""
        left, top = self.at(x, y)
        anchor = "start"
        if left + dx + len(text) * _CHARACTER * self._unit > self._right:
            dx, anchor = -dx, "end"
        if top + dy < self._top + 8 * self._unit:
            dy = 14 * self._unit
        self._text((left + dx, top + dy), text, f"label {kind}", anchor)

    def contours(self, xs: Floats, ys: Floats, values: Floats, levels: Sequence[float]) -> None:
        """Draw where a surface has each of some heights, shaded from low to high.

        Parameters
        ----------
        xs : shape (columns,)
        ys : shape (rows,)
        values : shape (rows, columns)
        levels : heights in ascending order
        """
        from contourpy import FillType, contour_generator

        generator = contour_generator(xs, ys, values, fill_type=FillType.OuterOffset)
        bounds = [-np.inf, *levels]
        for rank, (low, high) in enumerate(pairwise(bounds)):
            found: Any = generator.filled(low, high)
            path = "".join(
                self._ring(polygon[begin:end])
                for polygon, offset in zip(*found)
                for begin, end in pairwise(offset)
            )
            if path:
                depth = min(8, 1 + rank * 8 // len(levels))
                self._clipped(f'<path class="contour depth-{depth}" d="{path}"/>')

    def _ring(self, points: Floats) -> str:
        return "M" + "L".join(_place(self.at(float(x), float(y))) for x, y in points) + "Z"

    # ---- the element

    def svg(self) -> str:
        """Return the picture as one ``<svg>`` element."""
        description = f"<desc>{escape(self.description)}</desc>" if self.description else ""
        label = escape(self.title, quote=True)
        # Nested svg elements clip at their frame: no id is needed, which would have to be unique on the page.
        kind = "plot large" if self._unit > 1 else "plot"
        return (
            f'<svg class="{kind}" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{label}"{self._picking()}>'
            f"{description}{''.join(self._parts)}</svg>"
        )

    def _picking(self) -> str:
        """Return what a script needs to turn a place on the page into settings; both scales are linear."""
        if self.picks is None and self.draws is None:
            return ""
        use = f'data-picks="{" ".join(self.picks)}"' if self.picks else f'data-draws="{self.draws}"'
        return (
            f' {use} data-frame="{" ".join(map(str, self.frame))}"'
            f' data-ends="{self.x.low:g} {self.x.high:g} {self.y.low:g} {self.y.high:g}"'
        )

    def _clipped(self, mark: str) -> None:
        width, height = self._right - self._left, self._bottom - self._top
        self._parts.append(
            f'<svg x="{self._left}" y="{self._top}" width="{width}" height="{height}" '
            f'viewBox="{self._left} {self._top} {width} {height}">{mark}</svg>'
        )

    def _axes(self, x_title: str, y_title: str) -> None:
        unit, left, right, bottom = self._unit, self._left, self._right, self._bottom
        for value, text in self.y.ticks:
            _, top = self.at(self.x.low, value)
            self._parts.append(f'<path class="grid" d="M{left} {top:.1f}H{right}"/>')
            self._text((left - 7 * unit, top + 4 * unit), text, "tick", "end")
        for value, text in self.x.ticks:
            across, _ = self.at(value, self.y.low)
            self._text((across, bottom + 17 * unit), text, "tick", "middle")
        self._parts.append(f'<path class="axis" d="M{left} {bottom}H{right}"/>')
        if x_title:
            self._text(((left + right) / 2, self.height - 7 * unit), x_title, "axis-title", "middle")
        if y_title:
            middle = (self._top + bottom) / 2
            self._parts.append(
                f'<text class="axis-title" text-anchor="middle" transform="rotate(-90)" '
                f'x="{-middle:.1f}" y="{13 * unit:g}">{escape(y_title)}</text>'
            )

    def _text(self, place: Point, text: str, kind: str, anchor: str) -> None:
        x, y = place
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )


def _place(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def size_around(width: float, height: float) -> tuple[int, int]:
    """Return the size of a plot with short ticks whose frame is so large.

    Examples
    --------
    >>> size_around(374, 264)
    (440, 320)
    """
    unit = _unit(width + _LEFT + _RIGHT)
    left, right, top, bottom = (round(room * unit) for room in (_LEFT, _RIGHT, _TOP, _BOTTOM))
    return round(width) + left + right, round(height) + top + bottom


def _unit(width: float) -> float:
    return _LARGER if width > _LARGE else 1.0


def _width(tick: str) -> float:
    return sum(_CHARACTER * (0.6 if character in _NARROW else 1.0) for character in tick)
