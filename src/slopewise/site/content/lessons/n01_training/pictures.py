"""The pictures of the project: rows, what the model says where, and its loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slopewise.site.content.lessons.n01_training.project import AXIS, SIDE, Data, Floats, Moment, Numbers
from slopewise.site.drawing import Plot, brief, linear

SHOWN = 200  # rows on a map, at most
_LEVELS = (0.1, 0.5, 0.9, 1.0)


def draw_rows(data: Data) -> str:
    """Draw all rows, as they were measured."""
    plot = Plot(
        linear(-2.2, 3.2),
        linear(-1.8, 2.2),
        x_title="first measurement",
        y_title="second measurement",
        title="All rows by their two measurements",
        description=f"{len(data.raw.y)} rows of two kinds, which reach into each other.",
        size=(560, 380),
    )
    _dots(plot, data.raw.X, data.raw.y, 3.4)
    return plot.svg()


def draw_parts(data: Data) -> str:
    """Draw the training rows filled, and the others hollow."""
    plot = Plot(
        linear(-2.2, 3.2),
        linear(-1.8, 2.2),
        x_title="first measurement",
        y_title="second measurement",
        title="Rows by part",
        description=", ".join(f"{name}: {len(rows.y)}" for name, rows in data.parts.items()),
        size=(560, 380),
    )
    raw, numbers = data.raw, data.numbers
    aside = np.concatenate([numbers["validation"], numbers["test"]])
    plot.dots([(float(x), float(y)) for x, y in raw.X[aside]], "hollow", 3)
    _dots(plot, raw.X[numbers["training"]], raw.y[numbers["training"]], 3.4)
    return plot.svg()


def _dots(plot: Plot, X: Floats, y: Numbers, size: float) -> None:
    for kind, look in ((0, "forward"), (1, "backward")):
        plot.dots([(float(a), float(b)) for a, b in X[y == kind]], look, size)


def draw_map(data: Data, moment: Moment | None, part: str, *, circle: bool = False) -> str:
    """Draw the rows of a part over what the model says at each place; `circle` marks those it gets wrong."""
    rows = data.parts[part]
    X, y = rows.X[:SHOWN], rows.y[:SHOWN]
    plot = Plot(
        linear(-SIDE, SIDE),
        linear(-SIDE, SIDE),
        x_title="first measurement, scaled",
        y_title="second measurement, scaled",
        title="Rows, and what the model says at each place",
        description="The bluer side is where the model says kind 0." if moment else "No model yet.",
        size=(520, 420),
    )
    if moment is not None:
        levels = [level for level in _LEVELS if level == 1.0 or level > moment.map.min()]
        plot.contours(AXIS, AXIS, moment.map, levels)
    _dots(plot, X, y, 3.2)
    if circle and moment is not None:
        wrong = ~moment.right[part][:SHOWN]
        plot.dots([(float(a), float(b)) for a, b in X[wrong]], "circled", 6.5)
    return plot.svg()


def draw_curve(curve: Sequence[tuple[float, float]], last: int, updates: int) -> str:
    """Draw training and validation loss up to an update; the frame reaches to the last one."""
    top = max(max(pair) for pair in curve)
    shown = curve[: updates + 1]
    plot = Plot(
        linear(0, last),
        linear(0, top * 1.05, 4),
        x_title="update",
        y_title="loss",
        title="Training and validation loss by update",
        description=f"After {updates} updates the training loss is {brief(shown[-1][0])}.",
        size=(420, 260),
    )
    plot.line([(float(k), pair[1]) for k, pair in enumerate(shown)], "backward")
    plot.line([(float(k), pair[0]) for k, pair in enumerate(shown)], "forward")
    plot.dots([(float(len(shown) - 1), shown[-1][0])], "ring", 4.5)
    return plot.svg()
