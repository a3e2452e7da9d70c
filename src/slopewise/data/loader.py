"""Batches: the rows of a dataset in an order that is a function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from slopewise.data.datasets import ArrayDataset, Dataset, Subset, numeric_array
from slopewise.data.indexing import count_same_rows
from slopewise.data.tables import Table
from slopewise.engine.creation import adopt, tensor
from slopewise.engine.errors import ArgumentError, DataError, ShapeError
from slopewise.engine.random import permutation
from slopewise.engine.tensor import Tensor

Rows = NDArray[np.int64]


class DataLoader:
    """Batches of a dataset as Tensors. Each `for` over a loader is an epoch.

    The order of epoch e is `permutation(n_rows, seed, call=e)`: nothing that happens between epochs changes
    it. Data in memory costs a gather for each batch. The last batch has the rows that are left; it is never
    padded.

    Parameters
    ----------
    data : tuple of arrays or Tensors, each of shape (n_rows, ...), for batches that are tuples; one array or
        Tensor, for batches that are Tensors; a Dataset; any object with `__len__` and `__getitem__` that
        gives single rows, which are stacked; or a Table of numbers. In-memory data is not copied unless it
        must be cast.
    batch_size : int, or "full" for all rows in one batch
    shuffle : bool
    seed : int, of the shuffle
    drop_last : bool, whether to leave out the last batch if it is smaller
    dtype : data type of floating batches, or None to keep theirs; integers and truth values stay

    Attributes
    ----------
    epoch : int, the epoch under way, or else the next; counted from 0
    position : int, how many batches of it have been given out
    n_rows : int
    batch_size : int, the number of rows of a whole batch

    Raises
    ------
    ShapeError
        If arrays differ in their number of rows.
    DtypeError
        If an array holds no numbers.
    ArgumentError
        If `batch_size` is out of range, or no batch is left.
    DataError
        If there are no rows, or a Table holds other things than numbers.

    Notes
    -----
    A loop that was left early is an epoch that is over: the next `for` starts the next one. To go on in
    the middle of an epoch, take `state_dict()` inside the loop and give it to `load_state_dict` of a loader
    of the same data and arguments: its next `for` gives exactly the batches that had remained.

    Examples
    --------
    >>> X, y = np.arange(10, dtype=np.float32).reshape(5, 2), np.arange(5)
    >>> loader = DataLoader((X, y), batch_size=2)
    >>> [yb.tolist() for xb, yb in loader]
    [[0, 1], [2, 3], [4]]
    >>> len(loader), loader.epoch
    (3, 1)
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | str = 32,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        dtype: DTypeLike | None = "float32",
    ) -> None:
        self._dtype = None if dtype is None else np.dtype(dtype)
        if self._dtype is not None and self._dtype.kind != "f":
            raise ArgumentError(f"dtype is of floating batches, so a floating one or None, not {self._dtype}")
        self._source = _source(data, self._dtype)
        self.n_rows = len(self._source)
        self.batch_size = _batch_size(batch_size, self.n_rows)
        self.shuffle = bool(shuffle)
        self.seed = int(seed)
        self.drop_last = bool(drop_last)
        if not len(self):
            raise ArgumentError(
                f"no batch is left: {self.n_rows} rows, batch_size={self.batch_size} and drop_last=True; "
                "lower batch_size"
            )
        self.epoch = 0
        self.position = 0
        self._resumed = False
        self._current: object = None  # the iteration that `epoch` and `position` speak of
        self._made: tuple[int, Rows] | None = None  # an epoch, and its order

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(self.n_rows, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def order(self, epoch: int | None = None) -> Rows:
        """Return the order in which an epoch (None: the one that `epoch` names) takes the rows.

        Returns
        -------
        int64 array, shape (n_rows,); batch k is rows k * batch_size to (k + 1) * batch_size of it
        """
        if not self.shuffle:
            return np.arange(self.n_rows)
        return permutation(self.n_rows, self.seed, call=self.epoch if epoch is None else epoch)

    def use_order(self, epoch: int, order: Rows) -> None:
        """Let an iteration of that epoch use this, its order as `order` returns it, and not make it again."""
        self._made = epoch, order

    def __iter__(self) -> Iterator[Any]:
        if self.position and not self._resumed:  # the epoch before was left early
            self.epoch += 1
            self.position = 0
        self._resumed = False
        self._current = iteration = object()
        return self._iterate(iteration, self.epoch, self.position)

    def _iterate(self, iteration: object, epoch: int, start: int) -> Iterator[Any]:
        made = self._made
        order = made[1] if made is not None and made[0] == epoch else self.order(epoch)
        for number in range(start, len(self)):
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            batch = self.batch(rows)
            if self._current is iteration:
                self.position = number + 1  # before the batch is used: a state taken in the loop counts it
            yield batch
        if self._current is iteration:
            self.set_epoch(epoch + 1)

    def batch(self, rows: Rows) -> Any:
        """Return some rows, by their numbers, as a batch."""
        batch = self._source[rows]
        return tuple(map(self._tensor, batch)) if isinstance(batch, tuple) else self._tensor(batch)

    def _tensor(self, values: Any) -> Tensor:
        array = values if isinstance(values, np.ndarray) else numeric_array("a batch", values)
        dtype = array.dtype if array.dtype.kind != "f" else self._dtype or array.dtype
        if isinstance(self._source, _Arrays):  # gathered just now, so nobody else's
            return adopt(array, dtype)
        return tensor(array, dtype)

    def set_epoch(self, epoch: int) -> None:
        """Let the next `for` run this epoch from its start."""
        self.epoch = _whole("epoch", epoch)
        self.position = 0
        self._resumed = False
        self._current = None

    def seek(self, position: int) -> None:
        """Let the next `for` go on in the epoch under way, after so many of its batches."""
        position = _whole("position", position)
        if position > len(self):
            raise ArgumentError(f"position {position} is beyond the {len(self)} batches of an epoch")
        self.set_epoch(self.epoch)
        self.position = position
        self._resumed = True

    def arrays(self) -> tuple[tuple[NDArray[Any], ...], Rows | None] | None:
        """Return the arrays in memory that batches are gathered from, as they are, if they are that.

        Returns
        -------
        the arrays, each of shape (rows, ...), and which of their rows are the loader's, None for all; or None
        where a batch is more than a gather, or needs a cast
        """
        source = self._source
        if not isinstance(source, _Arrays) or source.alone:
            return None
        wanted = self._dtype
        if wanted is not None and any(a.dtype.kind == "f" and a.dtype != wanted for a in source.arrays):
            return None
        return source.arrays, source.rows

    def state_dict(self) -> dict[str, int | bool]:
        """Return where the loader is, and the arguments that this depends on, for JSON."""
        return {"epoch": self.epoch, "position": self.position, **self._arguments()}

    def load_state_dict(self, state: Mapping[str, int | bool]) -> None:
        """Let the next `for` give the batches that remained when `state_dict` was taken.

        Raises
        ------
        ArgumentError
            If the state is another loader's: of other data, batch size, seed or order.
        """
        expected = {"epoch", "position", *self._arguments()}
        if state.keys() != expected:
            raise ArgumentError(f"a loader's state has {sorted(expected)}, this one {sorted(state)}")
        for name, value in self._arguments().items():
            if state[name] != value:
                raise ArgumentError(
                    f"the state is of a loader with {name}={state[name]}, this one has {name}={value}; "
                    "make it alike"
                )
        self.epoch = _whole("epoch", state["epoch"])
        self.seek(state["position"])

    def _arguments(self) -> dict[str, int | bool]:
        return {
            "n_rows": self.n_rows,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "drop_last": self.drop_last,
        }

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self._arguments().items())
        return f"DataLoader({arguments}, epoch={self.epoch}, position={self.position})"


