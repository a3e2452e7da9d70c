"""A line search for a step length that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from slopewise.engine.tensor import Tensor


class Point(NamedTuple):
    """A place on the line: how far along it, and the function, its gradient and its slope there."""

    t: float
    value: float
    gradient: Tensor
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    size: float,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
    max_evaluations: int = 25,
) -> tuple[Point, int]:
    """Look for a point that is low enough and flat enough.

    ::

        value <= start.value + c1 t start.slope     and     |slope| <= c2 |start.slope|

    First go further until such a point is found or passed, then narrow the bracket by cubic interpolation.

    Parameters
    ----------
    evaluate : returns the point at a distance along the line
    start : the point at distance 0; its slope is negative
    t : the first distance to try
    size : the largest element of the direction; a bracket narrower than tolerance / size is not narrowed
    further c1, c2 : the constants of the conditions tolerance : float, at least 0 max_evaluations : how
    often to go further or narrow

    Returns
    -------
    the point, the best one found if none satisfies the conditions; and how many points were evaluated

    References
    ----------
    J. Nocedal, S. Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, in the form of M.
    Schmidt's minFunc, as in PyTorch. A value that is not finite counts as too high.
    """

    def is_too_high(point: Point) -> bool:
        return not point.value <= start.value + c1 * point.t * start.slope

    def is_flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    previous, point = start, evaluate(t)
    n = 0
    while n < max_evaluations:
        if is_too_high(point) or (n > 1 and point.value >= previous.value):
            break
        if is_flat(point):
            return point, n + 1
        if point.slope >= 0:
            break
        nearest, farthest = point.t + 0.01 * (point.t - previous.t), 10 * point.t
        further = evaluate(_cubic_minimum(previous, point, nearest, farthest))
        previous, point = point, further
        n += 1
    else:
        previous = start
    low, high = _ordered(previous, point)
    stuck = False
    while n < max_evaluations and abs(high.t - low.t) * size >= tolerance:
        t, stuck = _inside(low, high, stuck)
        point = evaluate(t)
        n += 1
        if is_too_high(point) or point.value >= low.value:
            low, high = _ordered(low, point)
            continue
        if is_flat(point):
            return point, n + 1
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low, n + 1


def _ordered(a: Point, b: Point) -> tuple[Point, Point]:
    """Return the lower point first; the second is it only if it is lower for certain, which nan is not."""
    return (b, a) if b.value < a.value else (a, b)


def _inside(low: Point, high: Point, stuck: bool) -> tuple[float, bool]:
    """Return where in a bracket to look next, and whether that was close to an end already.

    Twice in a row close to an end, or on it, is no progress: then a tenth of the bracket away from it.
    """
    left, right = sorted((low.t, high.t))
    t = _cubic_minimum(low, high, left, right)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic_minimum(a: Point, b: Point, left: float, right: float) -> float:
    """Return the minimum of the cubic through two points with their slopes, kept in [left, right].

    Where the cubic has none, the middle.
    """
    first, second = (a, b) if a.t <= b.t else (b, a)
    middle = (left + right) / 2
    if first.t == second.t:
        return middle
    d1 = first.slope + second.slope - 3 * (first.value - second.value) / (first.t - second.t)
    square = d1 * d1 - first.slope * second.slope
    if not 0 <= square < math.inf:
        return middle
    d2 = math.sqrt(square)
    divisor = second.slope - first.slope + 2 * d2
    if divisor == 0:
        return middle
    place = second.t - (second.t - first.t) * ((second.slope + d2 - d1) / divisor)
    return min(max(place, left), right)
