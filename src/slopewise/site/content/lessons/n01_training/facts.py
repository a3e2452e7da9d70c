"""The numbers, formulas and the figure of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n01_training.chart import draw_chart
from slopewise.site.content.lessons.n01_training.project import (
    DRIFT,
    FRESH,
    HIDDEN,
    LONG,
    LONGER,
    SHORT,
    Data,
    Training,
    carry_out,
    collect,
)
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.labs import Figure

ROWS, NOISE, RATE, SEED = 240, 0.2, 1.5, 5  # the lab's own settings
BATCH, EPOCHS, ROUNDS = 32, 20, 3  # of the example that is counted


def _one_step(data: Data) -> tuple[float, float, float]:
    """Return the line's loss at the start, after one giant step, and after `SHORT` steps of the same rate."""
    giant = Training(data, RATE * SHORT, SEED, bent=False)
    before = giant.measure("training")
    giant.train_to(1)
    small = Training(data, RATE, SEED, bent=False)
    small.train_to(SHORT)
    return before, giant.measure("training"), small.measure("training")


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    data = collect(ROWS, NOISE, SEED)
    project = carry_out(data, RATE, SEED)
    before, giant, small = _one_step(data)
    moment = project.chosen.moment
    share = {part: round(100 * moment.accuracy(part)) for part in moment.right}
    return {
        "rows": ROWS,
        "short": SHORT,
        "long": LONG,
        "longer": LONGER,
        "hidden": HIDDEN,
        "fresh_rows": FRESH,
        "drift": DRIFT,
        "rounds": [
            (
                made.number,
                made.model,
                made.parameters,
                made.moment.updates,
                round(100 * made.moment.accuracy("validation")),
            )
            for made in project.rounds
        ],
        "untrained": round(100 * project.first[0].accuracy("validation")),
        "patient": round(100 * project.patient.accuracy("validation")),
        "share": share,
        "before": before,
        "giant": giant,
        "small": small,
        "batch": BATCH,
        "epochs": EPOCHS,
        "many_rounds": ROUNDS,
        "batches": math.ceil(ROWS / 2 / BATCH),
        "counted": _counted(),
    }


def _workflow() -> Figure:
    return Figure(
        "The workflow: each box leads to its lesson; the rust arrows are reasons to do it again", draw_chart()
    )


FIGURES = {"workflow": _workflow}


def _counted() -> int:
    """Run the loops of the example and count the updates."""
    X = np.zeros((ROWS // 2, 1), dtype=np.float32)
    loader = sw.data.DataLoader((X,), batch_size=BATCH, shuffle=True, seed=0)
    return sum(1 for _ in range(ROUNDS) for _ in range(EPOCHS) for _ in loader)


def _count() -> tuple[Any, Any]:
    """Updates counted, and by the formula."""
    return _counted(), ROUNDS * EPOCHS * math.ceil(ROWS / 2 / BATCH)


def _line() -> tuple[Any, Any]:
    """Return rows near a line, with a column of ones for the bias, and their targets."""
    X, y = sw.data.generate("linear", n=40, features=1, noise=0.3, seed=2)
    return np.column_stack([X, np.ones(len(X))]).astype(np.float64), y.astype(np.float64)


def _descended() -> Any:
    """Return weight and bias after 500 updates."""
    X, y = _line()
    w = sw.tensor(np.zeros(2), requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=0.2)
    for _ in range(500):
        optimizer.zero_grad()
        sw.losses.mse(sw.tensor(X) @ w, sw.tensor(y)).backward()
        optimizer.step()
    return w.numpy()


def _objective() -> tuple[Any, Any]:
    """The mean squared error after 500 updates, and the lowest of 441 places around there."""
    X, y = _line()
    found = _descended()
    offsets = np.linspace(-0.1, 0.1, 21)
    around = [found + np.array([a, b]) for a in offsets for b in offsets]
    losses = [sw.losses.mse(sw.tensor(X @ w), sw.tensor(y)).item() for w in around]
    return sw.losses.mse(sw.tensor(X @ found), sw.tensor(y)).item(), min(losses)


def _solved() -> tuple[Any, Any]:
    """Weight and bias after 500 updates, and by the formula."""
    X, y = _line()
    return _descended(), np.linalg.inv(X.T @ X) @ X.T @ y


FORMULAS = (
    Formula(
        "objective",
        r"\hat{w} = \underset{w}{\mathrm{arg\,min}} \; \frac{1}{n} \sum_{i=1}^{n} \ell ( f(x_i; w), y_i )",
        _objective,
    ),
    Formula("solved", r"\hat{w} = (X^\top X)^{-1} X^\top y", _solved),
    Formula(
        "count",
        r"\text{updates} = \text{rounds} \cdot \text{epochs} \cdot "
        r"\lceil \text{rows} / \text{batch size} \rceil",
        _count,
    ),
)


TYPED = {
    "text/the-idea-in-plain-words": Typed("7"),  # a written one
    "question/one-step": Typed("0"),  # a wrong choice
    "lab": Typed("50"),  # a coin
}
