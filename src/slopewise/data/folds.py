"""Folds for cross-validation: each row is tested once, by a model that did not see it.

The classes take the arguments of scikit-learn's classes of the same names (`seed` for `random_state`) and,
unshuffled, give the same folds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data.indexing import code_values, count_rows
from slopewise.engine.errors import ArgumentError, DataError, ShapeError
from slopewise.engine.random import SPLIT_STREAM, permutation

Rows = NDArray[np.int64]
Fold = tuple[Rows, Rows]


class _Folds:
    """What the classes below share: the number of folds, the order of dealing, the loop over test folds."""

    def __init__(self, n_splits: int, shuffle: bool, seed: int) -> None:
        self.n_splits = _count("n_splits", n_splits, at_least=2)
        self.shuffle = shuffle
        self.seed = seed

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n_splits={self.n_splits}, shuffle={self.shuffle}, seed={self.seed})"

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds; the arguments are there for scikit-learn."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yield (training rows, test rows) of each fold, as int64 arrays in ascending order.

        Parameters
        ----------
        X : array, Tensor, list, Table or data frame with n_rows rows
        y : labels, shape (n_rows,), where folds are stratified
        groups : shape (n_rows,), where folds are grouped

        Raises
        ------
        DataError
            If rows, classes or groups are too few for the folds.
        """
        fold = self._fold_of_row(count_rows(X), y, groups)
        for number in range(self.n_splits):
            yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)

    def _fold_of_row(self, n_rows: int, y: Any, groups: Any) -> Rows:
        raise NotImplementedError

    def _order(self, size: int, call: int = 0) -> Rows:
        return permutation(size, self.seed, SPLIT_STREAM, call) if self.shuffle else np.arange(size)


class KFold(_Folds):
    """Folds of equal size: the first n_rows % n_splits have one row more.

    Parameters
    ----------
    n_splits : int, at least 2
    shuffle : bool; False deals rows in order, one fold after the other: then a sorted table gives folds
        unlike each other
    seed : int, for the order

    Source: scikit-learn, `sklearn.model_selection.KFold`.

    Examples
    --------
    >>> for train, test in KFold(3).split(range(7)):
    ...     print(train, test)
    [3 4 5 6] [0 1 2]
    [0 1 2 5 6] [3 4]
    [0 1 2 3 4] [5 6]
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, seed: int = 0) -> None:
        super().__init__(n_splits, shuffle, seed)

    def _fold_of_row(self, n_rows: int, y: Any, groups: Any) -> Rows:
        if n_rows < self.n_splits:
            raise DataError(
                f"{n_rows} rows are too few for {self.n_splits} folds; lower n_splits or add rows"
            )
        fold = np.empty(n_rows, dtype=np.int64)
        fold[self._order(n_rows)] = np.sort(np.arange(n_rows) % self.n_splits)
        return fold


class StratifiedKFold(_Folds):
    """Folds that each hold the classes in proportion.

    Parameters
    ----------
    n_splits : int, at least 2
    shuffle : bool, whether the rows of each class are dealt in random order
    seed : int, for the order

    Source: scikit-learn, `sklearn.model_selection.StratifiedKFold`.

    Examples
    --------
    >>> y = ["a", "a", "a", "b", "b", "a"]
    >>> for train, test in StratifiedKFold(2).split(y, y):
    ...     print(train, test)
    [2 4 5] [0 1 3]
    [0 1 3] [2 4 5]
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, seed: int = 0) -> None:
        super().__init__(n_splits, shuffle, seed)

    def _fold_of_row(self, n_rows: int, y: Any, groups: Any) -> Rows:
        codes, levels = _codes("y", y, n_rows, type(self).__name__)
        counts = np.bincount(codes, minlength=len(levels))
        self._check_counts(counts, levels)
        # Classes numbered by first appearance and rows sorted by class: every n_splits-th row goes to the
        # same fold, so sizes of folds differ by one row at most.
        _, first = np.unique(codes, return_index=True)
        appearance = np.argsort(np.argsort(first))
        codes = appearance[codes]
        ordered = np.sort(codes)
        fold = np.empty(n_rows, dtype=np.int64)
        shares = [
            np.bincount(ordered[number :: self.n_splits], minlength=len(levels))
            for number in range(self.n_splits)
        ]
        for code, share in enumerate(np.array(shares).T):
            folds = np.repeat(np.arange(self.n_splits), share)
            fold[np.flatnonzero(codes == code)] = folds[self._order(len(folds), call=code)]
        return fold

    def _check_counts(self, counts: Rows, levels: list[Any]) -> None:
        if counts.max() < self.n_splits:
            raise DataError(
                f"the largest class has {counts.max()} rows, too few for {self.n_splits} folds; "
                "lower n_splits, or use KFold if y is a quantity"
            )
        if counts.min() < self.n_splits:
            warnings.warn(
                f"class {levels[int(counts.argmin())]!r} has {counts.min()} rows and is missing in some of "
                f"{self.n_splits} folds",
                stacklevel=4,
            )


