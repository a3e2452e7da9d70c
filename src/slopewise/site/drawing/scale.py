"""Scales: from numbers to places on the page, with round ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slopewise.engine.errors import ArgumentError
from slopewise.site.drawing.numbers import brief


@dataclass(frozen=True)
class Scale:
    """A range of numbers, the ticks in it, and where a number lies in it, from 0 to 1."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    place: Callable[[float], float]


def linear(low: float, high: float, count: int = 5) -> Scale:
    """Return a scale with about `count` ticks at round numbers.

    Examples
    --------
    >>> linear(0.0, 2.0).ticks
    ((0.0, '0'), (0.5, '0.5'), (1.0, '1'), (1.5, '1.5'), (2.0, '2'))
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ArgumentError(f"a scale runs from a lower to a higher number, not from {low} to {high}")
    step = _round_step((high - low) / count)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    ticks = tuple((n * step, brief(n * step)) for n in range(first, last + 1))
    return Scale(low, high, ticks, lambda value: (value - low) / (high - low))


def logarithmic(low: float, high: float, count: int = 6) -> Scale:
    """Return a scale of powers of ten; values at or below 0 lie at its lower end.

    Examples
    --------
    >>> logarithmic(0.01, 1.0).ticks
    ((0.01, '0.01'), (0.1, '0.1'), (1.0, '1'))
    """
    if not 0 < low < high < math.inf:
        raise ArgumentError(f"a logarithmic scale runs between numbers above 0, not from {low} to {high}")
    begin, end = math.log10(low), math.log10(high)
    powers = range(math.ceil(begin - 1e-9), math.floor(end + 1e-9) + 1)
    every = max(1, math.ceil(len(powers) / count))
    ticks = tuple((10.0**power, _power(power)) for power in powers if power % every == 0)

    def place(value: float) -> float:
        return (math.log10(max(value, low)) - begin) / (end - begin)

    return Scale(low, high, ticks, place)


def covering(values: Iterable[float], room: float = 0.06) -> Scale:
    """Return a linear scale that holds all finite values, with some room at both ends."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    margin = (high - low) * room or abs(low) * room or 1.0
    return linear(low - margin, high + margin)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= rough * 0.999)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(power: int) -> str:
    return brief(10.0**power) if -3 <= power <= 3 else f"10{str(power).translate(_SUPERSCRIPTS)}"
