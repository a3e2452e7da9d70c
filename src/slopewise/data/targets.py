"""The target: which task it is, whether it can be learned, and its values as numbers and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from slopewise.data.cells import is_worded, to_numbers, to_words, written_number
from slopewise.data.codes import first_code
from slopewise.data.encoders import mean_and_std
from slopewise.data.tables import Table, checked_rows, counted, shown
from slopewise.engine.errors import ArgumentError, DataError, ShapeError

Rows = NDArray[np.int64]
Label = str | int | float

TASKS = ("classification", "regression")
FEW_CLASSES = 10  # with more, "too many classes" says more than the first class of one row
MOST = 0.8  # a share of labels that says what they are
LARGEST = 1e150  # of a quantity: the sum of the squares of many must be a number
MAX_NUMBER_CLASSES = 20  # whole numbers with more different values are quantities


def infer_task(table: Table, name: str, rows: Sequence[int] | Rows | None = None) -> str:
    """Return the task that a target asks for.

    Text, codes such as `007`, categories and truth values are classes. Whole numbers are classes if there are
    at most 20 different ones, and at most the square root of the number of rows (two are always classes).
    Other numbers are a regression.

    Raises
    ------
    DataError
        If there is no such column, or it is one of dates.

    Examples
    --------
    >>> table = Table.from_frame(pl.DataFrame({"sick": [0, 1, 1], "weight": [60.5, 72.0, 81.0]}))
    >>> infer_task(table, "sick"), infer_task(table, "weight")
    ('classification', 'regression')
    """
    cells = _target_cells(table, name, _index(table, rows))
    if cells.dtype.is_temporal():
        raise DataError(
            f"{table.label}: the target {name!r} holds {cells.dtype}, which is neither a number nor a class; "
            "turn it into one"
        )
    values = _quantities(cells)
    if values is None:
        return "classification"
    present = values[~np.isnan(values)]
    if not (present == np.floor(present)).all():
        return "regression"
    limit = min(MAX_NUMBER_CLASSES, max(2.0, len(present) ** 0.5))
    return "classification" if len(np.unique(present)) <= limit else "regression"


def check_target(table: Table, name: str, task: str = "auto") -> str:
    """Check that all rows of a target can be split and learned, and return the task.

    Raises
    ------
    DataError
        If cells are missing; for classes, if there is only one, one has a single row, or there are too many
        for the rows; for a regression, if a cell is no number or all are the same.

    Examples
    --------
    >>> check_target(Table.from_frame(pl.DataFrame({"y": list("aab")})), "y")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    slopewise.engine.errors.DataError: the table: class 'b' of the target 'y' has one row only (row 3), ...
    """
    task = _resolved(table, name, task, None)
    _refuse_missing(table, name, None)
    if task == "regression":
        _regression_values(table, name, None)
        return task
    labels = _labels(_target_cells(table, name, None))
    counts = labels.value_counts(name="rows").sort(labels.name)
    _refuse_one_class(table, name, counts.get_column(labels.name).to_list())
    if counts.height > FEW_CLASSES and 2 * counts.height > table.n_rows:
        raise DataError(
            f"{table.label}: the target {name!r} has {counts.height} classes in {table.n_rows} rows, more "
            f"than can be learned: each needs at least two rows; {_other_than_classes(labels)}"
        )
    _refuse_single_row(table, name, labels, counts)
    return task


@dataclass(frozen=True)
class TargetEncoder:
    """The values of a target as numbers for a loss: class numbers, or standardised quantities.

    Attributes
    ----------
    name : the column
    task : "classification" or "regression"
    classes : for classes, their labels in sorted order: text, or whole numbers if all are
    mean, std : for a regression, of the training rows; the deviation has ddof 0

    Examples
    --------
    >>> table = Table.from_frame(pl.DataFrame({"species": ["cat", "ant", "cat", "ant"]}))
    >>> target = TargetEncoder.fit(table, "species")
    >>> target.classes, target.transform(table).tolist(), target.inverse(np.array([1, 0])).tolist()
    (['ant', 'cat'], [1, 0, 1, 0], ['cat', 'ant'])
    """

    name: str
    task: str
    classes: list[Label] | None = None
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def fit(
        cls, table: Table, name: str, rows: Sequence[int] | Rows | None = None, task: str = "auto"
    ) -> TargetEncoder:
        """Learn classes, or mean and deviation, from the given rows; no other cell is looked at.

        Parameters
        ----------
        name : the target's column
        rows : 0-based row numbers of the training rows; None is all
        task : "classification", "regression", or "auto": see `infer_task`

        Raises
        ------
        DataError
            If the rows hold a missing cell, one class only, no number or one number only.
        """
        index = _index(table, rows)
        task = _resolved(table, name, task, index)
        _refuse_missing(table, name, index)
        if task == "regression":
            mean, std = mean_and_std(_regression_values(table, name, index))
            return cls(name, task, None, mean, std)
        classes = _labels(_target_cells(table, name, index)).unique().sort().to_list()
        _refuse_one_class(table, name, classes)
        return cls(name, task, classes)

    def transform(
        self, table: Table, rows: Sequence[int] | Rows | None = None
    ) -> NDArray[np.int64] | NDArray[np.float32]:
        """Return the target of the given rows.

        Returns
        -------
        int64 array of class numbers or float32 array of standardised values, shape (n_rows,)

        Raises
        ------
        DataError
            If a cell is missing, no number, or a class that training did not see.
        """
        index = _index(table, rows)
        _refuse_missing(table, self.name, index)
        if self.classes is None:
            values = _number_cells(table, self.name, index)
            return ((values * 0.5 - self.mean * 0.5) / self.std * 2.0).astype(np.float32)
        return self._class_numbers(table, index)

    def _class_numbers(self, table: Table, index: Rows | None) -> NDArray[np.int64]:
        classes = self.classes or []
        cells = _target_cells(table, self.name, index)
        if any(isinstance(label, str) for label in classes):
            labels = to_words(cells)
            if classes == ["false", "true"]:  # truth values, which one file writes True and another true
                labels = labels.str.to_lowercase()
        else:
            labels = pl.Series(to_numbers(cells)[0]).fill_nan(None)
        known = pl.Series(classes)
        codes = labels.replace_strict(
            known, range(len(classes)), default=-1, return_dtype=pl.Int64
        ).to_numpy()
        if (codes < 0).any():
            place = int(np.argmax(codes < 0))
            listed = ", ".join(shown(label) for label in classes[:10]) + (", …" if len(classes) > 10 else "")
            raise DataError(
                f"{table.cell_label(_row(index, place), self.name)}: the training rows hold no class "
                f"{shown(cells[place])}; known are {listed}"
            )
        return np.asarray(codes, dtype=np.int64)

    def inverse(self, y: Any) -> NDArray[Any]:
        """Return labels for class numbers, or original units for standardised values.

        Parameters
        ----------
        y : array or Tensor, shape (n_rows,): whole numbers for classes, else floats

        Returns
        -------
        array of labels, or float64 array; shape (n_rows,)

        Raises
        ------
        ShapeError
            If `y` has other than one dimension.
        ArgumentError
            If a class number is out of range or no whole number.
        """
        values = np.asarray(y.numpy() if hasattr(y, "numpy") else y)
        if values.ndim != 1:
            raise ShapeError(f"expected one value for each row, shape (n_rows,), got shape {values.shape}")
        if self.classes is None:
            return values.astype(np.float64) * self.std + self.mean
        if values.dtype.kind not in "iu":
            raise ArgumentError(
                f"class numbers are whole numbers, got {values.dtype}; take the argmax of scores"
            )
        if values.size and not 0 <= values.min() <= values.max() < len(self.classes):
            raise ArgumentError(f"class numbers go from 0 to {len(self.classes) - 1}, got {values.max()}")
        labels: NDArray[Any] = np.array(self.classes)
        return np.asarray(labels[values])

    def to_dict(self) -> dict[str, Any]:
        """Return what was learned, for JSON; floats survive it to the bit."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TargetEncoder:
        """Return the encoder that `to_dict` wrote.

        Raises
        ------
        DataError
            If the record is none of a target's.
        """
        if not isinstance(record, Mapping) or record.keys() != {"name", "task", "classes", "mean", "std"}:
            raise DataError("not the record of a target: it needs name, task, classes, mean and std")
        return cls(**record)


