"""What each column is taken for, and that the rows asked about alone decide."""

import datetime

import polars as pl
import pytest

from slopewise.data import Table
from slopewise.data.cells import date_format, to_moments, to_numbers, to_words
from slopewise.data.columns import infer_column

N = 30
DAY = datetime.date(2020, 1, 1)

KIND_OF = [
    ("number", [0.5, 1.5, None]),
    ("number", [1, 2, 2]),
    ("number", ["1", " 2.5", None, "-3e4"]),
    ("number", [1.5, None]),
    ("number", list(range(10))),
    ("number", [datetime.timedelta(hours=1), datetime.timedelta(hours=2)]),
    ("number", [datetime.time(1), datetime.time(2)]),
    ("boolean", [True, False, None]),
    ("boolean", [0, 1, 1]),
    ("boolean", [0.0, 1.0]),
    ("boolean", ["Yes", "no", None]),
    ("boolean", ["TRUE", "false"]),
    ("boolean", ["0", "1"]),
    ("category", ["male", "female"]),
    ("category", ["yes", "no", "maybe"]),
    ("category", ["yes", "false"]),
    ("category", ["a"] * N + ["b"] * N),
    ("category", [f"name {number}" for number in range(10)]),
    ("category", [f"code {number % 60}" for number in range(600)]),
    ("category", ["1.2.3", "1.2.4", "1.2.3"]),
    ("category", ["nan", "inf", "nan"]),
    ("date", [DAY, DAY + datetime.timedelta(days=1)]),
    ("date", ["2020-01-31", None, "2021-12-01"]),
    ("date", ["31/12/2020", "01/02/2020"]),
    ("date", ["Mar 5, 2020", "Apr 6, 2020"]),
    ("date", ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00+02:00"]),
    ("identifier", list(range(100, 100 + N))),
    ("identifier", [f"P{number:03}" for number in range(N)]),
    ("text", [f"the patient number {number} slept well" for number in range(N)]),
    ("text", [f"note {number % 20}" for number in range(N)]),
    ("constant", [7, 7, 7]),
    ("constant", ["a"]),
    ("empty", [None, None]),
    ("unsupported", [[1], [2]]),
    ("unsupported", [b"x", b"y"]),
]


@pytest.mark.parametrize(("kind", "values"), KIND_OF)
def test_kinds_follow_the_rules(kind, values):
    table = Table.from_frame(pl.DataFrame({"column": pl.Series(values)}))
    info = table.columns["column"]
    assert info.kind == kind
    assert info.missing == sum(value is None for value in values)
    assert info.usable == (info.reason == "")


@pytest.mark.parametrize("name", ["id", "Patient ID", "customer_id", "userId", "index"])
def test_different_whole_numbers_named_as_identifiers_are_identifiers(name):
    values = [(number * 7919) % 10007 for number in range(N)]
    table = Table.from_frame(pl.DataFrame({name: values, "paid": values}))
    assert {column: info.kind for column, info in table.columns.items()} == {
        name: "identifier",
        "paid": "number",
    }


def test_a_counter_of_rows_is_found_among_training_rows_too():
    table = Table.from_frame(pl.DataFrame({"x": list(range(1, 101))}))
    rows = pl.Series([70, 3, 50, 12, 99, 4, 31, 8, 44, 61, 27, 90]).to_numpy()
    assert infer_column(table, "x", rows).kind == "identifier"


def test_one_value_and_missing_cells_are_no_constant():
    assert Table.from_frame(pl.DataFrame({"x": ["a", None, "a"]})).columns["x"].kind == "category"


def test_a_word_among_numbers_is_named(tmp_path):
    from slopewise.data import read_table

    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{number}.5,1\n" for number in range(20)) + "oops,1\n")
    info = read_table(path).columns["x"]
    assert info.kind == "text"
    assert "95% of the cells are numbers, but row 21 (line 22) holds 'oops'" in info.note
    assert info.note in info.reason


def test_rows_that_are_not_asked_about_have_no_say():
    words = Table.from_frame(
        pl.DataFrame({"x": ["1", "2.5", "word"], "d": ["2020-01-01", "2020-05-01", "never"]})
    )
    plain = Table.from_frame(pl.DataFrame({"x": [1.0, 2.5, 3.0], "d": ["2020-01-01", "2020-05-01", None]}))
    rows = pl.Series([0, 1]).to_numpy()
    for name in ("x", "d"):
        assert infer_column(words, name, rows).kind == infer_column(plain, name, rows).kind


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["2020-01-01", "2020-12-31"], "%Y-%m-%d"),
        (["03/04/2020", "12/25/2020"], "%m/%d/%Y"),
        (["03/04/2020", "25/12/2020"], "%d/%m/%Y"),
        (["03/04/2020"], "%m/%d/%Y"),
        (["1.2.2020"], "%d.%m.%Y"),
        (["2020-01-01", "2020-02-30"], None),
        (["2020-01-01", "01/02/2020"], None),
        (["1-2-3"], None),
        ([], None),
    ],
)
def test_a_date_format_reads_every_cell_or_none_is_found(words, pattern):
    assert date_format(pl.Series(words, dtype=pl.String)) == pattern


def test_moments_of_text_and_of_dates_agree_and_zones_become_utc():
    expected = [datetime.datetime(2020, 1, 1, 8), None]
    zoned = pl.Series(["2020-01-01T10:00:00+02:00", None])
    moments, bad = to_moments(zoned, date_format(zoned))
    assert (moments.to_list(), bad) == (expected, None)
    naive = pl.Series(expected).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    assert to_moments(naive, None)[0].to_list() == expected


def test_text_without_a_format_is_read_in_every_iso_form():
    cells = pl.Series(["2020-01-02", None, "2020-01-02 03:04", "2020-01-02T03:04:05Z", "02/01/2020"])
    moments, bad = to_moments(cells, None)
    assert moments.dt.hour().to_list() == [0, None, 3, 3, None]
    assert bad == 4


def test_the_first_cell_that_does_not_fit_is_found():
    assert to_numbers(pl.Series([None, "1", "x", "y"]))[1] == 2
    assert to_numbers(pl.Series([None, DAY]))[1] == 1
    assert to_moments(pl.Series([None, "2020-01-01", "x"]), "%Y-%m-%d")[1] == 2
    assert to_moments(pl.Series([None, 3]), None)[1] == 1


def test_numbers_have_the_same_bits_from_text_and_from_floats():
    values = [0.1, 1e-300, 123456.789, -2.5e17]
    assert to_numbers(pl.Series([repr(value) for value in values]))[0].tolist() == values


def test_words_of_whole_floats_have_no_fraction():
    assert to_words(pl.Series([1.0, 2.0, None])).to_list() == ["1", "2", None]
    assert to_words(pl.Series([1.0, 2.5, 1e30])).to_list() == ["1", "2.5", "1e+30"]
    assert to_words(pl.Series([True, None])).to_list() == ["true", None]
    assert to_words(pl.Series([datetime.timedelta(hours=1), None])).to_list() == ["3600", None]
