"""From the terms of a loss to the loss: weights and reduction."""

from __future__ import annotations

from typing import Any

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def reduce_terms(
    name: str, terms: Tensor, sample_weight: Any, reduction: str, counts: Tensor | None = None
) -> Tensor:
    """Weight the terms of a loss, and reduce them.

    Parameters
    ----------
    name : the loss, for messages
    terms : a loss for each row or element
    sample_weight : None, or weights of shape (batch,) or that of the terms
    reduction : "mean", "sum" or "none"
    counts : how much each term counts in the divisor of a mean, besides its sample weight; None is 1
    """
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{name}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    if sample_weight is not None:
        weight = _aligned_weight(name, sample_weight, terms)
        terms = terms * weight
        weight = ops.broadcast_to(weight, terms.shape)
        counts = weight if counts is None else counts * weight
    if reduction == "none":
        return terms
    if reduction == "sum":
        return ops.sum(terms)
    return ops.mean(terms) if counts is None else ops.sum(terms) / ops.sum(counts)


def _aligned_weight(name: str, sample_weight: Any, terms: Tensor) -> Tensor:
    """Return the weights in the terms' dtype, with axes of size 1 where they have none of their own."""
    weight = ops.as_tensor(sample_weight).astype(terms.dtype)
    if weight.shape == terms.shape:
        return weight
    if weight.ndim == 1 and weight.shape == terms.shape[:1]:
        return weight.reshape((*weight.shape, *(1,) * (terms.ndim - 1)))
    rows = f" or ({terms.shape[0]},), a weight a row" if terms.ndim > 1 else ""
    raise ShapeError(
        f"{name}: sample_weight has shape {weight.shape}; {terms.shape}{rows} is expected for this prediction"
    )
