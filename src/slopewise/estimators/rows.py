"""The rows that a fit learns from, and the parts of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slopewise.data import train_test_split
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.train.rows import combine_weights

CHUNK = 4096  # rows that are predicted at a time


class Rows(NamedTuple):
    """Inputs, encoded targets and weights.

    Attributes
    ----------
    X : array, shape (rows, features), float32 or float64
    target : class numbers, shape (rows,); or shape (rows, outputs), truth values or numbers
    sample_weight : float64 array, shape (rows,), above 0; or None
    """

    X: NDArray[Any]
    target: NDArray[Any]
    sample_weight: NDArray[Any] | None = None

    def take(self, rows: NDArray[Any]) -> Rows:
        """Return some of the rows."""
        weight = self.sample_weight
        return Rows(self.X[rows], self.target[rows], None if weight is None else weight[rows])


def weighted_rows(X: NDArray[Any], target: NDArray[Any], sample_weight: Any) -> Rows:
    """Return the rows that count: those of weight 0 are left out, as if they were not there.

    Raises
    ------
    ShapeError, ArgumentError
        If there is not one finite weight of at least 0 for each row, or all are zero.
    """
    if sample_weight is None:
        return Rows(X, target)
    weight = combine_weights(np.asarray(sample_weight), None, len(X), np.dtype(np.float64))
    assert weight is not None
    rows = Rows(X, target, weight)
    return rows if weight.all() else rows.take(np.flatnonzero(weight))


def dense(X: Any) -> NDArray[Any]:
    """Return a matrix as an array; a sparse one is written out in full.

    Raises
    ------
    DataError
        If the memory does not suffice.
    """
    if not hasattr(X, "toarray"):
        return X  # type: ignore[no-any-return]
    try:
        return X.toarray()  # type: ignore[no-any-return]
    except MemoryError:
        gigabytes = X.shape[0] * X.shape[1] * X.dtype.itemsize / 1e9
        raise DataError(
            f"X is sparse, and training needs it dense: {X.shape[0]} rows of {X.shape[1]} features take "
            f"{gigabytes:.1f} GB; reduce the features (TruncatedSVD) or train on parts with partial_fit"
        ) from None


def hold_out(rows: Rows, fraction: float, seed: int, *, stratify: bool) -> tuple[Rows, Rows]:
    """Return (training rows, validation rows).

    Parameters
    ----------
    stratify : whether every class keeps its share; left out if a class has one row only, which cannot be in
        both parts

    Raises
    ------
    ArgumentError
        If fewer than two rows would be held out.
    """
    n_rows = len(rows.X)
    if np.ceil(round(fraction * n_rows, 9)) < 2:
        raise ArgumentError(
            f"The validation set is too small: validation_fraction={fraction} of n_samples={n_rows} is less "
            "than 2 rows; raise validation_fraction, give more rows, or set early_stopping=False"
        )
    classes = rows.target.ravel() if stratify else None
    if classes is not None and np.unique(classes, return_counts=True)[1].min() < 2:
        classes = None
    training, validation = train_test_split(
        np.arange(n_rows), test_size=float(fraction), stratify=classes, seed=seed
    )
    return rows.take(training), rows.take(validation)
