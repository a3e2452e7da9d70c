"""Losses: how far predictions are from targets. Public as `slopewise.losses`.

All take (prediction, target), then by keyword `sample_weight` and `reduction`:

- `reduction="mean"` divides by the number of terms, or with weights by the sum of weights, so that a weight
  of 2 is the same as a row that is there twice; "sum" adds up; "none" returns the terms.
- `sample_weight`, shape (batch,) or that of the terms, multiplies the terms.

Predictions are floating, and targets are converted to their dtype. Shapes must be equal: nothing is
broadcast. Values and gradients are finite for predictions of ±1e4 in float32 and float64.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor
from slopewise.nn.losses.binary import binary_cross_entropy_with_logits, hinge
from slopewise.nn.losses.cross_entropy_loss import cross_entropy
from slopewise.nn.losses.divergence import kl_divergence
from slopewise.nn.losses.regression import absolute_error, huber, squared_error

__all__ = [
    "BY_NAME",
    "absolute_error",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "mae",
    "mse",
    "squared_error",
]

Loss = Callable[..., Tensor]

mse = squared_error
mae = absolute_error

BY_NAME: dict[str, Loss] = {
    "squared_error": squared_error,
    "mse": squared_error,
    "absolute_error": absolute_error,
    "mae": absolute_error,
    "huber": huber,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "bce_with_logits": binary_cross_entropy_with_logits,
    "hinge": hinge,
    "cross_entropy": cross_entropy,
    "kl_divergence": kl_divergence,
}


def get(loss: str | Loss) -> Loss:
    """Return a loss by its name; a function is returned as it is.

    Raises
    ------
    ArgumentError
        If there is no loss of that name; the message says which one is near.

    Examples
    --------
    >>> get("mse").__name__
    'squared_error'
    """
    if callable(loss):
        return loss
    if loss in BY_NAME:
        return BY_NAME[loss]
    near = get_close_matches(str(loss), BY_NAME, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(BY_NAME))}"
    raise ArgumentError(f"there is no loss {loss!r}; {hint}")
