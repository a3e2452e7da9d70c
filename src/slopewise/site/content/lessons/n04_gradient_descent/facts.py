"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n04_gradient_descent.surfaces import SURFACES, descend, stability_limit
from slopewise.site.content.typed_formulas import value_of
from slopewise.site.content.typed_numbers import Typed

START, RATE = 3.0, 0.1  # of the example worked by hand, L(w) = w²
RATES = (0.01, 0.1, 0.5, 0.9, 1.0, 1.1)


def _parabola(w: sw.Tensor) -> sw.Tensor:
    return w * w


def _walk(rate: float, updates: int) -> list[float]:
    slope = sw.grad(_parabola)
    places = [START]
    for _ in range(updates):
        places.append(places[-1] - rate * slope(sw.tensor(places[-1], dtype=sw.float64)).item())
    return places


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    places = _walk(RATE, 10)
    gradient = sw.grad(_parabola)(sw.tensor(START, dtype=sw.float64)).item()
    valley, two = SURFACES["valley"], SURFACES["two"]
    uphill = sw.grad(SURFACES["bowl"].loss)(sw.tensor(np.array([2.0, 1.5]))).numpy()
    left, right = (descend(two, (side, 0.0), 0.1, 200)[1][-1] for side in (-1.0, 1.0))
    return {
        "start": START,
        "rate": RATE,
        "gradient": gradient,
        "first": places[1],
        "second": places[2],
        "tenth": places[10],
        "loss_before": START**2,
        "loss_after": places[1] ** 2,
        "table": [(rate, _walk(rate, 1)[1], _walk(rate, 2)[2], _walk(rate, 20)[20]) for rate in RATES],
        "valley_limit": stability_limit(valley),
        "bowl_limit": stability_limit(SURFACES["bowl"]),
        "valley_shrink": 1 - 0.08 * 1.0,
        "bowl_gradient": uphill.tolist(),
        "left_valley": float(left),
        "right_valley": float(right),
    }


def _update_rule() -> tuple[Any, Any]:
    """The rule by hand, and the optimizer's step."""
    w = sw.tensor(np.array([2.0, 1.5]), requires_grad=True)
    by_hand = w.numpy() - RATE * sw.grad(SURFACES["bowl"].loss)(w).numpy()
    optimizer = sw.optim.SGD([w], lr=RATE)
    SURFACES["bowl"].loss(w).backward()
    optimizer.step()
    return w.numpy(), by_hand


def _slope_of_a_square() -> tuple[Any, Any]:
    """The gradient of w² by the engine, and twice w."""
    return sw.grad(lambda w: w * w)(sw.tensor(START, dtype=sw.float64)).item(), 2 * START


def _promise() -> tuple[Any, Any]:
    """The fall of the loss in a tiny step, and what the slope promises."""
    surface, rate = SURFACES["two"], 1e-7
    _, losses, gradients = descend(surface, (2.0, 1.0), rate, 1)
    return (losses[0] - losses[1]) / rate, float((gradients[0] ** 2).sum())


def _factor() -> tuple[Any, Any]:
    """A walk on a parabola of curvature 2, and the power of its factor."""
    return _walk(RATE, 10)[10], (1 - RATE * 2) ** 10 * START


def _limit() -> tuple[Any, Any]:
    """Just below the limit the valley's walk ends lower, just above it ends higher."""
    valley = SURFACES["valley"]
    limit = stability_limit(valley)
    assert limit is not None
    ends = [descend(valley, (0.0, 1.0), limit * share, 200)[1][-1] < 12.5 for share in (0.99, 1.01)]
    return ends, [True, False]


FORMULAS = (
    Formula("update", r"w_{t+1} = w_t - \eta \, \nabla L(w_t)", _update_rule),
    Formula("promise", r"L(w - \eta \nabla L) \approx L(w) - \eta \, {\lVert \nabla L \rVert}^2", _promise),
    Formula("factor", r"w_{t+1} = w_t - \eta \lambda w_t = (1 - \eta \lambda) \, w_t", _factor),
    Formula("limit", r"\eta < \frac{2}{\lambda_{\max}}", _limit),
    Formula("slope", "2w = {{ gradient | digits }}", _slope_of_a_square),
)
GIVEN = ("L(w) = w^2",)


def _height(name: str) -> tuple[Any, Any]:
    """The loss that the engine computes, and the formula that the lab shows."""
    points = [(2.0, 1.5), (-0.7, 0.3), (0.0, -1.2)]
    sides = SURFACES[name].latex.partition("=")[2]
    return SURFACES[name].loss(sw.tensor(np.array(points))).numpy(), [
        value_of(sides, {"w_1": w1, "w_2": w2}) for w1, w2 in points
    ]


LAB_FORMULAS = tuple(
    Formula(name, surface.latex, partial(_height, name)) for name, surface in SURFACES.items()
)


# ---- numbers that texts type


def _curvatures() -> list[float]:
    """Return the curvatures of the narrow valley, along and across."""
    point = sw.tensor(np.array([0.3, -0.2]))
    found: list[float] = np.linalg.eigvalsh(sw.hessian(SURFACES["valley"].loss)(point).numpy()).tolist()
    return found


def _limit_times_curvature() -> float:
    limit = stability_limit(SURFACES["valley"])
    assert limit is not None
    return limit * max(_curvatures())


def _bottom_of_the_bowl() -> list[float]:
    """Return the gradient of the bowl at (0, 0)."""
    return list(sw.grad(SURFACES["bowl"].loss)(sw.tensor(np.zeros(2))).numpy())


TYPED = {
    # the factor of a distance, at no rate and at the limit
    "text/what-the-learning-rate-does": Typed("2 20", lambda: [_walk(r, 1)[1] / START for r in (0.0, 1.0)]),
    "text/smooth-convex-steep": Typed(shows=lambda: [max(_curvatures()) / min(_curvatures())]),
    "text/what-is-often-said-wrongly": Typed("20"),
    "takeaways": Typed(shows=lambda: [_limit_times_curvature()]),
    "prompt/rate": Typed(shows=lambda: [_limit_times_curvature()]),
    "question/points-uphill": Typed("2 1.5", _bottom_of_the_bowl),
    "card/limit": Typed(shows=lambda: [_limit_times_curvature()]),
    "card/valley-limit": Typed(shows=lambda: [*_curvatures(), _limit_times_curvature()]),
    "lab": Typed("0.02 0.3 0.6", lambda: [max(_curvatures()) / min(_curvatures())]),  # rates to try
}
