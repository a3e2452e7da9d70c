"""Splits partition the rows, keep shares, groups and time, and depend on the seed alone."""

from contextlib import suppress

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slopewise.data import Table, split, train_test_split
from slopewise.engine.errors import ArgumentError, DataError, ShapeError

fractions = st.floats(0.05, 0.45)
seeds = st.integers(0, 2**64 - 1)


def parts_of(parts):
    return [parts.train, parts.validation, parts.test]


def assert_partition(parts, n_rows):
    assert all(part.dtype == np.int64 for part in parts_of(parts))
    assert sorted(np.concatenate(parts_of(parts)).tolist()) == list(range(n_rows))


@given(n_rows=st.integers(30, 300), validation=fractions, test=fractions, seed=seeds)
def test_a_split_holds_each_row_once_in_sizes_rounded_to_the_nearest(n_rows, validation, test, seed):
    parts = split(n_rows, validation=validation, test=test, seed=seed)
    assert_partition(parts, n_rows)
    assert parts.sizes["validation"] == int(np.floor(validation * n_rows + 0.5))
    assert parts.sizes["test"] == int(np.floor(test * n_rows + 0.5))


@given(
    counts=st.lists(st.integers(2, 60), min_size=1, max_size=8),
    validation=fractions,
    test=fractions,
    seed=seeds,
    shuffle=st.booleans(),
)
def test_stratified_parts_keep_sizes_and_hold_every_class(counts, validation, test, seed, shuffle):
    labels = np.repeat(np.arange(len(counts)), counts)
    n_rows = len(labels)
    assume(n_rows >= 20)
    parts = split(n_rows, validation=validation, test=test, stratify=labels, seed=seed, shuffle=shuffle)
    plain = split(n_rows, validation=validation, test=test, seed=seed)
    assert_partition(parts, n_rows)
    assert parts.sizes == plain.sizes
    for rows in parts_of(parts):
        if len(rows) >= len(counts):
            held = np.bincount(labels[rows], minlength=len(counts))
            assert (held[np.array(counts) >= 3] >= 1).all()


