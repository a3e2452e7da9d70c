"""What all losses ask of a prediction and its target."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.inputs import known_value


def check_pair(name: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Return both as tensors of one shape and of the prediction's dtype."""
    prediction, target = floating_prediction(name, prediction), ops.as_tensor(target)
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{name}: prediction has shape {prediction.shape} and target {target.shape}; they must be equal"
            + _way_out(prediction, target)
        )
    return prediction, target.astype(prediction.dtype)


def floating_prediction(name: str, prediction: Any) -> Tensor:
    result: Tensor = ops.as_tensor(prediction)
    if result.dtype.kind != "f":
        raise DtypeError(f"{name}: predictions must be floating, not {result.dtype}")
    return result


def _way_out(prediction: Tensor, target: Tensor) -> str:
    if prediction.shape == (*target.shape, 1):
        return f", so write prediction.reshape({target.shape}) or target.reshape({prediction.shape})"
    if target.shape == (*prediction.shape, 1):
        return f", so write target.reshape({prediction.shape}) or prediction.reshape({target.shape})"
    return ""


def check_range(name: str, argument: str, x: Tensor, low: float, high: float, meaning: str) -> None:
    """Raise an error that names the first element outside of [low, high], where values are known."""
    value = known_value(x)
    if value is None or not value.size or (low <= value.min() and value.max() <= high):
        return
    outside = ~((value >= low) & (value <= high))
    place = tuple(int(i) for i in np.argwhere(outside)[0])
    shown = ", ".join(map(str, place))
    raise ArgumentError(f"{name}: {argument}[{shown}] is {value[place]}; {meaning}")
