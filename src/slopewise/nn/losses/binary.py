"""Losses of two classes: binary cross-entropy of logits, and hinge."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.activations import softplus
from slopewise.nn.inputs import known_value
from slopewise.nn.losses.checks import check_pair, check_range
from slopewise.nn.reduction import reduce_terms


def binary_cross_entropy_with_logits(
    prediction: Any,
    target: Any,
    *,
    pos_weight: Any = None,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of -[w y log σ(x) + (1 - y) log(1 - σ(x))] for logits x and targets y from 0 to 1.

    It is computed as w y softplus(-x) + (1 - y) softplus(x), which neither overflows nor cancels.

    Parameters
    ----------
    prediction : Tensor of logits; put no sigmoid before it
    target : Tensor of the same shape, probabilities of the positive class, or 0 and 1
    pos_weight : number or Tensor that broadcasts to the prediction, the weight w of the positive class
    sample_weight : Tensor, shape (batch,) or that of the prediction
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ, such as (N, 1) and (N,).
    ArgumentError
        If a target is outside of [0, 1]; the message names its place. A traced call cannot check this.

    Notes
    -----
    Source: PyTorch's `binary_cross_entropy_with_logits`, whose values it has.

    Examples
    --------
    >>> import slopewise as sw
    >>> logits, y = sw.tensor([0.0, 1e4]), sw.tensor([1, 0])
    >>> sw.losses.binary_cross_entropy_with_logits(logits, y, reduction="none").tolist()
    [0.6931471824645996, 10000.0]
    """
    name = "binary_cross_entropy_with_logits"
    check_range(name, "target", ops.as_tensor(target), 0, 1, "targets are 0, 1 or a probability between")
    logits, target = check_pair(name, prediction, target)
    positive = target * softplus(-logits)
    if pos_weight is not None:
        positive = positive * _factor(name, "pos_weight", pos_weight, logits)
    return reduce_terms(name, positive + (1.0 - target) * softplus(logits), sample_weight, reduction)


def _factor(name: str, argument: str, value: Any, like: Tensor) -> Tensor:
    """Return a weight in the prediction's dtype, which must not add axes or rows to it."""
    factor = ops.as_tensor(value).astype(like.dtype)
    pairs = zip(factor.shape[::-1], like.shape[::-1], strict=False)
    if factor.ndim > like.ndim or any(size not in (1, wanted) for size, wanted in pairs):
        raise ShapeError(
            f"{name}: {argument} has shape {factor.shape}, which does not fit prediction {like.shape}"
        )
    return factor


def hinge(prediction: Any, target: Any, *, sample_weight: Any = None, reduction: str = "mean") -> Tensor:
    """Return the mean of max(0, 1 - y x) for scores x and targets y of -1 or 1.

    The derivative at y x = 1 is 0.

    Parameters
    ----------
    prediction : Tensor of scores, positive for the class 1
    target : Tensor of the same shape, -1 or 1
    sample_weight : Tensor, shape (batch,) or that of the prediction
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ.
    ArgumentError
        If a target is neither -1 nor 1; the message names its place. A traced call cannot check this.

    Notes
    -----
    Source: C. Cortes, V. Vapnik, "Support-vector networks", Machine Learning 20 (1995).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.losses.hinge(sw.tensor([0.5, -2.0]), sw.tensor([1, 1]), reduction="none")
    tensor([0.5, 3. ])
    """
    target = ops.as_tensor(target)
    value = known_value(target)
    if value is not None and not np.isin(value, (-1, 1)).all():
        place = tuple(int(i) for i in np.argwhere(~np.isin(value, (-1, 1)))[0])
        shown = ", ".join(map(str, place))
        raise ArgumentError(
            f"hinge: target[{shown}] is {value[place]}; targets are -1 and 1 (write 2 * y - 1 for 0 and 1)"
        )
    scores, target = check_pair("hinge", prediction, target)
    margin = 1.0 - scores * target
    terms = ops.where(ops.less_equal(margin, 0.0), 0.0, margin)
    return reduce_terms("hinge", terms, sample_weight, reduction)