def test_stratified_shares_are_exact_where_they_can_be():
    labels = np.array(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    parts = split(100, validation=0.2, test=0.2, stratify=labels)
    for rows, share in ((parts.train, 0.6), (parts.validation, 0.2), (parts.test, 0.2)):
        names, counts = np.unique(labels[rows], return_counts=True)
        assert dict(zip(names, counts)) == {"a": 50 * share, "b": 30 * share, "c": 20 * share}


@given(
    groups=st.lists(st.integers(0, 12), min_size=20, max_size=80),
    seed=seeds,
)
def test_groups_are_never_on_both_sides(groups, seed):
    assume(len(set(groups)) >= 3)
    labels = [f"group {group}" for group in groups]
    parts = split(len(groups), groups=labels, seed=seed)
    assert_partition(parts, len(groups))
    held = [{labels[row] for row in part} for part in parts_of(parts)]
    assert all(held)
    assert sum(len(names) for names in held) == len(set(labels))


def test_many_even_groups_meet_the_sizes():
    parts = split(1000, groups=np.arange(1000) // 10, seed=3)
    assert parts.sizes == {"train": 600, "validation": 200, "test": 200}


@given(
    times=st.lists(st.integers(0, 30), min_size=10, max_size=60),
    validation=fractions,
    test=fractions,
)
def test_time_runs_forward_through_the_parts(times, validation, test):
    times = np.array(times)
    parts = None
    with suppress(DataError):  # a part would be empty: too few different times
        parts = split(len(times), validation=validation, test=test, time=times)
    assume(parts is not None)
    assert_partition(parts, len(times))
    assert times[parts.train].max() < times[parts.validation].min()
    assert times[parts.validation].max() < times[parts.test].min()


def test_a_border_of_time_moves_to_the_nearest_change():
    parts = split(10, validation=2, test=2, time=[0, 1, 2, 3, 4, 5, 5, 5, 6, 7])
    assert [times.tolist() for times in parts_of(parts)] == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]


@pytest.mark.parametrize(
    "times",
    [
        ["2020-01-01", "2019-05-05", "2021-01-01", "2018-01-01"],
        np.array(["2020-01-01", "2019-05-05", "2021-01-01", "2018-01-01"], dtype="datetime64[D]"),
        [20.5, 19, 21, 18],
        ["31/12/2020", "05/05/2019", "01/01/2021", "01/01/2018"],
    ],
    ids=["text", "datetime64", "numbers", "days first"],
)
def test_time_can_be_dates_or_numbers(times):
    parts = split(4, validation=1, test=1, time=times)
    assert [part.tolist() for part in parts_of(parts)] == [[3, 1], [0], [2]]


def test_columns_of_a_table_are_named():
    frame = pl.DataFrame(
        {
            "y": ["a", "b"] * 10,
            "g": [n // 2 for n in range(20)],
            "t": [f"2020-01-{20 - n:02}" for n in range(20)],
        }
    )
    table = Table.from_frame(frame)
    assert split(table, stratify="y") == split(20, stratify=frame["y"].to_numpy())
    assert split(table, groups="g") == split(20, groups=frame["g"].to_list())
    assert split(table, time="t").test.tolist() == [3, 2, 1, 0]
    with pytest.raises(DataError, match="did you mean"):
        split(table, stratify="Y")


def test_missing_labels_are_a_class_of_their_own():
    labels = ["a", None, "b", None] * 10
    missing = [None, np.nan, pd.NA]
    for nothing in missing:
        values = [nothing if label is None else label for label in labels]
        assert split(40, stratify=values) == split(40, stratify=labels)
    assert sum(labels[row] is None for row in split(40, stratify=labels).test) == 4


def test_the_seed_decides_and_nothing_else():
    labels = np.arange(200) % 3
    assert split(200, stratify=labels, seed=1) == split((labels, labels), stratify=labels, seed=1)
    assert split(200, seed=1) != split(200, seed=2)
    assert split(200, seed=1).train.tolist() != sorted(split(200, seed=1).train)


def test_without_shuffling_the_first_rows_train():
    parts = split(10, shuffle=False)
    assert [part.tolist() for part in parts_of(parts)] == [[0, 1, 2, 3, 4, 5], [6, 7], [8, 9]]


def test_a_part_can_be_left_out():
    assert split(10, validation=0, test=None).sizes == {"train": 10, "validation": 0, "test": 0}
    assert split(10, validation=3, test=0, stratify=[0, 1] * 5).sizes == {
        "train": 7,
        "validation": 3,
        "test": 0,
    }


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data": 1}, DataError, "the validation part of 1 rows would be empty"),
        ({"data": 0}, DataError, "training part of 0 rows"),
        ({"data": 2}, DataError, "would be empty"),
        ({"data": 10, "validation": 0.5, "test": 0.5}, DataError, "training part of 10 rows would be empty"),
        ({"data": 10, "test": 1.0}, ArgumentError, "test is a fraction"),
        ({"data": 10, "test": -0.1}, ArgumentError, "test is a fraction"),
        ({"data": 10, "test": True}, ArgumentError, "test is a fraction"),
        ({"data": 10, "validation": 11}, ArgumentError, "validation=11 rows, but there are 10"),
        ({"data": 10, "stratify": "y"}, ArgumentError, "needs a Table"),
        ({"data": 10, "stratify": [1, 2]}, ShapeError, "stratify has 2 values for 10 rows"),
        ({"data": 5, "stratify": list("aaaab")}, DataError, r"class 'b' has one row only \(row 5\)"),
        ({"data": 5, "groups": list("aaaab")}, DataError, "2 groups cannot fill 3 parts"),
        ({"data": 5, "time": [1, 1, 1, 1, 1]}, DataError, "there are 1 different times"),
        ({"data": 3, "time": [1.0, np.nan, 2.0]}, DataError, "row 2 is missing"),
        (
            {"data": 5, "time": ["2020-01-01", None] + ["2020-01-02"] * 3},
            DataError,
            "row 2: the time is missing",
        ),
        (
            {"data": 5, "time": ["2020-01-01", "soon"] + ["2020-01-02"] * 3},
            DataError,
            "neither a date nor a number",
        ),
        (
            {"data": 4, "stratify": [0, 1] * 2, "groups": [0, 1] * 2},
            ArgumentError,
            "stratify and groups cannot",
        ),
        ({"data": (np.zeros(3), np.zeros(4))}, ShapeError, "array 1 has 3, array 2 has 4"),
        ({"data": np.float64(3)}, ShapeError, "got a scalar"),
        ({"data": object()}, ArgumentError, "got object"),
        ({"data": {"x": [1, 2]}}, ArgumentError, "a dict has no rows"),
    ],
)
def test_what_cannot_be_split_says_why(arguments, error, message):
    with pytest.raises(error, match=message):
        split(**arguments)


