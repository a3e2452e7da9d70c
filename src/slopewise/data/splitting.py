"""Rows for training, validation and test: chosen before anything is fitted.

A split is three arrays of row numbers. They depend on the number of rows, the labels, groups or times asked
for, and the seed: on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from slopewise.data.indexing import as_array, code_values, count_rows, count_same_rows, take_rows
from slopewise.data.partition import Split, split_by_class, split_by_group, split_by_time
from slopewise.data.tables import Table, first_line, shown
from slopewise.engine.errors import ArgumentError, DataError, ShapeError
from slopewise.engine.random import SPLIT_STREAM, permutation

Rows = NDArray[np.int64]


def split(
    data: Any,
    validation: float | int | None = 0.2,
    test: float | int | None = 0.2,
    stratify: Any = None,
    groups: Any = None,
    time: Any = None,
    seed: int = 0,
    shuffle: bool = True,
) -> Split:
    """Choose rows for training, validation and test.

    Sizes: a fraction f of n rows is f * n rounded to the nearest whole number, halves up; a whole number is
    that many rows; training gets the rest. 0 or None leaves a part out; a part that was asked for and would
    be empty is an error.

    `stratify` keeps the sizes and gives each class its share of every part, by largest remainder; a class
    with enough rows is in every part that has room for all classes. `groups` keeps all rows of a group in one
    part: groups are taken in random order, each by the part that is least full for its size, so sizes are met
    only nearly. `time` puts the oldest rows in training and the newest in test; rows of the same time stay
    together, for which a border moves to the nearest change of time (the earlier of two).

    Parameters
    ----------
    data : Table, number of rows, array, data frame, or a tuple of them with the same number of rows
    validation, test : float below 1 or int, the size of a part
    stratify, groups, time : name of a column, if `data` is a Table; or values, shape (n_rows,). At most one
        of the three.
    seed : int, which order; the same seed gives the same split
    shuffle : bool; False takes training, validation and test rows in the order of the data

    Returns
    -------
    Split
        Row numbers, in random order; in order of time if `time` is given.

    Raises
    ------
    ArgumentError
        If sizes are out of range, or two of `stratify`, `groups` and `time` are given.
    DataError
        If a part would be empty, a class has one row only, or a time is missing.

    Examples
    --------
    >>> parts = split(8, validation=2, test=2, stratify=["a", "b"] * 4)
    >>> sorted(parts.test % 2)  # one of each class
    [np.int64(0), np.int64(1)]
    """
    n_rows = _count(data)
    given = [name for name, value in _named(stratify, groups, time) if value is not None]
    if len(given) > 1:
        raise ArgumentError(f"{' and '.join(given)} cannot be combined; give one of them")
    sizes = _sizes(n_rows, validation, test)
    if time is not None:
        return split_by_time(_moments(data, time, n_rows), sizes)
    order = permutation(n_rows, seed, SPLIT_STREAM) if shuffle else np.arange(n_rows)
    if groups is not None:
        codes, levels = code_values(_values(data, groups, "groups", n_rows))
        return split_by_group(codes, len(levels), order, sizes)
    codes = np.zeros(n_rows, dtype=np.int64)
    if stratify is not None:
        codes, levels = code_values(_values(data, stratify, "stratify", n_rows))
        _refuse_single_rows(data, codes, levels)
    return split_by_class(codes, order, sizes)


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    seed: int = 0,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Split arrays into training and test rows, as scikit-learn's function of this name does.

    Parameters
    ----------
    *arrays : arrays, Tensors, lists, Tables or data frames with the same number of rows
    test_size, train_size : float below 1 or int. A fraction of the test is rounded up, one of training down,
        as scikit-learn does; the part that is not given is the rest; 0.25 is the test's share if neither is.
    seed : int, in place of `random_state`
    shuffle : bool; False takes the first rows for training
    stratify : labels, shape (n_rows,), or None; every class keeps its share in both parts

    Returns
    -------
    list
        The training and test rows of each array in turn, each of the type it came in.

    Raises
    ------
    ShapeError
        If the arrays differ in their number of rows.
    ArgumentError
        If sizes are out of range.
    DataError
        If a part would be empty, or a class has one row only.

    Examples
    --------
    >>> X, y = np.arange(20).reshape(10, 2), list(range(10))
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
    >>> X_train.shape, len(y_test), bool((X_test[:, 0] == 2 * np.array(y_test)).all())
    ((8, 2), 2, True)
    """
    n_rows = count_same_rows(arrays)
    if stratify is not None and not shuffle:
        raise ArgumentError("stratify needs shuffle=True")
    n_train, n_test = _train_test_sizes(n_rows, train_size, test_size)
    order = permutation(n_rows, seed, SPLIT_STREAM) if shuffle else np.arange(n_rows)
    codes = np.zeros(n_rows, dtype=np.int64)
    if stratify is not None:
        codes, levels = code_values(_values(arrays[0], stratify, "stratify", n_rows))
        _refuse_single_rows(arrays[0], codes, levels)
    spare = n_rows - n_train - n_test
    parts = split_by_class(codes, order, (n_train, spare, n_test))
    return [take_rows(data, rows) for data in arrays for rows in (parts.train, parts.test)]


