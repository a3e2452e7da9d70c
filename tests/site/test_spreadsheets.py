"""Tables for spreadsheets: nothing is computed there, however a spreadsheet parts the cells."""

import csv
import io

import pytest

from slopewise.site.spreadsheets import cell, csv_of

FORMULAS = (
    "=1+1",
    " =1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "\t=1",
    "\r=1",
    "\uff1d1+1",
    "a;=1+1",
    'a;"=1+1"',
    "a; -1+2",
    "a\n=1+1",
    "a\t=1+1",
    '"=1+1"',
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_whatever_a_spreadsheet_takes_for_a_separator(text, separator):
    table = csv_of([text, "b"], [["x", text], [text, "y"]])
    for row in csv.reader(io.StringIO(table, newline=None), delimiter=separator):
        for found in row:
            start = found.strip(' "\xa0\t\r\n')[:1]
            assert start not in ("=", "+", "-", "@", "\uff1d"), (text, row)


@pytest.mark.parametrize("value", [-1.5, 2, "-3e5", "+4", "plain", "a; b", "x = y", "1-2", "e@mail", None])
def test_what_is_no_formula_stays_as_it_is(value):
    assert cell(value) == ("" if value is None else str(value))
