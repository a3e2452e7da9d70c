"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n02_gradient_and_derivative.surfaces import (
    SURFACES,
    bowl,
    gradient,
    nudged_slope,
    slope_along,
)
from slopewise.site.content.typed_numbers import Typed

W = 3.0  # of the example in one variable, f(w) = w²
POINT = np.array([1.5, 0.8])  # of the example in two
DIAGONAL = np.array([1.0, 1.0]) / math.sqrt(2)
NUDGES = (1.0, 0.1, 1e-2, 1e-4, 1e-6, 1e-7)
_LINE = SURFACES["bowl"]


def _square(w: sw.Tensor) -> sw.Tensor:
    return w * w


def _derivative(w: float) -> float:
    return float(sw.grad(_square)(sw.tensor(w, dtype=sw.float64)).item())


def _secant(w: float, nudge: float, dtype: Any) -> float:
    """Return the slope of the line through two points of w²."""
    here = sw.tensor(w, dtype=dtype)
    return float(((_square(here + nudge) - _square(here)) / nudge).item())


def _kinds() -> list[tuple[str, str, float]]:
    """Return functions whose derivative at 0 is zero: each with its second derivative there."""
    zero = sw.tensor(0.0, dtype=sw.float64)
    rows = []
    for name, kind, f in (
        ("w^2", "lowest point", lambda w: w * w),
        ("-w^2", "highest point", lambda w: -(w * w)),
        ("w^3", "neither: it only pauses", lambda w: w * w * w),
    ):
        assert sw.grad(f)(zero).item() == 0.0
        rows.append((name, kind, float(sw.grad(sw.grad(f))(zero).item())))
    return rows


def _aim(across: float) -> float:
    """Return the angle in degrees between the step and the way to the lowest point.

    The bowl is w₁²/2 + across · w₂²/2.
    """
    curvatures = sw.tensor(np.array([1.0, across]))
    step = -sw.grad(lambda w: 0.5 * (curvatures * w**2).sum())(sw.tensor(POINT)).numpy()
    way = -POINT
    cosine = step @ way / (np.linalg.norm(step) * np.linalg.norm(way))
    return math.degrees(math.acos(cosine))


def _rescaled() -> list[float]:
    """Return the gradient when the first parameter is measured in hundredths: w₁ = v₁ / 100."""
    scale = sw.tensor(np.array([0.01, 1.0]))
    slopes = sw.grad(lambda v: bowl(v * scale))(sw.tensor(POINT * np.array([100.0, 1.0])))
    found: list[float] = slopes.numpy().tolist()
    return found


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    network = sw.nn.Sequential(sw.nn.Linear(4, 32), sw.nn.ReLU(), sw.nn.Linear(32, 3))
    slopes = gradient(_LINE, POINT)
    return {
        "w": W,
        "derivative": _derivative(W),
        "derivative_left": _derivative(-W),
        "height": W * W,
        "secants": [(h, _secant(W, h, sw.float64), _secant(W, h, sw.float32)) for h in NUDGES],
        "kinds": _kinds(),
        "point": POINT.tolist(),
        "point_height": bowl(sw.tensor(POINT)).item(),
        "gradient": slopes.tolist(),
        "slope": float(np.linalg.norm(slopes)),
        "diagonal": DIAGONAL.tolist(),
        "along_diagonal": slope_along(_LINE, POINT, DIAGONAL),
        "parameters": sum(parameter.size for parameter in network.parameters()),
        "aim": _aim(2.0),
        "aim_valley": _aim(25.0),
        "rescaled": _rescaled(),
        "rate": 0.3,
        "landed": (POINT - 0.3 * slopes).tolist(),
        "landed_height": bowl(sw.tensor(POINT - 0.3 * slopes)).item(),
        "wrong_way": (POINT + 0.3 * slopes).tolist(),
        "wrong_height": bowl(sw.tensor(POINT + 0.3 * slopes)).item(),
    }


def _limit() -> tuple[Any, Any]:
    """The derivative by the engine, and a secant over a very short distance."""
    return _derivative(W), _secant(W, 1e-6, sw.float64)


def _vector() -> tuple[Any, Any]:
    """The gradient, and the two partial derivatives, each with the other parameter held still."""
    w1, w2 = (sw.tensor(value, dtype=sw.float64) for value in POINT)
    first = sw.grad(lambda w: 0.5 * w**2 + w2**2)(w1).item()
    second = sw.grad(lambda w: 0.5 * w1**2 + w**2)(w2).item()
    return gradient(_LINE, POINT), [first, second]