@pytest.mark.parametrize(
    ("n_rows", "sizes", "expected"),
    [
        (10, {}, (7, 3)),
        (10, {"test_size": 0.2}, (8, 2)),
        (15, {"test_size": 0.2}, (12, 3)),
        (11, {"test_size": 0.2}, (8, 3)),
        (11, {"train_size": 0.5}, (5, 6)),
        (11, {"train_size": 0.5, "test_size": 0.2}, (5, 3)),
        (10, {"test_size": 4}, (6, 4)),
        (10, {"train_size": 4, "test_size": 4}, (4, 4)),
    ],
)
def test_sizes_are_rounded_as_in_scikit_learn(n_rows, sizes, expected):
    train, test = train_test_split(np.arange(n_rows), **sizes)
    assert (len(train), len(test)) == expected
    assert not set(train) & set(test)


def is_frame(data):
    return isinstance(data, pd.DataFrame | pl.DataFrame | Table)


def test_every_kind_of_rows_keeps_its_type_and_its_partners():
    n_rows = 20
    kinds = [
        np.arange(n_rows),
        list(range(n_rows)),
        tuple(range(n_rows)),
        pd.Series(np.arange(n_rows), index=np.arange(n_rows)[::-1]),
        pd.DataFrame({"x": np.arange(n_rows)}),
        pl.DataFrame({"x": np.arange(n_rows)}),
        pl.Series("x", np.arange(n_rows)),
        Table.from_frame(pl.DataFrame({"x": np.arange(n_rows)})),
    ]
    parts = train_test_split(*kinds, seed=5)
    for kind, train, test in zip(kinds, parts[::2], parts[1::2]):
        assert type(train) is type(test) is type(kind)
    lists = [list(part["x"] if is_frame(part) else part) for part in parts]
    assert all(values == lists[0] for values in lists[::2])
    assert all(values == lists[1] for values in lists[1::2])


def test_stratified_training_and_test_rows_keep_shares():
    labels = ["a"] * 80 + ["b"] * 20
    train, test = train_test_split(labels, test_size=0.2, stratify=labels)
    assert (train.count("a"), train.count("b"), test.count("a"), test.count("b")) == (64, 16, 16, 4)


def test_training_and_test_rows_in_order_without_shuffling():
    assert train_test_split([1, 2, 3, 4], shuffle=False, test_size=1) == [[1, 2, 3], [4]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"arrays": []}, ArgumentError, "at least one array"),
        ({"arrays": [[1, 2], [1]]}, ShapeError, "array 1 has 2, array 2 has 1"),
        ({"arrays": [[1]]}, DataError, "would be empty"),
        ({"arrays": [[1, 2]], "test_size": 2}, DataError, "the training part"),
        ({"arrays": [[1, 2, 3]], "test_size": 2, "train_size": 2}, ArgumentError, "ask for 4 of 3 rows"),
        ({"arrays": [[1, 2]], "stratify": [1, 1], "shuffle": False}, ArgumentError, "needs shuffle"),
        ({"arrays": [[1, 2, 3]], "stratify": [1, 1, 2]}, DataError, "class 2 has one row only"),
        ({"arrays": [[1, 2, 3]], "test_size": 1.5}, ArgumentError, "test_size is a fraction"),
    ],
)
def test_what_cannot_be_split_in_two_says_why(arguments, error, message):
    with pytest.raises(error, match=message):
        train_test_split(*arguments.pop("arrays"), **arguments)


def test_what_works_on_arrays_does_not_load_libraries_of_tables():
    import subprocess
    import sys

    use = "import slopewise.data as d; d.split(100); X, y = d.generate('moons'); d.train_test_split(X, y); "
    use += "list(d.DataLoader((X, y))); list(d.KFold().split(X))"
    heavy = "['polars', 'narwhals', 'pandas']"
    code = f"import sys; {use}; sys.exit(not set(sys.modules).isdisjoint({heavy}))"
    subprocess.run([sys.executable, "-c", code], check=True)
