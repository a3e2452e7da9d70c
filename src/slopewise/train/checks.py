"""What a Trainer is made of, checked before anything is trained.

A part that is wrong raises an ArgumentError, which names what came and the way out.
"""

from __future__ import annotations

from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.nn import Module
from slopewise.optim import Optimizer, get
from slopewise.train.callbacks import Callback


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


def check_validation(validation: Any) -> None:
    """Refuse what is neither None nor rows with their answers.

    Examples
    --------
    >>> check_validation(0.2)
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.ArgumentError: validation must be (X, y) or (X, y, sample_weight), not float; \
slopewise.data.train_test_split makes the two of one table
    """
    if validation is None or (isinstance(validation, tuple | list) and len(validation) in (2, 3)):
        return
    kind = type(validation).__name__
    given = f"{len(validation)} of them" if isinstance(validation, tuple | list) else kind
    raise ArgumentError(
        f"validation must be (X, y) or (X, y, sample_weight), not {given}; "
        "slopewise.data.train_test_split makes the two of one table"
    )


def check_callbacks(callbacks: Any) -> None:
    """Refuse what is no sequence of callbacks.

    Examples
    --------
    >>> check_callbacks([print])
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.ArgumentError: callbacks[0] is of type builtin_function_or_method; a callback is \
a subclass of slopewise.train.Callback
    """
    if isinstance(callbacks, Callback):
        raise ArgumentError(f"callbacks is a list of them; give [{type(callbacks).__name__}(...)]")
    for number, callback in enumerate(callbacks):
        if not isinstance(callback, Callback):
            kind = f"of type {type(callback).__name__}"
            if isinstance(callback, type):
                kind = f"the class {callback.__name__}: make one of it"
            raise ArgumentError(
                f"callbacks[{number}] is {kind}; a callback is a subclass of slopewise.train.Callback"
            )
