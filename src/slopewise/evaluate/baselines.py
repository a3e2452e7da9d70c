"""Predictions that need no model: what a score must beat to mean anything."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.evaluate.outcome import Outcome

Constant = Literal["most frequent class", "class frequencies", "mean", "median"]


@dataclass(frozen=True)
class Baseline:
    """The constant answers that the training rows, and only they, suggest.

    Attributes
    ----------
    frequencies : tuple of float
        The share of each class; empty for numbers.
    mean, median : float
        In the target's unit; NaN for classes. No constant has a smaller squared, or absolute, error on the
        training rows.

    Examples
    --------
    >>> baseline = Baseline.of_classes(np.array([0, 1, 1, 1]), classes=2)
    >>> outcome = baseline.outcome(np.array([0, 1]), "class frequencies")
    >>> outcome.predicted.tolist(), outcome.probabilities[0].tolist()
    ([1, 1], [0.25, 0.75])
    >>> Baseline.of_numbers(np.array([1.0, 2.0, 6.0])).outcome(np.array([4.0]), "median").predicted.tolist()
    [2.0]
    """

    frequencies: tuple[float, ...] = ()
    mean: float = math.nan
    median: float = math.nan

    @classmethod
    def of_classes(cls, training: NDArray[Any], classes: int) -> Baseline:
        """Return the baseline for class numbers of training rows, shape (rows,).

        Raises
        ------
        ArgumentError
            If there are no training rows.
        """
        _refuse_none(training)
        shares = np.bincount(training, minlength=classes) / len(training)
        return cls(frequencies=tuple(shares.tolist()))

    @classmethod
    def of_numbers(cls, training: NDArray[Any]) -> Baseline:
        """Return the baseline for the targets of training rows, shape (rows,), in their unit.

        Raises
        ------
        ArgumentError
            If there are no training rows.
        """
        _refuse_none(training)
        return cls(mean=float(np.mean(training, dtype=np.float64)), median=float(np.median(training)))

    @property
    def most_frequent(self) -> int:
        """The number of the most frequent class, the first if tied."""
        return int(np.argmax(self.frequencies))

    def outcome(self, truth: NDArray[Any], constant: Constant) -> Outcome:
        """Return the outcome of the same answer for every row."""
        if constant in ("most frequent class", "class frequencies"):
            return Outcome.of_classes(truth, np.tile(self.frequencies, (len(truth), 1)))
        value = self.mean if constant == "mean" else self.median
        return Outcome.of_numbers(truth, np.full(len(truth), value))

    def to_dict(self) -> dict[str, Any]:
        """Return a plain record."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Baseline:
        """Return the baseline that `to_dict` described; null stands for NaN."""
        mean, median = (math.nan if record[name] is None else record[name] for name in ("mean", "median"))
        return cls(tuple(record["frequencies"]), mean, median)


def _refuse_none(training: NDArray[Any]) -> None:
    if len(training) == 0:
        raise ArgumentError("a baseline needs training rows, and there are none")