def _index(table: Table, rows: Sequence[int] | Rows | None) -> Rows | None:
    return None if rows is None else checked_rows(rows, table.n_rows)


def _row(index: Rows | None, place: int) -> int:
    return place if index is None else int(index[place])


def _target_cells(table: Table, name: str, index: Rows | None) -> pl.Series:
    cells = table.column(name, index)
    if not is_worded(cells):
        raise DataError(f"{table.label}: the target {name!r} holds {cells.dtype}, not numbers or classes")
    if not len(cells):
        raise DataError(f"{table.label}: there is no row to learn the target {name!r} from")
    return cells


def _resolved(table: Table, name: str, task: str, index: Rows | None) -> str:
    if task == "auto":
        return infer_task(table, name, index)
    if task not in TASKS:
        raise ArgumentError(f"task is 'auto', 'classification' or 'regression', not {task!r}")
    return task


def _labels(cells: pl.Series) -> pl.Series:
    """Return the labels: whole numbers if all cells are, or other numbers; else, and of codes, text."""
    values = _quantities(cells)
    if values is None:
        return to_words(cells)
    numbers = pl.Series(cells.name, values).fill_nan(None)
    whole = numbers.cast(pl.Int64, strict=False)
    return whole if (whole.cast(pl.Float64) == numbers).all() else numbers


