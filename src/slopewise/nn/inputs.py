"""Checks of what a module or loss is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Array, Dtype
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.mode import current_mode
from slopewise.engine.tensor import Tensor
from slopewise.engine.vmap import Batched

if TYPE_CHECKING:
    from slopewise.nn.module import Module


def floating_input(module: Module, value: Any, dtype: Dtype) -> Tensor:
    """Return a module's input as a tensor, which must have the module's dtype."""
    x: Tensor = ops.as_tensor(value)
    if x.dtype != dtype:
        if x.dtype.kind == "f":
            way_out = f"convert the input with .astype('{dtype}'), or the model with .astype('{x.dtype}')"
        else:
            way_out = f"convert the input with .astype('{dtype}')"
        raise DtypeError(f"{module._title()} has {dtype} weights, but its input is {x.dtype}; {way_out}")
    return x


def known_value(x: Tensor) -> Array | None:
    """Return a tensor's value, or None under a trace or vmap, where it is not known and checks must wait."""
    buffer = x._ref.buffer
    return buffer if isinstance(buffer, np.ndarray) and current_mode().trace is None else None


def is_batched(x: Tensor) -> bool:
    """Tell whether a tensor stands for one example of a batch, under vmap."""
    return isinstance(x._ref.buffer, Batched)


def positive_integer(name: str, value: Any, least: int = 1) -> int:
    """Return an integer argument that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value)


def probability(name: str, value: Any) -> float:
    """Return an argument that is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ArgumentError(f"{name} must be a number from 0 to 1, not {value!r}")
    return float(value)
