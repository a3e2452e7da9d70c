"""Scores of a part of the data, each beside its baseline and its noise.

Which scores a task has is read from one table, `SCORES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slopewise import metrics
from slopewise.evaluate import scorers
from slopewise.evaluate.baselines import Baseline, Constant
from slopewise.evaluate.outcome import Floats, Outcome
from slopewise.evaluate.scorers import Scorer

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
    scorer : callable, Outcome -> Scorer
    unit : "", or "target" if it has the target's unit
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    share: bool
    baseline: Constant
    scorer: Callable[[Outcome], Scorer]
    unit: Literal["", "target"] = ""


# fmt: off
SCORES: dict[str, tuple[ScoreKind, ...]] = {
    "classification": (
        ScoreKind("accuracy", "Accuracy", "higher", True, "most frequent class", scorers.accuracy),
        ScoreKind("balanced_accuracy", "Balanced accuracy", "higher", True, "most frequent class",
                  scorers.balanced_accuracy),
        ScoreKind("f1", "F1, mean of classes", "higher", False, "most frequent class", scorers.f1),
        ScoreKind("roc_auc", "ROC AUC", "higher", False, "class frequencies", scorers.roc_auc),
        ScoreKind("log_loss", "Log loss", "lower", False, "class frequencies", scorers.log_loss),
        ScoreKind("brier", "Brier score", "lower", False, "class frequencies", scorers.brier),
    ),
    "regression": (
        ScoreKind("mae", "Mean absolute error", "lower", False, "median", scorers.mae, "target"),
        ScoreKind("rmse", "Root mean squared error", "lower", False, "mean", scorers.rmse, "target"),
        ScoreKind("r2", "R²", "higher", False, "mean", scorers.r2),
        ScoreKind("median_absolute_error", "Median error", "lower", False, "median",
                  scorers.median_absolute_error, "target"),
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
    ones = np.ones(outcome.rows)
    measure = [kind.scorer(outcome) for kind in kinds]
    constant = {name: baseline.outcome(outcome.truth, name) for name in {kind.baseline for kind in kinds}}
    low, high = _intervals(outcome, measure, seed) if noise else (np.full(len(kinds), np.nan),) * 2
    return [
        Score(
            name=kind.name,
            value=measure[number](ones),
            low=float(low[number]),
            high=float(high[number]),
            baseline=kind.scorer(constant[kind.baseline])(ones),
        )
        for number, kind in enumerate(kinds)
    ]


def _intervals(outcome: Outcome, measure: list[Scorer], seed: int) -> tuple[Floats, Floats]:
    if outcome.rows < 2:
        low, high = np.full((2, len(measure)), np.nan)
    else:
        low, high = metrics.bootstrap_interval(
            lambda weight: [score(weight) for score in measure],
            outcome.rows,
            confidence=CONFIDENCE,
            resamples=RESAMPLES,
            seed=seed,
        )
        # All resamples alike (say, no row is wrong): the bootstrap saw no noise, which does not mean none.
        alike = low == high
        low[alike] = high[alike] = np.nan
    if outcome.task == "classification":  # accuracy is a share of rows: Wilson's interval is better for it
        correct = int(np.sum(outcome.truth == outcome.predicted))
        low[0], high[0] = metrics.wilson_interval(correct, outcome.rows, confidence=CONFIDENCE)
    return low, high
