"""The formulas of the cards, each computed in two ways, and the numbers beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import slopewise as sw
from pro.decks.mathematics import calculus, convergence, statistics
from slopewise.nn.initializers import gain_of
from slopewise.site.content.lesson import Formula
from slopewise.site.content.typed_numbers import Typed

FORMULAS: tuple[Formula, ...] = (*calculus.FORMULAS, *convergence.FORMULAS, *statistics.FORMULAS)
GIVEN = (
    *(r"\|v\|_\infty \leq 1", "u = A w", "Y = X W", r"G = \partial L / \partial Y", r"u = x / \|x\|"),
    *(r"z = f(z) + \theta", r"\eta = 1/L", r"\dot{w} = -\nabla L(w)", r"\eta h = 1/5", r"\eta_t = 1/t"),
    r"\|w\| \leq r",
)


@cache
def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {**calculus.facts(), **convergence.facts(), **statistics.facts()}


def _outer_rank() -> float:
    return float(np.linalg.matrix_rank(np.outer([1.0, -2.0, 0.5], [3.0, 1.0])))


def _length_of_a_unit() -> float:
    """The length of the gradient of a vector's length."""
    slopes = sw.grad(lambda v: sw.sqrt((v * v).sum()))(sw.tensor(np.array([3.0, -1.0]))).numpy()
    return float(np.linalg.norm(slopes))


def _halved(order: int) -> float:
    """By which factor an error of some order shrinks when the step is halved."""
    return float(2**order)


def _centred_condition() -> float:
    """The condition number of a bias beside a column of mean 0 and variance 1."""
    data = np.column_stack([np.ones(4), [-1.0, 1.0, -1.0, 1.0]])
    return float(np.linalg.cond(data.T @ data))


def _jump_of_the_slope() -> float:
    left, right = (sw.grad(sw.abs)(sw.tensor(at)).item() for at in (-0.1, 0.1))
    return float(right - left)


def _entropy_of_a_hard_label() -> float:
    return float(-sum(q * np.log(q) for q in (1.0, 1e-300)))


def _sum_of_probabilities() -> float:
    return float(sw.softmax(sw.tensor([0.4, -1.0, 3.0])).sum().item())


def _gains() -> list[float]:
    """What the variance of first weights is multiplied by, for ReLU and for what is nearly linear."""
    return [float(gain_of(name) ** 2) for name in ("relu", "linear")]


def _left_of_noise(rows: int, batch: int) -> float:
    return (rows - batch) / (rows - 1)


TYPED = {
    "card/outer-product": Typed(shows=lambda: [_outer_rank()]),
    "card/gradient-of-length": Typed("0", lambda: [_length_of_a_unit()]),
    "card/second-order-remainder": Typed(shows=lambda: [_halved(3), _halved(2), _halved(1)]),
    "card/powers-of-one-matrix": Typed("1"),
    "card/condition-of-least-squares": Typed("100", lambda: [100.0**2]),
    "card/ridge-conditions": Typed("10"),
    "card/uncentred-column": Typed("", lambda: [_centred_condition()]),
    "card/quartic": Typed("4", lambda: [sw.grad(sw.grad(lambda w: w**4 / 4))(sw.tensor(1.0)).item()]),
    "card/leaving-a-saddle": Typed("10 1"),
    "card/critical-damping": Typed("5"),
    "card/noise-floor": Typed("10 3"),
    "card/adam-bias": Typed("0 7"),
    "card/adam-after-silence": Typed("1"),
    "card/cross-entropy-splits": Typed(shows=lambda: [_entropy_of_a_hard_label()]),
    "card/gradients-sum-to-zero": Typed(shows=lambda: [_sum_of_probabilities()]),
    "card/logistic-hessian": Typed("0"),
    "card/soft-threshold": Typed("0", lambda: [_jump_of_the_slope()]),
    "card/he-factor": Typed("0", _gains),
    "card/attention-scale": Typed("0 1"),
    "card/norm-backward": Typed("0 1"),
    "card/batch-without-replacement": Typed(
        shows=lambda: [_left_of_noise(1000, 1000), _left_of_noise(100_000, 10)]
    ),
}
