"""Losses as probabilities; variance and scale through layers."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from pro.decks.sides import Sides, double
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import gain_of
from slopewise.site.content.lesson import Formula

_DRAW = np.random.Generator(np.random.Philox(23))
Z, V = _DRAW.normal(size=4), _DRAW.normal(size=4)
ROWS = _DRAW.normal(size=(6, 3))
SMOOTHING, CLASSES = 0.1, 10


def _p(z: Any) -> Any:
    return sw.softmax(double(z)).numpy()


def _log_sum_exp() -> Sides:
    return sw.grad(lambda z: sw.logsumexp(z))(double(Z)).numpy(), _p(Z)


def _curvature_is_variance() -> Sides:
    p = _p(Z)
    hessian = sw.hessian(lambda z: sw.logsumexp(z))(double(Z)).numpy()
    return V @ hessian @ V, p @ V**2 - (p @ V) ** 2


def _divergence() -> Sides:
    q, p = _p(V), _p(Z)
    crossed = sw.losses.cross_entropy(double(Z)[None, :], double(q)[None, :]).item()
    return crossed, -(q * np.log(q)).sum() + (q * np.log(q / p)).sum()


def _sums_to_zero() -> Sides:
    gradient = sw.grad(lambda z: sw.losses.cross_entropy(z[None, :], sw.tensor([2])))(double(Z)).numpy()
    return gradient.sum() + 1.0, 1.0


def _two_classes() -> Sides:
    return _p(Z[:2])[0], sw.sigmoid(double(Z[0] - Z[1])).item()


def _temperature() -> Sides:
    warm = 3.0
    gradient = sw.grad(lambda z: sw.losses.cross_entropy((z / warm)[None, :], sw.tensor([1])))(
        double(Z)
    ).numpy()
    return gradient, (_p(Z / warm) - np.eye(4)[1]) / warm


def _smoothed_gap() -> float:
    rest = SMOOTHING / CLASSES
    return math.log((1 - SMOOTHING + rest) / rest)


def _smoothing() -> Sides:
    """The gradient is zero at the gap that the formula gives."""

    def loss(z: Tensor) -> Tensor:
        made: Tensor = sw.losses.cross_entropy(z[None, :], sw.tensor([0]), label_smoothing=SMOOTHING)
        return made

    z = np.zeros(CLASSES)
    z[0] = _smoothed_gap()
    return sw.grad(loss)(double(z)).numpy() + 1.0, np.ones(CLASSES)


def _half_remains() -> Sides:
    """E relu(z)² for a standard normal z, by quadrature."""
    z, weights = np.polynomial.hermite_e.hermegauss(200)
    return (weights / weights.sum() * sw.relu(double(z)).numpy() ** 2).sum(), 0.5


def _bias_variance() -> Sides:
    predictions, targets = np.array([1.0, 2.0, 4.0]), np.array([2.5, 3.5])  # independent, equally likely
    whole = np.mean([(a - b) ** 2 for a, b in product(predictions, targets)])
    truth = targets.mean()
    return whole, (predictions.mean() - truth) ** 2 + predictions.var() + targets.var()


def _constrained() -> Sides:
    """The ridge solution is a point where the loss' gradient lies along the weights."""
    x, y, decay = ROWS, np.arange(6.0), 0.7
    w = np.linalg.solve(x.T @ x + decay * np.eye(3), x.T @ y)
    gradient = sw.grad(lambda w: 0.5 * xp.sum((double(x) @ w - double(y)) ** 2))(double(w)).numpy()
    return gradient, -decay * w


def _prices() -> Sides:
    """The price of the constraint at solutions within several radii: not negative, and 0 where it is idle."""
    centre, radii = np.array([1.5, -2.0]), np.array([0.5, 1.0, 2.0, 2.5, 4.0])
    prices = []
    for r in radii:
        w = centre * min(1.0, r / float(np.linalg.norm(centre)))  # the nearest point that is allowed
        gradient = sw.grad(lambda w: 0.5 * xp.sum((w - double(centre)) ** 2))(double(w)).numpy()
        prices.append(-gradient @ w / (w @ w))
    return np.sign(np.round(prices, 9)), (radii < np.linalg.norm(centre)).astype(float)


def _he() -> Sides:
    """The variance of He's first weights times their fan-in."""
    fan_in = 64
    return (gain_of("relu") / math.sqrt(fan_in)) ** 2, 2 / fan_in


def _soft_threshold() -> Sides:
    grid = np.linspace(-5, 5, 100_001)
    alpha, places = 1.0, np.array([-3.0, -0.5, 0.2, 2.5])
    best = [grid[(0.5 * (grid - z) ** 2 + alpha * np.abs(grid)).argmin()] for z in places]
    return np.round(best, 3) + 1.0, np.sign(places) * np.maximum(np.abs(places) - alpha, 0) + 1.0


def _normalise(x: Tensor) -> Tensor:
    centred = x - xp.mean(x)
    made: Tensor = centred / xp.sqrt(xp.mean(centred * centred))
    return made


def _batch_norm() -> Sides:
    x, g = ROWS[:, 0], ROWS[:, 1]
    pulled = sw.vjp(_normalise, double(x))[1](double(g))[0].numpy()
    hat = _normalise(double(x)).numpy()
    return pulled, (g - g.mean() - hat * (g * hat).mean()) / x.std()


