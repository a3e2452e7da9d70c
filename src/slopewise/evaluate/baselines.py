"""Predictions that need no model: what a score must beat to mean anything.

They look at the targets of the training rows only, as a model does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.evaluate.outcome import Outcome


def class_baseline(training: NDArray[Any], truth: NDArray[Any], classes: int) -> Outcome:
    """Predict the most frequent class of the training rows, with the class frequencies as probabilities.

    Parameters
    ----------
    training : int array, shape (training rows,)
        Class numbers of the training rows.
    truth : int array, shape (rows,)
        Class numbers of the rows that are predicted.
    classes : int

    Raises
    ------
    ArgumentError
        If there are no training rows.

    Examples
    --------
    >>> outcome = class_baseline(np.array([0, 1, 1, 1]), np.array([0, 1]), classes=2)
    >>> outcome.predicted.tolist(), outcome.probabilities[0].tolist()
    ([1, 1], [0.25, 0.75])
    """
    if len(training) == 0:
        raise ArgumentError("a baseline needs training rows, and there are none")
    frequencies = np.bincount(training, minlength=classes) / len(training)
    return Outcome.of_classes(truth, np.broadcast_to(frequencies, (len(truth), classes)))


def mean_baseline(training: NDArray[Any], truth: NDArray[Any]) -> Outcome:
    """Predict the mean of the training targets; no constant has a smaller squared error on them.

    Examples
    --------
    >>> mean_baseline(np.array([1.0, 2.0, 6.0]), np.array([4.0])).predicted.tolist()
    [3.0]
    """
    if len(training) == 0:
        raise ArgumentError("a baseline needs training rows, and there are none")
    return Outcome.of_numbers(truth, np.full(len(truth), np.mean(training, dtype=np.float64)))


def median_baseline(training: NDArray[Any], truth: NDArray[Any]) -> Outcome:
    """Predict the median of the training targets; no constant has a smaller absolute error on them.

    Examples
    --------
    >>> median_baseline(np.array([1.0, 2.0, 6.0]), np.array([4.0])).predicted.tolist()
    [2.0]
    """
    if len(training) == 0:
        raise ArgumentError("a baseline needs training rows, and there are none")
    return Outcome.of_numbers(truth, np.full(len(truth), np.median(training)))