class GroupKFold(_Folds):
    """Folds that never have rows of one group on both sides.

    Groups are dealt from the largest to the smallest, each to the fold with the fewest rows; shuffled, groups
    are dealt in random order instead, as many to each fold.

    Parameters
    ----------
    n_splits : int, at least 2
    shuffle : bool
    seed : int, for the order

    Source: scikit-learn, `sklearn.model_selection.GroupKFold`.

    Examples
    --------
    >>> groups = ["a", "a", "b", "c", "c", "c"]
    >>> for train, test in GroupKFold(2).split(groups, groups=groups):
    ...     print(train, test)
    [0 1 2] [3 4 5]
    [3 4 5] [0 1 2]
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, seed: int = 0) -> None:
        super().__init__(n_splits, shuffle, seed)

    def _fold_of_row(self, n_rows: int, y: Any, groups: Any) -> Rows:
        codes, levels = _codes("groups", groups, n_rows, type(self).__name__)
        n_groups = len(levels)
        if n_groups < self.n_splits:
            raise DataError(f"{n_groups} groups are too few for {self.n_splits} folds; lower n_splits")
        fold_of_group = np.empty(n_groups, dtype=np.int64)
        if self.shuffle:
            fold_of_group[self._order(n_groups)] = np.sort(np.arange(n_groups) % self.n_splits)
            return fold_of_group[codes]
        counts = np.bincount(codes)
        filled = np.zeros(self.n_splits, dtype=np.int64)
        for group in np.argsort(counts, kind="stable")[::-1]:
            lightest = int(np.argmin(filled))
            fold_of_group[group] = lightest
            filled[lightest] += counts[group]
        return fold_of_group[codes]


class TimeSeriesSplit:
    """Folds of rows in order of time: each is tested by what came before.

    Fold k trains on the first rows and tests the `test_size` rows that follow them, after a gap.

    Parameters
    ----------
    n_splits : int, at least 2
    max_train_size : int, the last so many rows before a test are its training rows; None is all
    test_size : int, None is n_rows // (n_splits + 1)
    gap : int, rows left out between training and test

    Source: scikit-learn, `sklearn.model_selection.TimeSeriesSplit`.

    Examples
    --------
    >>> for train, test in TimeSeriesSplit(2).split(range(6)):
    ...     print(train, test)
    [0 1] [2 3]
    [0 1 2 3] [4 5]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        max_train_size: int | None = None,
        test_size: int | None = None,
        gap: int = 0,
    ) -> None:
        self.n_splits = _count("n_splits", n_splits, at_least=2)
        self.max_train_size = None if max_train_size is None else _count("max_train_size", max_train_size, 1)
        self.test_size = None if test_size is None else _count("test_size", test_size, 1)
        self.gap = _count("gap", gap, at_least=0)

    def __repr__(self) -> str:
        return (
            f"TimeSeriesSplit(n_splits={self.n_splits}, max_train_size={self.max_train_size}, "
            f"test_size={self.test_size}, gap={self.gap})"
        )

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds; the arguments are there for scikit-learn."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Yield (training rows, test rows) of each fold, oldest first; `X` must be in order of time.

        Raises
        ------
        DataError
            If there are too few rows.
        """
        n_rows = count_rows(X)
        test_size = self.test_size or n_rows // (self.n_splits + 1)
        first = n_rows - self.n_splits * test_size
        if test_size < 1 or first - self.gap < 1:
            raise DataError(
                f"{n_rows} rows are too few for {self.n_splits} folds of {max(test_size, 1)} test rows with "
                f"a gap of {self.gap}; lower one of them"
            )
        for start in range(first, n_rows, test_size):
            end = start - self.gap
            begin = 0 if self.max_train_size is None else max(0, end - self.max_train_size)
            yield np.arange(begin, end), np.arange(start, start + test_size)


def _count(name: str, value: int, at_least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise ArgumentError(f"{name} is a whole number of at least {at_least}, not {value!r}")
    return int(value)


def _codes(name: str, values: Any, n_rows: int, folds: str) -> tuple[Rows, list[Any]]:
    if values is None:
        raise ArgumentError(f"{folds}.split needs {name}, one for each row")
    if (count := count_rows(values)) != n_rows:
        raise ShapeError(f"{name} has {count} values for {n_rows} rows")
    return code_values(values)
