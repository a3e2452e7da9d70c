"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n11_train_test_split.apples import (
    BEST,
    FRESH,
    Floats,
    Networks,
    collect,
    cut,
    fresh,
    noise,
)
from slopewise.site.content.typed_numbers import Typed

ROWS, SHARE, UNITS, FILES, TRIES = 60, 0.25, 16, 10, 20
DRIFT = 1.0  # by how much a worn device reads each softness too high
SIZES = (15, 100, 400, 1600, 10_000)


@cache
def _worlds() -> Floats:
    """Return for each file: training, test, fresh and drifted score of one network; best test score of
    several, and the fresh score of that one.
    """
    made = []
    for seed in range(FILES):
        apples = collect(ROWS, seed)
        learned, test = cut(apples, SHARE, seed)
        networks = Networks(apples, [learned] * TRIES, [seed + 7 + k for k in range(TRIES)], UNITS)
        hits, new = networks.hits(apples), fresh(seed)
        tested = hits[:, test].mean(axis=1)
        best = int(np.argmax(tested))
        first, kept = (networks.hits(new, slice(k, k + 1)).mean() for k in (0, best))
        drifted = networks.hits(fresh(seed, DRIFT), slice(0, 1)).mean()
        made.append((hits[0, learned].mean(), tested[0], first, drifted, tested[best], kept))
    return np.array(made)


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    training, test, true, drifted, peeked, kept = (round(100 * mean) for mean in _worlds().mean(axis=0))
    return {
        "rows": ROWS,
        "sealed": round(ROWS * SHARE),
        "units": UNITS,
        "files": FILES,
        "tries": TRIES,
        "new_apples": FRESH,
        "best": round(100 * BEST),
        "training": training,
        "test": test,
        "outside": true,
        "drifted": drifted,
        "peeked": peeked,
        "kept": kept,
        "sizes": [(size, 100 * noise(0.8, size)) for size in SIZES],
        "noise_15": 100 * noise(0.8, 15),
        "noise_100": 100 * noise(0.8, 100),
        "needed": rows_needed(0.8, 0.01),
        "luck": 100 * (best_of(TRIES, 0.8, 15) - 0.8),
    }


def rows_needed(share: float, error: float) -> int:
    """Return how many test rows bring the standard error down to some size."""
    return math.ceil(share * (1 - share) / error**2 - 1e-9)


def best_of(tries: int, share: float, rows: int) -> float:
    """Return the mean of the highest of some test scores, if each hit is luck with the same chance."""
    hits = np.arange(rows + 1)
    chance = np.array([math.comb(rows, k) * share**k * (1 - share) ** (rows - k) for k in hits])
    below = np.cumsum(chance) ** tries  # the chance that all tries have at most k hits
    return float((np.diff(below, prepend=0.0) * hits).sum() / rows)


def _accuracy() -> tuple[Any, Any]:
    """The share of hits by the formula, and by the library's metric."""
    apples = collect(ROWS, 1)
    learned, test = cut(apples, SHARE, 1)
    networks = Networks(apples, [learned], [1], UNITS)
    said = (networks.logits(apples.X[test])[0] > 0).astype(np.int64)
    right = int(networks.hits(apples)[0, test].sum())
    return right / len(test), sw.metrics.accuracy(apples.y[test], said)


def _needed() -> tuple[Any, Any]:
    """The standard error at the number of rows that the formula asks for, and the one that was wanted."""
    wanted = (0.05, 0.02, 0.01)
    return [noise(0.8, rows_needed(0.8, error)) for error in wanted], list(wanted)


def _luck() -> tuple[Any, Any]:
    """The highest of some lucky scores never lies further above the mean than the bound says."""
    cases = [(tries, rows) for tries in (2, 10, 40) for rows in (15, 100, 400)]
    within = [
        best_of(tries, 0.8, rows) - 0.8 <= noise(0.8, rows) * math.sqrt(2 * math.log(tries))
        for tries, rows in cases
    ]
    return within, [True] * len(cases)


FORMULAS = (
    Formula(
        "accuracy",
        r"\text{accuracy} = \frac{\text{rows judged right}}{\text{rows}}",
        _accuracy,
    ),
    Formula("needed", r"n = \frac{p \, (1 - p)}{\mathrm{SE}^2}", _needed),
    Formula("luck", r"E \left[ \max_{k \leq K} s_k \right] \leq p + \mathrm{SE} \cdot \sqrt{2 \ln K}", _luck),
)


TYPED = {
    "text/what-it-shows": Typed(shows=lambda: [FRESH]),
    "text/how-much-of-it-is-luck": Typed("80 20"),
    "snippet/slopewise_split": Typed("100"),
    # 150 flowers, 50 of a kind in a row, the last three tenths cut off
    "snippet/keras_validation_split": Typed(shows=lambda: [round(0.3 * 150), 50 - round(0.3 * 150)]),
    "question/how-many": Typed("80 100 20"),
    "question/million": Typed("80"),
    "card/rows-needed": Typed("80"),
    "card/fifteen": Typed("15 80"),
    "lab": Typed(shows=lambda: [FRESH]),
}
