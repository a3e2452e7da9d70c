"""The picture that the hub opens with: two walks downhill on one surface, computed by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

import numpy as np

import slopewise as sw
from slopewise.site.content.lessons.n04_gradient_descent.surfaces import SURFACES, descend
from slopewise.site.drawing import Plot, brief, linear

_SURFACE = "two"
_STARTS = ((-0.1, 1.7), (0.3, 1.7))
_RATE, _UPDATES = 0.2, 30  # as many as the lab shows
_WIDE, _HIGH = 2.3, 1.9
_LEVELS = np.linspace(0.0, 1.0, 12)[1:] ** 1.6


@dataclass(frozen=True)
class Opening:
    """The picture, what it shows in words, and where to walk there oneself."""

    svg: str
    caption: str
    address: str


@lru_cache(maxsize=1)
def draw_opening() -> Opening:
    """Walk, and draw the walks on a map of the surface."""
    surface = SURFACES[_SURFACE]
    walks = [descend(surface, start, _RATE, _UPDATES) for start in _STARTS]
    low, high = sorted(float(losses[-1]) for _, losses, _ in walks)
    plot = Plot(
        linear(-_WIDE, _WIDE),
        linear(-_HIGH, _HIGH, 4),
        x_title="w₁",
        y_title="w₂",
        title="Contour map of two valleys with two walks downhill",
        description=f"They start side by side and end at the heights {brief(low, 3)} and {brief(high, 3)}.",
        size=(480, 410),
    )
    xs, ys = np.linspace(-_WIDE, _WIDE, 61), np.linspace(-_HIGH, _HIGH, 51)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)
    heights = surface.loss(sw.tensor(grid)).numpy()
    levels = heights.min() + _LEVELS * (heights.max() - heights.min())
    plot.contours(xs, ys, heights, levels.tolist())
    for (points, losses, _), kind in zip(walks, ("forward", "backward")):
        trail = [(float(x), float(y)) for x, y in points]
        plot.line(trail, kind)
        plot.dots(trail[:-1], kind, 2.6)
        plot.dots(trail[-1:], kind, 5)
        plot.label(*trail[-1], brief(float(losses[-1]), 3), kind, dy=22)
    w1, w2 = _STARTS[0]
    settings = {"surface": _SURFACE, "lr": _RATE, "w1": w1, "w2": w2}
    return Opening(
        plot.svg(),
        f"The same rule, {_UPDATES} updates, two starts side by side: one walk ends at a loss of "
        f"{brief(low, 3)}, the other at {brief(high, 3)}.",
        f"/lessons/gradient-descent?{urlencode(settings)}#lab",
    )
