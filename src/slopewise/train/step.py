"""One update, and one step of evaluation: the innermost of the three levels fit, epoch, step.

Both are pure in what they count (running sums go in and come out), so that they can be traced once and run
as a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor

Batch = tuple[Tensor, Tensor, Tensor | None]  # inputs, targets, weights of the rows
Running = dict[str, Any]


def with_weight(batch: tuple[Any, ...]) -> Batch:
    """Return a loader's batch with None for weights that it does not have."""
    return (batch[0], batch[1], batch[2] if len(batch) == 3 else None)


def start_running(metrics: Sequence[Any]) -> Running:
    """Return running sums of no rows: the loss's, and each metric's."""
    # two zeros, not one twice: a trace for one tensor in two places would not serve for two
    return {
        "loss": (ops.zeros((), "float64"), ops.zeros((), "float64")),
        **{metric.name: metric.init() for metric in metrics},
    }


def row_weight(batch: Batch) -> Any:
    """Return the sum of a batch's weights; without weights each row counts 1."""
    x, _, weight = batch
    return float(x.shape[0]) if weight is None else ops.sum(weight)


def weighted_loss(loss: Callable[..., Tensor], prediction: Tensor, batch: Batch) -> Tensor:
    """Return the weighted mean of the loss over the rows of a batch."""
    _, y, weight = batch
    return loss(prediction, y) if weight is None else loss(prediction, y, sample_weight=weight)


def add_to_running(
    running: Running, loss: Tensor, prediction: Tensor, batch: Batch, metrics: Sequence[Any]
) -> Running:
    """Return the running sums with a batch added; a batch counts by the weight of its rows."""
    total, weights = running["loss"]
    weight = row_weight(batch)
    with no_grad():
        added: Running = {"loss": (total + loss.astype("float64") * weight, weights + weight)}
        for metric in metrics:
            added[metric.name] = metric.update(running[metric.name], prediction, batch[1], batch[2])
    return added


def compute_running(running: Running, metrics: Sequence[Any]) -> dict[str, float]:
    """Return the loss and the metrics as numbers."""
    total, weights = running["loss"]
    scores = {"loss": float(total / weights)}
    for metric in metrics:
        value = np.asarray(metric.compute(running[metric.name]))
        if value.size != 1:
            raise ArgumentError(
                f"the metric '{metric.name}' gives {value.size} numbers (shape {value.shape}); "
                "a Trainer's metrics give one each, such as an average over the classes"
            )
        scores[metric.name] = float(value.reshape(()))
    return scores
