"""Features are fitted on training rows only, say what they are, and come back from JSON to the bit."""

import datetime
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slopewise.data import Preprocessor, Table, TargetEncoder, check_target, read_table, split
from slopewise.data.encoders import MAX_CATEGORIES, mean_and_std
from slopewise.engine.errors import ArgumentError, DataError

PENGUINS = "examples/data/penguins.csv"


def table_of(**columns):
    return Table.from_frame(pl.DataFrame(columns), source="data")


def through_json(prep):
    return Preprocessor.from_dict(json.loads(json.dumps(prep.to_dict())))


def features(prep, table, rows=None):
    return dict(zip(prep.feature_names, prep.transform(table, rows).T.tolist()))


number = st.one_of(st.none(), st.floats(-1e12, 1e12).map(lambda value: round(value, 6)))


@given(st.lists(number, min_size=2, max_size=60))
def test_training_numbers_have_mean_0_and_deviation_1(values):
    present = [value for value in values if value is not None]
    assume(len(set(present)) > 1)
    assume(np.std(present) > 1e-9 * np.abs(present).max())
    table = table_of(x=values)
    prep = Preprocessor.fit(table, kinds={"x": "number"})
    x = prep.transform(table)[:, 0].astype(np.float64)
    assert abs(x.mean()) < 1e-5
    assert abs(x.std() - 1) < 1e-5


def test_missing_numbers_get_the_training_median_and_an_indicator():
    table = table_of(x=[1.0, 2.0, 30.0, None, 5.0])
    prep = Preprocessor.fit(table, rows=[0, 1, 2, 3])
    got = features(prep, table)
    assert got["x (missing)"] == [0, 0, 0, 1, 0]
    assert got["x"][3] == got["x"][1]
    only_later = Preprocessor.fit(table, rows=[0, 1, 2])
    assert only_later.feature_names == ["x"]
    assert features(only_later, table)["x"][3] == features(only_later, table)["x"][1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5.0, 5.0], (5.0, 1.0)),
        ([0.0], (0.0, 1.0)),
        ([0.1] * 10, (0.1, 1.0)),
        ([1e300, -1e300], (0.0, 1e300)),
        ([1e-300, 3e-300], (2e-300, 1e-300)),
        ([0.0, 5e-324], (0.0, 1.0)),
    ],
)
def test_deviations_neither_overflow_nor_vanish(values, expected):
    assert mean_and_std(np.array(values)) == pytest.approx(expected, rel=1e-12)


def test_a_value_too_far_for_float32_is_named():
    table = table_of(x=[1.0, 2.0, 1e300])
    prep = Preprocessor.fit(table, rows=[0, 1])
    with pytest.raises(DataError, match=r"data: column 'x', row 3: 1e\+300 is too far"):
        prep.transform(table)


def test_truth_values_are_0_and_1_in_any_words():
    table = table_of(a=[True, False], b=[0, 1], c=["Yes", "no"])
    prep = Preprocessor.fit(table)
    assert features(prep, table) == {"a": [1, 0], "b": [0, 1], "c": [1, 0]}
    other = table_of(a=["true", "maybe"], b=[None, True], c=[1, 0])
    assert features(prep, other) == {"a": [1, 0.5], "b": [0.5, 1], "c": [1, 0]}


def test_missing_truth_values_of_training_have_an_indicator():
    table = table_of(a=["yes", "no", None])
    prep = Preprocessor.fit(table)
    assert features(prep, table) == {"a": [1, 0, 0.5], "a (missing)": [0, 0, 1]}


def test_categories_are_one_hot_and_unseen_ones_are_zeros():
    table = table_of(colour=["red", "blue", "red", "green", None])
    prep = Preprocessor.fit(table, rows=[0, 1, 2])
    assert features(prep, table) == {"colour = blue": [0, 1, 0, 0, 0], "colour = red": [1, 0, 1, 0, 0]}


def test_missing_categories_of_training_are_a_category():
    table = table_of(colour=["red", None, "blue", "green"])
    prep = Preprocessor.fit(table, rows=[0, 1, 2])
    assert prep.feature_names == ["colour = blue", "colour = red", "colour (missing)"]
    assert features(prep, table)["colour (missing)"] == [0, 1, 0, 0]


