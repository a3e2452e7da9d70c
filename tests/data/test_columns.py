"""What each column is taken for, and that the rows asked about alone decide."""

import datetime

import polars as pl
import pytest

from slopewise.data import Table
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
    ("category", ["007", "12", None]),
    ("category", ["00", "0"]),
    ("number", ["0", "0.5", "-05", "1e05"]),
    ("identifier", [f"{number:05}" for number in range(N)]),
    ("text", [f"{number % 20:03}" for number in range(N)]),
    ("date", ["01/02/2020", "03/04/2020"]),
    ("constant", ["007", "007"]),
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


def test_examples_and_reasons_are_on_one_line_and_short():
    info = Table.from_frame(pl.DataFrame({"x": ["two\nlines " + "long " * 20]})).columns["x"]
    assert "two lines long" in info.reason
    assert "\n" not in info.reason
    assert len(info.examples[0]) == 40


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


@pytest.mark.parametrize("last", ["{number}", "A{number}"])
def test_codes_are_not_asked_to_become_numbers(last):
    values = [*(f"{number % 9:03}" for number in range(N)), last.format(number=12345)]
    info = Table.from_frame(pl.DataFrame({"x": values})).columns["x"]
    assert info.kind == "category"
    assert "correct such cells" not in info.note
    assert last != "{number}" or info.note.startswith("codes, as cells such as '000' begin with a zero")


@pytest.mark.parametrize("form", ["{},5", "{},000", "1.{:03},50", "1 {:03}", "{}%", "${}", "-€{}", "£ -{}"])
def test_numbers_written_for_people_are_named_not_taken_for_identifiers(form):
    cells = [form.format(number) for number in range(100, 100 + N)]
    info = Table.from_frame(pl.DataFrame({"x": cells})).columns["x"]
    assert info.kind == "text"
    assert f"cells such as {cells[0]!r} look like numbers; write them with a point" in info.reason


@pytest.mark.parametrize("form", ["1.2.{}", "10.0.{}.1", "{}-7", "A{}", "{} kg", "{}:30"])
def test_versions_addresses_and_codes_do_not_look_like_numbers(form):
    cells = [form.format(number) for number in range(100, 100 + N)]
    assert "look like numbers" not in Table.from_frame(pl.DataFrame({"x": cells})).columns["x"].reason


def test_rows_that_are_not_asked_about_have_no_say():
    words = Table.from_frame(
        pl.DataFrame({"x": ["1", "2.5", "word"], "d": ["2020-01-01", "2020-05-01", "never"]})
    )
    plain = Table.from_frame(pl.DataFrame({"x": [1.0, 2.5, 3.0], "d": ["2020-01-01", "2020-05-01", None]}))
    rows = pl.Series([0, 1]).to_numpy()
    for name in ("x", "d"):
        assert infer_column(words, name, rows).kind == infer_column(plain, name, rows).kind
