"""Scores as functions of the rows' weights alone, for many weightings of the same predictions.

A scorer looks at an outcome once, sorts and compares what there is to sort and compare, and returns a
function that takes weights and costs a few sums over the rows: the bootstrap calls it hundreds of times. The
values are those of `slopewise.metrics` (a test holds them to it).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slopewise.evaluate.outcome import Floats, Outcome

Scorer = Callable[[Floats], float]

MOST_RANKED_CLASSES = 20  # one against the rest takes a ranking for each class


def _mean_of(terms: Floats) -> Scorer:
    return lambda weight: float(weight @ terms / weight.sum())


# ---- classes ---------------------------------------------------------------------------------------------


def accuracy(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.accuracy`."""
    return _mean_of((outcome.truth == outcome.predicted).astype(np.float64))


def _matrix_of(outcome: Outcome) -> Callable[[Floats], Floats]:
    classes = outcome.classes
    cells = outcome.truth * classes + outcome.predicted

    def matrix(weight: Floats) -> Floats:
        counts: Floats = np.bincount(cells, weight, minlength=classes**2).astype(np.float64, copy=False)
        return counts.reshape(classes, classes)

    return matrix


def balanced_accuracy(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.balanced_accuracy`."""
    matrix_of = _matrix_of(outcome)

    def score(weight: Floats) -> float:
        matrix = matrix_of(weight)
        support = matrix.sum(axis=1)
        return float(np.mean(np.diag(matrix)[support > 0] / support[support > 0]))

    return score


def f1(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.f1`: the mean over the classes that occur in truth or predictions."""
    matrix_of = _matrix_of(outcome)

    def score(weight: Floats) -> float:
        matrix = matrix_of(weight)
        occurs = matrix.sum(axis=0) + matrix.sum(axis=1)
        return float(np.mean(2 * np.diag(matrix)[occurs > 0] / occurs[occurs > 0]))

    return score


def roc_auc(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.roc_auc`; NaN where a class does not occur, and for many classes."""
    assert outcome.probabilities is not None
    classes = outcome.classes
    if classes > MOST_RANKED_CLASSES:
        return lambda weight: float("nan")
    ranked = [classes - 1] if classes == 2 else range(classes)
    areas = [_area_of(outcome.truth == k, outcome.probabilities[:, k]) for k in ranked]
    return lambda weight: float(np.mean([area(weight) for area in areas]))


def _area_of(positive: NDArray[np.bool_], probability: Floats) -> Scorer:
    """The share of pairs that are ranked rightly, tied pairs counting half (Mann and Whitney, 1947)."""
    values, group = np.unique(probability, return_inverse=True)
    inside, outside = np.flatnonzero(positive), np.flatnonzero(~positive)
    inside_group, outside_group, groups = group[inside], group[outside], len(values)

    def score(weight: Floats) -> float:
        gains = np.bincount(inside_group, weight[inside], minlength=groups)
        losses = np.bincount(outside_group, weight[outside], minlength=groups)
        pairs = gains.sum() * losses.sum()
        below = np.cumsum(losses) - losses / 2
        return float(gains @ below / pairs) if pairs > 0 else float("nan")

    return score


def log_loss(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.log_loss`."""
    assert outcome.probabilities is not None
    eps = np.finfo(outcome.probabilities.dtype).eps
    given = outcome.probabilities[np.arange(outcome.rows), outcome.truth]
    return _mean_of(-np.log(np.clip(given, eps, 1 - eps)))


def brier(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.brier`."""
    assert outcome.probabilities is not None
    distance = outcome.probabilities.copy()
    distance[np.arange(outcome.rows), outcome.truth] -= 1
    return _mean_of(np.square(distance).sum(axis=1) / (2 if outcome.classes == 2 else 1))


# ---- numbers ---------------------------------------------------------------------------------------------


def mae(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.mae`."""
    return _mean_of(np.abs(outcome.truth - outcome.predicted))


def rmse(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.rmse`."""
    mean = _mean_of(np.square(outcome.truth - outcome.predicted))
    return lambda weight: mean(weight) ** 0.5


def r2(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.r2`; NaN where a single row is drawn, or rows of one value only."""
    squares = np.square(outcome.truth - outcome.predicted)

    def score(weight: Floats) -> float:
        if np.count_nonzero(weight) < 2:
            return float("nan")
        mean = weight @ outcome.truth / weight.sum()
        total = float(weight @ np.square(outcome.truth - mean))
        return 1 - float(weight @ squares) / total if total > 0 else float("nan")

    return score


def median_absolute_error(outcome: Outcome) -> Scorer:
    """Return the scorer of `metrics.median_absolute_error`."""
    errors = np.abs(outcome.truth - outcome.predicted)
    order = np.argsort(errors, kind="stable")
    errors = errors[order]

    def score(weight: Floats) -> float:
        reached = np.cumsum(weight[order])
        low, high = (np.searchsorted(reached, reached[-1] / 2, side=side) for side in ("left", "right"))
        return float((errors[low] + errors[high]) / 2)

    return score
