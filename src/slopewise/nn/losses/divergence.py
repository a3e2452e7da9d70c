"""The Kullback-Leibler divergence."""

from __future__ import annotations

import math
from typing import Any

from slopewise.engine import ops
from slopewise.engine.errors import ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.losses.checks import check_pair, check_range
from slopewise.nn.reduction import reduce_terms

_ROUNDING = 1e-3  # how far above 0 the logarithm of a probability may come to lie


def kl_divergence(
    prediction: Any,
    target: Any,
    *,
    log_target: bool = False,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over rows of Σ q (log q - log p), the divergence of p from q, on the last axis.

    Parameters
    ----------
    prediction : Tensor of logarithms of probabilities log p, such as `log_softmax` gives
    target : Tensor of the same shape, probabilities q, or their logarithms with `log_target`
    sample_weight : Tensor, shape (batch,) or that of the prediction without its last axis
    reduction : "mean" divides by the number of rows (PyTorch calls that "batchmean"), "sum", or "none", a
        term a row

    Raises
    ------
    ShapeError
        If the shapes differ.
    ArgumentError
        If a log probability is above 0 or a probability negative; the message names its place. A traced call
        cannot check this.

    Notes
    -----
    Source: S. Kullback, R. Leibler, "On information and sufficiency", Ann. Math. Stat. 22 (1951).

    Examples
    --------
    >>> import slopewise as sw
    >>> p = sw.tensor([[0.5, 0.5]])
    >>> sw.losses.kl_divergence(sw.nn.log_softmax(sw.tensor([[0.0, 0.0]])), p)
    tensor(0.)
    """
    name = "kl_divergence"
    log_p, target = check_pair(name, prediction, target)
    if log_p.ndim == 0:
        raise ShapeError("kl_divergence: prediction has shape (), but it needs an axis of probabilities")
    meaning = "predictions are logarithms of probabilities, such as log_softmax gives"
    check_range(name, "prediction", log_p, -math.inf, _ROUNDING, meaning)
    if log_target:
        log_difference = ops.where(ops.equal(target, -math.inf), 0.0, target - log_p)
        terms = ops.exp(target) * log_difference
    else:
        meaning = "targets are probabilities, unless log_target=True"
        check_range(name, "target", target, 0, math.inf, meaning)
        positive = ops.greater(target, 0)
        log_q = ops.where(positive, ops.log(ops.where(positive, target, 1.0)), 0.0)
        terms = no_nan(target, log_q - log_p)
    return reduce_terms(name, ops.sum(terms, -1), sample_weight, reduction)


def no_nan(weight: Tensor, value: Tensor) -> Tensor:
    """Return weight * value, with 0 · ∞ = 0, the limit of p log p."""
    nothing = ops.equal(weight, 0) & ops.isinf(value)
    return weight * ops.where(nothing, 0.0, value)
