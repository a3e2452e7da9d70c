"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.engine.tensor import Tensor
from slopewise.optim.schedules import CosineDecay
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n14_optimization.grounds import GROUNDS, UPDATES, Plan, sweep, walk
from slopewise.site.content.lessons.n14_optimization.race import LAST, RUNNERS, Race
from slopewise.site.content.typed_numbers import Typed

BETA, LESS, RATE = 0.9, 0.5, 0.1
STEEP = 25.0  # the valley's curvature across; along it is 1
NOISE, NOISY_RATE, SEEDS = 2.0, 0.05, 200
DECAY, DECAY_RATE, DECAY_UPDATES = 0.1, 0.02, 100
_V = 0.999  # Adam's second memory


# ---- rules on given gradients


def _fed(optimizer: sw.optim.Optimizer, w: Tensor, gradients: list[float]) -> list[float]:
    """Hand gradients to an optimizer, and return the places of its parameter, the first included."""
    places = [w.item()]
    for gradient in gradients:
        optimizer.zero_grad()
        (gradient * w).backward()
        optimizer.step()
        places.append(w.item())
    return places


def _parameter(value: float = 0.0) -> Tensor:
    made: Tensor = sw.tensor(np.array(value), requires_grad=True)
    return made


def _momentum_steps(gradients: list[float]) -> list[float]:
    """The steps of momentum with learning rate 1, turned uphill: comparable with gradients."""
    w = _parameter()
    places = _fed(sw.optim.SGD([w], lr=1.0, momentum=BETA), w, gradients)
    return [before - after for before, after in pairwise(places)]


def _first_adam_step(gradient: float) -> float:
    w = _parameter()
    return -_fed(sw.optim.Adam([w], lr=RATE), w, [gradient])[1]


def _left_after_decay(kind: type[sw.optim.UpdateRule], size: float) -> float:
    """What is left of a weight of 1 whose gradients only swing to and fro."""
    made: Any = kind
    w = _parameter(1.0)
    swinging = [size * (-1) ** k for k in range(DECAY_UPDATES)]
    return _fed(made([w], lr=DECAY_RATE, weight_decay=DECAY), w, swinging)[-1]


# ---- momentum on a valley


def _slowest_factor(curvatures: tuple[float, ...], rate: float, beta: float) -> float:
    """The factor of the slowest part of the distance, per update, from the update's own Jacobian."""
    settings = sw.optim.SGD([_parameter()], lr=rate, momentum=BETA).param_groups[0].settings
    h = {"lr": sw.tensor(np.array(rate)), "momentum": sw.tensor(np.array(beta))}

    def update(both: Tensor, curvature: float) -> Tensor:
        state = {"momentum_buffer": both[1]}
        moved, new = sw.optim.SGD.update(both[0], curvature * both[0], state, h, settings)
        stacked: Tensor = sw.stack([moved, new["momentum_buffer"]])
        return stacked

    factors = []
    for curvature in curvatures:
        columns = [update(sw.tensor(unit), curvature).numpy() for unit in np.eye(2)]
        factors.append(float(np.abs(np.linalg.eigvals(np.array(columns).T)).max()))
    return max(factors)


def _best_factors(kappa: float) -> tuple[float, float]:
    root = math.sqrt(kappa)
    return (kappa - 1) / (kappa + 1), (root - 1) / (root + 1)


def _to_a_hundredth(factor: float) -> int:
    return math.ceil(math.log(0.01) / math.log(factor))


def _from_rest(kappa: float) -> int:
    """Count updates of the best momentum, along the floor and across, until a hundredth is left for good."""
    root = math.sqrt(kappa)
    w = sw.tensor(np.ones(2), requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=4 / (root + 1) ** 2, momentum=_best_factors(kappa)[1] ** 2)
    far = []
    for _ in range(100):
        optimizer.zero_grad()
        (0.5 * sw.tensor(np.array([1.0, kappa])) * w * w).sum().backward()
        optimizer.step()
        far.append(float(np.abs(w.numpy()).max()))
    return 1 + max(update for update, distance in enumerate(far, start=1) if distance > 0.01)


