"""Convergence of descent, momentum and Adam, from runs and from formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from pro.decks.sides import Sides, double
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lesson import Formula

H = np.array([1.0, 4.0, 10.0])  # curvatures of a bowl
START = np.array([1.0, -2.0, 0.5])
MEAN = 10.0  # of a column that nobody centred
_DRAW = np.random.Generator(np.random.Philox(22))


def _bowl(w: Tensor) -> Tensor:
    made: Tensor = 0.5 * xp.sum(double(H) * w * w)
    return made


def _gradient(w: Any) -> Any:
    return sw.grad(_bowl)(double(w)).numpy()


def _walk(rate: float, steps: int, start: Any = START, kind: Any = sw.optim.SGD, **more: Any) -> Any:
    """Where an optimizer is on the bowl after some updates."""
    w = sw.tensor(np.array(start, float), requires_grad=True)
    optimizer = kind([w], lr=rate, **more)
    for _ in range(steps):
        optimizer.zero_grad()
        _bowl(w).backward()
        optimizer.step()
    return w.numpy()


def _fed(kind: Any, gradients: Any, **more: Any) -> list[float]:
    """The places of a parameter that starts at 0 and is handed gradients."""
    w = sw.tensor(np.array(0.0), requires_grad=True)
    optimizer = kind([w], **more)
    places = [0.0]
    for gradient in gradients:
        optimizer.zero_grad()
        (float(gradient) * w).backward()
        optimizer.step()
        places.append(w.item())
    return places


def _gap() -> Sides:
    x, y = START, np.array([0.3, 0.1, -1.0])
    gap = _bowl(double(y)).item() - _bowl(double(x)).item() - _gradient(x) @ (y - x)
    return gap, 0.5 * (y - x) @ sw.hessian(_bowl)(double(x)).numpy() @ (y - x)


def _descent_lemma() -> Sides:
    start, top = np.array([0.0, 0.0, 2.0]), H.max()
    after = _bowl(double(_walk(1 / top, 1, start))).item()
    return after, _bowl(double(start)).item() - (_gradient(start) ** 2).sum() / (2 * top)


def _powers() -> Sides:
    return _walk(0.05, 7), (1 - 0.05 * H) ** 7 * START


def _best_rate() -> Sides:
    rates = np.linspace(0.01, 0.3, 29_001)
    worst = np.abs(1 - rates[:, None] * H).max(axis=1)
    return round(float(rates[worst.argmin()]), 4), round(2 / (H.min() + H.max()), 4)


def _least_squares() -> Sides:
    x = _DRAW.normal(size=(40, 3)) @ np.diag([1.0, 2.0, 5.0])
    hessian = sw.hessian(lambda w: 0.5 * xp.mean((double(x) @ w - 1.0) ** 2))(double(np.zeros(3))).numpy()
    values = np.linalg.eigvalsh(hessian)
    singular = np.linalg.svd(x, compute_uv=False)
    return values[-1] / values[0], (singular[0] / singular[-1]) ** 2


def _ridge() -> Sides:
    def penalised(w: Tensor) -> Tensor:
        made: Tensor = _bowl(w) + 0.5 * 2.0 * xp.sum(w * w)
        return made

    values = np.linalg.eigvalsh(sw.hessian(penalised)(double(START)).numpy())
    return values[-1] / values[0], (H.max() + 2.0) / (H.min() + 2.0)


def _uncentred() -> Sides:
    x = np.array([MEAN - 1, MEAN + 1])

    def loss(w: Tensor) -> Tensor:
        made: Tensor = 0.5 * xp.mean((w[0] + w[1] * double(x) - 1.0) ** 2)
        return made

    values = np.linalg.eigvalsh(sw.hessian(loss)(double([0.0, 0.0])).numpy())
    half = (2 + MEAN**2) / 2
    return values[1] / values[0], (half + math.sqrt(half**2 - 1)) ** 2


def _update_matrix(rate: float, beta: float, h: float, nesterov: bool = False) -> Any:
    """The matrix that takes place and buffer to the next, from updates of the engine's own rule."""
    settings = (
        sw.optim.SGD([sw.tensor(0.0, requires_grad=True)], lr=rate, momentum=0.5, nesterov=nesterov)
        .param_groups[0]
        .settings
    )
    knobs = {"lr": double(rate), "momentum": double(beta)}
    columns = []
    for w, buffer in np.eye(2):
        moved, state = sw.optim.SGD.update(
            double(w), double(h * w), {"momentum_buffer": double(buffer)}, knobs, settings
        )
        columns.append([moved.item(), state["momentum_buffer"].item()])
    return np.array(columns).T


def _momentum_roots() -> Sides:
    rate, beta, h = 0.3, 0.5, 2.0
    roots = np.roots([1.0, -(1 + beta - rate * h), beta])
    return np.sort(np.abs(np.linalg.eigvals(_update_matrix(rate, beta, h)))), np.sort(np.abs(roots))


