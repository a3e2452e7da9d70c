"""Codes, such as postcodes: they look like numbers, but a number would lose the zero that they begin with.

One cell such as `007` is enough: of the postcodes of a country, most may begin with another digit. `0`, `0.5`
and `-05` are numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slopewise.data.text_files import TextFile

if TYPE_CHECKING:
    import polars as pl

_CODE = r"^\s*0[0-9]"
_BEFORE_A_CELL = (
    b'\n"'  # and the separator; with blanks before it, a cell is none that polars reads as a number
)
_IN_DATES = b"/:-"  # behind the first digits of dates and times, which are no numbers anyway
_WINDOW = 1 << 18  # bytes that a processor's cache holds


def first_code(words: pl.Series) -> str | None:
    """Return the first of the words that begins with a zero which a number would lose; None if none does.

    Examples
    --------
    >>> import polars as pl
    >>> first_code(pl.Series(["12", None, "007"])), first_code(pl.Series(["0", "0.5", "-05", "1e05"]))
    ('007', None)
    """
    codes = words.str.contains(_CODE).fill_null(False)
    return str(words[int(codes.arg_max() or 0)]) if codes.any() else None


def code_columns(file: TextFile, header_line: int, width: int, block_bytes: int) -> set[int]:
    """Return which columns of a text file (0-based) hold a cell that begins with a zero and a digit.

    The bytes are looked at first, which is many times as quick as taking them apart into cells.

    Parameters
    ----------
    header_line, width : the line of the column names, and how many there are
    block_bytes : how much of the file is in memory at once
    """
    import polars as pl

    schema = dict.fromkeys(map(str, range(width)), pl.String())
    found: set[int] = set()
    for block in file.blocks(header_line, block_bytes):
        if not may_hold_codes(block, file.separator.encode()):
            continue
        cells = pl.read_csv(block, has_header=False, schema=schema, separator=file.separator)
        for place in set(range(width)) - found:
            if first_code(cells.to_series(place)) is not None:
                found.add(place)
    return found


def may_hold_codes(block: bytes, separator: bytes) -> bool:
    """Return whether a cell may begin with a zero and a digit; if not, none of these records holds a code.

    Examples
    --------
    >>> [may_hold_codes(record, b",") for record in (b"1,007", b"1,0.07", b"01/02/2020,10:05")]
    [True, False, False]
    """
    text = np.frombuffer(b"\n" + block + b"\n\n", np.uint8)
    for start in range(0, len(block), _WINDOW):
        window = text[start : start + _WINDOW + 3]
        before, zero, digit = window[:-3], window[1:-2], window[2:-1]
        places = (zero == ord("0")) & (digit - np.uint8(ord("0")) < 10)
        places &= np.logical_or.reduce([before == mark for mark in separator + _BEFORE_A_CELL])
        behind = window[3:][places]
        if np.any([mark not in _IN_DATES for mark in behind.tolist()]):
            return True
    return False