# ---- what the text calls by name


def _races() -> list[tuple[str, list[float], str]]:
    """What each rule reaches at its best learning rate, with the usual memory and with less; and who wins."""
    made = []
    for ground in GROUNDS.values():
        usual, less = Race(ground, Plan(beta=BETA)), Race(ground, Plan(beta=LESS))
        heights = {
            "plain": usual.height("sgd"),
            f"momentum, {BETA}": usual.height("momentum"),
            f"Adam, {BETA}": usual.height("adam"),
            f"momentum, {LESS}": less.height("momentum"),
            f"Adam, {LESS}": less.height("adam"),
        }
        made.append((ground.name, list(heights.values()), min(heights, key=heights.__getitem__)))
    return made


def _at_one_rate(rate: float) -> list[tuple[str, float]]:
    """Where three rules end in the valley at one learning rate."""
    ground = GROUNDS["valley"]
    return [
        (name, float(np.mean(walk(ground, Plan(rule=rule), rate).losses[-LAST:])))
        for rule, name in RUNNERS.items()
    ]


def _ends_in_noise(rule: str, schedule: str, rate: float) -> float:
    """The mean height at the end of many walks in the noisy valley."""
    plan = Plan(rule=rule, schedule=schedule, noise=NOISE)
    tilts = np.stack([replace(plan, seed=seed).tilts(UPDATES) for seed in range(SEEDS)], axis=1)
    return float(sweep(GROUNDS["valley"], plan, np.full(SEEDS, rate), tilts=tilts)[-1].mean())


@cache
def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    plain, momentum = _best_factors(STEEP)
    steady = _momentum_steps([1.0] * 50)
    swinging = _momentum_steps([(-1.0) ** k for k in range(60)])
    races, same_rate = _races(), Race(GROUNDS["valley"], Plan()).rate("momentum")
    return {
        "updates": UPDATES,
        "beta": BETA,
        "rate": RATE,
        "gain": 1 / (1 - BETA),
        "steady": [(k, steady[k - 1]) for k in (1, 2, 5, 10, 50)],
        "swing": abs(swinging[-1]),
        "plain_factor": plain,
        "momentum_factor": momentum,
        "plain_updates": _to_a_hundredth(plain),
        "momentum_updates": _to_a_hundredth(momentum),
        "momentum_from_rest": _from_rest(STEEP),
        "best_beta": momentum**2,
        "races": races,
        "last": LAST,
        "less": LESS,
        "same_rate": same_rate,
        "one_rate": _at_one_rate(same_rate),
        "adam_first": [(gradient, _first_adam_step(gradient)) for gradient in (0.001, 1.0, 1000.0)],
        "adam_uncorrected": (1 - BETA) / math.sqrt(1 - _V),
        "noise": NOISE,
        "noisy_rate": NOISY_RATE,
        "seeds": SEEDS,
        "noisy": [
            (name, _ends_in_noise(rule, "constant", rate), _ends_in_noise(rule, "cosine", rate))
            for name, rule, rate in (("plain gradient descent", "sgd", 0.05), ("Adam", "adam", 0.3))
        ],
        "decay": DECAY,
        "decay_rate": DECAY_RATE,
        "decay_updates": DECAY_UPDATES,
        "decayed": [
            (size, _left_after_decay(sw.optim.Adam, size), _left_after_decay(sw.optim.AdamW, size))
            for size in (0.1, 1.0, 10.0)
        ],
        "ridge": [curvature / (curvature + 1.0) for curvature in (1.0, STEEP)],
    }


# ---- formulas


def _momentum_rule() -> tuple[Any, Any]:
    gradients = [3.0, -1.0, 2.0]
    by_hand, b = [], 0.0
    for gradient in gradients:
        b = BETA * b + gradient
        by_hand.append(b)
    return _momentum_steps(gradients), by_hand


