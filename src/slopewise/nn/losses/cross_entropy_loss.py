"""Cross-entropy of several classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor
from slopewise.nn.inputs import known_value
from slopewise.nn.losses.checks import floating_prediction
from slopewise.nn.losses.divergence import no_nan
from slopewise.nn.reduction import reduce_terms


def cross_entropy(
    prediction: Any,
    target: Any,
    *,
    class_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = -100,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of -log softmax(x)[y] for logits x and classes y.

    For probabilities q of the classes it is the mean of -Σ q log softmax(x).

    Parameters
    ----------
    prediction : Tensor of logits, shape (batch, classes, ...) or (classes,); put no softmax before it
    target : integer Tensor of the shape without the classes, from 0 to classes - 1; or floating Tensor of the
        prediction's shape, probabilities
    class_weight : Tensor, shape (classes,), a weight w for each class
    label_smoothing : ε from 0 to 1; the target is (1 - ε) q + ε / classes
    ignore_index : rows with this target count for nothing, not in the divisor either; None ignores no row
    sample_weight : Tensor, shape (batch,) or that of the terms
    reduction : "mean", "sum" or "none"; the mean divides by the sum of the weights w[y] of the rows that
        count

    Returns
    -------
    Tensor, 0-d, or of the shape without the classes. The mean of no rows (all ignored) is nan, as in PyTorch.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or there is but one class, whose loss is always 0.
    DtypeError
        If class indices are floating or boolean.
    ArgumentError
        If an index is out of range; the message names the row. In a traced call, which cannot look, the loss
        is nan.

    Notes
    -----
    Source: PyTorch's `cross_entropy`, whose values it has; label smoothing: C. Szegedy et al., "Rethinking
    the Inception architecture", CVPR 2016, section 7.

    Examples
    --------
    >>> import slopewise as sw
    >>> logits = sw.tensor([[2.0, 0.0, -1.0], [0.0, 1e4, 0.0]])
    >>> sw.losses.cross_entropy(logits, sw.tensor([0, 2]), reduction="none").tolist()
    [0.16984602808952332, 10000.0]
    """
    logits, target = _classes_last(floating_prediction("cross_entropy", prediction), ops.as_tensor(target))
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy needs label_smoothing from 0 to 1, not {label_smoothing}")
    weights = None
    if class_weight is not None:
        weights = ops.as_tensor(class_weight).astype(logits.dtype)
        if weights.shape != logits.shape[-1:]:
            raise ShapeError(
                f"cross_entropy: class_weight has shape {weights.shape}, one weight for each of the "
                f"{logits.shape[-1]} classes is expected"
            )
    if target.dtype.kind == "f":
        terms, counts = _probability_terms(logits, target, weights, label_smoothing), None
    else:
        terms, counts = _index_terms(logits, target, weights, label_smoothing, ignore_index)
    return reduce_terms("cross_entropy", terms, sample_weight, reduction, counts)


def _classes_last(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Check the shapes; return both with the classes on the last axis of the logits."""
    if logits.ndim == 0:
        raise ShapeError("cross_entropy: prediction has shape (), but it needs an axis of classes")
    axis = 0 if logits.ndim == 1 else 1
    rows = logits.shape[:axis] + logits.shape[axis + 1 :]
    if logits.shape[axis] == 1:
        raise ShapeError(
            f"cross_entropy: prediction has shape {logits.shape}, one class, whose loss is always 0; "
            "for one logit a row use binary_cross_entropy_with_logits"
        )
    if target.dtype.kind == "f" and target.shape == logits.shape:
        return ops.moveaxis(logits, axis, -1), ops.moveaxis(target, axis, -1)
    if target.shape != rows:
        raise ShapeError(
            f"cross_entropy: prediction has shape {logits.shape} and target {target.shape}; class indices of "
            f"shape {rows} are expected, or probabilities of shape {logits.shape}"
            + _target_hint(logits, target, rows)
        )
    if target.dtype.kind not in "iu":
        raise DtypeError(
            f"cross_entropy: class indices must be integers, not {target.dtype}; "
            "convert them with .astype('int64')"
        )
    return logits if axis == logits.ndim - 1 else ops.moveaxis(logits, axis, -1), target


def _target_hint(logits: Tensor, target: Tensor, rows: tuple[int, ...]) -> str:
    if target.shape == logits.shape:
        return ": if it is one-hot, convert it with .astype('float32')"
    if target.shape == (*rows, 1):
        return f": write target.reshape({rows})"
    return ""


def _index_terms(
    logits: Tensor, target: Tensor, weights: Tensor | None, smoothing: float, ignore_index: int | None
) -> tuple[Tensor, Tensor | None]:
    """Return the loss of each row, and how much each counts in a mean; None if all count 1."""
    n_classes = logits.shape[-1]
    target = target.astype(INT64)
    value = known_value(target)
    if value is not None:
        _check_classes(value, n_classes, ignore_index)
    some_ignored = ignore_index is not None and (value is None or bool((value == ignore_index).any()))
    log_p = ops.log_softmax(logits)
    if value is not None and not some_ignored and target.ndim == 1:
        # every index is known to be good: gather what the mask below would leave, to the same bits
        terms = -ops.gather(log_p, ops.arange(target.size), target)
        counts = None if weights is None else ops.gather(weights, target)
    else:
        chosen = ops.equal(target.reshape((*target.shape, 1)), ops.arange(n_classes))
        terms = -ops.sum(ops.where(chosen, log_p, 0.0), -1)
        counts = None if weights is None else ops.sum(ops.where(chosen, weights, 0.0), -1)
    if counts is not None:
        terms = terms * counts
    if smoothing:
        spread = -log_p if weights is None else -log_p * weights
        mean = ops.sum(spread, -1) / n_classes
        terms = terms * (1.0 - smoothing) + mean * smoothing
    if value is None:
        unknown = ops.less(target, 0) | ops.greater_equal(target, n_classes)
        terms = ops.where(unknown, float("nan"), terms)
    if some_ignored:
        ignored = ops.equal(target, ignore_index)
        terms = ops.where(ignored, 0.0, terms)
        counts = ops.where(ignored, 0.0, ops.ones(terms.shape, terms.dtype) if counts is None else counts)
    return terms, counts


def _check_classes(target: Array, n_classes: int, ignore_index: int | None) -> None:
    """Raise an error that names the first row whose class does not exist."""
    if not target.size or (target.min() >= 0 and target.max() < n_classes):
        return
    bad = (target < 0) | (target >= n_classes)
    if ignore_index is not None:
        bad &= target != ignore_index
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    shown = f"[{', '.join(map(str, place))}]" if place else ""
    raise ArgumentError(
        f"cross_entropy: target{shown} is {target[place]}, but the prediction has {n_classes} classes, "
        f"0 to {n_classes - 1}" + ("; pass ignore_index to leave rows out" if target[place] < 0 else "")
    )


def _probability_terms(logits: Tensor, target: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    target = target.astype(logits.dtype)
    if smoothing:
        target = target * (1.0 - smoothing) + smoothing / logits.shape[-1]
    surprise = no_nan(target, -ops.log_softmax(logits))
    return ops.sum(surprise if weights is None else surprise * weights, -1)
