"""The rule of each optimizer and schedule with the arguments that a design gives it, as statements.

Settings are the keywords of the optimizer's constructor. Vectors are over all parameters; ``k`` counts the
updates made so far, and ``t = k + 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slopewise.site.playground.statements import Statement

Settings = Mapping[str, Any]
ONE_CYCLE_PEAK, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 25.0, 1e4  # the schedule's own


@dataclass(frozen=True)
class Rule:
    """Lines that are gone through in each update, and what their letters begin with and stand for.

    Attributes
    ----------
    lines : tuple of Statement
    starts : mapping
        From names that keep their value between updates to their first value.
    symbols : mapping
        From names to the numbers of the design.
    note : str
        A sentence about all of it.
    """

    lines: tuple[Statement, ...]
    starts: Mapping[str, float] = field(default_factory=dict)
    symbols: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def rule_of(kind: str, settings: Settings) -> Rule:
    """Return the rule of an optimizer, such as "adam", with the keywords of its constructor."""
    return _RULES[kind](settings)


def _coupled(s: Settings) -> list[Statement]:
    """Return weight decay as a penalty: it is added to the gradient."""
    return [Statement("g", "g + lam * theta")] if s["weight_decay"] else []


def _decoupled(s: Settings) -> list[Statement]:
    """Return weight decay of the weights themselves."""
    return [Statement("theta", "(1 - eta * lam) * theta")] if s["weight_decay"] else []


def _either(s: Settings) -> list[Statement]:
    return _decoupled(s) if s["decoupled_weight_decay"] else _coupled(s)


def _decay(s: Settings) -> dict[str, float]:
    return {"lam": s["weight_decay"]} if s["weight_decay"] else {}


def _sgd(s: Settings) -> Rule:
    lines, symbols = _coupled(s), _decay(s)
    if not s["momentum"]:
        return Rule((*lines, Statement("theta", "theta - eta * g")), {}, symbols)
    symbols["mu"] = s["momentum"]
    if s["dampening"]:
        symbols["delta"] = s["dampening"]
        lines.append(Statement("u", "g if t == 1 else mu * u + (1 - delta) * g"))
    else:
        lines.append(Statement("u", "mu * u + g"))
    step = "theta - eta * (g + mu * u)" if s["nesterov"] else "theta - eta * u"
    return Rule((*lines, Statement("theta", step)), {"u": 0.0}, symbols)


def _adagrad(s: Settings) -> Rule:
    symbols = {**_decay(s), "epsilon": s["eps"]}
    lines = [*_coupled(s), Statement("s", "s + g ** 2")]
    rate = "eta"
    if s["lr_decay"]:
        symbols["rho"] = s["lr_decay"]
        rate = "eta / (1 + (t - 1) * rho)"
    lines.append(Statement("theta", f"theta - {rate} * g / (sqrt(s) + epsilon)"))
    return Rule(tuple(lines), {"s": s["initial_accumulator_value"]}, symbols)


def _rmsprop(s: Settings) -> Rule:
    symbols = {**_decay(s), "alpha": s["alpha"], "epsilon": s["eps"]}
    lines = [*_coupled(s), Statement("v", "alpha * v + (1 - alpha) * g ** 2")]
    starts, spread = {"v": 0.0}, "v"
    if s["centered"]:
        starts["a"], spread = 0.0, "max(v - a ** 2, 0)"
        lines.append(Statement("a", "alpha * a + (1 - alpha) * g"))
    step = f"g / (sqrt({spread}) + epsilon)"
    if s["momentum"]:
        starts["u"], symbols["mu"] = 0.0, s["momentum"]
        lines.append(Statement("u", f"mu * u + {step}"))
        step = "u"
    return Rule((*lines, Statement("theta", f"theta - eta * {step}")), starts, symbols)


_AVERAGES = [
    Statement("m", "beta1 * m + (1 - beta1) * g"),
    Statement("v", "beta2 * v + (1 - beta2) * g ** 2"),
]


def _betas(s: Settings) -> dict[str, float]:
    return {"beta1": s["betas"][0], "beta2": s["betas"][1]}


def _adam_with(decay: Callable[[Settings], list[Statement]]) -> Callable[[Settings], Rule]:
    def rule(s: Settings) -> Rule:
        starts, squares = {"m": 0.0, "v": 0.0}, "v"
        lines = [*decay(s), *_AVERAGES]
        if s["amsgrad"]:
            starts["v_max"], squares = 0.0, "v_max"
            lines.append(Statement("v_max", "max(v_max, v)"))
        lines += [
            Statement("m_hat", "m / (1 - beta1 ** t)"),
            Statement("v_hat", f"{squares} / (1 - beta2 ** t)"),
            Statement("theta", "theta - eta * m_hat / (sqrt(v_hat) + epsilon)"),
        ]
        return Rule(tuple(lines), starts, {**_decay(s), **_betas(s), "epsilon": s["eps"]})

    return rule


def _nadam(s: Settings) -> Rule:
    lines = [
        *_either(s),
        *_AVERAGES,
        Statement("mu", "beta1 * (1 - 0.96 ** (t * rho) / 2)"),
        Statement("mu_next", "beta1 * (1 - 0.96 ** ((t + 1) * rho) / 2)"),
        Statement("M", "mu * M"),
        Statement("m_hat", "(1 - mu) * g / (1 - M) + mu_next * m / (1 - mu_next * M)"),
        Statement("v_hat", "v / (1 - beta2 ** t)"),
        Statement("theta", "theta - eta * m_hat / (sqrt(v_hat) + epsilon)"),
    ]
    symbols = {**_decay(s), **_betas(s), "rho": s["momentum_decay"], "epsilon": s["eps"]}
    return Rule(tuple(lines), {"m": 0.0, "v": 0.0, "M": 1.0}, symbols)


def _radam(s: Settings) -> Rule:
    ratio = "(rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)"
    lines = [
        *_either(s),
        *_AVERAGES,
        Statement("rho_inf", "2 / (1 - beta2) - 1"),
        Statement("rho", "rho_inf - 2 * t * beta2 ** t / (1 - beta2 ** t)"),
        Statement("r", f"sqrt({ratio}) if rho > 5 else 0"),
        Statement("a", "r * sqrt(1 - beta2 ** t) / (sqrt(v) + epsilon) if rho > 5 else 1"),
        Statement("theta", "theta - eta * a * m / (1 - beta1 ** t)"),
    ]
    symbols = {**_decay(s), **_betas(s), "epsilon": s["eps"]}
    return Rule(tuple(lines), {"m": 0.0, "v": 0.0}, symbols)


def _lion(s: Settings) -> Rule:
    lines = [
        *_decoupled(s),
        Statement("theta", "theta - eta * sign(beta1 * m + (1 - beta1) * g)"),
        Statement("m", "beta2 * m + (1 - beta2) * g"),
    ]
    return Rule(tuple(lines), {"m": 0.0}, {**_decay(s), **_betas(s)})


def _lbfgs(s: Settings) -> Rule:
    lines = (
        Statement("rho", "1 / (transposed(y) @ s)"),
        Statement("H", "(transposed(y) @ s) / (transposed(y) @ y) * I"),
        Statement(
            "H", "(I - rho * s @ transposed(y)) @ H @ (I - rho * y @ transposed(s)) + rho * s @ transposed(s)"
        ),
        Statement("d", "-(H @ g)"),
        Statement("theta", "theta + q * d"),
    )
    search = (
        "q, which is tried from η, is such that L(θ + q d) ≤ L(θ) + 0.0001 q gᵀd, and the slope along d "
        "there is at most 0.9 times as steep (the strong Wolfe conditions), unless its tries run out."
        if s["line_search_fn"]
        else "q is η."
    )
    note = (
        f"Up to {s['max_iter']} times in each update. s and y are how θ and g changed in an earlier step; H "
        f"begins with the newest pair and goes through the last {s['history_size']} pairs with yᵀs above "
        f"10⁻¹⁰, the oldest first; I without any. {search} The first step of all is shortened by min(1, 1 / "
        "the sum of |g|)."
    )
    return Rule(lines, {}, {}, note)


_RULES: dict[str, Callable[[Settings], Rule]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam_with(_coupled),
    "amsgrad": _adam_with(_coupled),
    "adamw": _adam_with(_decoupled),
    "nadam": _nadam,
    "radam": _radam,
    "lion": _lion,
    "lbfgs": _lbfgs,
}


# ---- the learning rate


def rate_rule(kind: str, lr: float, horizon: int, factor: float, power: float, warm_up: int) -> Rule:
    """Return how the learning rate follows from ``k``; a constant one has no lines."""
    symbols: dict[str, float] = {"eta_0": lr}
    lines: list[Statement] = []
    k = "k"
    if warm_up and kind not in ("plateau", "one_cycle"):
        symbols["W"] = warm_up
        k = "j"
        if kind != "constant":
            lines.append(Statement("j", "max(k - W, 0)"))
    if kind in _SCHEDULES:
        used, made = _SCHEDULES[kind]
        lines += made(k)
        values = {"K": horizon, "f": factor, "p": power}
        symbols |= {name: values[name] for name in used}
    elif kind == "constant" and warm_up:
        return Rule((Statement("eta", "min(k / W, 1) * eta_0"),), {}, symbols)
    if k == "j":
        lines.append(Statement("eta", "min(k / W, 1) * eta"))
    return Rule(tuple(lines), {}, symbols) if lines else Rule((), {}, {"eta": lr})


def plateau_rule(lr: float, factor: float, patience: int) -> Rule:
    """Return what happens to the learning rate after each epoch."""
    note = (
        "n counts epochs in a row whose validation loss was not at least 0.01 % below the best so far; it "
        "is 0 again after each reduction."
    )
    line = Statement("eta", "f * eta if n > P else eta", "after each epoch")
    return Rule((line,), {"eta": lr}, {"f": factor, "P": patience}, note)


def _along_cosine(start: str, end: str, share: str) -> str:
    return f"{end} + ({start} - {end}) * (1 + cos(pi * {share})) / 2"


def _one_cycle(k: str) -> list[Statement]:
    up = _along_cosine("eta_first", "eta_0", f"{k} / a")
    down = _along_cosine("eta_0", "eta_last", f"min(({k} - a) / (K - 1 - a), 1)")
    return [
        Statement("a", f"{ONE_CYCLE_PEAK} * K - 1"),
        Statement("eta_first", f"eta_0 / {ONE_CYCLE_START:g}"),
        Statement("eta_last", f"eta_first / {ONE_CYCLE_END:g}"),
        Statement("eta", f"{up} if {k} <= a else {down}"),
    ]


def _restarts(k: str) -> list[Statement]:
    return [
        Statement("n", f"floor(log2(1 + {k} / K))"),
        Statement("eta", f"eta_0 * (1 + cos(pi * ({k} - (2 ** n - 1) * K) / (2 ** n * K))) / 2"),
    ]


def _line(text: str) -> Callable[[str], list[Statement]]:
    return lambda k: [Statement("eta", text.replace("?", k))]


# schedule -> the letters of the design that it uses, and its lines, from the letter that counts
_SCHEDULES: dict[str, tuple[tuple[str, ...], Callable[[str], list[Statement]]]] = {
    "step": (("K", "f"), _line("eta_0 * f ** floor(? / K)")),
    "exponential": (("K", "f"), _line("eta_0 * f ** (? / K)")),
    "linear": (("K", "f"), _line("eta_0 * (1 + (f - 1) * min(? / K, 1))")),
    "polynomial": (("K", "p"), _line("eta_0 * (1 - min(? / K, 1)) ** p")),
    "cosine": (("K",), _line("eta_0 * (1 + cos(pi * min(? / K, 1))) / 2")),
    "restarts": (("K",), _restarts),
    "one_cycle": (("K",), _one_cycle),
}
