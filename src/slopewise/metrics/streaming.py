"""Metrics that are added up batch by batch, inside of a compiled step or scan if need be.

A metric is three functions: `init` makes the state of no rows, `update` returns the state with a batch
added, `compute` turns a state into a number. States are tensors (nested in tuples), `update` looks at no
value, so it can be traced; totals are float64. The scores of finished predictions are in
`slopewise.metrics.scores`; both agree.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import scalar_like, zeros
from slopewise.engine.errors import ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor

FLOAT64 = np.dtype(np.float64)

State = Any  # a tensor, or tuples of them


def as_tensor(value: Any) -> Tensor:
    """Return a tensor as it is, anything else as NumPy would have it: numbers in lists keep all digits."""
    return value if isinstance(value, Tensor) else ops.as_tensor(np.asarray(value))


class Metric(ABC):
    """Base class of streaming metrics.

    Attributes
    ----------
    name : str; the key under which a history keeps it
    higher_is_better : bool; which way is up, for early stopping

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.Accuracy()
    >>> state = metric.init()
    >>> state = metric.update(state, sw.tensor([[2.0, 1.0], [0.0, 3.0]]), sw.tensor([0, 1]))
    >>> state = metric.update(state, sw.tensor([[2.0, 1.0], [0.0, 3.0]]), sw.tensor([0, 0]))
    >>> metric.compute(state)
    0.75
    """

    name: str
    higher_is_better: bool

    @abstractmethod
    def init(self) -> State:
        """Return the state of no rows."""

    @abstractmethod
    def update(self, state: State, prediction: Any, target: Any, weight: Any = None) -> State:
        """Return the state with a batch added; a pure function, which can be traced.

        Parameters
        ----------
        state : what `init` or `update` returned
        prediction : Tensor; what the model gave
        target : Tensor; the truth
        weight : Tensor, shape (rows,), optional; a row of weight 2 counts as two

        Raises
        ------
        ShapeError
            If the shapes do not fit together; (rows, 1) against (rows,) does not.
        """

    @abstractmethod
    def compute(self, state: State) -> Any:
        """Return the metric of all rows so far as a Python number, nan if there were none."""

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class Mean:
    """The mean of values, such as a loss: weighted if the values stand for more than one row each.

    Examples
    --------
    The last batch is smaller and counts less:

    >>> import slopewise as sw
    >>> mean = sw.metrics.Mean()
    >>> state = mean.update(mean.init(), sw.tensor(2.0), weight=30.0)
    >>> state = mean.update(state, sw.tensor(6.0), weight=10.0)
    >>> mean.compute(state)
    3.0
    """

    def init(self) -> tuple[Tensor, Tensor]:
        """Return the state of no values."""
        return zeros((), FLOAT64), zeros((), FLOAT64)

    def update(self, state: tuple[Tensor, Tensor], value: Any, weight: Any = None) -> tuple[Tensor, Tensor]:
        """Return the state with values added.

        Parameters
        ----------
        state : what `init` or `update` returned
        value : Tensor of any shape
        weight : number, or Tensor of the shape of `value`; how many rows each value stands for, 1 by default
        """
        with no_grad():
            value = as_tensor(value).astype(FLOAT64)
            if weight is None:
                return state[0] + ops.sum(value), state[1] + scalar_like(value.size, FLOAT64)
            weight = as_tensor(weight).astype(FLOAT64)
            if weight.shape not in ((), value.shape):
                raise ShapeError(f"weight has shape {weight.shape}, but the values have {value.shape}")
            spread = ops.broadcast_to(weight, value.shape)
            return state[0] + ops.sum(value * spread), state[1] + ops.sum(spread)

    def compute(self, state: tuple[Tensor, Tensor]) -> float:
        """Return the mean of all values so far, nan if there were none."""
        total, weight = (part.item() for part in state)
        return total / weight if weight else float("nan")


def row_weight(name: str, given: Any, rows: int) -> Tensor:
    """Return the weights of the rows as float64, shape (rows,)."""
    weight: Tensor = as_tensor(given).astype(FLOAT64)
    if weight.shape != (rows,):
        raise ShapeError(
            f"{name}: weight has shape {weight.shape}, but there are {rows} rows: give one per row"
        )
    return weight