def test_rare_and_unseen_categories_share_a_feature_when_there_are_many():
    words = [f"w{code:03}" for code in range(60) for _ in range(3 if code < 55 else 2)]
    prep = Preprocessor.fit(table_of(word=words), kinds={"word": "category"})
    assert len(prep.feature_names) == MAX_CATEGORIES + 1
    got = features(prep, table_of(word=["w000", "w049", "w050", "w059", "new"]))
    assert got["word (other)"] == [0, 0, 1, 1, 1]
    assert prep.transform(table_of(word=words)).sum(axis=1).tolist() == [1] * len(words)


def test_dates_are_a_trend_and_cycles():
    days = [datetime.date(2020, 1, 1), datetime.date(2021, 7, 2), None]
    table = table_of(day=days)
    got = features(Preprocessor.fit(table), table)
    assert list(got) == [
        "day (time)",
        "day (year)",
        "day (month sin)",
        "day (month cos)",
        "day (weekday sin)",
        "day (weekday cos)",
        "day (day of year sin)",
        "day (day of year cos)",
        "day (missing)",
    ]
    assert got["day (time)"] == [-1, 1, 0]
    assert got["day (year)"] == [-1, 1, 0]
    assert got["day (month cos)"] == pytest.approx([1, -1, 0])
    assert got["day (weekday sin)"] == pytest.approx(
        [np.sin(2 * np.pi * 2 / 7), np.sin(2 * np.pi * 4 / 7), 0]
    )
    assert got["day (missing)"] == [0, 0, 1]


def test_dates_with_a_clock_have_its_cycle_and_text_agrees_with_dates():
    moments = [datetime.datetime(2020, 1, 1, 6), datetime.datetime(2020, 1, 2, 18)]
    dates, text = table_of(at=moments), table_of(at=[str(moment) for moment in moments])
    from_dates, from_text = Preprocessor.fit(dates), Preprocessor.fit(text)
    assert features(from_dates, dates)["at (time of day sin)"] == pytest.approx([1, -1])
    assert from_dates.transform(text).tolist() == from_text.transform(dates).tolist()


def test_columns_no_model_can_use_are_dropped_with_reasons():
    table = table_of(
        row=list(range(1, 21)),
        nothing=[None] * 20,
        same=["x"] * 20,
        note=[f"a long note {code}" for code in range(20)],
        x=[float(code % 7) for code in range(20)],
    )
    prep = Preprocessor.fit(table)
    assert prep.inputs == ["x"]
    assert prep.dropped == {
        "row": "an identifier: 20 different values, one for each row",
        "nothing": "every cell is missing",
        "same": "every cell is x",
        "note": "free text: 20 different values, too many to be categories",
    }


def test_a_counter_is_the_input_when_it_is_all_there_is():
    table = table_of(t=list(range(30)), y=[float(code % 7) for code in range(30)])
    assert Preprocessor.fit(table, exclude=["y"]).kinds == {"t": "number"}


@pytest.mark.parametrize("kind", ["number", "boolean", "category", "date"])
def test_a_kind_chosen_for_a_column_of_nothing_gives_its_indicator(kind):
    table = table_of(x=[None, None], y=[0.5, 1.5])
    prep = Preprocessor.fit(table, kinds={"x": kind})
    assert features(prep, table)["x (missing)"] == [1, 1]


def test_kinds_can_be_chosen():
    table = table_of(code=[1, 2, 3, 1])
    prep = Preprocessor.fit(table, kinds={"code": "category"})
    assert prep.feature_names == ["code = 1", "code = 2", "code = 3"]
    assert prep.text_columns == ["code"]


