"""Optimizers: update rules, schedules of the learning rate, and clipping of gradients."""

from __future__ import annotations

from slopewise.engine.names import look_up
from slopewise.optim.adam import Adam, AdamW, AMSGrad
from slopewise.optim.optimizer import Optimizer
from slopewise.optim.parameter_group import ParameterGroup
from slopewise.optim.sgd import SGD

BY_NAME: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "amsgrad": AMSGrad,
    "adamw": AdamW,
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


__all__ = ["BY_NAME", "SGD", "AMSGrad", "Adam", "AdamW", "Optimizer", "ParameterGroup", "get"]