def _scale_free(w: Tensor) -> Tensor:
    made: Tensor = xp.sum(double(np.arange(6.0)) * _normalise(double(ROWS) @ w))
    return made


def _gradient_shrinks() -> Sides:
    w = np.array([1.0, -1.0, 2.0])
    return sw.grad(_scale_free)(double(3 * w)).numpy(), sw.grad(_scale_free)(double(w)).numpy() / 3


def _orthogonal() -> Sides:
    w = np.array([1.0, -1.0, 2.0])
    return sw.grad(_scale_free)(double(w)).numpy() @ w + 1.0, 1.0


def _dropout() -> Sides:
    w, x, y, drop = np.array([0.5, -1.0, 2.0]), np.array([1.0, 3.0, -2.0]), 1.5, 0.25
    expected = 0.0
    for mask in product([0, 1], repeat=3):
        kept = np.array(mask)
        chance = np.prod(np.where(kept, 1 - drop, drop))
        expected += chance * (y - w @ (x * kept / (1 - drop))) ** 2
    return expected, (y - w @ x) ** 2 + drop / (1 - drop) * (w**2 * x**2).sum()


def _without_replacement() -> Sides:
    values, size = np.array([1.0, 2.0, 4.0, 8.0, 16.0]), 2
    means = [np.mean(batch) for batch in combinations(values, size)]
    n = len(values)
    return np.var(means), values.var() / size * (n - size) / (n - 1)


def _logistic() -> Sides:
    w, y = np.array([0.5, -1.0, 0.2]), np.array([0.0, 1, 1, 0, 1, 0])

    def loss(w: Tensor) -> Tensor:
        made: Tensor = sw.losses.binary_cross_entropy_with_logits(double(ROWS) @ w, double(y))
        return made

    p = sw.sigmoid(double(ROWS @ w)).numpy()
    return sw.hessian(loss)(double(w)).numpy(), ROWS.T @ np.diag(p * (1 - p)) @ ROWS / 6


def _attention() -> Sides:
    """The variance of a product of two vectors of signs, over all of them."""
    d = 6
    products = [np.dot(q, k) for q in product([-1, 1], repeat=d) for k in product([-1, 1], repeat=d)]
    return np.var(products), d


FORMULAS = (
    Formula("lse", r"\nabla_z \ln \sum_j e^{z_j} = \mathrm{softmax}(z)", _log_sum_exp),
    Formula(
        "variance",
        r"v^\top \left(\mathrm{diag}(p) - p p^\top\right) v = \mathrm{Var}_p(v)",
        _curvature_is_variance,
    ),
    Formula("divergence", r"H(q, p) = H(q) + \mathrm{KL}(q \| p)", _divergence),
    Formula("zero_sum", r"\sum_j (p_j - y_j) = 0", _sums_to_zero),
    Formula("two", r"\frac{e^{z_1}}{e^{z_1} + e^{z_2}} = \sigma(z_1 - z_2)", _two_classes),
    Formula("warm", r"\nabla_z L = \frac{1}{T} \left(\mathrm{softmax}(z / T) - y\right)", _temperature),
    Formula("smoothed", r"z_y - z_j = \ln \frac{1 - \epsilon + \epsilon / K}{\epsilon / K}", _smoothing),
    Formula("half", r"\mathrm{E} \, \mathrm{relu}(z)^2 = \frac{1}{2} \mathrm{Var}(z)", _half_remains),
    Formula(
        "decomposed",
        r"\mathrm{E} (\hat{y} - y)^2 = \mathrm{bias}^2 + \mathrm{variance} + \mathrm{noise}",
        _bias_variance,
    ),
    Formula("kkt", r"\nabla L(w) = -\lambda w", _constrained),
    Formula("price", r"\lambda \geq 0", _prices),
    Formula("he", r"\mathrm{Var}(w) = 2 / n", _he),
    Formula("threshold", r"w = \mathrm{sign}(z) \, \max(|z| - \alpha, 0)", _soft_threshold),
    Formula(
        "norm_back",
        r"\nabla_x L = \frac{1}{s} \left(g - \bar{g} - \hat{x} \, \overline{g \hat{x}}\right)",
        _batch_norm,
    ),
    Formula("shrinks", r"\nabla L(c w) = \frac{1}{c} \nabla L(w)", _gradient_shrinks),
    Formula("orthogonal", r"w^\top \nabla L(w) = 0", _orthogonal),
    Formula(
        "dropout",
        r"\mathrm{E} (y - \tilde{x}^\top w)^2 = (y - x^\top w)^2 + \frac{p}{1 - p} \sum_j w_j^2 x_j^2",
        _dropout,
    ),
    Formula(
        "finite",
        r"\mathrm{Var}(\bar{g}_B) = \frac{\sigma^2}{B} \cdot \frac{n - B}{n - 1}",
        _without_replacement,
    ),
    Formula("logistic", r"H = \frac{1}{n} X^\top \mathrm{diag}(p (1 - p)) X", _logistic),
    Formula("attention", r"\mathrm{Var}(q^\top k) = d", _attention),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {
        "smoothing": SMOOTHING,
        "classes": CLASSES,
        "smoothed_gap": _smoothed_gap(),
    }
