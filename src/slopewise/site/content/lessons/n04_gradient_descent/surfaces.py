"""The surfaces of this lesson: losses of two parameters, as programs on the engine."""

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
    """A loss of two parameters.

    Attributes
    ----------
    loss : callable
        From parameters, shape (..., 2), to losses, shape (...).
    latex : str
    lowest : (w1, w2)
        Where it is lowest.
    character : str
        What its shape does to gradient descent, in one sentence.
    """

    name: str
    loss: Callable[[Tensor], Tensor]
    latex: str
    lowest: tuple[float, float]
    character: str


def _quadratic(first: float, second: float) -> Callable[[Tensor], Tensor]:
    def loss(w: Tensor) -> Tensor:
        return 0.5 * (first * w[..., 0] ** 2 + second * w[..., 1] ** 2)

    return loss


def _two_valleys(w: Tensor) -> Tensor:
    x, y = w[..., 0], w[..., 1]
    return 0.25 * x**4 - 0.75 * x**2 + 0.15 * x + 0.5 * y**2 + 1.0


def _kink(w: Tensor) -> Tensor:
    return xp.abs(w[..., 0]) + 2.0 * xp.abs(w[..., 1])


def _plateau(w: Tensor) -> Tensor:
    return 1.0 - xp.exp(-0.9 * (w**2).sum(-1))


SURFACES = {
    "bowl": Surface(
        "a bowl",
        _quadratic(1.0, 4.0),
        r"L = \frac{1}{2} (w_1^2 + 4 w_2^2)",
        (0.0, 0.0),
        "It is smooth and convex: any small enough learning rate leads to the one lowest point.",
    ),
    "valley": Surface(
        "a narrow valley",
        _quadratic(1.0, 25.0),
        r"L = \frac{1}{2} (w_1^2 + 25 w_2^2)",
        (0.0, 0.0),
        "It is smooth and convex, but 25 times as steep across as along: the walls limit the learning rate, "
        "and the floor then takes many steps.",
    ),
    "two": Surface(
        "two valleys",
        _two_valleys,
        r"L = \frac{1}{4} w_1^4 - \frac{3}{4} w_1^2 + 0.15 w_1 + \frac{1}{2} w_2^2 + 1",
        (-1.271977445, 0.0),
        "It is smooth but not convex: descent finds the bottom of the valley it starts in, which need not be "
        "the lower one.",
    ),
    "kink": Surface(
        "a kink",
        _kink,
        r"L = |w_1| + 2 |w_2|",
        (0.0, 0.0),
        "It is convex but not smooth: the slope is as steep beside the lowest point as far from it, so steps "
        "never get shorter and never settle.",
    ),
    "plateau": Surface(
        "a plateau with a hole",
        _plateau,
        r"L = 1 - e^{-0.9 (w_1^2 + w_2^2)}",
        (0.0, 0.0),
        "Far from the hole it is almost flat: the gradient is tiny there, and so is every step.",
    ),
}


def descend(
    surface: Surface, start: tuple[float, float], rate: float, updates: int
) -> tuple[Floats, Floats, Floats]:
    """Return the points, their losses and their gradients; it ends early where the numbers leave all bounds.

    Returns
    -------
    points : shape (steps + 1, 2)
    losses : shape (steps + 1,)
    gradients : shape (steps + 1, 2)
    """
    slope = sw.value_and_grad(surface.loss)
    point = np.array(start, dtype=np.float64)
    points, losses, gradients = [], [], []
    for _ in range(updates + 1):
        loss, gradient = slope(sw.tensor(point))
        points.append(point)
        losses.append(loss.item())
        gradients.append(gradient.numpy())
        if np.abs(point).max() > 1e3:
            break
        point = point - rate * gradients[-1]
    return np.array(points), np.array(losses), np.array(gradients)


def sweep(surface: Surface, start: tuple[float, float], rates: Floats, updates: int) -> Floats:
    """Return the loss after some updates for each learning rate; all walk at once, as one batch."""
    slopes = sw.grad(lambda w: surface.loss(w).sum())
    points = np.tile(np.array(start, dtype=np.float64), (len(rates), 1))
    for _ in range(updates):
        within = np.abs(points).max(axis=1, keepdims=True) < 1e3
        points = points - np.where(within, rates[:, None], 0.0) * slopes(sw.tensor(points)).numpy()
    losses: Floats = surface.loss(sw.tensor(points)).numpy()
    return losses


def stability_limit(surface: Surface) -> float | None:
    """Return 2 over the largest curvature at the lowest point; None if the surface has a kink there."""
    if surface is SURFACES["kink"]:
        return None
    curvature = sw.hessian(surface.loss)(sw.tensor(np.array(surface.lowest))).numpy()
    return float(2.0 / np.linalg.eigvalsh(curvature).max())