def _long_run() -> tuple[Any, Any]:
    return [_momentum_steps([1.0] * 150)[-1], abs(_momentum_steps([(-1.0) ** k for k in range(150)])[-1])], [
        1 / (1 - BETA),
        1 / (1 + BETA),
    ]


def _best_plain() -> tuple[Any, Any]:
    rate = 2 / (1 + STEEP)
    return _slowest_factor((1.0, 5.0, STEEP), rate, 0.0), _best_factors(STEEP)[0]


def _best_momentum() -> tuple[Any, Any]:
    """Polyak's learning rate and memory: every curvature between shrinks by the same factor."""
    factor = _best_factors(STEEP)[1]
    rate = (2 / (1 + math.sqrt(STEEP))) ** 2
    return _slowest_factor((1.0, 5.0, STEEP), rate, factor**2), factor


def _adam() -> tuple[Any, Any]:
    """Three updates by the formulas, and by the optimizer."""
    gradients = [3.0, -1.0, 2.0]
    w = _parameter()
    by_optimizer = _fed(sw.optim.Adam([w], lr=RATE), w, gradients)[1:]
    place, m, v, by_hand = 0.0, 0.0, 0.0, []
    for t, gradient in enumerate(gradients, start=1):
        m = BETA * m + (1 - BETA) * gradient
        v = _V * v + (1 - _V) * gradient**2
        place -= RATE * (m / (1 - BETA**t)) / (math.sqrt(v / (1 - _V**t)) + 1e-8)
        by_hand.append(place)
    return by_optimizer, by_hand


def _averages() -> tuple[Any, Any]:
    """What the optimizer remembers after three gradients."""
    gradients = [3.0, -1.0, 2.0]
    w = _parameter()
    optimizer = sw.optim.Adam([w], lr=RATE)
    _fed(optimizer, w, gradients)
    state = optimizer.param_groups[0].state[0]
    weights = [0.9**2 * 0.1, 0.9 * 0.1, 0.1], [_V**2 * (1 - _V), _V * (1 - _V), 1 - _V]
    return [state["exp_avg"].item(), state["exp_avg_sq"].item()], [
        sum(a * g for a, g in zip(weights[0], gradients)),
        sum(a * g * g for a, g in zip(weights[1], gradients)),
    ]


def _hovering() -> tuple[Any, Any]:
    """The variance of the last place: the sum of its squared derivatives by each update's noise."""
    rate, curvature = NOISY_RATE, 1.0

    def last(noise: Tensor) -> Tensor:
        w: Tensor = sw.tensor(np.array(0.0))
        for tilt in noise:
            w = w - rate * (curvature * w + tilt)
        return w

    shares = sw.grad(last)(sw.tensor(np.zeros(200))).numpy()
    return NOISE**2 * float((shares**2).sum()), rate * NOISE**2 / (curvature * (2 - rate * curvature))


def _cosine() -> tuple[Any, Any]:
    schedule = CosineDecay(RATE, steps=UPDATES)
    steps = (0, 10, 20, 37, 40)
    return [schedule(t).item() for t in steps], [
        RATE / 2 * (1 + math.cos(math.pi * t / UPDATES)) for t in steps
    ]


def _decayed_step() -> tuple[Any, Any]:
    """For plain gradient descent the penalty's gradient and the shrinking are one."""
    w = _parameter(2.0)
    stepped = _fed(sw.optim.SGD([w], lr=RATE, weight_decay=0.5), w, [3.0])[1]
    return stepped, (1 - RATE * 0.5) * 2.0 - RATE * 3.0


def _ridge() -> tuple[Any, Any]:
    """Where a walk with weight decay 1 settles, whose loss alone is lowest at (1, 1)."""
    curvatures = sw.tensor(np.array([1.0, STEEP]))
    w = sw.tensor(np.zeros(2), requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=0.05, weight_decay=1.0)
    for _ in range(200):
        optimizer.zero_grad()
        (0.5 * (curvatures * (w - 1.0) ** 2).sum()).backward()
        optimizer.step()
    return w.numpy(), [c / (c + 1.0) for c in (1.0, STEEP)]


