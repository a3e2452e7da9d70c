"""Codes, such as postcodes: they look like numbers, but a number would lose the zero that they begin with.

One cell such as `007` is enough: of the postcodes of a country, most may begin with another digit. `0`, `0.5`
and `-05` are numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from slopewise.data.text_files import TextFile

if TYPE_CHECKING:
    import polars as pl

_CODE = r"^\s*0[0-9]"
_BEFORE_A_CELL = b'\n"'  # or the separator; a cell after blanks is text to polars, and looked at as text
_IN_DATES = np.frombuffer(b"/:-", np.uint8)  # behind the first digits of dates and times: no numbers anyway
_WINDOW = 1 << 18  # bytes that a processor's cache holds


def first_code(cells: pl.Series) -> str | None:
    """Return the first cell that begins with a zero which a number would lose; None if none does.

    Examples
    --------
    >>> import polars as pl
    >>> first_code(pl.Series(["12", None, "007"])), first_code(pl.Series(["0", "0.5", "-05", "1e05"]))
    ('007', None)
    """
    import polars as pl

    if cells.dtype != pl.String:
        return None
    codes = cells.str.contains(_CODE).fill_null(False)
    return str(cells[int(codes.arg_max() or 0)]) if codes.any() else None


def code_columns(file: TextFile, header_line: int, width: int, block_bytes: int) -> set[int]:
    """Return which columns of a text file (0-based) hold a cell that begins with a zero and a digit.

    The bytes are looked at; cells are taken apart only where quotes may hide what is a cell.

    Parameters
    ----------
    header_line, width : the line of the column names, and how many there are
    block_bytes : how much of the file is in memory at once, if it holds a code
    """
    found: set[int] = set()
    separator = file.separator.encode()
    if not may_hold_codes(file.path, separator):
        return found
    for block in file.blocks(header_line, block_bytes):
        starts = _code_starts(np.frombuffer(b"\n" + block + b"\n\n", np.uint8), separator)
        if len(starts) and b'"' in block:
            found |= _columns_in_quotes(block, file.separator, width)
        elif len(starts):
            found |= _columns_of(block, separator, starts)
    return found & set(range(width))


def may_hold_codes(path: str, separator: bytes) -> bool:
    """Return whether a text file may hold a code; what may be one can also be a part of a text in quotes.

    Examples
    --------
    >>> may_hold_codes("examples/data/penguins.csv", b",")
    False
    """
    text = np.full(_WINDOW + 3, ord("\n"), np.uint8)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(text[3:].data):
            if len(_code_starts(text[: count + 3], separator)):
                return True
            text[:3] = text[count : count + 3].copy()  # a code may go on in what is read next
    text[3] = ord("\n")
    return len(_code_starts(text[:4], separator)) > 0


def _code_starts(text: NDArray[np.uint8], separator: bytes) -> NDArray[np.int64]:
    """Return where cells begin that are codes, counted from the second byte of a text."""
    found = []
    for start in range(0, len(text) - 3, _WINDOW):
        window = text[start : start + _WINDOW + 3]
        before, zero, digit = window[:-3], window[1:-2], window[2:-1]
        places = (zero == ord("0")) & (digit - np.uint8(ord("0")) < 10)
        places &= np.logical_or.reduce([before == mark for mark in separator + _BEFORE_A_CELL])
        index = np.flatnonzero(places)
        found.append(start + index[~np.isin(window[index + 3], _IN_DATES)])
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _columns_of(block: bytes, separator: bytes, starts: NDArray[np.int64]) -> set[int]:
    """Return the columns of cells that begin at `starts`, in text without quotes."""
    text = np.frombuffer(block, np.uint8)
    separators, ends = (np.flatnonzero(text == ord(mark)) for mark in (separator, b"\n"))
    before_line = np.concatenate([[0], np.searchsorted(separators, ends)])  # separators before each line
    columns = np.searchsorted(separators, starts) - before_line[np.searchsorted(ends, starts)]
    return set(np.unique(columns).tolist())


def _columns_in_quotes(block: bytes, separator: str, width: int) -> set[int]:
    import polars as pl

    schema = dict.fromkeys(map(str, range(width)), pl.String())
    cells = pl.read_csv(block, has_header=False, schema=schema, separator=separator)
    return {place for place, column in enumerate(cells) if first_code(column) is not None}
