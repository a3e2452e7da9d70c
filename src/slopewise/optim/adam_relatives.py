"""NAdam and RAdam: Adam that looks ahead, and Adam that waits until its averages can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from slopewise.engine import ops
from slopewise.engine.creation import full, zeros
from slopewise.engine.tensor import Tensor
from slopewise.optim.adam import average_weights, averages
from slopewise.optim.parameter_group import (
    ScheduleFunction,
    Settings,
    State,
    check_at_least_zero,
    check_betas,
)
from slopewise.optim.update_rule import Number, Scalars, UpdateRule


def _decay(p: Tensor, g: Tensor, h: Scalars, settings: Settings) -> tuple[Tensor, Tensor]:
    """Return parameter and gradient after weight decay, which shrinks the one or is added to the other."""
    if not settings["weight_decay"]:
        return p, g
    if settings["decoupled_weight_decay"]:
        return p * h["shrink"], g
    return p, g + h["weight_decay"] * p


class NAdam(UpdateRule):
    """NAdam: Adam with Nesterov momentum, which steps from where the momentum is about to lead.

    ::

        g = g + weight_decay p                        (decoupled: p = (1 - lr weight_decay) p instead)
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),    M_t = mu_1 mu_2 ... mu_t
        m = beta1 m + (1 - beta1) g,    v = beta2 v + (1 - beta2) g²
        n = (1 - mu_t) / (1 - M_t) g + mu_t+1 / (1 - M_t+1) m
        p = p - lr n / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    betas : two floats in [0, 1): how slowly the averages of the gradient and of its square forget
    eps, weight_decay, momentum_decay : float, at least 0
    decoupled_weight_decay : bool; shrink the weights themselves, as AdamW does

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016. Defaults and formulas are
    PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.8944, -1.8944]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_betas(cls.__name__, settings["betas"])
        check_at_least_zero(
            cls.__name__, **{name: settings[name] for name in ("eps", "weight_decay", "momentum_decay")}
        )

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        averages_of = {name: zeros(p.shape, p.dtype) for name in ("exp_avg", "exp_avg_sq")}
        return {**averages_of, "mu_product": full((), 1, p.dtype)}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        beta1, beta2 = settings["betas"]
        root = ops.sqrt(1 - beta2**t)  # both sides of the quotient are multiplied by it, as in Adam
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (n * settings["momentum_decay"])) for n in (t, t + 1))
        return {
            **average_weights(settings),
            "shrink": 1 - lr * settings["weight_decay"],
            "mu": mu,
            "mu_next": mu_next,
            "gradient_share": lr * root * (1 - mu),
            "momentum_share": lr * root * mu_next,
            "eps": settings["eps"] * root,
        }

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        p, g = _decay(p, g, h, settings)
        m, v = averages(g, state, h)
        mu_product = state["mu_product"] * h["mu"]
        of_gradient = h["gradient_share"] / (1 - mu_product)
        of_momentum = h["momentum_share"] / (1 - mu_product * h["mu_next"])
        step = (of_gradient * g + of_momentum * m) / (ops.sqrt(v) + h["eps"])
        return p - step, {"exp_avg": m, "exp_avg_sq": v, "mu_product": mu_product}


class RAdam(UpdateRule):
    """RAdam: momentum alone while the average of squares says little, then Adam, rectified.

    ::

        g = g + weight_decay p                        (decoupled: p = (1 - lr weight_decay) p instead)
        m = beta1 m + (1 - beta1) g,    v = beta2 v + (1 - beta2) g²
        rho_inf = 2 / (1 - beta2) - 1,    rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
        r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
        a = r sqrt(1 - beta2^t) / (sqrt(v) + eps)  if rho > 5, else  1
        p = p - lr m / (1 - beta1^t) a

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    betas : two floats in [0, 1): how slowly the averages of the gradient and of its square forget
    eps, weight_decay : float, at least 0
    decoupled_weight_decay : bool; shrink the weights themselves, as AdamW does

    References
    ----------
    L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020. Defaults and
    formulas are PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.8, -1.6]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_betas(cls.__name__, settings["betas"])
        check_at_least_zero(cls.__name__, **{name: settings[name] for name in ("eps", "weight_decay")})

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        return {name: zeros(p.shape, p.dtype) for name in ("exp_avg", "exp_avg_sq")}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        beta1, beta2 = settings["betas"]
        power = beta2**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * power / (1 - power)
        trusted = rho > 5
        safe = ops.where(trusted, rho, 6.0)  # where it is not trusted, nothing below may be nan
        scale = math.sqrt(rho_inf / ((rho_inf - 4) * (rho_inf - 2))) if rho_inf > 5 else 0.0  # never trusted
        rectified = ops.sqrt((safe - 4) * (safe - 2) / safe * (1 - power)) * scale
        return {
            **average_weights(settings),
            "shrink": 1 - lr * settings["weight_decay"],
            "step": lr / (1 - beta1**t),
            "rectified": ops.where(trusted, rectified, 0.0),
            "plain": ops.where(trusted, 0.0, 1.0),
            "eps": settings["eps"],
        }

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        p, g = _decay(p, g, h, settings)
        m, v = averages(g, state, h)
        a = h["rectified"] / (ops.sqrt(v) + h["eps"]) + h["plain"]
        return p - h["step"] * (m * a), {"exp_avg": m, "exp_avg_sq": v}