@pytest.mark.parametrize(
    ("columns", "arguments", "error", "message"),
    [
        ({"x": [1, 2]}, {"exclude": ["X"]}, DataError, "there is no column 'X'; did you mean 'x'"),
        ({"x": [1, 2]}, {"exclude": "x"}, ArgumentError, r"exclude is a list of names; give \['x'\]"),
        ({"x": [1, 2]}, {"kinds": {"x": "text"}}, ArgumentError, "cannot be used as 'text'"),
        ({"x": ["a", "b"]}, {"kinds": {"x": "number"}}, DataError, "column 'x', row 1: 'a' is not a number"),
        ({"x": ["a", "b"]}, {"kinds": {"x": "date"}}, DataError, "column 'x', row 1: 'a' is not a date"),
        (
            {"x": [1, 2]},
            {"exclude": ["x"]},
            DataError,
            r"no column is left as an input \(there is none but 'x'\)",
        ),
        ({"x": [1, 1]}, {}, DataError, r"no column is left as an input \('x': every cell is 1\)"),
        ({"x": [1, 2]}, {"rows": []}, DataError, "no training row"),
        ({"x": [1, 2]}, {"rows": [2]}, ArgumentError, "row 2 is outside of 2 rows"),
    ],
)
def test_what_cannot_be_fitted_says_why(columns, arguments, error, message):
    with pytest.raises(error, match=message):
        Preprocessor.fit(table_of(**columns), **arguments)


def test_a_table_of_two_columns_goes_all_the_way(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(
        "hours,passed\n" + "".join(f"{hours},{'yes' if hours > 9 else 'no'}\n" for hours in range(20))
    )
    table = read_table(path)
    assert check_target(table, "passed") == "classification"
    parts = split(table, stratify="passed")
    prep = Preprocessor.fit(table, rows=parts.train, exclude=["passed"])
    target = TargetEncoder.fit(table, "passed", rows=parts.train)
    assert prep.feature_names == ["hours"]
    assert prep.transform(table, parts.test).shape == (4, 1)
    assert target.inverse(target.transform(table)).tolist() == table["passed"].to_list()


def test_a_table_of_one_row_has_nothing_to_learn_from():
    with pytest.raises(DataError, match="no column is left"):
        Preprocessor.fit(table_of(x=[1.0], y=["a"]), exclude=["y"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Size": [1.0], "day": ["2020-01-01"]}, "there is no column 'size'; did you mean 'Size'"),
        (
            {"size": ["big"], "day": ["2020-01-01"]},
            "column 'size', row 1: 'big' is not a number, as the column is",
        ),
        ({"size": [1.0], "day": ["soon"]}, "column 'day', row 1: 'soon' is not a date like %Y-%m-%d"),
        ({"size": [1.0], "day": [5]}, "column 'day', row 1: 5 is not a date"),
        ({"size": [[1.0]], "day": ["2020-01-01"]}, "column 'size', row 1"),
        ({"size": [1.0], "day": ["2020-01-01"], "word": [["a"]]}, r"column 'word' holds List\(String\)"),
    ],
)
def test_a_new_table_that_does_not_fit_says_where(columns, message):
    prep = Preprocessor.fit(table_of(size=[1.0, 2.5], day=["2020-01-01", "2020-02-01"], word=["a", "b"]))
    with pytest.raises(DataError, match=message):
        prep.transform(table_of(**columns))


def test_new_columns_and_missing_cells_of_a_new_table_are_fine():
    prep = Preprocessor.fit(table_of(size=[1.0, 3.0]))
    assert prep.transform(table_of(extra=["?"], size=[None])).tolist() == [[0.0]]


def test_rows_are_transformed_in_the_order_asked_for():
    table = read_table(PENGUINS)
    prep = Preprocessor.fit(table, exclude=["species"])
    rows = np.array([5, 3, 3, -1])
    assert np.array_equal(prep.transform(table, rows), prep.transform(table)[rows])


@pytest.mark.parametrize(
    ("trained", "new"),
    [
        ({"x": ["yes", "no"]}, {"x": ["yes", "2", "0", None, "maybe", "no"]}),
        ({"x": [0, 1]}, {"x": ["yes", "2", "0", None, "maybe", "no"]}),
        ({"x": ["1", "2.5", "a"]}, {"x": [1.0, 2.5, None, 7.0]}),
        (
            {"x": [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)]},
            {"x": ["2020-01-01", "2020-01-01 10:00", None]},
        ),
    ],
)
def test_features_of_a_row_do_not_depend_on_the_other_rows(trained, new):
    prep = Preprocessor.fit(table_of(**trained))
    table = table_of(**new)
    alone = [prep.transform(table.take([row]))[0].tolist() for row in range(table.n_rows)]
    assert alone == prep.transform(table).tolist()


