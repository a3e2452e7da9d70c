"""Optimizers: update rules, schedules of the learning rate, and clipping of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slopewise.engine.names import look_up
from slopewise.optim import schedules
from slopewise.optim.adagrad import Adagrad, RMSprop
from slopewise.optim.adam import Adam, AdamW, AMSGrad
from slopewise.optim.adam_relatives import NAdam, RAdam
from slopewise.optim.clipping import clip_grad_norm, clip_grad_value
from slopewise.optim.lbfgs import LBFGS
from slopewise.optim.lion import Lion
from slopewise.optim.optimizer import Optimizer
from slopewise.optim.parameter_group import ParameterGroup
from slopewise.optim.plateau import ReduceOnPlateau
from slopewise.optim.sgd import SGD
from slopewise.optim.update_rule import UpdateRule

BY_NAME: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "amsgrad": AMSGrad,
    "adamw": AdamW,
    "nadam": NAdam,
    "radam": RAdam,
    "lion": Lion,
    "lbfgs": LBFGS,
}


def get(name: str) -> type[Optimizer]:
    """Return the class of an optimizer by its name.

    Raises
    ------
    ArgumentError
        If there is none; it tells the nearest name.

    Examples
    --------
    >>> get("adam").__name__
    'Adam'
    """
    return look_up(name, BY_NAME, "optimizer")


if not TYPE_CHECKING:  # a type checker is to know which names there are

    def __getattr__(name: str) -> Any:
        from slopewise.engine import foreign_names

        raise foreign_names.missing(__name__, name)


__all__ = [
    "BY_NAME",
    "LBFGS",
    "SGD",
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "NAdam",
    "Optimizer",
    "ParameterGroup",
    "RAdam",
    "RMSprop",
    "ReduceOnPlateau",
    "UpdateRule",
    "clip_grad_norm",
    "clip_grad_value",
    "get",
    "schedules",
]
