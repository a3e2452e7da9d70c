"""Scores of finished predictions, on NumPy arrays: how good they are, weighted or not.

Argument order and conventions follow scikit-learn's `sklearn.metrics`; where they differ the docstring says
so. Every score takes `sample_weight`, shape (rows,): a row of weight 2 counts as two rows. Labels may be
numbers, booleans or text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.metrics._inputs import (
    Codes,
    Floats,
    classes_of,
    encode,
    probabilities_of,
    same_numbers,
    same_rows,
    true_codes,
    weights_of,
)

# ---- classes: predicted labels ---------------------------------------------------------------------------


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> NDArray[Any]:
    """Count the rows of each true class (down) that were given each predicted class (across).

    Parameters
    ----------
    y_true, y_pred : array-like, shape (rows,)
    labels : array-like, shape (classes,), optional
        The order of the classes; by default the sorted labels of both arguments.
    sample_weight : array-like, shape (rows,), optional

    Returns
    -------
    int64 array, shape (classes, classes); float64 if weights are given

    Raises
    ------
    ShapeError
        If the arguments differ in length.
    ArgumentError
        If a label is not among `labels`, or there are no rows.

    Examples
    --------
    >>> confusion_matrix(["cat", "cat", "dog"], ["cat", "dog", "dog"]).tolist()
    [[1, 1], [0, 1]]
    """
    true, predicted = same_rows(y_true, y_pred)
    classes = classes_of(labels, true, predicted)
    cells = encode(true, classes, "y_true") * len(classes) + encode(predicted, classes, "y_pred")
    shape = (len(classes), len(classes))
    if sample_weight is None:
        return np.bincount(cells, minlength=len(classes) ** 2).reshape(shape)
    weight = weights_of(sample_weight, len(true))
    return np.bincount(cells, weight, minlength=len(classes) ** 2).reshape(shape)


def accuracy(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the share of rows whose predicted class is the true one.

    Examples
    --------
    >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
    0.75
    """
    true, predicted = same_rows(y_true, y_pred)
    classes_of(None, true, predicted)  # text against numbers is a mistake, not a score of 0
    return float(np.average(true == predicted, weights=weights_of(sample_weight, len(true))))


def balanced_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean recall of the classes that occur in `y_true`; chance gives 1 / classes.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    matrix = _weighted_matrix(y_true, y_pred, None, sample_weight)
    support = matrix.sum(axis=1)
    occurs = support > 0
    return float(np.mean(np.diag(matrix)[occurs] / support[occurs]))