def _bowl() -> tuple[Any, Any]:
    """The gradient of the bowl by the engine, and by the formula."""
    return gradient(_LINE, POINT), [POINT[0], 2 * POINT[1]]


def _bowl_itself() -> tuple[Any, Any]:
    """The bowl that the engine differentiates, and the one that the text writes."""
    return bowl(sw.tensor(POINT)).item(), 0.5 * POINT[0] ** 2 + POINT[1] ** 2


def _along() -> tuple[Any, Any]:
    """The derivative along a direction by a nudge, and the gradient's component in it."""
    hills = SURFACES["hills"]
    return nudged_slope(hills, POINT, DIAGONAL), gradient(hills, POINT) @ DIAGONAL


def _cosine() -> tuple[Any, Any]:
    """The component, and length times cosine, all round."""
    slopes = gradient(_LINE, POINT)
    start = math.atan2(slopes[1], slopes[0])
    angles = np.radians(np.arange(0, 360, 7))
    seen = [slope_along(_LINE, POINT, np.array([math.cos(start + a), math.sin(start + a)])) for a in angles]
    return seen, np.linalg.norm(slopes) * np.cos(angles)


def _small_step() -> tuple[Any, Any]:
    """How the height changes over a tiny step, and what the gradient says."""
    hills, step = SURFACES["hills"], 1e-7 * DIAGONAL
    before, after = (float(hills.height(sw.tensor(p)).item()) for p in (POINT, POINT + step))
    return (after - before) / 1e-7, gradient(hills, POINT) @ DIAGONAL


FORMULAS = (
    Formula("limit", r"f'(w) = \lim_{h \to 0} \frac{f(w + h) - f(w)}{h}", _limit),
    Formula(
        "vector",
        r"\nabla L = \begin{bmatrix} \partial L / \partial w_1 \\ \partial L / \partial w_2 \end{bmatrix}",
        _vector,
    ),
    Formula("bowl", r"\nabla L = \begin{bmatrix} w_1 \\ 2 w_2 \end{bmatrix}", _bowl),
    Formula("along", r"D_u L = \nabla L \cdot u", _along),
    Formula("cosine", r"\nabla L \cdot u = \lVert \nabla L \rVert \cos \varphi", _cosine),
    Formula("small_step", r"L(w + \Delta) \approx L(w) + \nabla L \cdot \Delta", _small_step),
    Formula("surface", r"L(w) = \frac{1}{2} w_1^2 + w_2^2", _bowl_itself),
    Formula("surface_in_short", r"L = \frac{1}{2} w_1^2 + w_2^2", _bowl_itself),
)
GIVEN = ("f(w) = w^2", r"\cos \varphi = 1", r"\cos \varphi = 0", r"\cos \varphi = -1")


# ---- numbers that texts type


def _flat() -> list[float]:
    """Return the slopes at 0 of three functions that are flat there, and of the saddle."""
    zero = sw.tensor(0.0, dtype=sw.float64)
    along = [sw.grad(f)(zero).item() for f in (lambda w: w * w, lambda w: -(w * w), lambda w: w**3)]
    return [*along, *np.abs(gradient(SURFACES["saddle"], np.zeros(2)))]


def _at_a_right_angle() -> float:
    """Return the slope at a right angle to a gradient of length 5."""
    slopes = sw.grad(lambda w: (sw.tensor(np.array([3.0, 4.0])) * w).sum())(sw.tensor(POINT)).numpy()
    assert np.linalg.norm(slopes) == 5
    return float(slopes @ np.array([-0.8, 0.6]))


def _downhill() -> float:
    """Return where steps against the derivative of w² lead."""
    w = -W
    for _ in range(100):
        w -= 0.1 * _derivative(w)
    return w


TYPED = {
    "text/the-idea-in-plain-words": Typed("4 32 3"),  # the layers that `facts` builds
    "text/one-variable-a-number": Typed(
        shows=lambda: [8.0 * np.dtype(name).itemsize for name in ("float64", "float32")]
    ),
    "text/why-two-numbers-are-enough-for-every-direction": Typed("1"),  # the length of u
    "text/what-is-often-said-wrongly": Typed("25", _flat),
    "question/sign": Typed(shows=lambda: [_downhill()]),
    "question/right-angle": Typed("5 −5", lambda: [_at_a_right_angle()]),
    "question/smaller-nudge": Typed(shows=lambda: [8.0 * np.dtype("float32").itemsize]),
    "question/zero": Typed(shows=_flat),
    "card/zero": Typed(shows=_flat),
    "card/along": Typed("1"),
}
