"""Pictures of a training for pages without script, and the rows that lie over the live surface."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slopewise.site.drawing import Plot
from slopewise.site.drawing.scale import covering, linear
from slopewise.site.playground.design import Design
from slopewise.site.playground.words import before_training

Point = Sequence[float | None]
SHADES = 5
_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
# name of a line, its column of loss and of the score, its look
LINES = (("training", 2, 3, "forward"), ("validation", 4, 5, "backward dashed"), ("test", 6, 7, "ink"))


def draw_surface(
    design: Design,
    rows: Mapping[str, Any],
    frame: Sequence[float],
    view: Mapping[str, Any] | None = None,
    with_test: bool = False,
) -> Plot:
    """Draw the rows, and below them what the network says over the plane, if that is known."""
    names = axes(design)
    plot = Plot(
        linear(frame[0], frame[1]),
        linear(frame[2], frame[3]),
        x_title=names[0],
        y_title=names[1],
        title="What the network says over the inputs, with the rows" if view else "The rows",
        description=view["words"] if view else before_training(design, rows),
        size=(440, 400),
        left=52,  # playground.css lays the map's canvas over this frame
    )
    if view is not None:
        _draw_answers(plot, frame, view["surface"])
    for part in ("train", "validation", *(["test"] if with_test else [])):
        for kind, points in _by_kind(design, rows[part]).items():
            plot.dots(points, f"{kind} {part}", 3.4 if part == "train" else 3.8)
    return plot


def _draw_answers(plot: Plot, frame: Sequence[float], surface: Mapping[str, Any]) -> None:
    if "curve" in surface:
        x = np.linspace(frame[0], frame[1], len(surface["curve"]))
        plot.line(
            [(float(a), float("nan") if b is None else b) for a, b in zip(x, surface["curve"])],
            "forward answer",
        )
    else:
        values = np.frombuffer(base64.b64decode(surface["values"]), np.uint8)
        side = round(len(values) ** 0.5)
        heights = values.reshape(side, side) / 255.0
        xs, ys = np.linspace(frame[0], frame[1], side), np.linspace(frame[2], frame[3], side)
        plot.contours(xs, ys, heights, _LEVELS)


def axes(design: Design) -> tuple[str, str]:
    """Return what the two directions of the picture are called."""
    if design.own is not None:
        second = design.own.inputs[1] if len(design.own.inputs) > 1 else design.own.target
        return design.own.inputs[0][:40], second[:40]
    return ("x", "y") if design.places == 1 else ("x₁", "x₂")


def _by_kind(design: Design, rows: Sequence[Sequence[float]]) -> dict[str, list[tuple[float, float]]]:
    """Return places by the class of CSS that colours them: a class, or a shade of the target's height."""
    if len(rows[0]) == 2:
        return {"value": [(row[0], row[1]) for row in rows]}
    made: dict[str, list[tuple[float, float]]] = {}
    low, high = min(row[2] for row in rows), max(row[2] for row in rows)
    for x, y, target in rows:
        if design.has_classes:
            kind = f"class-{int(target)}"
        else:
            kind = f"shade-{min(SHADES - 1, int(SHADES * (target - low) / ((high - low) or 1.0)))}"
        made.setdefault(kind, []).append((x, y))
    return made


def draw_curves(points: Sequence[Point], column: int, title: str) -> str:
    """Return the lines of loss (column 0) or score (column 1) over updates; sealed parts have none."""
    lines = [
        (look, [(float(p[0] or 0), p[at[column]]) for p in points if len(p) > at[column]])
        for _, *at, look in LINES
    ]
    values = [value for _, line in lines for _, value in line if value is not None]
    last = max((p[0] or 0 for p in points), default=0)
    plot = Plot(
        linear(0, max(last, 1)),
        covering(values),
        x_title="update",
        y_title=title,
        title=f"{title} over updates",
        size=(440, 220),
    )
    for look, line in lines:
        plot.line([(x, float("nan") if y is None else y) for x, y in line], look)
    return plot.svg()
