"""Rows of anything that has rows: arrays, Tensors, lists, Tables and data frames."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data.tables import Table
from slopewise.engine.errors import ArgumentError, ShapeError


def count_rows(data: Any) -> int:
    """Return how many rows `data` has.

    Raises
    ------
    ShapeError
        If it is a scalar.
    ArgumentError
        If it has no length.

    Examples
    --------
    >>> count_rows(np.zeros((3, 2))), count_rows(["a", "b"])
    (3, 2)
    """
    if isinstance(data, dict | set | frozenset | str | bytes):
        raise ArgumentError(f"a {type(data).__name__} has no rows; give an array, list, Table or data frame")
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple):
        if not shape:
            raise ShapeError("expected data with rows, got a scalar (shape ())")
        return int(shape[0])
    try:
        return len(data)
    except TypeError as error:
        raise ArgumentError(
            f"expected an array, Tensor, list, Table or data frame, got {type(data).__name__}"
        ) from error


def count_same_rows(arrays: Sequence[Any], names: Sequence[str] | None = None) -> int:
    """Return how many rows all the arrays have.

    Raises
    ------
    ShapeError
        If they differ; the message names each.
    """
    if not arrays:
        raise ArgumentError("expected at least one array")
    counts = [count_rows(data) for data in arrays]
    if len(set(counts)) > 1:
        labels = names or [f"array {position}" for position in range(1, len(arrays) + 1)]
        listed = ", ".join(f"{label} has {count}" for label, count in zip(labels, counts))
        raise ShapeError(f"the arrays need the same number of rows, but {listed}")
    return counts[0]


def take_rows(data: Any, rows: NDArray[np.int64]) -> Any:
    """Return the given rows (0-based) of `data`, as the same type.

    Examples
    --------
    >>> take_rows(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if isinstance(data, np.ndarray):
        return data[rows]
    if isinstance(data, list):
        return [data[row] for row in rows]
    if isinstance(data, tuple):
        return tuple(data[row] for row in rows)
    if hasattr(data, "iloc"):  # pandas: by position, whatever the index holds
        return data.iloc[rows]
    if isinstance(data, Table):
        return data.take(rows)
    if is_data_frame(data):
        return _take_frame_rows(data, rows)
    return data[rows]


def is_data_frame(data: Any) -> bool:
    """Return whether narwhals knows `data` as a data frame or series, without loading narwhals in vain."""
    owner = type(data).__module__.partition(".")[0]
    if owner in ("numpy", "builtins", "slopewise") or owner not in sys.modules:
        return False
    import narwhals as nw

    native = nw.from_native(data, pass_through=True, allow_series=True)
    return isinstance(native, nw.DataFrame | nw.Series)


def _take_frame_rows(data: Any, rows: NDArray[np.int64]) -> Any:
    import narwhals as nw

    return nw.from_native(data, allow_series=True, eager_only=True)[rows].to_native()


def as_array(values: Any) -> NDArray[Any]:
    """Return labels, groups or times as a one-dimensional array; missing ones stay None or NaN."""
    if isinstance(values, np.ndarray):
        array = values
    elif hasattr(values, "to_numpy"):
        array = np.asarray(values.to_numpy())
    elif hasattr(values, "numpy"):
        array = np.asarray(values.numpy())
    else:
        items = list(values)
        array = np.array(items, dtype=object) if any(item is None for item in items) else np.asarray(items)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ShapeError(f"expected one value for each row, got an array of shape {array.shape}")
    return array


def _is_missing(item: Any) -> bool:
    # pandas' NA answers no question, not even whether it equals itself.
    return item is None or type(item).__name__ == "NAType" or bool(item != item)


def code_values(values: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """Return each value as the number of its level, and the sorted levels; missing is the last level.

    Examples
    --------
    >>> codes, levels = code_values(["b", None, "a", "b"])
    >>> codes.tolist(), levels
    ([1, 2, 0, 1], ['a', 'b', None])
    """
    array = as_array(values)
    if array.dtype != object:
        levels, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.int64), levels.tolist()
    items = [None if _is_missing(item) else item for item in array.tolist()]
    distinct = set(items) - {None}
    try:
        ordered: list[Any] = sorted(distinct)
    except TypeError:  # labels of several types: any fixed order will do
        ordered = sorted(distinct, key=lambda item: (type(item).__name__, str(item)))
    if None in items:
        ordered.append(None)
    number = {item: code for code, item in enumerate(ordered)}
    return np.array([number[item] for item in items], dtype=np.int64), ordered
