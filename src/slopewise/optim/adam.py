"""Adam and its relatives: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slopewise.engine import ops
from slopewise.engine.creation import zeros
from slopewise.engine.tensor import Tensor
from slopewise.optim.parameter_group import (
    ScheduleFunction,
    Settings,
    State,
    check_at_least_zero,
    check_betas,
)
from slopewise.optim.update_rule import Number, Scalars, UpdateRule


def averages(g: Tensor, state: State, h: Scalars) -> tuple[Tensor, Tensor]:
    """Return the new running averages of the gradient and of its square, m and v."""
    m, v = state["exp_avg"], state["exp_avg_sq"]
    return m + h["1-beta1"] * (g - m), v + h["1-beta2"] * (g * g - v)


def average_weights(settings: Settings) -> dict[str, Number]:
    """Return how much a new gradient counts in each average."""
    beta1, beta2 = settings["betas"]
    return {"1-beta1": 1 - beta1, "1-beta2": 1 - beta2, "weight_decay": settings["weight_decay"]}


class Adam(UpdateRule):
    """Adam: each element's step is scaled by running averages of its gradient and of the gradient's square.

    ::

        g = g + weight_decay p
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g²              (with amsgrad, the largest v so far takes its place below)
        p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    betas : two floats in [0, 1): how slowly the averages of the gradient and of its square forget
    eps : float, at least 0; keeps the divisor off 0
    weight_decay : float, at least 0; an L2 penalty, added to the gradient
    amsgrad : bool; divide by the largest average so far, which cures a case where Adam diverges

    References
    ----------
    D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; S. Reddi, S. Kale, S.
    Kumar, "On the Convergence of Adam and Beyond", ICLR 2018. Defaults and formulas are PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.9, -1.9]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_betas(cls.__name__, settings["betas"])
        check_at_least_zero(cls.__name__, eps=settings["eps"], weight_decay=settings["weight_decay"])

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(settings["amsgrad"])
        return {name: zeros(p.shape, p.dtype) for name in names}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        # Both sides of the quotient are multiplied by sqrt(1 - beta2^t): one pass less over the parameters.
        beta1, beta2 = settings["betas"]
        root = ops.sqrt(1 - beta2**t)
        return {
            **average_weights(settings),
            "step": lr * root / (1 - beta1**t),
            "eps": settings["eps"] * root,
        }

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        if settings["weight_decay"]:
            g = g + h["weight_decay"] * p
        m, v = averages(g, state, h)
        new_state = {"exp_avg": m, "exp_avg_sq": v}
        if settings["amsgrad"]:
            new_state["max_exp_avg_sq"] = v = ops.maximum(state["max_exp_avg_sq"], v)
        return p - h["step"] * (m / (ops.sqrt(v) + h["eps"])), new_state


class AMSGrad(Adam):
    """Adam that divides by the largest average of the squared gradient so far: `Adam(..., amsgrad=True)`.

    Parameters are those of `Adam`.

    References
    ----------
    S. Reddi, S. Kale, S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.AMSGrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.9, -1.9]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = True,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves, apart from the gradient and its averages.

    ::

        p = (1 - lr weight_decay) p
        then Adam's update without weight decay

    Parameters
    ----------
    params, lr, betas, eps, amsgrad : see `Adam`
    weight_decay : float, at least 0; the share of each weight that is taken away in a step of lr 1

    References
    ----------
    I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. Defaults and formulas
    are PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.85, -1.8]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        return {**Adam.scalars(t, lr, settings), "shrink": 1 - lr * settings["weight_decay"]}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        decayed = p * h["shrink"] if settings["weight_decay"] else p
        return Adam.update(decayed, g, state, h, {**settings, "weight_decay": 0.0})