def _quantities(cells: pl.Series) -> NDArray[np.float64] | None:
    """Return the cells as numbers; None for words, truth values and codes, which are classes."""
    values, bad = to_numbers(cells)
    are_classes = bad is not None or cells.dtype == pl.Boolean or first_code(cells) is not None
    return None if are_classes else values


def _other_than_classes(labels: pl.Series) -> str:
    """Return the way out of too many classes."""
    if labels.dtype.is_numeric():
        return "for numbers, ask for a regression"
    written = written_number(labels, MOST)
    if written is not None:
        return f"for numbers, write cells such as {shown(written)} with a point and no other sign"
    code = first_code(labels)
    if code is not None and to_numbers(labels)[1] is None:
        return f"cells such as {shown(code)} begin with a zero: for numbers, ask for a regression"
    return "name another target"


def _refuse_missing(table: Table, name: str, index: Rows | None) -> None:
    missing = np.flatnonzero(_target_cells(table, name, index).is_null().to_numpy())
    if len(missing):
        first = ", ".join(table.row_label(_row(index, place)) for place in missing[:3].tolist())
        more = ", …" if len(missing) > 3 else ""
        raise DataError(
            f"{table.label}: the target {name!r} is missing in {counted(len(missing), 'row')} "
            f"({first}{more}); remove these rows or fill in the cells"
        )


def _refuse_one_class(table: Table, name: str, classes: Sequence[Any]) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{table.label}: the target {name!r} has one class only, {shown(classes[0])}; there is nothing "
            "to tell apart: add rows of other classes or name another target"
        )


def _refuse_single_row(table: Table, name: str, labels: pl.Series, counts: pl.DataFrame) -> None:
    single = counts.filter(pl.col("rows") == 1)
    if single.height:
        label = single.get_column(labels.name)[0]
        row = int((labels == label).arg_max() or 0)
        raise DataError(
            f"{table.label}: class {shown(label)} of the target {name!r} has one row only "
            f"({table.row_label(row)}), which cannot be in training, validation and test; "
            "remove the row or add others of its class"
        )


def _number_cells(table: Table, name: str, index: Rows | None) -> NDArray[np.float64]:
    cells = _target_cells(table, name, index)
    values, bad = to_numbers(cells)
    if bad is not None:
        raise DataError(
            f"{table.cell_label(_row(index, bad), name)}: {shown(cells[bad])} is not a number, so the target "
            "cannot be used for a regression; correct the cell or use classification"
        )
    too_large = np.abs(values) > LARGEST
    if too_large.any():
        place = int(np.argmax(too_large))
        raise DataError(
            f"{table.cell_label(_row(index, place), name)}: {shown(cells[place])} is too large for a "
            f"regression, its square is no number; give the target in a larger unit (at most {LARGEST:g})"
        )
    return values


def _regression_values(table: Table, name: str, index: Rows | None) -> NDArray[np.float64]:
    values = _number_cells(table, name, index)
    if values.min() == values.max():
        raise DataError(
            f"{table.label}: the target {name!r} is {values[0]:g} in every row; there is nothing to learn: "
            "name another target"
        )
    return values
