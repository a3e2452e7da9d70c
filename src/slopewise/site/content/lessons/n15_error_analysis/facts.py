"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.evaluate.error_analysis import by_class, confusion, worst
from slopewise.evaluate.outcome import Outcome
from slopewise.metrics import wilson_interval
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n15_error_analysis.pictures import (
    FIXES,
    MORE,
    TAGS,
    Network,
    accuracy,
    fresh,
    learned,
    validation,
)
from slopewise.site.content.typed_numbers import Typed

WORLDS = 3  # seeds that the means in the table of fixes are over
SAMPLE, SEEN = 20, 8  # of errors tagged by hand, and of those with one tag


@cache
def _outcomes(seed: int, fix: str) -> tuple[Outcome, Outcome]:
    """What a network says of the validation pictures, and of fresh ones."""
    network = Network(learned(seed, fix), seed)
    return network.judge(validation(seed)), network.judge(fresh(seed))


@cache
def _trained_again() -> Outcome:
    """The validation pictures, judged by the same network from other random weights."""
    return Network(learned(0), seed=1000).judge(validation(0))


def _missed(outcome: Outcome) -> Any:
    return outcome.predicted != outcome.truth


def _by_tag() -> list[tuple[str, int, int, float, float]]:
    """For each tag: pictures, errors, error rate, and the score if none of these were errors."""
    pictures, (seen, _) = validation(0), _outcomes(0, "none")
    rows = []
    for tag, name in TAGS.items():
        inside = pictures.tag == tag
        errors, count = int((_missed(seen) & inside).sum()), int(inside.sum())
        rows.append(
            (name, count, errors, 100 * errors / count, 100 * (accuracy(seen) + errors / len(pictures)))
        )
    return rows


def _by_fix() -> list[tuple[str, float, float]]:
    """For each fix: what it gains on validation and on fresh pictures, in points, as means."""
    rows = []
    for fix, name in FIXES.items():
        gains = [
            [
                accuracy(after) - accuracy(before)
                for before, after in zip(_outcomes(seed, "none"), _outcomes(seed, fix))
            ]
            for seed in range(WORLDS)
        ]
        rows.append((name, *(100 * np.mean(gains, axis=0)).tolist()))
    return rows


def _flips(before: Outcome, after: Outcome) -> tuple[int, int]:
    was, now = ~_missed(before), ~_missed(after)
    return int((now & ~was).sum()), int((was & ~now).sum())


def _relabelled() -> tuple[float, float, float]:
    """The score on fresh pictures: by their labels, with all corrected, with only the errors corrected."""
    pictures, (_, outcome) = fresh(0), _outcomes(0, "none")
    sound = outcome.predicted == pictures.shape
    only_errors = ~_missed(outcome) | sound
    return accuracy(outcome), float(sound.mean()), float(only_errors.mean())


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    pictures, (seen, _) = validation(0), _outcomes(0, "none")
    errors = int(_missed(seen).sum())
    ten = worst(seen, 10)
    mended, broken = _flips(seen, _outcomes(0, "shifted")[0])
    again = _flips(seen, _trained_again())
    labelled, corrected, errors_only = _relabelled()
    low, high = wilson_interval(float(SEEN), SAMPLE)
    by_tag, score = _by_tag(), accuracy(seen)
    blurred = next(row for row in by_tag if row[0] == TAGS["blurred"])
    wrong_labels = next(row for row in by_tag if row[0] == TAGS["label"])
    return {
        "rows": len(pictures),
        "learned": len(learned(0)),
        "errors": errors,
        "score": 100 * score,
        "by_tag": by_tag,
        "shifted": by_tag[1],
        "blurred": blurred,
        "worst_labels": int((pictures.tag[ten] == "label").sum()),
        "all_labels": wrong_labels[2],
        "all_labels_share": 100 * wrong_labels[2] / errors,
        "by_fix": _by_fix(),
        "worlds": WORLDS,
        "more": MORE,
        "mended": mended,
        "broken": broken,
        "z": (mended - broken) / math.sqrt(mended + broken),
        "paired": 100 * math.sqrt(mended + broken) / len(pictures),
        "unpaired": 100 * math.sqrt(2 * score * (1 - score) / len(pictures)),
        "again": again,
        "labelled": 100 * labelled,
        "corrected": 100 * corrected,
        "errors_only": 100 * errors_only,
        "sample": SAMPLE,
        "seen": SEEN,
        "low": 100 * low,
        "high": 100 * high,
    }


# ---- formulas


def _recall_and_precision() -> tuple[Any, Any]:
    """From the matrix, and counted row by row."""
    outcome = _outcomes(0, "none")[0]
    matrix = sw.tensor(confusion(outcome).astype(np.float64))
    hits = sw.stack([matrix[k, k] for k in range(3)])
    table = by_class(outcome)
    counted = [[row.recall for row in table], [row.precision for row in table]]
    return [(hits / matrix.sum(1)).tolist(), (hits / matrix.sum(0)).tolist()], counted


def _ceiling() -> tuple[Any, Any]:
    """The score with all errors of a tag put right."""
    pictures, (outcome, _) = validation(0), _outcomes(0, "none")
    inside = pictures.tag == "shifted"
    put_right = np.where(inside, outcome.truth, outcome.predicted)
    errors = int((_missed(outcome) & inside).sum())
    return float((put_right == outcome.truth).mean()), accuracy(outcome) + errors / len(pictures)


def _paired() -> tuple[Any, Any]:
    """From the two counts, and from the differences row by row."""
    before, after = _outcomes(0, "none")[0], _outcomes(0, "shifted")[0]
    mended, broken = _flips(before, after)
    change = sw.tensor((~_missed(after)).astype(np.float64) - (~_missed(before)).astype(np.float64))
    return (mended - broken) / math.sqrt(mended + broken), (change.sum() / (change**2).sum() ** 0.5).item()


FORMULAS = (
    Formula(
        "rates",
        r"\text{recall}_i = \frac{M_{ii}}{\sum_j M_{ij}} \qquad "
        r"\text{precision}_j = \frac{M_{jj}}{\sum_i M_{ij}}",
        _recall_and_precision,
    ),
    Formula("ceiling", r"s_{\text{after}} \le s + \frac{e_{\text{tag}}}{n}", _ceiling),
    Formula("paired", r"z = \frac{m - b}{\sqrt{m + b}}", _paired),
)


# ---- numbers that texts type


def _mended_and_broken() -> list[float]:
    """Return z of 12 mended and 10 broken rows, and what it is made of."""
    return [12 - 10, 12 + 10]


TYPED = {
    "text/what-is-often-done-and-goes-wrong": Typed("95"),
    "text/fix-and-compare": Typed("−2 2"),
    "question/mended-broken": Typed("12 10 2", _mended_and_broken),
    "card/how-many": Typed("95"),
    "card/paired": Typed("−2 2"),
    "card/label-ceiling": Typed("100"),
    "lab": Typed("95 20 70"),  # an interval, and bounds of choices
}
