"""Adagrad and RMSprop: steps scaled by the size of past gradients, of all of them or of the recent ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slopewise.engine import ops
from slopewise.engine.creation import full, scalar_like, zeros
from slopewise.engine.tensor import Tensor
from slopewise.optim.parameter_group import (
    ScheduleFunction,
    Settings,
    State,
    check_at_least_zero,
    check_fraction,
)
from slopewise.optim.update_rule import Number, Scalars, UpdateRule


class Adagrad(UpdateRule):
    """Adagrad: each element's step shrinks with the sum of the squares of its gradients so far.

    ::

        g = g + weight_decay p
        s = s + g²
        p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    lr_decay, weight_decay, eps : float, at least 0
    initial_accumulator_value : float, at least 0; what the sum starts from

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization", JMLR 2011. Defaults and formulas are PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.75, -1.75], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_at_least_zero(cls.__name__, **settings)

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        return {"sum": full(p.shape, settings["initial_accumulator_value"], p.dtype)}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        if settings["lr_decay"]:
            lr = lr / (1 + (t - 1) * settings["lr_decay"])
        return {"lr": lr, "weight_decay": settings["weight_decay"], "eps": settings["eps"]}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        if settings["weight_decay"]:
            g = g + h["weight_decay"] * p
        s = state["sum"] + g * g
        return p - h["lr"] * (g / (ops.sqrt(s) + h["eps"])), {"sum": s}


class RMSprop(UpdateRule):
    """RMSprop: each element's step is divided by the root of a running average of its squared gradient.

    ::

        g = g + weight_decay p
        v = alpha v + (1 - alpha) g²
        a = alpha a + (1 - alpha) g                   (centered only; otherwise a = 0)
        d = g / (sqrt(v - a²) + eps)
        b = momentum b + d
        p = p - lr b

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    alpha : float in [0, 1); how slowly the averages forget
    eps, weight_decay, momentum : float, at least 0
    centered : divide by an estimate of the gradient's standard deviation

    References
    ----------
    T. Tieleman, G. Hinton, "Lecture 6.5, RMSProp", Coursera, 2012; centered: A. Graves, "Generating Sequences
    With Recurrent Neural Networks", 2013. Defaults and formulas are PyTorch's, but that a difference v - a²
    below 0, from rounding, counts as 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.RMSprop([w], lr=0.25, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1.5], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_fraction(cls.__name__, alpha=settings["alpha"])
        check_at_least_zero(
            cls.__name__, **{name: settings[name] for name in ("eps", "weight_decay", "momentum")}
        )

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        names = ["square_avg"]
        names += ["grad_avg"] * bool(settings["centered"])
        names += ["momentum_buffer"] * bool(settings["momentum"])
        return {name: zeros(p.shape, p.dtype) for name in names}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        kept = {name: settings[name] for name in ("eps", "weight_decay", "momentum")}
        return {"lr": lr, "1-alpha": 1 - settings["alpha"], **kept}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        if settings["weight_decay"]:
            g = g + h["weight_decay"] * p
        v = state["square_avg"]
        v = v + h["1-alpha"] * (g * g - v)
        new_state = {"square_avg": v}
        if settings["centered"]:
            a = state["grad_avg"]
            new_state["grad_avg"] = a = a + h["1-alpha"] * (g - a)
            v = ops.maximum(v - a * a, scalar_like(0.0, v.dtype))
        d = g / (ops.sqrt(v) + h["eps"])
        if settings["momentum"]:
            new_state["momentum_buffer"] = d = h["momentum"] * state["momentum_buffer"] + d
        return p - h["lr"] * d, new_state
