"""Checks that every score makes of its arguments, so that the scores themselves are formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slopewise.engine.errors import ArgumentError, ShapeError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def weights_of(sample_weight: ArrayLike | None, rows: int) -> Floats:
    """Return the weights as float64, ones if none are given."""
    if sample_weight is None:
        return np.ones(rows)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (rows,):
        raise ShapeError(
            f"sample_weight has shape {weight.shape}, but there are {rows} rows: give one per row"
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ArgumentError("sample_weight holds a negative, infinite or NaN value: weights are 0 or more")
    if weight.sum() == 0:
        raise ArgumentError("sample_weight is 0 for every row: at least one row must count")
    return weight


def same_rows(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both as one-dimensional arrays of the same, positive length."""
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ShapeError(f"y_true has shape {true.shape} and y_pred {predicted.shape}: both must be (rows,)")
    if true.size == 0:
        raise ArgumentError("there are no rows to score")
    return true, predicted


def same_numbers(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as finite float64 arrays of the same, positive length."""
    true, predicted = same_rows(y_true, y_pred)
    numbers = []
    for name, array in (("y_true", true), ("y_pred", predicted)):
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
            raise ArgumentError(f"{name} holds {array.dtype} values: a regression score needs numbers")
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            row = int(np.flatnonzero(~np.isfinite(array))[0])
            raise ArgumentError(f"{name} holds {array[row]} at position {row}: scores need finite numbers")
        numbers.append(array)
    return numbers[0], numbers[1]


def encode(y: NDArray[Any], labels: NDArray[Any], name: str) -> Codes:
    """Return the position of each value of `y` in `labels`, which are distinct and in any order."""
    order = np.argsort(labels, kind="stable")
    try:
        place = np.minimum(np.searchsorted(labels[order], y), len(labels) - 1)
    except TypeError:
        raise ArgumentError(f"{name} mixes kinds of labels: use all numbers or all text") from None
    codes = order[place]
    unknown = labels[codes] != y
    if np.any(unknown):
        raise ArgumentError(f"{name} holds {y[unknown][0]!r}, which is not among the labels")
    return codes.astype(np.int64)


def classes_of(labels: ArrayLike | None, *ys: NDArray[Any]) -> NDArray[Any]:
    """Return the given labels, or the sorted distinct values of the arrays."""
    if labels is None:
        kinds = {"text" if y.dtype.kind in "USTO" else "numbers" for y in ys}
        if len(kinds) > 1:
            raise ArgumentError("y_true and y_pred mix text and numbers: use the same kind of labels in both")
        try:
            return np.unique(np.concatenate(ys))
        except TypeError:
            raise ArgumentError(
                "the labels mix kinds or hold missing values: use all numbers or all text"
            ) from None
    classes = np.asarray(labels)
    if classes.ndim != 1 or len(np.unique(classes)) != len(classes) or len(classes) == 0:
        raise ArgumentError("labels must be a non-empty list of distinct classes")
    return classes


def probabilities_of(y_prob: ArrayLike, rows: int) -> NDArray[Any]:
    """Return probabilities of shape (rows, classes); one column p becomes the two columns 1 - p and p."""
    prob = np.asarray(y_prob)
    if not np.issubdtype(prob.dtype, np.floating):
        prob = prob.astype(np.float64)
    if prob.ndim == 1:
        prob = np.stack([1 - prob, prob], axis=1)
    if prob.ndim != 2 or len(prob) != rows or prob.shape[1] < 2:
        raise ShapeError(
            f"y_prob has shape {np.shape(y_prob)} for {rows} rows: "
            "give (rows,) for the second of two classes, or (rows, classes)"
        )
    if not (prob >= 0).all() or not (prob <= 1).all():
        raise ArgumentError("y_prob holds a value outside of 0 to 1: pass probabilities, not logits")
    tolerance = max(1e-6, 16 * float(np.finfo(prob.dtype).eps) * prob.shape[1])
    total = prob.sum(axis=1, dtype=np.float64)
    if (np.abs(total - 1) > tolerance).any():
        row = int(np.argmax(np.abs(total - 1)))
        raise ArgumentError(f"y_prob of row {row} sums to {total[row]:.6g}, not to 1")
    return prob


def true_codes(y_true: ArrayLike, labels: ArrayLike | None, columns: int) -> Codes:
    """Return the column of each true label in a table of probabilities with `columns` columns."""
    true = np.asarray(y_true)
    classes = classes_of(labels, true)
    if len(classes) != columns:
        raise ArgumentError(
            f"y_prob has {columns} columns but there are {len(classes)} classes: "
            "pass labels=[...], the class of each column"
        )
    return encode(true, classes, "y_true")
