"""What the checks of formulas are made of: two sides, computed in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

import slopewise as sw
from slopewise.engine.tensor import Tensor

Sides = tuple[Any, Any]


def double(value: Any) -> Tensor:
    """Return numbers as a tensor of float64."""
    made: Tensor = sw.tensor(np.array(value, float))
    return made
