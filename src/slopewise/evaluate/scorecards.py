"""Scores of a part of the data, each beside its baseline and its noise.

Which scores a task has is read from one table, `SCORES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slopewise import metrics
from slopewise.evaluate.baselines import Baseline, Constant
from slopewise.evaluate.outcome import Floats, Outcome

CONFIDENCE = 0.95
RESAMPLES = 500


@dataclass(frozen=True)
class ScoreKind:
    """A row of the table of scores.

    Attributes
    ----------
    name : str
        As in `sw.metrics`, and in JSON.
    title : str
        As in reports.
    better : "higher" or "lower"
    share : bool
        Whether it is read as a percentage.
    baseline : str
        The constant prediction that it is held against.
    score : callable (outcome, weights or None) -> float
    unit : "", or "target" if it has the target's unit
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    share: bool
    baseline: Constant
    score: Callable[[Outcome, Floats | None], float]
    unit: Literal["", "target"] = ""


def _balanced(outcome: Outcome, weight: Floats | None) -> float:
    return metrics.balanced_accuracy(outcome.truth, outcome.predicted, sample_weight=weight)


def _f1(outcome: Outcome, weight: Floats | None) -> float:
    """Macro F1 over the classes that occur in truth or predictions, as in scikit-learn."""
    return float(metrics.f1(outcome.truth, outcome.predicted, sample_weight=weight))


def _roc_auc(outcome: Outcome, weight: Floats | None) -> float:
    """NaN where a class does not occur: then the score has no value, which is no error in a small part."""
    assert outcome.probabilities is not None
    present = np.bincount(outcome.truth, weight, minlength=outcome.classes)
    if (present == 0).any():
        return float("nan")
    labels = np.arange(outcome.classes)
    return metrics.roc_auc(outcome.truth, outcome.probabilities, labels=labels, sample_weight=weight)


def _log_loss(outcome: Outcome, weight: Floats | None) -> float:
    assert outcome.probabilities is not None
    labels = np.arange(outcome.classes)
    return metrics.log_loss(outcome.truth, outcome.probabilities, labels=labels, sample_weight=weight)


def _brier(outcome: Outcome, weight: Floats | None) -> float:
    assert outcome.probabilities is not None
    labels = np.arange(outcome.classes)
    return metrics.brier(outcome.truth, outcome.probabilities, labels=labels, sample_weight=weight)


def _of_numbers(score: Callable[..., float]) -> Callable[[Outcome, Floats | None], float]:
    return lambda outcome, weight: score(outcome.truth, outcome.predicted, sample_weight=weight)


_accuracy = _of_numbers(metrics.accuracy)
_mae = _of_numbers(metrics.mae)
_rmse = _of_numbers(metrics.rmse)
_r2 = _of_numbers(metrics.r2)
_middle = _of_numbers(metrics.median_absolute_error)

# fmt: off
SCORES: dict[str, tuple[ScoreKind, ...]] = {
    "classification": (
        ScoreKind("accuracy", "Accuracy", "higher", True, "most frequent class", _accuracy),
        ScoreKind("balanced_accuracy", "Balanced accuracy", "higher", True, "most frequent class", _balanced),
        ScoreKind("f1", "F1, mean of classes", "higher", False, "most frequent class", _f1),
        ScoreKind("roc_auc", "ROC AUC", "higher", False, "class frequencies", _roc_auc),
        ScoreKind("log_loss", "Log loss", "lower", False, "class frequencies", _log_loss),
        ScoreKind("brier", "Brier score", "lower", False, "class frequencies", _brier),
    ),
    "regression": (
        ScoreKind("mae", "Mean absolute error", "lower", False, "median", _mae, "target"),
        ScoreKind("rmse", "Root mean squared error", "lower", False, "mean", _rmse, "target"),
        ScoreKind("r2", "R²", "higher", False, "mean", _r2),
        ScoreKind("median_absolute_error", "Median error", "lower", False, "median", _middle, "target"),
    ),
}
# fmt: on


@dataclass(frozen=True)
class Score:
    """A score of a part, with the score of its baseline on the same rows and an interval for its noise.

    Attributes
    ----------
    name, value, baseline : the score, and what the constant prediction gets
    low, high : float
        The 95 % interval over other draws of as many rows: Wilson's for accuracy, else the bootstrap's.
        NaN where it cannot be measured.
    """

    name: str
    value: float
    low: float
    high: float
    baseline: float


def kind_of(name: str) -> ScoreKind:
    """Return the table's row of a score.

    Examples
    --------
    >>> kind_of("r2").baseline
    'mean'
    """
    return next(kind for kinds in SCORES.values() for kind in kinds if kind.name == name)


def scorecard(outcome: Outcome, baseline: Baseline, *, noise: bool = True, seed: int = 0) -> list[Score]:
    """Return all scores of the outcome's task, the most telling first.

    Parameters
    ----------
    outcome : Outcome
        The rows to score; at least one.
    baseline : Baseline
        What the training rows suggest.
    noise : bool
        Whether to measure intervals; they are NaN if not.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> outcome = Outcome.of_numbers(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))
    >>> best = scorecard(outcome, Baseline.of_numbers(np.array([2.0, 2.0])))[0]
    >>> best.name, round(best.value, 4), round(best.baseline, 4)
    ('mae', 0.3333, 0.6667)
    """
    kinds = SCORES[outcome.task]
    held_against = {name: baseline.outcome(outcome.truth, name) for name in {kind.baseline for kind in kinds}}
    low, high = _intervals(kinds, outcome, seed) if noise else (np.full(len(kinds), np.nan),) * 2
    return [
        Score(
            kind.name,
            kind.score(outcome, None),
            float(low[number]),
            float(high[number]),
            kind.score(held_against[kind.baseline], None),
        )
        for number, kind in enumerate(kinds)
    ]


def _intervals(kinds: tuple[ScoreKind, ...], outcome: Outcome, seed: int) -> tuple[Floats, Floats]:
    if outcome.rows < 2:
        low, high = np.full((2, len(kinds)), np.nan)
    else:
        low, high = metrics.bootstrap_interval(
            lambda weight: [kind.score(outcome, weight) for kind in kinds],
            outcome.rows,
            confidence=CONFIDENCE,
            resamples=RESAMPLES,
            seed=seed,
        )
        # All resamples alike (say, no row is wrong): the bootstrap saw no noise, which does not mean none.
        alike = low == high
        low[alike] = high[alike] = np.nan
    for number, kind in enumerate(kinds):
        if kind.name == "accuracy":  # a share of rows: Wilson's interval is better than the bootstrap's
            correct = int(np.sum(outcome.truth == outcome.predicted))
            low[number], high[number] = metrics.wilson_interval(correct, outcome.rows, confidence=CONFIDENCE)
    return low, high