class _Arrays:
    """Arrays in memory, or those of their rows that a subset names: a batch is one gather of each array."""

    def __init__(self, arrays: tuple[NDArray[Any], ...], alone: bool, rows: Rows | None, dtype: Any) -> None:
        self.arrays = tuple(_cast(array, dtype) for array in arrays)
        self.alone = alone
        self.rows = rows

    def __len__(self) -> int:
        return len(self.arrays[0]) if self.rows is None else len(self.rows)

    def __getitem__(self, index: Rows) -> Any:
        rows = index if self.rows is None else self.rows[index]
        batch = tuple(array.take(rows, axis=0) for array in self.arrays)
        return batch[0] if self.alone else batch


def _cast(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Cast a floating array once, rather than in each epoch; one that lies on disk is cast by the batch."""
    if dtype is None or array.dtype.kind != "f" or isinstance(array, np.memmap):
        return array
    return array.astype(dtype, copy=False)


class _SingleRows:
    """An object that gives one row at a time, as PyTorch's datasets do: rows are stacked to batches."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Rows) -> Any:
        rows = [self.dataset[row] for row in index.tolist()]
        if not isinstance(rows[0], tuple | list):
            return _stack(rows)
        if len({len(row) for row in rows}) > 1:
            raise ShapeError("rows of one batch need the same number of parts: some have more than others")
        return tuple(_stack(parts) for parts in zip(*rows))


def _stack(parts: Any) -> NDArray[Any]:
    arrays = [np.asarray(part.numpy() if hasattr(part, "numpy") else part) for part in parts]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ShapeError(
            f"rows of one batch need the same shape, but some are {shapes[0]} and some {shapes[1]}"
        )
    return np.stack(arrays)


def _source(data: Any, dtype: Any) -> Any:
    """Return something that gives a batch of NumPy arrays for an array of row numbers."""
    rows = None
    dataset = data
    if isinstance(data, Subset):
        rows, dataset = data.indices, data.dataset
    if isinstance(dataset, Table):
        dataset = ArrayDataset(_matrix(dataset))
    if isinstance(dataset, ArrayDataset):
        return _Arrays(dataset.arrays, len(dataset.arrays) == 1, rows, dtype)
    if isinstance(dataset, Dataset):
        return data
    if isinstance(dataset, tuple):
        arrays = tuple(numeric_array(f"array {number}", value) for number, value in enumerate(dataset, 1))
        count_same_rows(arrays)
        return _Arrays(arrays, False, rows, dtype)
    if isinstance(dataset, np.ndarray | Tensor):
        return _Arrays((numeric_array("the array", dataset),), True, rows, dtype)
    if isinstance(data, list) or not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise ArgumentError(
            f"expected a tuple of arrays, an array, a Dataset or a Table, got {type(data).__name__}; "
            "write (X, y)"
        )
    return _SingleRows(data)


def _matrix(table: Table) -> NDArray[np.float32]:
    """Return a table of numbers as a matrix."""
    from slopewise.data.cells import to_numbers
    from slopewise.data.codes import first_code

    matrix = np.empty((table.n_rows, len(table.names)), dtype=np.float32)
    for number, name in enumerate(table.names):
        cells = table.column(name)
        values, bad = to_numbers(cells)
        missing = np.isnan(values)
        code = first_code(cells) if bad is None else None
        row, what = None, ""
        if bad is not None:
            row, what = bad, "the cell is not a number"
        elif missing.any():
            row, what = int(np.argmax(missing)), "the cell is missing"
        elif code is not None:
            row, what = int((cells == code).arg_max() or 0), "the cell is a code, as it begins with a zero"
        if row is not None:
            raise DataError(f"{table.cell_label(row, name)}: {what}; make features with Preprocessor first")
        matrix[:, number] = values
    return matrix


def _batch_size(batch_size: int | str, n_rows: int) -> int:
    if n_rows == 0:
        raise DataError("there are no rows to make batches of")
    if batch_size == "full":
        return n_rows
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
        raise ArgumentError(f"batch_size is a whole number of at least 1, or 'full', not {batch_size!r}")
    return int(batch_size)


def _whole(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ArgumentError(f"{name} is a whole number of at least 0, not {value!r}")
    return int(value)
