"""Tables for spreadsheets, which must not take a text for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> str:
    """Return a value as text; one that a spreadsheet would compute gets an apostrophe. A number stays one.

    Examples
    --------
    >>> cell("=1+1"), cell("plain"), cell(-1.5), cell(None)
    ("'=1+1", 'plain', '-1.5', '')
    """
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV, all of its cells neutralised."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([cell(name) for name in header])
    for row in rows:
        table.writerow([cell(value) for value in row])
    return out.getvalue()
