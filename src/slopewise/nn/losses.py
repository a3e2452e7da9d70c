"""Losses: how far predictions are from targets. Public as `slopewise.losses`.

All take (prediction, target), then by keyword `sample_weight` and `reduction`:

- `reduction="mean"` divides by the number of terms, or with weights by the sum of weights, so that a weight
  of 2 is the same as a row that is
  there twice; "sum" adds up; "none" returns the terms.
- `sample_weight`, shape (batch,) or that of the terms, multiplies the terms.

Predictions are floating, and targets are converted to their dtype. Shapes must be equal: nothing is
broadcast. Values and gradients are finite for predictions of ±1e4 in float32 and float64.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitives.rules import INT64
from slopewise.engine.tensor import Tensor
from slopewise.nn.activations import softplus
from slopewise.nn.inputs import known_value
from slopewise.nn.reduction import reduce_terms

__all__ = [
    "absolute_error",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "mae",
    "mse",
    "squared_error",
]

Loss = Callable[..., Tensor]


def _check_pair(name: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Return both as tensors of one shape and of the prediction's dtype."""
    prediction, target = _floating_prediction(name, prediction), ops.as_tensor(target)
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{name}: prediction has shape {prediction.shape} and target {target.shape}; they must be equal"
            + _way_out(prediction, target)
        )
    return prediction, target.astype(prediction.dtype)


def _floating_prediction(name: str, prediction: Any) -> Tensor:
    result: Tensor = ops.as_tensor(prediction)
    if result.dtype.kind != "f":
        raise DtypeError(f"{name}: predictions must be floating, not {result.dtype}")
    return result


def _way_out(prediction: Tensor, target: Tensor) -> str:
    if prediction.shape == (*target.shape, 1):
        return f", so write prediction.reshape({target.shape}) or target.reshape({prediction.shape})"
    if target.shape == (*prediction.shape, 1):
        return f", so write target.reshape({prediction.shape}) or prediction.reshape({target.shape})"
    return ""


# ---- regression


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
    prediction, target = _check_pair("squared_error", prediction, target)
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
    prediction, target = _check_pair("absolute_error", prediction, target)
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
    prediction, target = _check_pair("huber", prediction, target)
    d = prediction - target
    magnitude = ops.absolute(d)
    terms = ops.where(ops.less_equal(magnitude, delta), d * d * 0.5, (magnitude - 0.5 * delta) * delta)
    return reduce_terms("huber", terms, sample_weight, reduction)


# ---- two classes


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
    _check_range(name, ops.as_tensor(target), 0, 1, "; targets are 0, 1 or a probability between")
    logits, target = _check_pair(name, prediction, target)
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


def _check_range(name: str, target: Tensor, low: float, high: float, meaning: str) -> None:
    value = known_value(target)
    if value is None or not value.size or (low <= value.min() and value.max() <= high):
        return
    outside = ~((value >= low) & (value <= high))
    place = tuple(int(i) for i in np.argwhere(outside)[0])
    shown = ", ".join(map(str, place))
    raise ArgumentError(f"{name}: target[{shown}] is {value[place]}{meaning}")


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
    scores, target = _check_pair("hinge", prediction, target)
    margin = 1.0 - scores * target
    terms = ops.where(ops.less_equal(margin, 0.0), 0.0, margin)
    return reduce_terms("hinge", terms, sample_weight, reduction)


# ---- several classes


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
    logits, target = _classes_last(_floating_prediction("cross_entropy", prediction), ops.as_tensor(target))
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
    log_p = ops.log_softmax(logits)
    chosen = ops.equal(ops.expand_dims(target, -1), ops.arange(n_classes))
    terms = -ops.sum(ops.where(chosen, log_p, 0.0), -1)
    counts = None
    if weights is not None:
        counts = ops.sum(ops.where(chosen, weights, 0.0), -1)
        terms = terms * counts
    if smoothing:
        spread = -log_p if weights is None else -log_p * weights
        mean = ops.sum(spread, -1) / n_classes
        terms = terms * (1.0 - smoothing) + mean * smoothing
    if value is None:
        unknown = ops.less(target, 0) | ops.greater_equal(target, n_classes)
        terms = ops.where(unknown, float("nan"), terms)
    if ignore_index is not None and (value is None or (value == ignore_index).any()):
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
    surprise = _no_nan(target, -ops.log_softmax(logits))
    return ops.sum(surprise if weights is None else surprise * weights, -1)


def _no_nan(weight: Tensor, value: Tensor) -> Tensor:
    """Return weight * value, with 0 · ∞ = 0, the limit of p log p."""
    nothing = ops.equal(weight, 0) & ops.isinf(value)
    return weight * ops.where(nothing, 0.0, value)


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
    log_p, target = _check_pair(name, prediction, target)
    if log_p.ndim == 0:
        raise ShapeError("kl_divergence: prediction has shape (), but it needs an axis of probabilities")
    if log_target:
        terms = _no_nan(ops.exp(target), target - log_p)
    else:
        _check_range(name, target, 0, float("inf"), "; targets are probabilities, unless log_target=True")
        positive = ops.greater(target, 0)
        log_q = ops.where(positive, ops.log(ops.where(positive, target, 1.0)), 0.0)
        terms = _no_nan(target, log_q - log_p)
    return reduce_terms(name, ops.sum(terms, -1), sample_weight, reduction)


mse = squared_error
mae = absolute_error

_BY_NAME: dict[str, Loss] = {
    "squared_error": squared_error,
    "mse": squared_error,
    "absolute_error": absolute_error,
    "mae": absolute_error,
    "huber": huber,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "bce_with_logits": binary_cross_entropy_with_logits,
    "hinge": hinge,
    "cross_entropy": cross_entropy,
    "kl_divergence": kl_divergence,
}


def get(loss: str | Loss) -> Loss:
    """Return a loss by its name; a function is returned as it is.

    Raises
    ------
    ArgumentError
        If there is no loss of that name; the message says which one is near.

    Examples
    --------
    >>> get("mse").__name__
    'squared_error'
    """
    if callable(loss):
        return loss
    if loss in _BY_NAME:
        return _BY_NAME[loss]
    near = get_close_matches(str(loss), _BY_NAME, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(_BY_NAME))}"
    raise ArgumentError(f"there is no loss {loss!r}; {hint}")
