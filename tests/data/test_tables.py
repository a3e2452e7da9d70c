"""A table: its columns by name, its rows by number, and where it came from."""

import datetime
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from slopewise.data import Table
from slopewise.engine.errors import ArgumentError, DataError

DATA = {"x": [1.5, None, 3.0], "name": ["a", "b", None]}


@pytest.mark.parametrize(
    "make",
    [pl.DataFrame, pd.DataFrame, pa.table, pl.LazyFrame],
    ids=["polars", "pandas", "pyarrow", "lazy polars"],
)
def test_frames_of_all_libraries_give_the_same_table(make):
    table = Table.from_frame(make(DATA))
    assert table.frame.to_dict(as_series=False) == DATA
    assert table.fingerprint == Table.from_frame(pl.DataFrame(DATA)).fingerprint


def test_a_table_is_its_own_table():
    table = Table.from_frame(pl.DataFrame(DATA))
    assert Table.from_frame(table) is table


def test_pandas_types_become_plain_ones(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # which is no dependency
    frame = pd.DataFrame(
        {
            "nan": [1.0, np.nan],
            "nullable": pd.array([1, None], dtype="Int64"),
            "category": pd.Categorical(["a", None]),
            "day": pd.to_datetime(["2020-01-01", None]),
            "zone": pd.to_datetime(["2020-01-01T10:00+02:00", None], utc=True),
            "span": pd.to_timedelta(["1 hour", None]),
            "text": pd.array(["a", None], dtype="string[python]"),
            "object": np.array([True, None]),
            "mixed": np.array([1, 2.5], dtype=object),
            7: pd.array([1, 2], dtype="int8"),
        },
        index=[7, 9],
    )
    assert Table.from_frame(frame).frame.to_dict(as_series=False) == {
        "nan": [1.0, None],
        "nullable": [1, None],
        "category": ["a", None],
        "day": [datetime.datetime(2020, 1, 1), None],
        "zone": [datetime.datetime(2020, 1, 1, 8, tzinfo=datetime.UTC), None],
        "span": [datetime.timedelta(hours=1), None],
        "text": ["a", None],
        "object": [True, None],
        "mixed": [1.0, 2.5],
        "7": [1, 2],
    }


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((3, 2)), "expected a data frame .* got numpy.ndarray"),
        ([1, 2], "expected a data frame .* got builtins.list"),
        (pl.DataFrame({"x": []}), "a header but no row below it"),
        (pl.DataFrame(), "no columns"),
        (pl.DataFrame({"x": [1.0, float("inf")]}), "column 'x', row 2: the number is infinite"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns are called 'x'"),
        (pa.table([[1], [2]], names=["x", "x"]), "cannot be used: Expected unique column names, got: .*'x'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "two columns are called '1'"),
        (pd.DataFrame({"x": [1, "a", object()]}), "column 'x' holds values of the types int, object, str"),
    ],
    ids=[
        "array",
        "list",
        "no rows",
        "no columns",
        "infinity",
        "same names",
        "same in arrow",
        "same text",
        "objects",
    ],
)
def test_what_is_no_table_is_refused_in_one_line(frame, message):
    with pytest.raises(DataError, match=message) as caught:
        Table.from_frame(frame)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("Name", "did you mean 'name'?"),
        ("nam", "did you mean 'name'?"),
        ("zzz", "the columns are 'x', 'name'"),
    ],
)
def test_an_absent_column_names_the_nearest(name, way_out):
    with pytest.raises(DataError) as caught:
        Table.from_frame(pl.DataFrame(DATA))[name]
    assert str(caught.value) == f"the table: there is no column {name!r}; {way_out}"


def test_select_and_take_keep_order_and_original_row_numbers():
    table = Table.from_frame(pl.DataFrame(DATA), source="frame").select(["name", "x"]).take([-1, 0])
    assert table.names == ["name", "x"]
    assert table["x"].to_list() == [3.0, 1.5]
    assert [table.row_label(row) for row in range(2)] == ["row 3", "row 1"]
    assert table.cell_label(0, "x") == "frame: column 'x', row 3"
    assert table.line_numbers(np.arange(2)) is None


@pytest.mark.parametrize("rows", [[3], [-4], [0.5], [[0, 1]], [True, False]])
def test_rows_that_are_none_are_refused(rows):
    with pytest.raises(ArgumentError):
        Table.from_frame(pl.DataFrame(DATA)).take(rows)


def test_taking_no_rows_is_an_empty_table():
    assert Table.from_frame(pl.DataFrame(DATA)).take([]).n_rows == 0


@pytest.mark.parametrize(
    "other",
    [
        {"x": [1.5, None, 3.0], "name": ["a", "b", "None"]},
        {"x": [1.5, 0.0, 3.0], "name": ["a", "b", None]},
        {"y": [1.5, None, 3.0], "name": ["a", "b", None]},
        {"x": [1.5, None, 3.0], "name": ["ab", "", None]},
        {"name": ["a", "b", None], "x": [1.5, None, 3.0]},
    ],
)
def test_the_fingerprint_of_a_frame_sees_names_cells_and_order(other):
    here = Table.from_frame(pl.DataFrame(DATA)).fingerprint
    assert here == Table.from_frame(pl.concat([pl.DataFrame(DATA)[:1], pl.DataFrame(DATA)[1:]])).fingerprint
    assert here != Table.from_frame(pl.DataFrame(other)).fingerprint


def test_a_table_describes_its_columns():
    rows = Table.from_frame(pl.DataFrame(DATA)).describe()
    assert rows[0] == {
        "column": "x",
        "kind": "number",
        "missing": 1,
        "unique": 2,
        "examples": "1.5, 3",
        "note": "",
    }
    assert [row["column"] for row in rows] == ["x", "name"]