def test_transforming_leaves_the_table_as_it_was():
    table = read_table(PENGUINS)
    before = table.frame.clone()
    prep = Preprocessor.fit(table)
    prep.transform(table)
    assert table.frame.equals(before)


MIXED = {
    "number": st.one_of(st.none(), st.floats(-1e6, 1e6)),
    "whole": st.integers(0, 5),
    "answer": st.sampled_from(["yes", "no", None]),
    "colour": st.sampled_from(["red", "green", "blue", "x", None]),
    "day": st.one_of(st.none(), st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1)).map(str)),
}
mixed_rows = st.lists(st.fixed_dictionaries(MIXED), min_size=6, max_size=30)


def mixed_table(rows):
    return Table.from_frame(
        pl.DataFrame(rows, schema=dict(zip(MIXED, [pl.Float64, pl.Int64] + [pl.String] * 3)))
    )


@given(mixed_rows)
def test_what_was_learned_survives_json_to_the_bit(rows):
    assume(len({row["whole"] for row in rows}) > 1)  # at least one column is an input
    table = mixed_table(rows)
    prep = Preprocessor.fit(table)
    again = through_json(prep)
    assert again == prep
    assert again.transform(table).tobytes() == prep.transform(table).tobytes()
    assert np.isfinite(prep.transform(table)).all()


@given(mixed_rows, mixed_rows, st.randoms(use_true_random=False))
def test_cells_outside_of_training_change_nothing_that_was_learned(rows, others, random):
    train = np.array(sorted(random.sample(range(len(rows)), 4)))
    changed = [row if number in train else random.choice(others) for number, row in enumerate(rows)]
    assume(len({rows[number]["whole"] for number in train}) > 1)  # at least one column is an input
    here = Preprocessor.fit(mixed_table(rows), rows=train)
    there = Preprocessor.fit(mixed_table(changed), rows=train)
    assert here == there
    one, other = (prep.transform(mixed_table(data), train) for prep, data in ((here, rows), (there, changed)))
    assert one.tobytes() == other.tobytes()


def test_a_word_outside_of_training_does_not_change_how_a_file_of_numbers_is_learned(tmp_path):
    path = tmp_path / "data.csv"
    lines = [f"{0.1 * code:.3f},{code % 4},{['true', 'false'][code % 2]},7,true" for code in range(30)]
    path.write_text("\n".join(["x,n,b,c,t", *lines, "0.5,1,true,8,false"]) + "\n")
    plain = read_table(path)
    path.write_text("\n".join(["x,n,b,c,t", *lines, "half,one,perhaps,eight,never"]) + "\n")
    worded = read_table(path)
    train = np.arange(30)
    assert plain["x"].dtype != worded["x"].dtype
    one, other = (Preprocessor.fit(table, rows=train) for table in (plain, worded))
    assert one == other
    assert one.dropped == {"c": "every cell is 7", "t": "every cell is true"}
    assert one.transform(plain, train).tobytes() == other.transform(worded, train).tobytes()


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"columns": [], "dropped": None},
        {"columns": [{"kind": "magic"}], "dropped": {}},
        {"columns": [{"kind": "number", "name": "x"}], "dropped": {}},
        {"columns": ["number"], "dropped": {}},
    ],
)
def test_a_broken_record_is_refused(record):
    with pytest.raises(DataError):
        Preprocessor.from_dict(record)


@pytest.mark.slow
def test_a_large_table_is_prepared_by_column_within_its_own_size():
    import tracemalloc

    n_rows, n_columns = 200_000, 30
    rng = np.random.Generator(np.random.Philox(0))
    frame = pl.DataFrame({f"x{code}": rng.normal(size=n_rows) for code in range(n_columns)})
    table = Table.from_frame(frame)
    prep = Preprocessor.fit(table)
    tracemalloc.start()
    X = prep.transform(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.shape == (n_rows, n_columns)
    assert peak < X.nbytes + 8 * 8 * n_rows  # the result and a few columns in float64, never a second table
