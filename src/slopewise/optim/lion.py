"""Lion: steps of one size, in the direction of the sign."""

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


class Lion(UpdateRule):
    """Lion, evolved sign momentum: every element moves by lr, along the sign of momentum and gradient.

    ::

        c = beta1 m + (1 - beta1) g
        p = p - lr (sign(c) + weight_decay p)
        m = beta2 m + (1 - beta2) g

    Its steps are larger than Adam's: the paper advises a learning rate 3 to 10 times smaller, and a weight
    decay larger by as much.

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    betas : two floats in [0, 1): how much momentum counts in a step, and how slowly momentum forgets
    weight_decay : float, at least 0; shrinks the weights themselves

    References
    ----------
    X. Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, algorithm 2.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.Lion([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.75, -1.75], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_betas(cls.__name__, settings["betas"])
        check_at_least_zero(cls.__name__, weight_decay=settings["weight_decay"])

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        return {"exp_avg": zeros(p.shape, p.dtype)}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        beta1, beta2 = settings["betas"]
        shrink = 1 - lr * settings["weight_decay"]
        return {"lr": lr, "shrink": shrink, "1-beta1": 1 - beta1, "1-beta2": 1 - beta2}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        m = state["exp_avg"]
        change = g - m
        direction = ops.sign(m + h["1-beta1"] * change)
        decayed = p * h["shrink"] if settings["weight_decay"] else p
        return decayed - h["lr"] * direction, {"exp_avg": m + h["1-beta2"] * change}