def _momentum_radius() -> Sides:
    return np.abs(np.linalg.eigvals(_update_matrix(0.1, 0.81, 2.0))), np.full(2, math.sqrt(0.81))


def _critical() -> Sides:
    rate, h = 0.1, 2.0
    betas = np.linspace(0, 0.99, 9901)
    radius = [np.abs(np.roots([1.0, -(1 + beta - rate * h), beta])).max() for beta in betas]
    return round(float(betas[int(np.argmin(radius))]), 3), round((1 - math.sqrt(rate * h)) ** 2, 3)


def _nesterov() -> Sides:
    rate, beta, h = 0.3, 0.6, 1.0
    radius = np.abs(np.linalg.eigvals(_update_matrix(rate, beta, h, nesterov=True)))
    return radius, np.full(2, math.sqrt(beta * (1 - rate * h)))


def _noise_floor() -> Sides:
    rate, h, noise = 0.1, 2.0, 3.0
    variance = 0.0
    for _ in range(500):
        variance = (1 - rate * h) ** 2 * variance + rate**2 * noise**2
    return 0.5 * h * variance, rate * noise**2 / (2 * (2 - rate * h))


def _running_mean() -> Sides:
    samples = _DRAW.normal(size=50)
    w = sw.tensor(np.array(0.0), requires_grad=True)
    for count, sample in enumerate(samples, start=1):
        optimizer = sw.optim.SGD([w], lr=1 / count)
        optimizer.zero_grad()
        (0.5 * (w - float(sample)) ** 2).backward()
        optimizer.step()
    return w.item(), samples.mean()


def _squares() -> Sides:
    n = 1_000_000
    return (1 / np.arange(1.0, n + 1) ** 2).sum() + 1 / n, math.pi**2 / 6


def _newton_step(w: float) -> float:
    """Where a step of Newton's method on w − ln w leads."""

    def f(w: Tensor) -> Tensor:
        made: Tensor = w - xp.log(w)
        return made

    slope, curvature = sw.grad(f)(double(w)).item(), sw.hessian(f)(double(w)).item()
    return float(w - slope / curvature)


def _newton_errors() -> list[float]:
    """Distances to the lowest point of w − ln w, which is 1, along Newton's method."""
    w, errors = 0.9, []
    for _ in range(4):
        errors.append(abs(w - 1))
        w = _newton_step(w)
    return errors


def _newton() -> Sides:
    errors = _newton_errors()
    return errors[1:3], [errors[0] ** 2, errors[1] ** 2]


def _newton_leaves() -> Sides:
    """Whether a step of Newton's method on w − ln w ends where the logarithm has a value."""
    starts = np.array([0.5, 1.5, 1.99, 2.0, 2.5, 9.0])
    steps = [_newton_step(w) for w in starts]
    return np.array(steps) > 0, starts < 2


def _bias_correction() -> Sides:
    beta, gradient, m = 0.9, 3.0, 0.0
    for _ in range(7):
        m = beta * m + (1 - beta) * gradient
    return m, (1 - beta**7) * gradient


def _rare_gradient() -> Sides:
    places = _fed(sw.optim.Adam, [0.0] * 8000 + [1.0], lr=1.0, eps=1e-12)
    return round(abs(places[-1] - places[-2]), 3), round((1 - 0.9) / math.sqrt(1 - 0.999), 3)


def _sign_cycle() -> Sides:
    """Adam without memory is sign descent; near the bottom it jumps to and fro."""
    w = sw.tensor(np.array(0.03), requires_grad=True)
    optimizer = sw.optim.Adam([w], lr=0.1, betas=(0.0, 0.0), eps=1e-15)
    places = []
    for _ in range(6):
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()
        places.append(w.item())
    return np.abs(np.diff(places[2:])), [0.1] * 3


def _clipping_is_huber() -> Sides:
    e = np.array([-4.0, -0.4, 0.0, 0.9, 7.0])
    clipped = np.clip(sw.grad(lambda v: 0.5 * xp.sum(v * v))(double(e)).numpy(), -1, 1)
    huber = sw.grad(lambda v: sw.losses.huber(v, double(np.zeros(5)), reduction="sum"))(double(e)).numpy()
    return clipped, huber


def _flow() -> Sides:
    return np.round(_walk(1e-4, 5000), 3), np.round(np.exp(-0.5 * H) * START, 3)


def _exact_step() -> Sides:
    g = _gradient(START)
    rates = np.linspace(0, 0.5, 50_001)
    heights = 0.5 * (H * (START - rates[:, None] * g) ** 2).sum(axis=1)
    return round(float(rates[heights.argmin()]), 4), round(float(g @ g / (g @ (H * g))), 4)


def _gradient_dominance() -> Sides:
    """On a bowl, along its flattest direction, the inequality is an equality."""
    w = np.array([3.0, 0.0, 0.0])
    return 0.5 * (_gradient(w) ** 2).sum(), H.min() * _bowl(double(w)).item()


