"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n17_bug_museum.instruments import run
from slopewise.site.content.lessons.n17_bug_museum.rooms import EXHIBITS
from slopewise.site.content.typed_numbers import Typed

CLASSES, SEED = 3, 1


def _no_opinion(classes: int) -> float:
    return float(sw.losses.cross_entropy(sw.zeros((1, classes)), sw.tensor([0])).item())


def _floor() -> float:
    """Return the cross-entropy of perfect probabilities that are taken for scores."""
    return float(sw.losses.cross_entropy(sw.tensor([[1.0, 0.0, 0.0]]), sw.tensor([0])).item())


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    hidden = run(EXHIBITS["swing"], "a", SEED).numbers
    return {
        "classes": CLASSES,
        "first": _no_opinion(CLASSES),
        "ten": _no_opinion(10),
        "rank_like": 5 * _no_opinion(10),
        "floor": _floor(),
        "hidden_right": 100 * hidden["right"],
        "hidden_astray": hidden["astray"],
        "exhibits": len(EXHIBITS),
    }


def _gradient(reduction: str) -> Any:
    weight = sw.tensor([0.3, -0.2], requires_grad=True)
    X = sw.tensor(np.arange(10.0).reshape(5, 2) / 7)
    y = sw.tensor([0.0, 1.0, 1.0, 0.0, 2.0], dtype=X.dtype)
    errors = (X @ weight.astype(X.dtype) - y) ** 2
    (errors.sum() if reduction == "sum" else errors.mean()).backward()
    assert weight.grad is not None
    return weight.grad.numpy()


def _pairs() -> tuple[float, float]:
    p, y = np.array([0.3, -1.0, 2.0, 0.5]), np.array([1.0, 0.0, -2.0, 4.0])
    broadcast = ((sw.tensor(p[:, None]) - sw.tensor(y)) ** 2).mean().item()
    return broadcast, float(p.var() + y.var() + (p.mean() - y.mean()) ** 2)


def _stored() -> tuple[float, float]:
    """Return what three backward passes without a reset store, and the sum of what each gives alone."""
    w, alone = sw.tensor(0.5, requires_grad=True), []
    for x in (1.0, 2.0, -3.0):
        ((w * x - 1.0) ** 2).backward()
        lone = sw.tensor(0.5, requires_grad=True)
        ((lone * x - 1.0) ** 2).backward()
        assert lone.grad is not None
        alone.append(lone.grad.item())
    assert w.grad is not None
    return w.grad.item(), sum(alone)


FORMULAS = (
    Formula("start", r"L_0 = -\ln \frac{1}{K} = \ln K", lambda: (_no_opinion(CLASSES), math.log(CLASSES))),
    Formula(
        "floor",
        r"-\ln \frac{e^1}{e^1 + e^0 + e^0} = \ln\left(1 + \frac{2}{e}\right)",
        lambda: (_floor(), math.log(1 + 2 / math.e)),
    ),
    Formula(
        "summed",
        r"\nabla \sum_{i=1}^{n} L_i = n \, \nabla \, \frac{1}{n} \sum_{i=1}^{n} L_i",
        lambda: (_gradient("sum"), 5 * _gradient("mean")),
    ),
    Formula(
        "pairs",
        r"\frac{1}{n^2} \sum_{i=1}^{n} \sum_{j=1}^{n} (p_i - y_j)^2 = \operatorname{var}(p) + "
        r"\operatorname{var}(y) + (\bar p - \bar y)^2",
        _pairs,
    ),
    Formula("stored", r"\mathrm{grad}_t = \sum_{s=1}^{t} \nabla L_s", _stored),
)


# ---- numbers that texts type


def _dead() -> list[float]:
    """Return the share of rows at which a ReLU far below zero is on, and its weight's gradient."""
    x, w = sw.tensor([0.5, 1.0, 2.0]), sw.tensor(0.5, requires_grad=True)
    answers = sw.relu(w * x - 9.0)
    answers.sum().backward()
    assert w.grad is not None
    return [float((answers.numpy() > 0).mean()), w.grad.item()]


def _summed_over_32() -> list[float]:
    """Return how many times as long the gradient of a sum over 32 rows is as that of their mean."""
    x = sw.tensor(np.linspace(-1, 2, 32))
    lengths = [
        sw.grad(lambda w, total=total: total((w * x - 1.0) ** 2))(sw.tensor(0.3, dtype=sw.float64)).item()
        for total in (sw.sum, sw.mean)
    ]
    return [lengths[0] / lengths[1]]


TYPED = {
    "text/the-instruments": Typed("1 1000 0"),  # a rule of thumb: see the notes of CS231n
    "question/first-loss": Typed("10"),
    "question/floor": Typed("0 1"),
    "question/clones": Typed("16"),
    "card/ratio": Typed("0 1 1000"),
    "card/summed": Typed(shows=_summed_over_32),
    "card/dead": Typed(shows=_dead),
    "lab": Typed("12"),  # rows that are asked twice
}