def precision(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None = "macro",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return, of the rows that were given a class, the share that belongs to it; 0 if there are none.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (rows,)
    average : "macro" or None
        The plain mean over the classes, or an array with a value for each. (scikit-learn's default, "binary",
        is `precision(..., average=None)[1]` here.)
    labels : array-like, shape (classes,), optional
        The order of the classes; by default the sorted labels of both arguments.
    sample_weight : array-like, shape (rows,), optional

    Returns
    -------
    float, or float64 array of shape (classes,)

    Examples
    --------
    >>> precision(["a", "a", "b"], ["a", "b", "b"], average=None).tolist()
    [1.0, 0.5]
    """
    matrix = _weighted_matrix(y_true, y_pred, labels, sample_weight)
    return _averaged(_share(np.diag(matrix), matrix.sum(axis=0)), average)


def recall(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None = "macro",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return, of the rows that belong to a class, the share that was given it; 0 if there are none.

    Parameters and result are those of `precision`.

    Examples
    --------
    >>> recall(["a", "a", "b"], ["a", "b", "b"], average=None).tolist()
    [0.5, 1.0]
    """
    matrix = _weighted_matrix(y_true, y_pred, labels, sample_weight)
    return _averaged(_share(np.diag(matrix), matrix.sum(axis=1)), average)


def f1(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None = "macro",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Return the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), for each class or averaged.

    Parameters and result are those of `precision`.

    Examples
    --------
    >>> round(f1(["a", "a", "b"], ["a", "b", "b"]), 4)
    0.6667
    """
    matrix = _weighted_matrix(y_true, y_pred, labels, sample_weight)
    return _averaged(_share(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)), average)


def _weighted_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, labels: ArrayLike | None, sample_weight: ArrayLike | None
) -> Floats:
    matrix = confusion_matrix(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    return matrix.astype(np.float64)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _averaged(per_class: Floats, average: str | None) -> Any:
    if average is None:
        return per_class
    if average == "macro":
        return float(per_class.mean())
    raise ArgumentError(f"average is {average!r}: use 'macro', or None for a value per class")


# ---- classes: predicted probabilities --------------------------------------------------------------------


def log_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean of -ln(probability given to the true class), in nats.

    Probabilities are kept off 0 and 1 by the machine epsilon of their dtype, as in scikit-learn, so that one
    certain mistake costs much but not infinitely much.

    Parameters
    ----------
    y_true : array-like, shape (rows,)
    y_prob : array-like, shape (rows, classes), or (rows,) for the second of two classes
        Each row sums to 1.
    labels : array-like, shape (classes,), optional
        The class of each column; by default the sorted labels of `y_true`.
    sample_weight : array-like, shape (rows,), optional

    Raises
    ------
    ArgumentError
        If a probability lies outside of 0 to 1, a row does not sum to 1, or the classes do not match the
        columns.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.5, 0.5], [0.25, 0.75]]), 4)
    0.4904
    """
    prob, codes, weight = _probability_inputs(y_true, y_prob, labels, sample_weight)
    eps = np.finfo(prob.dtype).eps
    given = np.clip(prob[np.arange(len(codes)), codes], eps, 1 - eps).astype(np.float64)
    return float(np.average(-np.log(given), weights=weight))


def brier(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean squared distance of the probabilities from the truth (Brier, 1950).

    For two classes it is the squared error of one column, from 0 to 1; for more it is summed over the
    columns, from 0 to 2. That is the convention of scikit-learn (`scale_by_half="auto"`). Parameters are
    those of `log_loss`.

    Examples
    --------
    >>> brier([0, 1], [0.5, 0.75])
    0.15625
    """
    prob, codes, weight = _probability_inputs(y_true, y_prob, labels, sample_weight)
    distance = prob.astype(np.float64)
    distance[np.arange(len(codes)), codes] -= 1
    squared = np.square(distance).sum(axis=1)
    return float(np.average(squared, weights=weight)) / (2 if prob.shape[1] == 2 else 1)


def roc_auc(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the chance that a row of a class is ranked above a row of another class; ties count half.

    Two classes: the area under the ROC curve of the second class; one column may hold any scores, not only
    probabilities. More: the plain mean over the classes, each against the rest. Parameters are those of
    `log_loss`.

    Raises
    ------
    ArgumentError
        If a class does not occur in `y_true` (with a weight above 0), for then there is nothing to rank it
        against.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    scores = np.asarray(y_prob)
    if scores.ndim == 1:
        true, scores = same_rows(y_true, scores)
        if not np.isfinite(scores.astype(np.float64)).all():
            raise ArgumentError("y_prob holds an infinite or NaN value")
        codes = true_codes(true, labels, 2)
        columns = [(scores, 1)]
    else:
        scores, codes, _ = _probability_inputs(y_true, scores, labels, None)
        columns = [(scores[:, k], k) for k in range(scores.shape[1])][-1 if scores.shape[1] == 2 else 0 :]
    weight = weights_of(sample_weight, len(codes))
    areas = [_area(codes == k, column, weight) for column, k in columns]
    if np.isnan(areas).any():
        raise ArgumentError("roc_auc needs rows of every class in y_true, and of more than one class")
    return float(np.mean(areas))


def _area(positive: NDArray[np.bool_], score: NDArray[Any], weight: Floats) -> float:
    """The Mann-Whitney form of the area: weight of pairs ranked rightly, half the weight of tied pairs."""
    _, group = np.unique(score, return_inverse=True)
    gains = np.bincount(group, weight * positive)
    losses = np.bincount(group, weight * ~positive)
    pairs = gains.sum() * losses.sum()
    below = np.cumsum(losses) - losses / 2
    return float(gains @ below / pairs) if pairs > 0 else float("nan")


def _probability_inputs(
    y_true: ArrayLike, y_prob: ArrayLike, labels: ArrayLike | None, sample_weight: ArrayLike | None
) -> tuple[NDArray[Any], Codes, Floats]:
    true = np.asarray(y_true)
    same_rows(true, np.empty(len(true) if true.ndim else 0))
    prob = probabilities_of(y_prob, len(true))
    return prob, true_codes(true, labels, prob.shape[1]), weights_of(sample_weight, len(true))


# ---- numbers ---------------------------------------------------------------------------------------------


def mse(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean squared error, in the square of the target's unit.

    Examples
    --------
    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    true, predicted = same_numbers(y_true, y_pred)
    return float(np.average(np.square(predicted - true), weights=weights_of(sample_weight, len(true))))


def rmse(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the root of the mean squared error, in the target's unit.

    Examples
    --------
    >>> rmse([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 8.0])
    2.0
    """
    return float(np.sqrt(mse(y_true, y_pred, sample_weight=sample_weight)))


def mae(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean absolute error, in the target's unit.

    Examples
    --------
    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    true, predicted = same_numbers(y_true, y_pred)
    return float(np.average(np.abs(predicted - true), weights=weights_of(sample_weight, len(true))))


def median_absolute_error(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the median absolute error, in the target's unit; a few wild errors do not move it.

    With weights: the error at which half of the weight is reached, or the mean of it and the next one when
    exactly half is reached there, so that equal weights give the ordinary median.

    Examples
    --------
    >>> median_absolute_error([0.0, 0.0, 0.0], [1.0, 2.0, 90.0])
    2.0
    """
    true, predicted = same_numbers(y_true, y_pred)
    return weighted_median(np.abs(predicted - true), weights_of(sample_weight, len(true)))


def weighted_median(values: Floats, weight: Floats) -> float:
    """Return the median of `values` by weight; both of shape (rows,), the weights not all 0."""
    values, weight = values[weight > 0], weight[weight > 0]
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.cumsum(weight[order])
    half = reached[-1] / 2
    low = np.searchsorted(reached, half, side="left")
    high = np.searchsorted(reached, half, side="right")
    return float((values[low] + values[high]) / 2)


def r2(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the share of the target's variance that is explained: 1 is perfect, 0 no better than its mean.

    A constant target has no variance: then 1 for perfect predictions and 0 otherwise, as in scikit-learn. One
    row alone gives NaN.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    true, predicted = same_numbers(y_true, y_pred)
    if len(true) < 2:
        return float("nan")
    weight = weights_of(sample_weight, len(true))
    unexplained = float(weight @ np.square(true - predicted))
    # a constant target lies 0 from any number of it that counts, if not from its rounded mean
    apart = true - true[np.argmax(weight > 0)]
    total = float(weight @ np.square(apart - np.average(apart, weights=weight)))
    if total == 0:
        return 1.0 if unexplained == 0 else 0.0
    return 1 - unexplained / total
