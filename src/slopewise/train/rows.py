"""Rows and their weights, as the Trainer takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.tensor import Tensor


def rows_of(name: str, values: Any) -> NDArray[Any]:
    """Return inputs or targets as an array with at least one axis, without copying one."""
    array = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name} must hold numbers, not {array.dtype}; "
            "sw.data.TargetEncoder and Preprocessor make numbers of a table"
        )
    if array.ndim == 0:
        raise ShapeError(f"{name} must have a row axis, but it is a single number")
    return array


def float_dtype_of(model: Any) -> np.dtype[Any]:
    """Return the floating dtype of a model's parameters, float32 if it has none."""
    for parameter in model.parameters():
        if parameter.dtype.kind == "f":
            return parameter.dtype  # type: ignore[no-any-return]
    return np.dtype(np.float32)


def class_weights_by_row(
    class_weight: Mapping[Any, float] | str | None, y: NDArray[Any]
) -> NDArray[Any] | None:
    """Return each row's weight by its class, or None.

    "balanced" weighs class c by n / (classes * n_c), as scikit-learn does; classes that a mapping does not
    name weigh 1.
    """
    if class_weight is None:
        return None
    if y.dtype.kind not in "biu" or y.ndim != 1:
        raise ArgumentError(
            f"class_weight needs y to be class numbers, one per row, not {y.dtype} of shape {y.shape}"
        )
    classes, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    if class_weight == "balanced":
        weights = len(y) / (len(classes) * counts)
    elif isinstance(class_weight, Mapping):
        weights = np.array([float(class_weight.get(c, 1.0)) for c in classes.tolist()])
    else:
        raise ArgumentError(
            f"class_weight must be a mapping of class to weight or 'balanced', not {class_weight!r}"
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ArgumentError("class weights must be finite and not negative")
    return weights[place]


def combine_weights(
    sample_weight: Any, by_class: NDArray[Any] | None, n_rows: int, dtype: np.dtype[Any]
) -> NDArray[Any] | None:
    """Return the product of sample and class weights in the model's dtype, or None if there are neither."""
    if sample_weight is None and by_class is None:
        return None
    total = np.ones(n_rows)
    if sample_weight is not None:
        given = rows_of("sample_weight", sample_weight).astype(np.float64)
        if given.shape != (n_rows,):
            raise ShapeError(f"sample_weight must have shape ({n_rows},), not {given.shape}")
        bad = np.flatnonzero(~(np.isfinite(given) & (given >= 0)))
        if bad.size:
            raise ArgumentError(
                f"sample_weight must be finite and not negative; row {bad[0]} has {given[bad[0]]}"
            )
        if not given.any():
            raise ArgumentError("sample_weight is zero for all rows")
        total *= given
    if by_class is not None:
        total *= by_class
    return total.astype(dtype)
