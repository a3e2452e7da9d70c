"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slopewise.engine import ops
from slopewise.engine.creation import zeros
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor
from slopewise.optim.parameter_group import ScheduleFunction, Settings, State, check_at_least_zero
from slopewise.optim.update_rule import Number, Scalars, UpdateRule


class SGD(UpdateRule):
    """Stochastic gradient descent, with momentum if asked for.

    ::

        g = g + weight_decay p
        b = momentum b + (1 - dampening) g        (b = g in the first update)
        g = g + momentum b  if nesterov, else  b
        p = p - lr g

    Parameters
    ----------
    params : iterable of Tensor, (name, Tensor) or dict; see `Optimizer`
    lr : number or schedule
    momentum, dampening, weight_decay : float, at least 0
    nesterov : look ahead along the momentum; needs momentum and no dampening

    References
    ----------
    H. Robbins, S. Monro, "A Stochastic Approximation Method", 1951; B. Polyak, "Some methods of speeding
    up the convergence of iteration methods", 1964; I. Sutskever et al., "On the importance of
    initialization and momentum in deep learning", ICML 2013. Defaults and formulas are PyTorch's.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = sw.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([ 0.46, -0.92], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | ScheduleFunction = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    @classmethod
    def check(cls, settings: Settings) -> None:
        numbers = {name: settings[name] for name in ("momentum", "dampening", "weight_decay")}
        check_at_least_zero(cls.__name__, **numbers)
        if settings["nesterov"] and (settings["momentum"] == 0 or settings["dampening"] != 0):
            raise ArgumentError("SGD: nesterov needs momentum above 0 and dampening 0")

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        return {"momentum_buffer": zeros(p.shape, p.dtype)} if settings["momentum"] else {}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        gain: Number = 1 - settings["dampening"]
        if settings["dampening"] and settings["momentum"]:
            gain = ops.where(t == 1, 1.0, gain * ops.ones((), t.dtype))
        return {"lr": lr, "gain": gain, **{name: settings[name] for name in ("momentum", "weight_decay")}}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        if settings["weight_decay"]:
            g = g + h["weight_decay"] * p
        if not settings["momentum"]:
            return p - h["lr"] * g, state
        b = h["momentum"] * state["momentum_buffer"] + (h["gain"] * g if settings["dampening"] else g)
        g = g + h["momentum"] * b if settings["nesterov"] else b
        return p - h["lr"] * g, {"momentum_buffer": b}
