"""A table: named columns of equal length, where it came from, and words for its rows in messages.

polars holds the cells. It is imported inside the functions that need it, so that code which only batches
arrays never loads it.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError, DataError

if TYPE_CHECKING:
    import polars as pl

    from slopewise.data.columns import ColumnInfo
    from slopewise.data.text_files import TextFile

Rows = NDArray[np.int64]

SHOWN_CELL = 40  # characters of a cell that a message shows
LONGEST_LINE = 310  # characters of what a library says


def cut(text: str) -> str:
    """Return a text cut to a readable length."""
    return text if len(text) <= SHOWN_CELL else text[: SHOWN_CELL - 1] + "…"


def shown(value: object) -> str:
    """Return a cell as a message shows it: on one line, text in quotes, cut to a readable length."""
    return cut(repr(value) if isinstance(value, str) else str(value))


def counted(number: int, noun: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "row"), counted(3, "row")
    ('1 row', '3 rows')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return the way out of a name that is not there: the nearest one, or the list.

    Examples
    --------
    >>> did_you_mean("Specie", ["species", "island"])
    "did you mean 'species'?"
    >>> did_you_mean("y", ["species", "island"])
    "the columns are 'species', 'island'"
    """
    lowered = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.strip().lower(), list(lowered), n=1)
    if near:
        return f"did you mean {lowered[near[0]]!r}?"
    listed = ", ".join(repr(other) for other in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"the columns are {listed}{more}"


class Table:
    """A table of columns with names, as `read_table` and `Table.from_frame` make it.

    A missing cell is a null: `NaN` becomes one, and an infinite number is refused, since nothing that is
    fitted on it could be right.

    Attributes
    ----------
    frame : polars.DataFrame, the cells
    source : str or None, the path of the file
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        source: str | None = None,
        *,
        fingerprint: str | None = None,
        text_file: TextFile | None = None,
        origin: Rows | None = None,
    ) -> None:
        self.frame = frame
        self.source = source
        self._fingerprint = fingerprint
        self._text_file = text_file
        self._origin = origin  # row numbers in the file or frame this table was taken from; None: the same

    @classmethod
    def from_frame(cls, frame: Any, source: str | None = None) -> Table:
        """Return the table of any data frame that narwhals knows: pandas, polars, pyarrow and others.

        Parameters
        ----------
        frame : data frame; a pandas index is left out, and names that are no strings become strings
        source : a name for messages

        Raises
        ------
        DataError
            If `frame` is no data frame, has no rows or columns, or holds an infinite number.

        Examples
        --------
        >>> import pandas as pd
        >>> Table.from_frame(pd.DataFrame({"x": [1.0, None], "name": ["a", "b"]})).columns["x"].missing
        1
        """
        if isinstance(frame, Table):
            return frame
        from slopewise.data.frames import to_polars

        return checked_table(to_polars(frame, source or "the table"), source)

    @property
    def n_rows(self) -> int:
        """How many rows."""
        return self.frame.height

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return self.frame.columns

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal: of the file's bytes (as `sha256sum` prints it), else of names and cells."""
        return self._fingerprint or _hash_frame(self.frame)

    @cached_property
    def columns(self) -> dict[str, ColumnInfo]:
        """What each column is, inferred from all rows: see `slopewise.data.columns` for the rules."""
        from slopewise.data.columns import infer_column

        return {name: infer_column(self, name) for name in self.names}

    def describe(self) -> list[dict[str, str | int]]:
        """Return a row per column: its name, kind, missing and different cells, examples and a note."""
        return [info.summary() for info in self.columns.values()]

    def column(self, name: str, rows: NDArray[np.integer] | None = None) -> pl.Series:
        """Return the cells of one column, of all rows or of `rows` (0-based).

        Raises
        ------
        DataError
            If there is no such column; the message has the nearest name.
        """
        if not isinstance(name, str):
            raise ArgumentError(f"a column is named by a string, not by {name!r}")
        if name not in self.frame.columns:
            raise DataError(f"{self.label}: there is no column {name!r}; {did_you_mean(name, self.names)}")
        cells = self.frame.get_column(name)
        return cells if rows is None else cells.gather(checked_rows(rows, self.n_rows))

    def __getitem__(self, name: str) -> pl.Series:
        return self.column(name)

    def __contains__(self, name: object) -> bool:
        return name in self.frame.columns

    def __len__(self) -> int:
        return self.frame.height

    def __repr__(self) -> str:
        return f"Table({self.label}, {self.n_rows} rows, {len(self.names)} columns)"

    def select(self, names: Sequence[str]) -> Table:
        """Return a table of the named columns, in that order."""
        series = [self.column(name) for name in names]
        frame = self.frame.select([cells.name for cells in series])
        return Table(frame, self.source, text_file=self._text_file, origin=self._origin)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> Table:
        """Return a table of the given rows (0-based), in that order; messages name the original rows."""
        index = checked_rows(rows, self.n_rows)
        origin = index if self._origin is None else self._origin[index]
        return Table(self.frame[index], self.source, text_file=self._text_file, origin=origin)

    @property
    def label(self) -> str:
        """The name of this table in messages: the path it was read from, or "the table"."""
        return self.source or "the table"

    def row_numbers(self, rows: NDArray[np.integer]) -> Rows:
        """Return the 1-based numbers, in the file or frame the table came from, of its 0-based `rows`."""
        index = np.asarray(rows, dtype=np.int64)
        return (index if self._origin is None else self._origin[index]) + 1

    def line_numbers(self, rows: NDArray[np.integer]) -> Rows | None:
        """Return the line of the text file at which each row begins (1 is the header); None for no text."""
        if self._text_file is None:
            return None
        return self._text_file.lines_of_rows(self.row_numbers(rows) - 1)

    def row_label(self, row: int) -> str:
        """Return how messages name a row.

        Examples
        --------
        >>> import polars as pl
        >>> Table.from_frame(pl.DataFrame({"x": [1, 2, 3]})).take([2]).row_label(0)
        'row 3'
        """
        index = np.array([row])
        lines = self.line_numbers(index)
        name = f"row {self.row_numbers(index)[0]}"
        return name if lines is None else f"{name} (line {lines[0]})"

    def cell_label(self, row: int, name: str) -> str:
        """Return how messages name a cell: the file, the column and the row."""
        return f"{self.label}: column {name!r}, {self.row_label(row)}"


def checked_rows(rows: Sequence[int] | NDArray[np.integer], n_rows: int) -> Rows:
    """Return row numbers as int64 from 0; negative ones count from the end, as everywhere in Python.

    Raises
    ------
    ArgumentError
        If they are not whole numbers, or outside of the table.
    """
    index = np.asarray(rows)
    if index.size == 0:
        return np.zeros(0, dtype=np.int64)
    if index.dtype.kind not in "iu" or index.ndim != 1:
        raise ArgumentError(f"rows are a list of whole numbers, not {index.dtype} of shape {index.shape}")
    outside = (index < -n_rows) | (index >= n_rows)
    if outside.any():
        raise ArgumentError(f"row {index[outside][0]} is outside of {n_rows} rows (counted from 0)")
    index = index.astype(np.int64, copy=False)
    return np.where(index < 0, index + n_rows, index) if index.min() < 0 else index


def checked_table(
    frame: pl.DataFrame,
    source: str | None = None,
    fingerprint: str | None = None,
    text_file: TextFile | None = None,
) -> Table:
    """Return a table whose missing cells are nulls and whose numbers are finite, or say what is wrong."""
    if frame.width == 0:
        raise DataError(f"{source or 'the table'}: there are no columns")
    if frame.height == 0:
        raise DataError(f"{source or 'the table'}: there is a header but no row below it; add rows")
    frame = frame.with_columns([_plain(frame.get_column(name)) for name in frame.columns])
    table = Table(frame, source, fingerprint=fingerprint, text_file=text_file)
    for name in frame.columns:
        _refuse_infinities(table, name)
    return table


def _plain(cells: pl.Series) -> pl.Series:
    """Return the cells in a type that the rest of the room knows: NaN as null, categories as text."""
    import polars as pl

    if cells.dtype.is_float():
        return cells.fill_nan(None) if cells.is_nan().any() else cells  # no copy of a large table in vain
    if cells.dtype.is_decimal():
        return cells.cast(pl.Float64)
    if isinstance(cells.dtype, pl.Categorical | pl.Enum):
        return cells.cast(pl.String)
    return cells


def _refuse_infinities(table: Table, name: str) -> None:
    cells = table.frame.get_column(name)
    if not cells.dtype.is_float():
        return
    infinite = cells.is_infinite().fill_null(False)
    if infinite.any():
        row = int(infinite.arg_max() or 0)
        raise DataError(
            f"{table.cell_label(row, name)}: the number is infinite ({cells[row]}); "
            "leave the cell empty if it is unknown, or leave the column out"
        )


def first_line(error: BaseException) -> str:
    """Return the first line of a library's message that says something; of a long one both ends.

    It may quote a whole cell.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    line = next((line for line in lines if line), type(error).__name__)
    return line if len(line) <= LONGEST_LINE else f"{line[:150]} … {line[-150:]}"


def _hash_frame(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of names, types and cells, the same however polars lays them out in memory."""
    digest = hashlib.sha256(f"{frame.height} {frame.width}".encode())
    for name in frame.columns:
        cells = frame.get_column(name)
        digest.update(f"\x00{len(name.encode())} {name} {cells.dtype}".encode())
        digest.update(cells.is_null().to_numpy().tobytes())
        digest.update(_cell_bytes(cells))
    return digest.hexdigest()


def _cell_bytes(cells: pl.Series) -> bytes:
    import polars as pl

    if cells.dtype.is_float():
        return cells.fill_null(0.0).to_numpy().tobytes()
    if cells.dtype.is_integer() and cells.dtype not in (pl.Int128, pl.UInt128):
        return cells.fill_null(0).to_numpy().tobytes()
    if cells.dtype.is_temporal():
        return cells.to_physical().fill_null(0).to_numpy().tobytes()
    words = [
        repr(value) if isinstance(value, bytes) else str(value) for value in cells.drop_nulls().to_list()
    ]
    # Lengths before the text: ["ab", "c"] must not hash like ["a", "bc"].
    return b"".join(f"{len(word.encode())} {word}".encode() for word in words)


def nearest_file(path: str) -> str:
    """Return the way out of a file that is not there: the nearest name in its folder.

    Examples
    --------
    >>> nearest_file("no/such/folder/data.csv")
    "there is no folder 'no/such/folder'"
    """
    folder = os.path.dirname(path) or "."
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return f"there is no folder {folder!r}"
    except OSError as error:
        return f"the folder {folder!r} cannot be read: {error.strerror}"
    near = difflib.get_close_matches(os.path.basename(path), names, n=1)
    if not near:
        return "check the path"
    return f"did you mean {os.path.join(os.path.dirname(path), near[0])!r}?"
