"""Rows for training, validation and test: chosen before anything is fitted.

A split is three arrays of row numbers. They depend on the number of rows, the labels, groups or times asked
for, and the seed: on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from slopewise.data.indexing import as_array, code_values, count_rows, count_same_rows, take_rows
from slopewise.data.tables import Table, first_line, shown
from slopewise.engine.errors import ArgumentError, DataError, ShapeError
from slopewise.engine.random import SPLIT_STREAM, permutation

Rows = NDArray[np.int64]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers (0-based, int64) of the three parts; each row is in one of them at most.

    Examples
    --------
    >>> parts = split(10, validation=0.2, test=0.2)
    >>> parts
    Split(train=6, validation=2, test=2)
    >>> Split.from_dict(parts.to_dict()) == parts
    True
    """

    train: Rows
    validation: Rows
    test: Rows

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each part has."""
        return {name: len(getattr(self, name)) for name in PARTS}

    def __repr__(self) -> str:
        return f"Split({', '.join(f'{name}={size}' for name, size in self.sizes.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Split):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in PARTS)

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, list[int]]:
        """Return the parts as lists, for JSON."""
        return {name: getattr(self, name).tolist() for name in PARTS}

    @classmethod
    def from_dict(cls, record: dict[str, list[int]]) -> Split:
        """Return the split that `to_dict` wrote.

        Raises
        ------
        DataError
            If a part is missing, is not a list of row numbers, or shares a row with another.
        """
        parts = []
        for name in PARTS:
            rows = record.get(name) if isinstance(record, dict) else None
            if not isinstance(rows, list) or not all(type(row) is int and 0 <= row < 2**63 for row in rows):
                raise DataError(f"a saved split needs {name!r}, a list of row numbers; make the split again")
            parts.append(np.array(rows, dtype=np.int64))
        together = np.concatenate(parts)
        if len(np.unique(together)) != len(together):
            raise DataError("a saved split has a row twice; make the split again")
        return cls(*parts)


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
        return _split_by_time(_values(data, time, "time", n_rows), data, time, sizes)
    order = permutation(n_rows, seed, SPLIT_STREAM) if shuffle else np.arange(n_rows)
    if groups is not None:
        codes, levels = code_values(_values(data, groups, "groups", n_rows))
        return _split_by_group(codes, len(levels), order, sizes)
    codes = np.zeros(n_rows, dtype=np.int64)
    if stratify is not None:
        codes, levels = code_values(_values(data, stratify, "stratify", n_rows))
        _refuse_single_rows(data, codes, levels)
    return _split_by_class(codes, order, sizes)


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
    parts = _split_by_class(codes, order, (n_train, spare, n_test))
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


def _split_by_class(codes: Rows, order: Rows, sizes: tuple[int, int, int]) -> Split:
    """Take each part's rows in random order, each class its share; with one class that is a plain split."""
    counts = np.bincount(codes)
    n_train, n_validation, n_test = sizes
    n_parts = sum(size > 0 for size in sizes)
    in_test = apportion(counts, n_test, reserve=np.minimum(counts, n_parts - 1))
    left = counts - in_test
    in_validation = apportion(left, n_validation, reserve=np.minimum(left, 1 if n_train else 0))
    # Rank of each row among those of its class, in the given order: the first train, the last test.
    by_class = order[np.argsort(codes[order], kind="stable")]
    first_of_class = np.cumsum(counts) - counts
    rank = np.empty(len(codes), dtype=np.int64)
    rank[by_class] = np.arange(len(codes)) - first_of_class[codes[by_class]]
    in_train = left - in_validation
    part = (rank >= in_train[codes]).astype(np.int64) + (rank >= (in_train + in_validation)[codes])
    parts = (order[part[order] == number] for number in range(3))
    return Split(*parts)


def apportion(counts: Rows, size: int, reserve: Rows | None = None) -> Rows:
    """Share `size` places among classes in proportion to their counts, by largest remainder.

    Every class that has rows beyond `reserve` gets a place if there are enough for all such classes. No class
    gets more than its rows beyond `reserve` unless the places could not be filled otherwise.

    Examples
    --------
    >>> apportion(np.array([50, 30, 20, 2]), 10).tolist()
    [4, 3, 2, 1]
    """
    total = int(counts.sum())
    if size == 0 or total == 0:
        return np.zeros_like(counts)
    quota = counts * (size / total)
    room = counts - (np.zeros_like(counts) if reserve is None else reserve)
    places: Rows = np.minimum(np.floor(quota + 1e-9).astype(np.int64), room)
    needy = (places == 0) & (room > 0)
    if np.count_nonzero(room > 0) <= size:
        places[needy] = 1
    while (over := int(places.sum()) - size) > 0:  # places given to the needy come from the best served
        can_give = np.flatnonzero(places > 1)
        givers = can_give[np.argsort((quota - places)[can_give], kind="stable")][:over]
        places[givers] -= 1
    for limit in (room, counts):
        while (left := size - int(places.sum())) > 0:
            open_to = np.flatnonzero(places < limit)
            if not len(open_to):
                break
            takers = open_to[np.argsort((places - quota)[open_to], kind="stable")][:left]
            places[takers] += 1
    return places


def _split_by_group(codes: Rows, n_groups: int, order: Rows, sizes: tuple[int, int, int]) -> Split:
    counts: list[int] = np.bincount(codes, minlength=n_groups).tolist()
    wanted = [number for number, size in enumerate(sizes) if size > 0]
    if n_groups < len(wanted):
        raise DataError(
            f"{n_groups} groups cannot fill {len(wanted)} parts without a group on both sides; "
            "leave a part out"
        )
    _, first = np.unique(codes[order], return_index=True)
    part_of_group = np.zeros(n_groups, dtype=np.int64)
    filled = [0, 0, 0]
    for group in codes[order][np.sort(first)].tolist():
        emptiest = min(wanted, key=lambda number: (filled[number] / sizes[number], -sizes[number]))
        part_of_group[group] = emptiest
        filled[emptiest] += counts[group]
    part = part_of_group[codes]
    return Split(*(order[part[order] == number] for number in range(3)))


def _split_by_time(values: Any, data: Any, time: Any, sizes: tuple[int, int, int]) -> Split:
    moments = _sortable_times(values, data, time)
    order = np.argsort(moments, kind="stable").astype(np.int64)
    ordered = moments[order]
    changes = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(order)]])
    borders = [
        int(changes[np.argmin(np.abs(changes - border))]) for border in (sizes[0], sizes[0] + sizes[1])
    ]
    parts = Split(order[: borders[0]], order[borders[0] : borders[1]], order[borders[1] :])
    for (name, size), wanted in zip(parts.sizes.items(), sizes):
        if wanted and not size:
            raise DataError(
                f"the {name} part would be empty, since rows of the same time stay together and there are "
                f"{len(changes) - 1} different times; give other sizes or a finer time"
            )
    return parts


def _sortable_times(values: Any, data: Any, time: Any) -> NDArray[Any]:
    """Return times as numbers or moments that sort, or say which one is missing or is none."""
    if isinstance(data, Table) and isinstance(time, str):
        from slopewise.data.columns import times_of

        return times_of(data, time)
    array = as_array(values)
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
