"""scikit-learn's two update rules, where they differ from those of `slopewise.optim`, which are PyTorch's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slopewise.engine.creation import zeros
from slopewise.engine.tensor import Tensor
from slopewise.optim import Adam, UpdateRule
from slopewise.optim.parameter_group import Settings, State, check_at_least_zero
from slopewise.optim.update_rule import Number, Scalars


class VelocitySGD(UpdateRule):
    """Gradient descent whose velocity holds the learning rates of the past.

    ::

        v = momentum v - lr g
        p = p + (momentum v - lr g  if nesterov, else  v)

    It differs from `optim.SGD` where the learning rate changes, and takes nesterov without momentum.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
    momentum : float, at least 0
    nesterov : bool

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013,
    equations 3 and 4; scikit-learn's `SGDOptimizer`.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = VelocitySGD([w], lr=0.1, momentum=0.5, nesterov=True)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.7, -1.4], requires_grad=True)
    """

    def __init__(self, params: Iterable[Any], lr: float, momentum: float, nesterov: bool) -> None:
        super().__init__(params, lr=lr, momentum=momentum, nesterov=nesterov)

    @classmethod
    def check(cls, settings: Settings) -> None:
        check_at_least_zero(cls.__name__, momentum=settings["momentum"])

    @staticmethod
    def initial_state(p: Tensor, settings: Settings) -> State:
        return {"velocity": zeros(p.shape, p.dtype)}

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        return {"lr": lr, "momentum": settings["momentum"]}

    @staticmethod
    def update(p: Tensor, g: Tensor, state: State, h: Scalars, settings: Settings) -> tuple[Tensor, State]:
        step = h["lr"] * g
        velocity = h["momentum"] * state["velocity"] - step
        ahead = h["momentum"] * velocity - step if settings["nesterov"] else velocity
        return p + ahead, {"velocity": velocity}


class PlainEpsilonAdam(Adam):
    """Adam whose eps is added to √v as it is, not to √(v / (1 - beta2^t)).

    Parameters
    ----------
    params, lr, betas, eps : see `Adam`

    References
    ----------
    D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, the efficient order at the
    end of section 2; scikit-learn's `AdamOptimizer`.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = PlainEpsilonAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.9, -1.9]
    """

    @staticmethod
    def scalars(t: Tensor, lr: Tensor, settings: Settings) -> dict[str, Number]:
        return {**Adam.scalars(t, lr, settings), "eps": settings["eps"]}
