"""Datasets: rows that can be asked for by number, one or many at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data.indexing import count_same_rows
from slopewise.data.tables import checked_rows
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

Rows = NDArray[np.int64]


class Dataset(ABC):
    """Rows by number. Subclass it for data that is made, read or changed when it is asked for.

    `dataset[index]` takes one row number or an int64 array of them, and gives a row or a batch: an array, or
    a tuple of arrays such as (inputs, targets). A batch has its rows along the first axis.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 100
    ...     def __getitem__(self, index):
    ...         x = np.asarray(index, dtype=np.float32)
    ...         return x, x**2
    >>> Subset(Squares(), [3, 5])[np.array([1, 0])]
    (array([5., 3.], dtype=float32), array([25.,  9.], dtype=float32))
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def __getitem__(self, index: Any) -> Any:
        """Return the row of that number, or the batch of rows of those numbers."""


class ArrayDataset(Dataset):
    """Inputs, targets and weights in memory. The arrays are not copied.

    Parameters
    ----------
    X : array or Tensor, shape (n_rows, ...)
    y : array or Tensor, shape (n_rows, ...), or None
    sample_weight : array or Tensor, shape (n_rows,), finite and at least 0, or None; how much each row counts

    Attributes
    ----------
    arrays : tuple of NumPy arrays, those of the three that were given

    Raises
    ------
    ShapeError
        If the numbers of rows differ.
    ArgumentError
        If a weight is negative or not finite.

    Examples
    --------
    >>> dataset = ArrayDataset(np.eye(3), np.array([0, 1, 2]))
    >>> len(dataset), dataset[1]
    (3, (array([0., 1., 0.]), np.int64(1)))
    """

    def __init__(self, X: Any, y: Any = None, sample_weight: Any = None) -> None:
        given = {"X": X, "y": y, "sample_weight": sample_weight}
        arrays = {name: numeric_array(name, value) for name, value in given.items() if value is not None}
        self._n_rows = count_same_rows(list(arrays.values()), list(arrays))
        if sample_weight is not None:
            _check_weights(arrays["sample_weight"])
        self.arrays: tuple[NDArray[Any], ...] = tuple(arrays.values())
        self._alone = len(arrays) == 1

    def __len__(self) -> int:
        return self._n_rows

    def __getitem__(self, index: Any) -> Any:
        row = tuple(array[index] for array in self.arrays)
        return row[0] if self._alone else row

    def __repr__(self) -> str:
        shapes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self.arrays)
        return f"ArrayDataset({shapes})"


class Subset(Dataset):
    """Some rows of a dataset, in the order given; a row may come more than once.

    A subset of a subset refers to the dataset itself, so nesting costs nothing.

    Parameters
    ----------
    dataset : Dataset, or any object with `__len__` and `__getitem__`
    indices : 0-based row numbers

    Raises
    ------
    ArgumentError
        If a row is outside of the dataset.

    Examples
    --------
    >>> evens = Subset(ArrayDataset(np.arange(10)), range(0, 10, 2))
    >>> Subset(evens, [4, 0])[np.array([0, 1])]
    array([8, 0])
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | NDArray[np.integer]) -> None:
        if isinstance(dataset, tuple):
            raise ArgumentError("a Subset is of a dataset; make one of arrays with ArrayDataset(X, y)")
        rows = checked_rows(np.asarray(indices), len(dataset))
        nested = isinstance(dataset, Subset)
        self.dataset: Any = dataset.dataset if nested else dataset
        self.indices: Rows = dataset.indices[rows] if nested else rows

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        rows = self.indices[index]
        return self.dataset[rows if isinstance(rows, np.ndarray) else int(rows)]

    def __repr__(self) -> str:
        return f"Subset({len(self.indices)} rows of {self.dataset!r})"


def numeric_array(name: str, value: Any) -> NDArray[Any]:
    """Return a value as a NumPy array that can become a Tensor; arrays and Tensors are not copied.

    Raises
    ------
    DtypeError
        If it holds text or objects.
    ShapeError
        If it is a scalar.
    """
    array: NDArray[Any] = value.numpy() if hasattr(value, "numpy") else value
    if not isinstance(array, np.memmap):  # which stays on disk
        array = np.asarray(array)
    if array.dtype.kind not in "biufc":
        raise DtypeError(
            f"{name} holds {array.dtype}, not numbers; turn labels into numbers with TargetEncoder "
            "and columns with Preprocessor"
        )
    if array.ndim == 0:
        raise ShapeError(f"{name} is a scalar; it needs one entry for each row")
    return array


def _check_weights(weights: NDArray[Any]) -> None:
    if weights.ndim != 1:
        raise ShapeError(f"sample_weight has shape {weights.shape}; it needs one number for each row")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ArgumentError(
            f"sample_weight of row {row + 1} is {weights[row]}; weights are finite and at least 0"
        )
