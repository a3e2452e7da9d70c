"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.data.folds import KFold
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n12_splitting.patients import (
    FRESH,
    ILL,
    PATIENTS,
    ROWS,
    ROWS_EACH,
    WAYS,
    accuracy,
    collect,
    folds,
    fresh,
    one_split,
)
from slopewise.site.content.typed_numbers import Typed

WORLDS = 20  # how many files the means in the table are over

_fresh = lru_cache(maxsize=WORLDS)(fresh)


def _reported(way: str) -> tuple[float, float, float]:
    """Return the means over many files: test score, mean over four folds, and score on fresh patients."""
    made = []
    for seed in range(WORLDS):
        world, new = collect(seed), _fresh(seed)
        parts = one_split(world, way, seed)
        learned, test = parts["training"], parts["test"]
        by_fold = [accuracy(world, a, world.X[b], world.y[b]) for a, b in folds(world, way, 4, seed)]
        made.append(
            (
                accuracy(world, learned, world.X[test], world.y[test]),
                float(np.mean(by_fold)),
                accuracy(world, learned, new.X, new.y),
            )
        )
    means = np.mean(made, axis=0)
    return float(means[0]), float(means[1]), float(means[2])


def noise(share: float, rows: int) -> float:
    """Return the standard error of an accuracy on some rows, by the formula."""
    return math.sqrt(share * (1 - share) / rows)


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    reported = {way: _reported(way) for way in WAYS}
    _fresh.cache_clear()
    return {
        "rows": ROWS,
        "patients": PATIENTS,
        "each": ROWS_EACH,
        "ill": ILL,
        "worlds": WORLDS,
        "new_rows": FRESH,
        "table": [(name, *(round(100 * score) for score in reported[way])) for way, name in WAYS.items()],
        "healthy": round(100 * (1 - ILL / PATIENTS)),
        "shuffled_test": round(100 * reported["shuffle"][0]),
        "fresh": round(100 * reported["shuffle"][2]),
        "noise_100": 100 * noise(0.9, 100),
        "noise_1000": 100 * noise(0.9, 1000),
        "learned_4": round(ROWS * 3 / 4),
        "fold_4": ROWS // 4,
    }


def _standard_error() -> tuple[Any, Any]:
    """The formula, and the standard deviation of the share of hits over all possible numbers of hits."""
    rows, share = 20, 0.9
    hits = sw.arange(rows + 1, dtype=sw.float64)
    ways = sw.tensor(np.array([math.comb(rows, k) for k in range(rows + 1)], dtype=np.float64))
    chance = ways * share**hits * (1 - share) ** (rows - hits)
    seen = hits / rows
    mean = (chance * seen).sum()
    return noise(share, rows), (chance * (seen - mean) ** 2).sum().item() ** 0.5


def _mean_over_folds() -> tuple[Any, Any]:
    """With folds of equal size, the mean of their scores is the share of all rows that were right."""
    world = collect(1)
    scores, right = [], 0.0
    for learned, test in folds(world, "shuffle", 4, 1):
        scores.append(accuracy(world, learned, world.X[test], world.y[test]))
        right += scores[-1] * len(test)
    return sum(scores) / 4, right / ROWS


def _learned() -> tuple[Any, Any]:
    """Rows that each fold's model learns from, counted and by the formula."""
    counted = [len(learned) for k in (2, 4, 8) for learned, _ in KFold(k).split(range(ROWS))]
    return counted, [ROWS * (k - 1) / k for k in (2, 4, 8) for _ in range(k)]


FORMULAS = (
    Formula("noise", r"\mathrm{SE} = \sqrt{\frac{p \, (1 - p)}{n}}", _standard_error),
    Formula("mean", r"\bar{s} = \frac{1}{k} \sum_{i=1}^{k} s_i", _mean_over_folds),
    Formula("learned", r"n_{\text{learned}} = n \cdot \frac{k - 1}{k}", _learned),
)

TYPED = {
    "text/keep-together-what-belongs-together": Typed("4"),  # folds, as in `_reported`
    "text/k-fold-cross-validation": Typed("90 100 1,000 4"),
    "question/luck": Typed("91 90 100"),
    "card/kfold-rows": Typed("4"),
    "card/standard-error": Typed("90 100"),
}
