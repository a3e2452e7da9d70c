"""The surfaces of this lesson: functions of two parameters, as programs on the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise import array as xp
from slopewise.engine.tensor import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """A function of two parameters, from shape (..., 2) to (...)."""

    name: str
    height: Callable[[Tensor], Tensor]
    character: str  # in one sentence


def bowl(w: Tensor) -> Tensor:
    """The bowl that the text works with: w₁²/2 + w₂²."""
    return 0.5 * w[..., 0] ** 2 + w[..., 1] ** 2


def _saddle(w: Tensor) -> Tensor:
    return 0.5 * (w[..., 0] ** 2 - w[..., 1] ** 2)


def _hillside(w: Tensor) -> Tensor:
    return 0.6 * w[..., 0] - 0.8 * w[..., 1]


def _hills(w: Tensor) -> Tensor:
    east = (w[..., 0] - 1.2) ** 2 + (w[..., 1] - 0.4) ** 2
    west = (w[..., 0] + 1.1) ** 2 + (w[..., 1] + 0.5) ** 2
    return 2.0 * xp.exp(-east) + 1.4 * xp.exp(-0.8 * west)


SURFACES = {
    "bowl": Surface("a bowl", bowl, "A bowl has one lowest point."),
    "hills": Surface("two hills", _hills, "Two hills stand on a plain."),
    "saddle": Surface("a saddle", _saddle, "A saddle rises east and west, and falls north and south."),
    "hillside": Surface("a plane", _hillside, "A plane has the same slope everywhere."),
}


def gradient(surface: Surface, point: Floats) -> Floats:
    """Return the gradient, shape (2,)."""
    slopes: Floats = sw.grad(surface.height)(sw.tensor(point)).numpy()
    return slopes


def slope_along(surface: Surface, point: Floats, direction: Floats) -> float:
    """Return the derivative along a direction of length 1, by carrying the direction through the program."""
    _, slope = sw.jvp(surface.height, (sw.tensor(point),), (sw.tensor(direction),))
    return float(slope.item())


def nudged_slope(surface: Surface, point: Floats, direction: Floats, nudge: float = 1e-5) -> float:
    """Return the same by moving a little to both sides and looking at the heights."""
    ends = sw.tensor(np.stack([point + nudge * direction, point - nudge * direction]))
    above, below = surface.height(ends).numpy()
    return float((above - below) / (2 * nudge))


def flat_place(surface: Surface, point: Floats) -> str:
    """Say what kind of flat place a point is, from the curvatures there."""
    curvatures = np.linalg.eigvalsh(sw.hessian(surface.height)(sw.tensor(point)).numpy())
    if (curvatures > 0).all():
        return "it curves up in all directions: a lowest point"
    if (curvatures < 0).all():
        return "it curves down in all directions: a highest point"
    return "it curves up in one direction and down in another: a saddle point"