def _named(stratify: Any, groups: Any, time: Any) -> list[tuple[str, Any]]:
    return [("stratify", stratify), ("groups", groups), ("time", time)]


def _is_count(size: object) -> TypeGuard[int]:
    return isinstance(size, int | np.integer) and not isinstance(size, bool)


def _count(data: Any) -> int:
    if _is_count(data):
        return int(data)
    if isinstance(data, tuple):
        return count_same_rows(data)
    return count_rows(data)


def _values(data: Any, values: Any, argument: str, n_rows: int) -> Any:
    """Return the values of a column or an array, one for each row."""
    if isinstance(values, str):
        if not isinstance(data, Table):
            raise ArgumentError(
                f"{argument}={values!r} names a column, which needs a Table; give the values instead"
            )
        return data.column(values)
    if (count := count_rows(values)) != n_rows:
        raise ShapeError(f"{argument} has {count} values for {n_rows} rows")
    return values


def _fraction_or_count(name: str, size: float | int | None, n_rows: int) -> float:
    """Return how many rows a size is, not yet rounded."""
    if size is None:
        return 0.0
    if _is_count(size):
        if not 0 <= size <= n_rows:
            raise ArgumentError(f"{name}={size} rows, but there are {n_rows}; take fewer")
        return float(size)
    if not isinstance(size, float | np.floating) or not 0 <= size < 1:
        raise ArgumentError(f"{name} is a fraction from 0 to below 1 or a number of rows, not {size!r}")
    return float(size) * n_rows


def _sizes(n_rows: int, validation: float | int | None, test: float | int | None) -> tuple[int, int, int]:
    n_validation, n_test = (
        int(np.floor(_fraction_or_count(name, size, n_rows) + 0.5))
        for name, size in (("validation", validation), ("test", test))
    )
    n_train = n_rows - n_validation - n_test
    asked = (("training", n_train, True), ("validation", n_validation, validation), ("test", n_test, test))
    for name, size, wanted in asked:
        if wanted and size <= 0:
            raise DataError(
                f"the {name} part of {n_rows} rows would be empty (validation={validation}, test={test}); "
                "give more rows or other sizes"
            )
    return n_train, n_validation, n_test


def _train_test_sizes(
    n_rows: int, train_size: float | int | None, test_size: float | int | None
) -> tuple[int, int]:
    if train_size is None and test_size is None:
        test_size = 0.25
    # Rounded to 1e-9 of a row first: 0.2 * 15 is 3.0000000000000004, and its ceiling would be 4.
    n_test = int(np.ceil(round(_fraction_or_count("test_size", test_size, n_rows), 9)))
    n_train = int(np.floor(round(_fraction_or_count("train_size", train_size, n_rows), 9)))
    n_test = n_rows - n_train if test_size is None else n_test
    n_train = n_rows - n_test if train_size is None else n_train
    if n_train + n_test > n_rows:
        raise ArgumentError(
            f"train_size={train_size} and test_size={test_size} ask for {n_train + n_test} of {n_rows} rows"
        )
    for name, size in (("training", n_train), ("test", n_test)):
        if size < 1:
            raise DataError(
                f"the {name} part of {n_rows} rows would be empty; give more rows or another size"
            )
    return n_train, n_test


def _refuse_single_rows(data: Any, codes: Rows, levels: Sequence[Any]) -> None:
    counts = np.bincount(codes, minlength=len(levels))
    if (counts == 1).any():
        level = int(np.argmax(counts == 1))
        row = int(np.argmax(codes == level))
        where = data.row_label(row) if isinstance(data, Table) else f"row {row + 1}"
        raise DataError(
            f"class {shown(levels[level])} has one row only ({where}), which cannot be in every part; "
            "remove the row, add others of its class, or do not stratify"
        )


def _moments(data: Any, time: Any, n_rows: int) -> NDArray[Any]:
    """Return times as numbers or moments that sort, or say which one is missing or is none."""
    if isinstance(data, Table) and isinstance(time, str):
        from slopewise.data.columns import times_of

        return times_of(data, time)
    array = as_array(_values(data, time, "time", n_rows))
    if array.dtype.kind in "OUS":
        return _times_of_objects(array.tolist())
    missing = np.isnat(array) if array.dtype.kind in "mM" else np.isnan(array.astype(np.float64))
    if missing.any():
        raise DataError(f"time: row {int(np.argmax(missing)) + 1} is missing; give every row a time")
    return array


def _times_of_objects(items: list[Any]) -> NDArray[Any]:
    """Return a list of text, dates or numbers as a column of a table would be."""
    import polars as pl

    from slopewise.data.columns import times_of

    try:
        cells = pl.Series("time", items)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"time: the values are not all of one type: {first_line(error)}") from error
    return times_of(Table(cells.to_frame(), "the argument"), "time")
