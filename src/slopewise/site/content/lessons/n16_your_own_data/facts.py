"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n16_your_own_data.collecting import Measured, measure
from slopewise.site.content.lessons.n16_your_own_data.generating import moons_score
from slopewise.site.content.lessons.n16_your_own_data.orchards import (
    FRESH,
    HILL,
    agreement,
    by_chance,
    kappa,
    label,
)
from slopewise.site.content.typed_numbers import Typed

FILES, ROWS, MANY = 6, 120, 400
PLAIN: dict[str, Any] = {"rows": ROWS, "how": "lot", "sweet": 0.5, "copies": False, "wrong": 0.0}
WRONG = 0.2
# Two pairs of people, 100 rows each, the same agreement: both kinds frequent, and one kind rare.
EVEN, RARE = np.array([[46, 4], [4, 46]]), np.array([[90, 4], [4, 2]])
NOISES = (0.1, 0.3, 0.5)


@cache
def _files(**changes: Any) -> list[Measured]:
    return [measure({**PLAIN, **changes, "seed": seed}) for seed in range(FILES)]


def _means(**changes: Any) -> dict[str, int]:
    """Return what the files of one way of collecting say on average, in percent."""
    made = _files(**changes)
    return {
        "said": _percent([one.reported for one in made]),
        "true": _percent([one.true for one in made]),
        "valley": _percent([one.by_place[0] for one in made]),
        "hill": _percent([one.by_place[1] for one in made]),
    }


def _percent(shares: Any) -> int:
    return round(100 * float(np.mean(shares)))


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    labels = label(MANY, 0.1, 0.5, 0.03, 0)
    return {
        "rows": ROWS,
        "many": MANY,
        "files": FILES,
        "fresh": FRESH,
        "hill": round(100 * HILL),
        "near": _means(how="near"),
        "near_many": _means(how="near", rows=MANY),
        "mostly": _means(how="mostly"),
        "lot": _means(),
        "wrong": _means(wrong=WRONG),
        "wrong_share": round(100 * WRONG),
        "rare_sweet": _means(sweet=0.1),
        "rare_sweet_found": _percent([one.by_class[1] for one in _files(sweet=0.1)]),
        "same": round(100 * agreement(EVEN)),
        "even_chance": by_chance(EVEN),
        "even_kappa": kappa(EVEN),
        "rare_chance": by_chance(RARE),
        "rare_kappa": kappa(RARE),
        "people_agree": round(100 * agreement(labels.table)),
        "people_kappa": kappa(labels.table),
        "noises": [(noise, round(100 * score)) for noise, score in _moons()],
    }


@cache
def _moons() -> list[tuple[float, float]]:
    """Return the accuracy on fresh moons of a network that learned 200 of them, by noise."""
    return [(noise, moons_score(200, noise)) for noise in NOISES]


def _kappa() -> tuple[Any, Any]:
    """Kappa by the formula, and as one less the disagreement against that of all rows paired with all."""
    one_less = []
    for seed in range(5):
        made = label(80, 0.2, 0.4, 0.05, seed)
        differ = (made.first != made.second).mean()
        differ_blindly = (made.first[:, None] != made.second[None, :]).mean()
        one_less.append((kappa(made.table), 1 - differ / differ_blindly))
    return [value for value, _ in one_less], [value for _, value in one_less]


def _chance() -> tuple[Any, Any]:
    """Agreement by chance from the shares of labels, and counted over all pairs of rows."""
    made = [label(80, 0.2, 0.4, 0.05, seed) for seed in range(5)]
    return [by_chance(one.table) for one in made], [
        (one.first[:, None] == one.second[None, :]).mean() for one in made
    ]


def _two_errors() -> tuple[Any, Any]:
    """The mean square error of the files' scores, and its two parts."""
    made = _files(how="near")
    said, true = np.array([one.reported for one in made]), float(np.mean([one.true for one in made]))
    return np.mean((said - true) ** 2), (said.mean() - true) ** 2 + said.var()


FORMULAS = (
    Formula("kappa", r"\kappa = \frac{p_o - p_e}{1 - p_e}", _kappa),
    Formula("chance", r"p_e = \sum_k a_k \, b_k", _chance),
    Formula(
        "errors",
        r"E \left[ (s - t)^2 \right] = \left( E[s] - t \right)^2 + \operatorname{Var}(s)",
        _two_errors,
    ),
)


TYPED = {
    "text/do-two-people-mean-the-same": Typed("100"),
    "text/drawing-and-generating": Typed("200", lambda: [FRESH]),
    "question/kappa-zero": Typed("100 95"),
    "lab": Typed(shows=lambda: [FRESH]),
}
