"""Why a loss is no number: what the data holds that machine code cannot complain of while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.creation import tensor
from slopewise.engine.errors import SlopewiseError
from slopewise.nn import Module, losses

_ROWS = 1 << 16  # looked at together


def check_targets(loss: Callable[..., Any], model: Module, X: NDArray[Any], y: NDArray[Any]) -> None:
    """Let a loss of the library say what is wrong with targets: in a traced step it cannot look at them.

    Parameters
    ----------
    loss : of `slopewise.losses`; of others nothing is known
    model : in evaluation mode
    X, y : arrays, shape (rows, ...)

    Raises
    ------
    SlopewiseError
        What the loss raises of such targets when it is called without a trace.

    Examples
    --------
    >>> import slopewise as sw
    >>> X, y = np.zeros((3, 2), np.float32), np.array([0, 1, 2])
    >>> check_targets(sw.losses.cross_entropy, sw.nn.Linear(2, 2), X, y)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.ArgumentError: cross_entropy: target[2] is 2, but the prediction has 2 ...
    """
    if loss not in losses.BY_NAME.values():
        return
    one = model(tensor(X[:1]))
    for start in range(0, len(y), _ROWS):
        part = y[start : start + _ROWS]
        prediction = tensor(np.zeros((len(part), *one.shape[1:]), one.dtype))
        try:
            loss(prediction, tensor(part))
        except SlopewiseError as error:
            raise type(error)(f"{error} (counted from row {start})" if start else str(error)) from error


def why_not_finite(value: float, X: NDArray[Any], y: NDArray[Any]) -> str:
    """Return a sentence on a training loss that is no number, and the way out.

    Examples
    --------
    >>> why_not_finite(np.nan, np.array([[1.0], [np.nan]]), np.zeros(2))
    'the training loss is nan: X holds nan at [1, 0]; fill it in or leave the row out'
    """
    for name, values in (("X", X), ("y", y)):
        for start in range(0, len(values), _ROWS):
            odd = np.argwhere(~np.isfinite(values[start : start + _ROWS]))
            if len(odd):
                row, *rest = odd[0].tolist()
                place = [start + row, *rest]
                return (
                    f"the training loss is {value}: {name} holds {values[tuple(place)]} at {place}; "
                    "fill it in or leave the row out"
                )
    return f"the training loss is {value}; a smaller learning rate or scaled inputs may help"
