"""Streaming metrics of predicted numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import scalar_like, zeros
from slopewise.engine.errors import ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.metrics.streaming import FLOAT64, Mean, Metric, State, as_tensor, row_weight


def _number_columns(name: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Return both as float64, shape (rows, outputs)."""
    prediction, target = as_tensor(prediction), as_tensor(target)
    if prediction.shape != target.shape or target.ndim == 0:
        raise ShapeError(
            f"{name}: prediction has shape {prediction.shape} and target {target.shape}: "
            "they must be the same; reshape one of them"
        )
    shape = (target.shape[0], -1) if target.size else (0, 1)
    return prediction.astype(FLOAT64).reshape(shape), target.astype(FLOAT64).reshape(shape)


class _MeanError(Metric):
    """A mean over rows of an error; several outputs in a row are averaged."""

    higher_is_better = False

    def init(self) -> State:
        return Mean().init()

    def update(self, state: State, prediction: Any, target: Any, weight: Any = None) -> State:
        with no_grad():
            prediction, target = _number_columns(self.name, prediction, target)
            error = ops.mean(self._error(prediction - target), axis=1)
            weight = None if weight is None else row_weight(self.name, weight, target.shape[0])
            return Mean().update(state, error, weight)

    def compute(self, state: State) -> float:
        return Mean().compute(state)

    @staticmethod
    @abstractmethod
    def _error(difference: Tensor) -> Tensor: ...


class MeanSquaredError(_MeanError):
    """The mean squared error, in the square of the target's unit.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.MeanSquaredError()
    >>> metric.compute(metric.update(metric.init(), sw.tensor([1.0, 4.0]), sw.tensor([1.0, 2.0])))
    2.0
    """

    name = "mse"

    @staticmethod
    def _error(difference: Tensor) -> Tensor:
        return ops.square(difference)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error, in the target's unit.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.RootMeanSquaredError()
    >>> metric.compute(metric.update(metric.init(), sw.tensor([1.0, 1.0]), sw.tensor([3.0, 3.0])))
    2.0
    """

    name = "rmse"

    def compute(self, state: State) -> float:
        return float(np.sqrt(super().compute(state)))


class MeanAbsoluteError(_MeanError):
    """The mean absolute error, in the target's unit.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.MeanAbsoluteError()
    >>> metric.compute(metric.update(metric.init(), sw.tensor([1.0, 4.0]), sw.tensor([1.0, 2.0])))
    1.0
    """

    name = "mae"

    @staticmethod
    def _error(difference: Tensor) -> Tensor:
        return ops.absolute(difference)


class R2(Metric):
    """The share of the target's variance that is explained: 1 is perfect, 0 no better than its mean.

    The variance is put together from the batches' own (T. Chan, G. Golub, R. LeVeque, 1979), so that a
    target far from 0 loses no digits. A constant target gives 1 for perfect predictions and 0 otherwise,
    one row alone nan, as in `slopewise.metrics.r2`.

    Parameters
    ----------
    n_outputs : int; numbers in a row of the target, whose values are averaged

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.R2()
    >>> metric.compute(metric.update(metric.init(), sw.tensor([1.0, 2.0, 4.0]), sw.tensor([1.0, 2.0, 3.0])))
    0.5
    """

    name = "r2"
    higher_is_better = True

    def __init__(self, n_outputs: int = 1) -> None:
        self.n_outputs = n_outputs

    def init(self) -> State:
        """Return (rows, weight, mean, squared distance from the mean, squared error), the last three by
        output."""
        per_output = [zeros((self.n_outputs,), FLOAT64) for _ in range(3)]
        return (zeros((), FLOAT64), zeros((), FLOAT64), *per_output)

    def update(self, state: State, prediction: Any, target: Any, weight: Any = None) -> State:
        with no_grad():
            prediction, target = _number_columns(self.name, prediction, target)
            n, outputs = target.shape
            if not n:
                return state
            if outputs != self.n_outputs:
                raise ShapeError(
                    f"r2: the target has {outputs} numbers a row, but the metric was made for "
                    f"{self.n_outputs}; pass R2(n_outputs={outputs})"
                )
            given = ops.ones((n,), FLOAT64) if weight is None else row_weight(self.name, weight, n)
            rows, total, mean, spread, error = state
            w, added = given.reshape((n, 1)), ops.sum(given)
            merged = total + added
            here = _mean_by_column(target, w, added)
            spread_here = ops.sum(ops.square(target - here) * w, axis=0)
            apart = here - mean
            return (
                rows + scalar_like(n, FLOAT64),
                merged,
                mean + apart * (added / _or_one(merged)),
                spread + spread_here + ops.square(apart) * (total * added / _or_one(merged)),
                error + ops.sum(ops.square(prediction - target) * w, axis=0),
            )

    def compute(self, state: State) -> float:
        rows, _, _, spread, error = (np.array(part) for part in state)
        if rows < 2:
            return float("nan")
        constant = np.where(error == 0, 1.0, 0.0)
        scores = np.where(spread == 0, constant, 1 - error / np.where(spread == 0, 1.0, spread))
        return float(scores.mean())


def _mean_by_column(x: Tensor, w: Tensor, total: Tensor) -> Tensor:
    """Return the weighted mean of each column, from a row that counts: equal numbers lie 0 from it."""
    origin = x[ops.argmax(w.reshape((-1,)) > 0)]
    return origin + ops.sum((x - origin) * w, axis=0) / _or_one(total)


def _or_one(x: Tensor) -> Tensor:
    """Return 1 in place of 0, for a divisor whose dividend is then 0 too."""
    return ops.where(x == 0, 1.0, x)