def _adamw() -> tuple[Any, Any]:
    """AdamW's step is Adam's, from weights that were shrunk before."""
    shrunk, both = _parameter((1 - RATE * 0.5) * 2.0), _parameter(2.0)
    apart = _fed(sw.optim.Adam([shrunk], lr=RATE), shrunk, [3.0])[1]
    return _fed(sw.optim.AdamW([both], lr=RATE, weight_decay=0.5), both, [3.0])[1], apart


FORMULAS = (
    Formula(
        "momentum",
        r"b_{t+1} = \beta \, b_t + g_t \qquad w_{t+1} = w_t - \eta \, b_{t+1}",
        _momentum_rule,
    ),
    Formula(
        "long_run",
        r"\text{steady:} \quad 1 + \beta + \beta^2 + \dots = \frac{1}{1 - \beta} \qquad "
        r"\text{swinging:} \quad 1 - \beta + \beta^2 - \dots = \frac{1}{1 + \beta}",
        _long_run,
    ),
    Formula("best_plain", r"\frac{\kappa - 1}{\kappa + 1}", _best_plain),
    Formula("best_momentum", r"\frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1}", _best_momentum),
    Formula(
        "averages",
        r"m_t = \beta_1 \, m_{t-1} + (1 - \beta_1) \, g_t \qquad "
        r"v_t = \beta_2 \, v_{t-1} + (1 - \beta_2) \, g_t^2",
        _averages,
    ),
    Formula(
        "adam",
        r"w_t = w_{t-1} - \eta \, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} \qquad "
        r"\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}",
        _adam,
    ),
    Formula(
        "hovering", r"\mathrm{Var}(w) = \frac{\eta \, \sigma^2}{\lambda \, (2 - \eta \lambda)}", _hovering
    ),
    Formula("cosine", r"\eta_t = \frac{\eta}{2} \left( 1 + \cos \frac{\pi t}{T} \right)", _cosine),
    Formula(
        "decay",
        r"w - \eta \, (\nabla L + \alpha w) = (1 - \eta \alpha) \, w - \eta \, \nabla L",
        _decayed_step,
    ),
    Formula("ridge", r"w_i = \frac{\lambda_i}{\lambda_i + \alpha} \, w_i^{*}", _ridge),
    Formula(
        "adamw",
        r"w_t = (1 - \eta \alpha) \, w_{t-1} - \eta \, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}",
        _adamw,
    ),
)


# ---- numbers that texts type


def _defaults() -> list[float]:
    """Return Adam's second memory as it is unless told otherwise, in thousandths."""
    return [1000 * sw.optim.Adam([_parameter()]).param_groups[0]["betas"][1]]


def _first_in_rates() -> list[float]:
    """Return Adam's first step for two gradients, in learning rates."""
    return [abs(_first_adam_step(size)) / RATE for size in (0.001, 1000.0)]


TYPED = {
    "text/momentum": Typed("0", lambda: [STEEP]),
    "text/adam": Typed("0", _defaults),
    "text/what-is-often-said-and-what-is-so": Typed("45"),
    "text/schedules": Typed(shows=lambda: [CosineDecay(1.0, steps=50)(50).item()]),
    "text/regularisation": Typed("0 1", lambda: [STEEP]),
    "text/choosing": Typed("3 0"),  # advice
    "takeaways": Typed("1"),  # of 1/(1 − β), here and below
    "snippet/scikit_learn": Typed("0.001"),
    "question/steady": Typed("1"),
    "question/first-adam": Typed("0.001 1000", _first_in_rates),
    "question/turned": Typed("45"),
    "question/settle": Typed("2"),
    "card/momentum-gain": Typed("1"),
    "card/momentum-valley": Typed(shows=lambda: [STEEP]),
    "card/momentum-overshoot": Typed(shows=lambda: [STEEP]),
    "card/adam-correction": Typed("1"),
    "lab": Typed("45 10 5 0.5 1.5", lambda: [STEEP]),  # settings to try
}
