"""Tables for spreadsheets, which must not take a text for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BLANK_STARTS = ("\t", "\r", "\n")
# Where a spreadsheet may begin a cell, and what it then takes for a formula. In many countries it parts the
# cells of a CSV file at semicolons, wherever we put quotes. Some take wide letters for the narrow ones.
_FORMULA = re.compile(r"""(^|[;\t\r\n])(?=[ "\xa0]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


def cell(value: object) -> str:
    """Return a value as text; what a spreadsheet would compute gets an apostrophe. A number stays one.

    Examples
    --------
    >>> cell("=1+1"), cell("a;=1+1"), cell("plain"), cell(-1.5), cell(None)
    ("'=1+1", "a;'=1+1", 'plain', '-1.5', '')
    """
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text):
        return text
    neutral = _FORMULA.sub(r"\1'", text)
    return f"'{neutral}" if neutral.startswith(_BLANK_STARTS) else neutral


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV, all of its cells neutralised."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([cell(name) for name in header])
    for row in rows:
        table.writerow([cell(value) for value in row])
    return out.getvalue()
