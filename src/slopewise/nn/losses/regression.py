"""Losses of numbers: squared, absolute and Huber."""

from __future__ import annotations

from typing import Any

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor
from slopewise.nn.losses.checks import check_pair
from slopewise.nn.reduction import reduce_terms


def squared_error(
    prediction: Any, target: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Return the mean of (prediction - target)², the mean squared error; also called `mse`.

    Parameters
    ----------
    prediction, target : Tensors of one shape
    sample_weight : Tensor, shape (batch,) or that of the prediction
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ, such as (N, 1) and (N,).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.losses.squared_error(sw.tensor([1.0, 2.0]), sw.tensor([1.0, 4.0]))
    tensor(2.)
    """
    prediction, target = check_pair("squared_error", prediction, target)
    return reduce_terms("squared_error", ops.square(prediction - target), sample_weight, reduction)


def absolute_error(
    prediction: Any, target: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Return the mean of |prediction - target|, the mean absolute error; also called `mae`.

    The derivative at 0 is 0.

    Parameters
    ----------
    prediction, target : Tensors of one shape
    sample_weight : Tensor, shape (batch,) or that of the prediction
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.losses.absolute_error(sw.tensor([1.0, 2.0]), sw.tensor([1.0, 4.0]))
    tensor(1.)
    """
    prediction, target = check_pair("absolute_error", prediction, target)
    return reduce_terms("absolute_error", ops.absolute(prediction - target), sample_weight, reduction)


def huber(
    prediction: Any,
    target: Any,
    *,
    delta: float = 1.0,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean Huber loss of d = prediction - target.

    A term is d²/2 where |d| <= delta, and delta (|d| - delta/2) elsewhere.

    Parameters
    ----------
    prediction, target : Tensors of one shape
    delta : where the square gives way to the line
    sample_weight : Tensor, shape (batch,) or that of the prediction
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ.
    ArgumentError
        If delta is not positive.

    Notes
    -----
    Source: P. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35 (1964).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.losses.huber(sw.tensor([1.0, 2.0]), sw.tensor([1.5, 5.0]), reduction="none")
    tensor([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ArgumentError(f"huber needs delta > 0, not {delta}")
    prediction, target = check_pair("huber", prediction, target)
    d = prediction - target
    magnitude = ops.absolute(d)
    terms = ops.where(ops.less_equal(magnitude, delta), d * d * 0.5, (magnitude - 0.5 * delta) * delta)
    return reduce_terms("huber", terms, sample_weight, reduction)
