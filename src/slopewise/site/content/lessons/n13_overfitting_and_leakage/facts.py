"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.data.generated import normal
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import (
    UPDATES,
    VALIDATION,
    World,
    draw,
    train,
    truth,
)
from slopewise.site.content.lessons.n13_overfitting_and_leakage.leaks import (
    COLUMNS,
    FILES,
    KEPT,
    LEAKS,
    NEW,
    correlation,
)
from slopewise.site.content.typed_numbers import Typed

ROWS, NOISE, WIDTH, SEED = 16, 0.4, 32, 2
MANY = 120  # training rows: the remedy that is not a trick
SLIM, DECAY, DROPOUT = 2, 3.0, 0.3
_NAMES = {
    "columns": "columns chosen before the split",
    "peek": "a model chosen by its test score",
    "copies": "copied rows on both sides",
    "groups": "a group on both sides",
    "later": "a column from later",
    "scale": "scaled before the split",
}


@cache
def _remedies() -> dict[str, tuple[float, float]]:
    """Return training loss and loss on new rows of the lab's file, for each remedy."""
    world = World.collect(ROWS, NOISE, SEED)
    plain = train(world, WIDTH, 0.0, 0.0, SEED)
    made = {
        "to the end": (plain.training[-1], plain.new[-1]),
        "stopped early": (plain.training[plain.chosen], plain.new[plain.chosen]),
    }
    for name, rows, width, decay, dropout in (
        ("slim", ROWS, SLIM, 0.0, 0.0),
        ("decay", ROWS, WIDTH, DECAY, 0.0),
        ("dropout", ROWS, WIDTH, 0.0, DROPOUT),
        ("more rows", MANY, WIDTH, 0.0, 0.0),
    ):
        world = World.collect(rows, NOISE, SEED)
        run = train(world, width, decay, dropout, SEED, every=UPDATES)
        made[name] = run.training[-1], run.new[-1]
    made["chosen validation"] = plain.validation[plain.chosen], float(plain.updates[plain.chosen])
    return made


@cache
def _leaks() -> dict[str, list[int]]:
    """Return for each leak, in percent: test score and score on new rows, with it and without."""
    made = {}
    for name in _NAMES:
        both = [LEAKS[name](0, mended) for mended in (False, True)]
        made[name] = [
            round(100 * float(s.mean())) for outcome in both for s in (outcome.reported, outcome.true)
        ]
    return made


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    remedies, leaks = _remedies(), _leaks()
    return {
        "rows": ROWS,
        "width": WIDTH,
        "updates": UPDATES,
        "many": MANY,
        "slim": SLIM,
        "decay": DECAY,
        "dropout": DROPOUT,
        "floor": NOISE**2,
        "columns": COLUMNS,
        "kept": KEPT,
        "files": FILES,
        "new_rows": NEW,
        "validation_rows": VALIDATION,
        "remedies": remedies,
        "best_update": round(remedies["chosen validation"][1]),
        "flattering": remedies["chosen validation"][0],
        "leaks": [(_NAMES[name], *scores) for name, scores in leaks.items()],
        "leak": leaks,
        "by_chance": chance_correlation(COLUMNS, 60),
    }


def chance_correlation(columns: int, rows: int) -> float:
    """Return about how large the largest correlation of noise columns with a target is."""
    return math.sqrt(2 * math.log(2 * columns) / rows)


def _parts() -> tuple[Any, Any]:
    """The mean squared error of many lines, each fitted to a file of its own, and its three parts."""
    at, noise, files = 0.5, NOISE, 200
    answers = []
    for file in range(files):
        points = draw(12, noise, file, 40)
        x = sw.tensor(np.stack([np.ones(12), points.x], axis=1))
        weights = sw.linalg.solve(x.T @ x, x.T @ sw.tensor(points.y[:, None]))
        answers.append((weights[0] + weights[1] * at).item())
    said, target = sw.tensor(np.array(answers)), float(truth(np.array(at)))
    error = ((said - target) ** 2).mean().item() + noise**2
    return error, noise**2 + (said.mean().item() - target) ** 2 + sw.var(said).item()


def _by_chance() -> tuple[Any, Any]:
    """The largest of many noise correlations stays below the bound, and comes near it."""
    ratios = []
    for columns, rows in ((30, 60), (300, 60), (300, 200)):
        X = normal(20 * rows * columns, 5, 50).reshape(20, rows, columns)
        y = np.tile(np.arange(rows) % 2, (20, 1))
        largest = np.abs(correlation(X, y)).max(axis=1).mean()
        ratios.append(largest / chance_correlation(columns, rows))
    return [0.8 < ratio < 1.0 for ratio in ratios], [True] * 3


def _decay() -> tuple[Any, Any]:
    """One step of the optimizer with weight decay, and the formula."""
    rate, decay = 0.1, 0.5
    w = sw.tensor(np.array([2.0, -1.0]), requires_grad=True)
    by_hand = (1 - rate * decay) * w.numpy() - rate * sw.grad(_bowl)(w).numpy()
    optimizer = sw.optim.SGD([w], lr=rate, weight_decay=decay)
    _bowl(w).backward()
    optimizer.step()
    return w.numpy(), by_hand


def _bowl(w: sw.Tensor) -> sw.Tensor:
    return (w**2).sum() + w[0] * w[1]


FORMULAS = (
    Formula(
        "parts",
        r"\text{error} = \text{noise} + \text{bias}^2 + \text{variance}",
        _parts,
    ),
    Formula("decay", r"w \leftarrow (1 - \eta \lambda) \, w - \eta \, \nabla L(w)", _decay),
    Formula("chance", r"\max_{j \leq m} \lvert r_j \rvert \approx \sqrt{\frac{2 \ln (2m)}{n}}", _by_chance),
)


TYPED = {
    "text/remedies-and-instruments": Typed("100"),  # a sentence that is wrong
    "text/leakage-the-ways-in": Typed("60"),
    "question/coin": Typed("50"),  # wrong choices
    "card/hundred": Typed("100"),
    "lab": Typed("32 40 60 12 50", lambda: [2 * 40]),  # files of the leaks, a coin
}
