"""What a model said about some rows, beside what was true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError, ShapeError

Task = Literal["classification", "regression"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Truth and predictions for some rows; use `Outcome.of_classes` or `Outcome.of_numbers` to make one.

    Attributes
    ----------
    task : "classification" or "regression"
    truth : array, shape (rows,)
        Class numbers, int64, or values in the target's unit, float64.
    predicted : array, shape (rows,)
        Of the same kind.
    probabilities : float64 array, shape (rows, classes), or None for regression
    """

    task: Task
    truth: NDArray[Any]
    predicted: NDArray[Any]
    probabilities: Floats | None = None

    @classmethod
    def of_classes(cls, truth: NDArray[Any], probabilities: NDArray[Any]) -> Outcome:
        """Return the outcome of class probabilities; the most probable class is predicted, the first if tied.

        Raises
        ------
        ShapeError
            If there is not one row of probabilities per true class.
        ArgumentError
            If a class number has no column.

        Examples
        --------
        >>> Outcome.of_classes(np.array([0, 1]), np.array([[0.75, 0.25], [0.5, 0.5]])).predicted.tolist()
        [0, 0]
        """
        truth = np.asarray(truth, dtype=np.int64)
        # Float32 probabilities sum to 1 only to float32; scores are taken in float64.
        prob = np.asarray(probabilities, dtype=np.float64)
        if truth.ndim != 1 or prob.ndim != 2 or len(prob) != len(truth):
            raise ShapeError(
                f"truth has shape {truth.shape} and probabilities {prob.shape}: give a row per truth"
            )
        if truth.size and not (truth.min() >= 0 and truth.max() < prob.shape[1]):
            raise ArgumentError(f"class numbers go from 0 to {prob.shape[1] - 1}, as there are columns")
        prob = prob / prob.sum(axis=1, keepdims=True)
        return cls("classification", truth, prob.argmax(axis=1), prob)

    @classmethod
    def of_numbers(cls, truth: NDArray[Any], predicted: NDArray[Any]) -> Outcome:
        """Return the outcome of predicted numbers.

        Raises
        ------
        ShapeError
            If both are not of shape (rows,).

        Examples
        --------
        >>> Outcome.of_numbers(np.array([1.0, 2.0]), np.array([1.5, 2.5])).rows
        2
        """
        truth, predicted = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
        if truth.ndim != 1 or truth.shape != predicted.shape:
            raise ShapeError(
                f"truth has shape {truth.shape} and predicted {predicted.shape}: both must be (rows,)"
            )
        return cls("regression", truth, predicted)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for regression."""
        return 0 if self.probabilities is None else self.probabilities.shape[1]