def _escape() -> Sides:
    rate, h, w, steps = 0.1, -1.0, 1e-8, 0
    while w < 1:
        w -= rate * h * w
        steps += 1
    return steps, math.ceil(math.log(1e8) / math.log(1 - rate * h))


def _early() -> Sides:
    """Early stopping and ridge leave the same of each direction while both leave most of it."""
    rate, steps = 1e-5, 10
    stopped = 1 - _walk(rate, steps) / START
    return np.round(stopped, 5), np.round(H / (H + 1 / (rate * steps)), 5)


def _sublinear() -> Sides:
    """Plain descent on w⁴/4, smooth where it walks and not strongly convex: w falls like 1/√(2ηk)."""
    w, rate, steps = 1.0, 0.1, 200_000
    for _ in range(steps):
        w -= rate * w**3
    return round(w, 4), round(1 / math.sqrt(2 * rate * steps + 1), 4)


FORMULAS = (
    Formula("gap", r"f(y) - f(x) - \nabla f(x)^\top (y - x) = \frac{1}{2} (y - x)^\top H (y - x)", _gap),
    Formula(
        "descent",
        r"f\left(x - \frac{1}{L} \nabla f\right) \leq f(x) - \frac{1}{2L} \|\nabla f\|^2",
        _descent_lemma,
    ),
    Formula("powers", r"w_k = (I - \eta H)^k w_0", _powers),
    Formula("best_rate", r"\eta = \frac{2}{\lambda_{\min} + \lambda_{\max}}", _best_rate),
    Formula(
        "squared", r"\kappa(H) = \left(\frac{\sigma_{\max}(X)}{\sigma_{\min}(X)}\right)^2", _least_squares
    ),
    Formula("ridge", r"\kappa = \frac{\lambda_{\max} + \alpha}{\lambda_{\min} + \alpha}", _ridge),
    Formula(
        "uncentred", r"\kappa = \left(s + \sqrt{s^2 - 1}\right)^2, \quad s = 1 + \frac{m^2}{2}", _uncentred
    ),
    Formula("roots", r"\mu^2 - (1 + \beta - \eta h) \mu + \beta = 0", _momentum_roots),
    Formula("radius", r"|\mu| = \sqrt{\beta}", _momentum_radius),
    Formula("critical", r"\beta = (1 - \sqrt{\eta h})^2", _critical),
    Formula("nesterov", r"|\mu| = \sqrt{\beta (1 - \eta h)}", _nesterov),
    Formula("noise", r"\frac{h}{2} \, \mathrm{E} w^2 = \frac{\eta \sigma^2}{2 (2 - \eta h)}", _noise_floor),
    Formula(
        "running",
        r"w_t = w_{t-1} - \frac{1}{t} (w_{t-1} - x_t) = \frac{1}{t} \sum_{i=1}^{t} x_i",
        _running_mean,
    ),
    Formula("monro", r"\sum_t \eta_t = \infty, \quad \sum_t \eta_t^2 = \frac{\pi^2}{6} < \infty", _squares),
    Formula("newton", r"e_{k+1} = e_k^2", _newton),
    Formula("leaves", r"w \geq 2", _newton_leaves),
    Formula("corrected", r"m_t = (1 - \beta^t) \, g", _bias_correction),
    Formula("rare", r"\frac{|\Delta w|}{\eta} = \frac{1 - \beta_1}{\sqrt{1 - \beta_2}}", _rare_gradient),
    Formula("sign", r"|w_{t+1} - w_t| = \eta", _sign_cycle),
    Formula(
        "huber",
        r"\mathrm{clip}(e, -\delta, \delta) = \frac{\mathrm{d}}{\mathrm{d} e} \mathrm{Huber}_{\delta}(e)",
        _clipping_is_huber,
    ),
    Formula("flow", r"w(t) = e^{-H t} w_0", _flow),
    Formula("exact_step", r"\eta^{*} = \frac{g^\top g}{g^\top H g}", _exact_step),
    Formula("dominance", r"\frac{1}{2} \|\nabla f\|^2 \geq \mu \, (f - f^{*})", _gradient_dominance),
    Formula("escape", r"k = \frac{\ln (1 / w_0)}{\ln (1 + \eta |h|)}", _escape),
    Formula(
        "early", r"1 - (1 - \eta h)^k \approx \frac{h}{h + \alpha}, \quad \alpha = \frac{1}{\eta k}", _early
    ),
    Formula("sublinear", r"w_k \approx \frac{1}{\sqrt{2 \eta k + 1}}", _sublinear),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    errors = _newton_errors()
    return {
        "mean": MEAN,
        "mean_kappa": _uncentred()[0],
        "newton_errors": errors,
        "rare_step": _rare_gradient()[0],
        "escape_steps": _escape()[0],
        "early_mean": _bias_correction()[0] / 3.0,
        "beta": 0.9,
        "quartic": _sublinear()[0],
        "noise_floor": _noise_floor()[0],
        "bowl": [int(h) for h in H],
        "bowl_rate": _best_rate()[1],
        "ridge_kappa": _ridge()[0],
        "critical_beta": _critical()[0],
    }
