"""Where a model errs: by class, by pair of classes, row by row, and by slice of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise import metrics
from slopewise.evaluate.outcome import Floats, Outcome
from slopewise.evaluate.scorecards import CONFIDENCE

Rows = NDArray[np.int64]

FEW_VALUES = 12  # a column of so many values is sliced by value


@dataclass(frozen=True)
class ClassRow:
    """How one class fares; `number` is its class number, `rows` how many rows truly belong to it."""

    number: int
    rows: int
    predicted: int
    precision: float
    recall: float
    f1: float


def by_class(outcome: Outcome) -> list[ClassRow]:
    """Return a row per class, in the order of the classes.

    Precision is NaN for a class that was never predicted, recall for one that does not occur: there is
    nothing to take a share of.

    Examples
    --------
    >>> outcome = Outcome.of_classes(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]))
    >>> [(row.rows, row.predicted, row.precision, row.recall) for row in by_class(outcome)]
    [(1, 2, 0.5, 1.0), (2, 1, 1.0, 0.5)]
    """
    matrix = confusion(outcome)
    table = []
    for number in range(outcome.classes):
        hit, rows, predicted = matrix[number, number], matrix[number].sum(), matrix[:, number].sum()
        table.append(
            ClassRow(
                number,
                int(rows),
                int(predicted),
                float(hit / predicted) if predicted else float("nan"),
                float(hit / rows) if rows else float("nan"),
                float(2 * hit / (rows + predicted)) if rows + predicted else float("nan"),
            )
        )
    return table


def confusion(outcome: Outcome) -> NDArray[np.int64]:
    """Return how many rows of each true class (down) were given each class (across), all classes included."""
    labels = np.arange(outcome.classes)
    matrix: NDArray[np.int64] = metrics.confusion_matrix(outcome.truth, outcome.predicted, labels=labels)
    return matrix


def error_sizes(outcome: Outcome) -> Floats:
    """Return how wrong each prediction is, shape (rows,).

    For classes 1 minus the probability of the true class; for numbers the distance from the truth.

    Examples
    --------
    >>> error_sizes(Outcome.of_numbers(np.array([1.0, 5.0]), np.array([2.0, 2.0]))).tolist()
    [1.0, 3.0]
    """
    if outcome.probabilities is None:
        sizes: Floats = np.abs(outcome.predicted - outcome.truth)
    else:
        sizes = 1 - outcome.probabilities[np.arange(outcome.rows), outcome.truth]
    return sizes


def worst(outcome: Outcome, count: int) -> Rows:
    """Return the positions of the `count` worst predictions, the worst first; ties in the order of the rows.

    Examples
    --------
    >>> worst(Outcome.of_numbers(np.array([1.0, 5.0, 0.0]), np.array([2.0, 2.0, 2.0])), 2).tolist()
    [1, 2]
    """
    return np.argsort(-error_sizes(outcome), kind="stable")[:count]


@dataclass(frozen=True)
class Slice:
    """The rows of a part that share a value, or a range of values, of one column.

    `score` is the accuracy (classes) or the mean absolute error (numbers) on them, with its 95 % interval.
    """

    column: str
    value: str
    rows: int
    score: float
    low: float
    high: float


def worst_slices(
    outcome: Outcome, columns: Mapping[str, NDArray[Any]], *, count: int = 5, fewest: int = 10, seed: int = 0
) -> list[Slice]:
    """Return the slices on which the model does worse than on all rows by more than noise, the worst first.

    Parameters
    ----------
    outcome : Outcome
    columns : mapping of names to arrays of shape (rows,)
        Floating-point columns are cut at their quartiles; all others are sliced by value, if they have at
        most 12.
    count : int
        How many slices to return at most.
    fewest : int
        Slices of fewer rows are left out, and those that hold all rows but fewer than that.
    seed : int
        Of the bootstrap for numbers.

    Notes ----- A slice is listed if its interval does not reach the score of all rows. With many columns some
    will by chance.

    Examples
    --------
    >>> truth, said = np.zeros(40), np.repeat([0.0, 5.0], 20)
    >>> where = np.repeat(["coast", "hill"], 20)
    >>> found = worst_slices(Outcome.of_numbers(truth, said), {"where": where})
    >>> [(item.column, item.value, item.rows, item.score) for item in found]
    [('where', 'hill', 20, 5.0)]
    """
    classes = outcome.task == "classification"
    quality = (outcome.truth == outcome.predicted).astype(np.float64) if classes else error_sizes(outcome)
    overall = float(quality.mean()) if outcome.rows else float("nan")
    found = []
    for column, values in columns.items():
        for value, members in _slices(values):
            rows = int(members.sum())
            if rows < fewest or outcome.rows - rows < fewest:
                continue
            score = float(quality[members].mean())
            low, high = _interval(quality[members], classes, seed)
            if (high < overall) if classes else (low > overall):
                found.append(Slice(column, value, rows, score, low, high))
    return sorted(found, key=lambda item: item.score if classes else -item.score)[:count]


def _interval(quality: Floats, share: bool, seed: int) -> tuple[float, float]:
    if share:
        return metrics.wilson_interval(float(quality.sum()), len(quality), confidence=CONFIDENCE)
    return metrics.mean_interval(quality, confidence=CONFIDENCE, resamples=200, seed=seed)


def _slices(values: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The slices of one column: (what it is called, which rows)."""
    if np.issubdtype(values.dtype, np.floating):
        yield from _quartiles(values)
        return
    text = np.array(["missing" if value is None else str(value) for value in values.tolist()])
    distinct = np.unique(text)
    if len(distinct) <= FEW_VALUES:
        for value in distinct:
            yield str(value), text == value


def _quartiles(values: Floats) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    missing = np.isnan(values)
    if missing.any():
        yield "missing", missing
    if missing.all():
        return
    edges = np.unique(np.quantile(values[~missing], [0.0, 0.25, 0.5, 0.75, 1.0]))
    for number, (low, high) in enumerate(pairwise(edges)):
        above = values >= low if number == 0 else values > low
        yield f"{low:.6g} to {high:.6g}", above & (values <= high)
