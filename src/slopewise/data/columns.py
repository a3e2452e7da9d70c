"""What a column is: a number, a category, a date; or something no model can use, and why.

The rules, applied in this order to the cells that are not missing:

=============  ==================================================================================
`empty`        there are none
`constant`     all cells of the column are the same, and none is missing
`boolean`      truth values; the numbers 0 and 1, both; two words such as yes and no (`cells.TRUE_WORDS`)
`identifier`   whole numbers, all different, which count the rows one by one or whose name is or ends in "id"
`number`       numbers, or text that is a number in every cell and no code: `007` is one (`codes.first_code`);
               times of day and lengths of time, in seconds
`date`         dates, or text that is a date in every cell under one format (`cells.DATE_FORMATS`)
`identifier`   more than 10 different words, no two the same and without blanks
`text`         more than 10 different words, more than half of the cells different
`category`     other words
`unsupported`  lists, structures, bytes
=============  ==================================================================================

The rules look at values, not at the type that a file reader chose: so what is inferred from some rows does
not depend on the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from slopewise.data.cells import (
    boolean_words,
    date_format,
    is_worded,
    to_moments,
    to_numbers,
    to_words,
    written_number,
)
from slopewise.data.codes import first_code
from slopewise.data.tables import Table, cut, shown
from slopewise.engine.errors import DataError

KINDS = (
    "number",
    "boolean",
    "category",
    "date",
    "identifier",
    "text",
    "constant",
    "empty",
    "unsupported",
)
INPUT_KINDS = ("number", "boolean", "category", "date")

FEW_WORDS = 10  # up to so many different words are a category even when no two cells agree
TEXT_SHARE = 0.5  # a larger share of different words is text
NEARLY_ALL = 0.8  # a column of text with such a share of numbers has cells worth a look

_IDENTIFIER_NAME = re.compile(r"(?i:(^|[\s_.-])(id|uuid|guid|index)$)|[a-z](Id|ID)$")  # not "paid"


@dataclass(frozen=True)
class ColumnInfo:
    """What is known of a column.

    Attributes
    ----------
    name : str
    kind : one of `KINDS`
    missing, unique : how many cells are missing, and how many different values the others have
    examples : up to three different values, as text
    note : a sentence on what is odd about the column, or ""
    """

    name: str
    kind: str
    missing: int
    unique: int
    examples: tuple[str, ...] = ()
    note: str = ""

    @property
    def usable(self) -> bool:
        """Whether the column can be an input of a model."""
        return self.kind in INPUT_KINDS

    @property
    def reason(self) -> str:
        """Why the column is no input, or ""."""
        reasons = {
            "empty": "every cell is missing",
            "constant": f"every cell is {self.examples[0] if self.examples else 'the same'}",
            "identifier": f"an identifier: {self.unique} different values, one for each row",
            "text": f"free text: {self.unique} different values, too many to be categories",
            "unsupported": "its cells are lists, structures or bytes",
        }
        reason = reasons.get(self.kind, "")
        return f"{reason}; {self.note}" if reason and self.note else reason

    def summary(self) -> dict[str, str | int]:
        """Return the attributes as a row to print."""
        return {
            "column": self.name,
            "kind": self.kind,
            "missing": self.missing,
            "unique": self.unique,
            "examples": ", ".join(self.examples),
            "note": self.note,
        }


def infer_column(table: Table, name: str, rows: NDArray[np.int64] | None = None) -> ColumnInfo:
    """Return what a column of a table is, judged by all rows or by `rows` alone (0-based).

    Raises
    ------
    DataError
        If there is no such column.

    Examples
    --------
    >>> table = Table.from_frame(pl.DataFrame({"n": [1.5, 2.5, None], "answer": ["yes", "no", "yes"]}))
    >>> infer_column(table, "n").kind, infer_column(table, "answer").kind
    ('number', 'boolean')
    """
    cells = table.column(name, rows)
    numbers = np.arange(len(cells)) if rows is None else np.asarray(rows, np.int64)
    if not is_worded(cells):
        return ColumnInfo(name, "unsupported", cells.null_count(), 0)
    present = cells.drop_nulls()
    if not len(present):
        return ColumnInfo(name, "empty", len(cells), 0)
    values, bad = to_numbers(cells)
    code = first_code(cells) if bad is None else None
    if code is not None:
        note = f"codes, as cells such as {shown(code)} begin with a zero; without it they would be numbers"
        return _of_words(name, cells, note, may_identify=True)
    if bad is None:
        return _of_numbers(name, cells, values, numbers)
    if cells.dtype.is_temporal():
        return _with_kind("date", name, cells)
    words = to_words(cells)
    if boolean_words(words):
        return _with_kind("boolean", name, words)
    if date_format(words):
        return _with_kind("date", name, words)
    note = _number_in_the_way(table, name, words, bad, numbers)
    return _of_words(name, words, note, may_identify=not note)


def _with_kind(kind: str, name: str, cells: pl.Series, note: str = "") -> ColumnInfo:
    """Return the information on a column of this kind, unless all its cells are the same."""
    present = cells.drop_nulls()
    unique = present.n_unique()
    words = to_words(present.head(1000)).unique(maintain_order=True).head(3)
    examples = tuple(cut(" ".join(word.split())) for word in words.to_list())  # on one line
    if unique == 1 and len(present) == len(cells):
        kind = "constant"
    return ColumnInfo(name, kind, cells.null_count(), unique, examples, note)


def _of_numbers(
    name: str, cells: pl.Series, values: NDArray[np.float64], rows: NDArray[np.int64]
) -> ColumnInfo:
    if cells.dtype == pl.Boolean:
        return _with_kind("boolean", name, cells)
    present = values if not cells.null_count() else values[~np.isnan(values)]
    # Text that is numbers is judged as the numbers: "1" and "1.0" are the same value.
    as_numbers = pl.Series(name, values).fill_nan(None) if cells.dtype == pl.String else cells
    info = _with_kind("number", name, as_numbers)
    if info.kind == "constant":
        return info
    if info.unique == 2 and present.min() == 0 and present.max() == 1:
        return _with_kind("boolean", name, as_numbers)
    if info.unique == len(cells) > FEW_WORDS and (present == np.floor(present)).all():
        counts_rows = bool((present - present[0] == rows - rows[0]).all())
        if counts_rows or _IDENTIFIER_NAME.search(name):
            return _with_kind("identifier", name, as_numbers)
    return info


def _of_words(name: str, words: pl.Series, note: str, *, may_identify: bool) -> ColumnInfo:
    present = words.drop_nulls()
    unique = present.n_unique()
    if may_identify and unique == len(present) > FEW_WORDS and not present.str.contains(r"\s").any():
        return _with_kind("identifier", name, words, note)
    if unique > FEW_WORDS and unique > TEXT_SHARE * len(present):
        return _with_kind("text", name, words, note)
    return _with_kind("category", name, words, note)


def _number_in_the_way(table: Table, name: str, words: pl.Series, bad: int, rows: NDArray[np.int64]) -> str:
    """Return a note that names the first word in a column of numbers, if it is nearly one."""
    if (written := written_number(words, NEARLY_ALL)) is not None:
        return f"cells such as {shown(written)} look like numbers; write them with a point and no other sign"
    values, _ = to_numbers(words)
    share = np.isfinite(values).sum() / max(len(words) - words.null_count(), 1)
    if share < NEARLY_ALL or first_code(words) is not None:
        return ""
    return (
        f"{share:.0%} of the cells are numbers, but {table.row_label(int(rows[bad]))} holds "
        f"{shown(words[bad])}: correct such cells or leave them empty to use the column as a number"
    )


def times_of(table: Table, name: str) -> NDArray[np.float64] | NDArray[np.int64]:
    """Return a column as numbers that sort by time: microseconds for dates, else the numbers of the column.

    Raises
    ------
    DataError
        If a time is missing, or the column is neither of dates nor of numbers.
    """
    cells = table.column(name)
    missing = cells.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise DataError(
            f"{table.cell_label(row, name)}: the time is missing; remove the row or give it a time"
        )
    values, bad = to_numbers(cells)
    if bad is None:
        return values
    pattern = date_format(cells) if cells.dtype == pl.String else None
    moments, bad = to_moments(cells, pattern)
    if bad is not None:
        raise DataError(
            f"{table.cell_label(bad, name)}: {shown(cells[bad])} is neither a date nor a number, so rows "
            "cannot be put in order of time; write dates as YYYY-MM-DD"
        )
    return np.asarray(moments.to_physical().to_numpy(), dtype=np.int64)
