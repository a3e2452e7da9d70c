"""What a Trainer is made of, checked before anything is trained.

A part that is wrong raises an ArgumentError, which names what came and the way out.
"""

from __future__ import annotations

from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.nn import Module
from slopewise.optim import Optimizer, get


def check_model(model: Any) -> None:
    """Refuse what is no module.

    Examples
    --------
    >>> import slopewise as sw
    >>> check_model(sw.nn.Linear)
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.ArgumentError: the model is the class Linear: make one of it, Linear(...)
    """
    if isinstance(model, Module):
        return
    if isinstance(model, type):
        raise ArgumentError(f"the model is the class {model.__name__}: make one of it, {model.__name__}(...)")
    raise ArgumentError(
        f"the model must be a Module, not {type(model).__name__}; a Trainer compiles it by itself"
    )


def check_optimizer(optimizer: Any, model: Module) -> None:
    """Refuse what is no optimizer, and one that would train nothing of the model.

    Examples
    --------
    >>> import slopewise as sw
    >>> check_optimizer("adam", sw.nn.Linear(2, 1))
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.ArgumentError: the optimizer is a name: make it of the model's parameters, \
slopewise.optim.Adam(model.parameters())
    """
    if isinstance(optimizer, str):
        made = f"slopewise.optim.{get(optimizer).__name__}(model.parameters())"
        raise ArgumentError(f"the optimizer is a name: make it of the model's parameters, {made}")
    if not isinstance(optimizer, Optimizer):
        kind = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
        raise ArgumentError(f"the optimizer must be one of slopewise.optim, not {kind}")
    held = {id(parameter) for group in optimizer.param_groups for parameter in group.params}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if trained and not any(id(parameter) in held for parameter in trained):
        name = type(optimizer).__name__
        raise ArgumentError(
            f"the optimizer holds no parameter of this model, which would not learn: make it of them, "
            f"{name}(model.parameters())"
        )
