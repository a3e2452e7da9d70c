"""The numbers, formulas and programs of the cards."""

from __future__ import annotations

import inspect
import math
import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from pro.decks.interview import estimates, programs
from pro.decks.sides import Sides, double
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import gain_of
from slopewise.site.content.lesson import Formula
from slopewise.site.content.typed_numbers import Typed

WIDTHS = (784, 256, 10)
_DRAW = np.random.Generator(np.random.Philox(31))
X, Y = _DRAW.normal(size=(12, 3)), _DRAW.integers(0, 2, size=12).astype(float)


def _parameters() -> int:
    first, second, third = WIDTHS
    model = sw.nn.Sequential(sw.nn.Linear(first, second), sw.nn.ReLU(), sw.nn.Linear(second, third))
    return sum(int(np.prod(p.shape)) for p in model.parameters())


def _loss(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    made: Tensor = sw.losses.binary_cross_entropy_with_logits(x @ w, y)
    return made


def _per_row() -> Sides:
    w = double([0.3, -1.0, 0.5])
    single = sw.vmap(lambda x, y: sw.grad(lambda v: _loss(v, x[None, :], y[None]))(w))(double(X), double(Y))
    return single.numpy().mean(axis=0), sw.grad(lambda v: _loss(v, double(X), double(Y)))(w).numpy()


def _micro_batches() -> Sides:
    w, sizes = double([0.3, -1.0, 0.5]), (5, 4, 3)
    total, start = np.zeros(3), 0
    for size in sizes:
        rows = slice(start, start + size)
        total += size * sw.grad(lambda v, rows=rows: _loss(v, double(X[rows]), double(Y[rows])))(w).numpy()
        start += size
    return total / start, sw.grad(lambda v: _loss(v, double(X), double(Y)))(w).numpy()


def _saturated(loss: str) -> float:
    """The slope in a logit of −6 for a row whose class is 1."""

    def height(z: Tensor) -> Tensor:
        made: Tensor = (
            (sw.sigmoid(z) - 1.0) ** 2
            if loss == "squared"
            else sw.losses.binary_cross_entropy_with_logits(z, double(1.0))
        )
        return made

    return abs(sw.grad(height)(double(-6.0)).item())


def _tanh_rule() -> Sides:
    z = double([-2.0, 0.1, 1.5])
    slope = sw.grad(lambda v: xp.sum(xp.tanh(v)))(z).numpy()
    return slope, 1 - np.tanh(z.numpy()) ** 2


def _precision(share: float, recall: float, false_alarms: float) -> float:
    return share * recall / (share * recall + (1 - share) * false_alarms)


def _counted_precision() -> Sides:
    """Bayes' rule against counting a hundred thousand rows."""
    rows, share, recall, alarms = 100_000, 0.01, 0.9, 0.05
    right, wrong = rows * share * recall, rows * (1 - share) * alarms
    return right / (right + wrong), _precision(share, recall, alarms)


def _smallest_detectable(rows: int, accuracy: float) -> float:
    return 1.96 * math.sqrt(2 * accuracy * (1 - accuracy) / rows)


def _brier() -> Sides:
    """Mean squared error of probabilities falls into calibration, and what is left of uncertainty."""
    p = np.array([0.2, 0.2, 0.2, 0.7, 0.7, 0.7, 0.7, 0.2])
    y = np.array([0.0, 1, 0, 1, 1, 0, 1, 0])
    whole = ((p - y) ** 2).mean()
    parts = 0.0
    for level in np.unique(p):
        here = p == level
        rate = y[here].mean()
        parts += here.mean() * ((level - rate) ** 2 + rate * (1 - rate))
    return whole, parts


def _simpson() -> tuple[float, float, float, float, float, float]:
    """Accuracies of two models by group and overall; the groups are of different size for each."""
    a, b = ((81, 87), (192, 263)), ((234, 270), (55, 80))
    by_group = [right / n for right, n in (*a, *b)]
    overall = [sum(r for r, _ in rows) / sum(n for _, n in rows) for rows in (a, b)]
    return (*by_group, *overall)  # type: ignore[return-value]


def _scan(layers: int) -> float:
    """What is left of a gradient after some tanh layers whose values are about 1."""
    x = sw.tensor(np.array(1.0), requires_grad=True)
    h = x
    for _ in range(layers):
        h = xp.tanh(1.5 * h)
    h.backward()
    assert x.grad is not None
    return x.grad.item()


def _residual(layers: int) -> float:
    x = sw.tensor(np.array(1.0), requires_grad=True)
    h = x
    for _ in range(layers):
        h = h + 0.1 * xp.tanh(1.5 * h)
    h.backward()
    assert x.grad is not None
    return x.grad.item()


def _annotator(agreement: float) -> float:
    """How often each of two annotators is right who err independently and agree so often on two classes."""
    right = (1 + math.sqrt(2 * agreement - 1)) / 2
    assert math.isclose(right**2 + (1 - right) ** 2, agreement)
    return right


def _linear_collapse() -> Sides:
    a, b = _DRAW.normal(size=(3, 8)), _DRAW.normal(size=(8, 2))
    return ((double(X) @ double(a)) @ double(b)).numpy(), (double(X) @ (double(a) @ double(b))).numpy()


FORMULAS = (
    Formula("per_row", r"\nabla \bar{L} = \frac{1}{n} \sum_i \nabla L_i", _per_row),
    Formula("micro", r"g = \frac{1}{n} \sum_b n_b \, g_b", _micro_batches),
    Formula("tanh_rule", r"\tanh'(z) = 1 - \tanh(z)^2", _tanh_rule),
    Formula("bayes", r"P = \frac{\pi r}{\pi r + (1 - \pi) f}", _counted_precision),
    Formula("brier", r"\mathrm{E}(p - y)^2 = \mathrm{E}(p - r_p)^2 + \mathrm{E} \, r_p (1 - r_p)", _brier),
    Formula("collapse", r"(X A) B = X (A B)", _linear_collapse),
    *estimates.FORMULAS,
    Formula("largest_term", "e^0 = 1", lambda: (sw.exp(double([0.0])).numpy(), [1.0])),
)
GIVEN = (r"B_n = \mathrm{tr}(H \Sigma) / g^\top H g",)  # the noise scale's definition


def _source(name: str) -> str:
    text = inspect.getsource(getattr(programs, name))
    text = text.replace("  # type: ignore[no-untyped-def]", "")
    text = re.sub(r"(?<=\w): (?:Any|Value|float|list\[Value\])(?=[,)= ])", "", text)
    return re.sub(r" -> \w+(?=:)", "", text).replace("inputs = ()", "inputs=()").rstrip("\n")


@cache
def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    count = _parameters()
    names = ("softmax", "gradient_check", "folds", "auc", "adam", "fit_line", "layer_backward")
    simpson = _simpson()
    return {
        **estimates.facts(),
        "code": SimpleNamespace(
            **{name: _source(name) for name in (*names, "Value", "log_sum_exp", "reservoir")}
        ),
        "widths": WIDTHS,
        "parameters": count,
        "hessian_entries": float(count) ** 2,
        "adam_megabytes": count * 4 * 4 / 1e6,
        "slope_squared": _saturated("squared"),
        "slope_crossed": _saturated("crossed"),
        "precision": _precision(0.01, 0.9, 0.05),
        "detectable": _smallest_detectable(1000, 0.9),
        "simpson": simpson,
        "scanned": _scan(20),
        "residual": _residual(20),
        "rows": 50_000,
        "batch": 128,
        "updates": math.ceil(50_000 / 128) * 90,
        "large_batch": 1024,
        "large_updates": math.ceil(50_000 / 1024) * 90,
        "rule_of_three": 3 / 1000,
        "annotator": _annotator(0.8),
        "smallest_half": float(np.nextafter(np.float16(0), np.float16(1))),
    }


def _seed() -> float:
    """The gradient of a value with respect to itself."""
    return float(sw.grad(lambda v: v)(double(0.3)).item())


def _rank_of_a_bottleneck() -> float:
    """The rank of two linear layers in a row, from 100 inputs over 5 units to 100."""
    draw = np.random.Generator(np.random.Philox(32))
    return float(np.linalg.matrix_rank(draw.normal(size=(100, 5)) @ draw.normal(size=(5, 100))))


def _halfway() -> float:
    """What a network answers at most whose weights lie halfway between A, B and −A, −B, which do the same."""
    a, b = np.array([[1.0, -2.0]]), np.array([[3.0], [0.5]])
    assert np.array_equal(a @ b, -a @ -b)
    return float(np.abs((a - a) / 2 @ ((b - b) / 2)).max())


def _he_factors() -> list[float]:
    """The variance of first weights times their fan-in, for ReLU and for a layer that is nearly linear."""
    return [float(gain_of(name) ** 2) for name in ("relu", "linear")]


TYPED = {
    **estimates.TYPED,
    "card/count-parameters": Typed(shows=lambda: [float(width) for width in WIDTHS]),
    "card/count-updates": Typed("90"),
    "card/why-nonlinear": Typed("100", lambda: [_rank_of_a_bottleneck(), _halfway()]),
    "card/residual-why": Typed("20"),
    "card/cross-entropy-not-mse": Typed("-6 1"),
    "card/loss-spikes": Typed("40,000"),
    "card/initialise-how": Typed(shows=_he_factors),
    "card/loss-scaling": Typed(shows=lambda: [float(np.float16(1e-9))]),
    "card/autograd-in-a-minute": Typed(shows=lambda: [_seed()]),
    "card/forward-or-reverse": Typed("3 10,000 1"),
    "card/step-function": Typed(shows=lambda: [sw.grad(sw.nn.step)(double(0.4)).item()]),
    "card/gradient-penalty": Typed(shows=lambda: [sw.grad(sw.grad(sw.relu))(double(0.4)).item()]),
    "card/difference-detectable": Typed("1000 90 95"),
    "card/zero-errors": Typed("1000 95", lambda: [-math.log(0.05)]),
    "card/leak-questions": Typed("70 99"),
    "card/labels-disagree": Typed("80"),
    "card/log-sum-exp-on-board": Typed(shows=lambda: [math.exp(0)]),
    "card/adam-on-board": Typed("1"),
}
