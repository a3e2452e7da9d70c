"""Targets of data sets that the library does not generate; an exported script holds the source of its own."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def ripples(X):
    """Return waves along both inputs."""
    return np.sin(2 * X[:, 0]) * np.cos(2 * X[:, 1])


def hills(X):
    """Return three hills and three hollows, in turns."""
    places = [(-1.3, 0.9), (0.0, -0.9), (1.3, 0.9), (-1.3, -0.9), (0.0, 0.9), (1.3, -0.9)]
    heights = [np.exp(-3 * ((X[:, 0] - a) ** 2 + (X[:, 1] - b) ** 2)) for a, b in places]
    return sum(heights[:3]) - sum(heights[3:])


def xor(X):
    """Return class 1 where the inputs have the same sign, else class 0."""
    return (X[:, 0] * X[:, 1] > 0).astype(np.int64)


OVER_A_SQUARE: dict[str, Callable[[Any], Any]] = {"ripples": ripples, "hills": hills, "xor": xor}
