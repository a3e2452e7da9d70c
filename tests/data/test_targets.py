"""Targets: the task they ask for, what makes them unlearnable, and the way to numbers and back."""

import datetime
import json

import numpy as np
import polars as pl
import pytest

from slopewise.data import Table, TargetEncoder, check_target, infer_task
from slopewise.engine.errors import ArgumentError, DataError, ShapeError


def table_of(values):
    return Table.from_frame(pl.DataFrame({"y": pl.Series(values)}), source="data")


def spread(n_rows, classes):
    return [code % classes for code in range(n_rows)]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "a"], "classification"),
        ([True, False], "classification"),
        ([0, 1], "classification"),
        ([0.0, 1.0, 1.0], "classification"),
        (["0", "1"], "classification"),
        (spread(400, 20), "classification"),
        (spread(500, 21), "regression"),
        (spread(50, 8), "regression"),
        (spread(64, 8), "classification"),
        ([0.5, 1.5], "regression"),
        (["0.5", "1.5"], "regression"),
        (["007", "12"], "classification"),
    ],
)
def test_the_task_follows_from_the_values(values, task):
    assert infer_task(table_of(values), "y") == task
    assert check_target(table_of(values * 2), "y", task) == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([2, 0, 2], [0, 2]),
        ([2.0, 0.0], [0, 2]),
        (["10", "9"], [9, 10]),
        (["10", "x"], ["10", "x"]),
        (["10", "007"], ["007", "10"]),
        ([True, False], ["false", "true"]),
        ([0.5, 0.25], [0.25, 0.5]),
    ],
)
def test_classes_are_sorted_labels_that_come_back(values, classes):
    table = table_of(values)
    target = TargetEncoder.fit(table, "y", task="classification")
    assert target.classes == classes
    assert [type(label) for label in target.classes] == [type(label) for label in classes]
    y = target.transform(table)
    assert y.dtype == np.int64
    assert target.inverse(y).tolist() == [target.classes[code] for code in y]
    again = TargetEncoder.from_dict(json.loads(json.dumps(target.to_dict())))
    assert again == target


def test_a_regression_is_standardised_by_training_rows_and_comes_back():
    table = table_of([1.0, 3.0, 100.25])
    target = TargetEncoder.fit(table, "y", rows=[0, 1], task="regression")
    assert (target.mean, target.std, target.classes) == (2.0, 1.0, None)
    y = target.transform(table)
    assert y.dtype == np.float32
    assert y.tolist() == [-1.0, 1.0, 98.25]
    assert target.inverse(y).tolist() == [1.0, 3.0, 100.25]
    assert TargetEncoder.from_dict(json.loads(json.dumps(target.to_dict()))) == target


def test_labels_fit_whether_they_come_as_numbers_or_as_text():
    target = TargetEncoder.fit(table_of([1, 2, 1]), "y")
    assert target.transform(table_of(["2", "1"])).tolist() == [1, 0]
    assert target.transform(table_of(["2.0", "1"])).tolist() == [1, 0]
    assert TargetEncoder.fit(table_of(["1", "x"]), "y").transform(table_of([1])).tolist() == [0]
    truth = TargetEncoder.fit(table_of([True, False]), "y")
    assert truth.transform(table_of(["True", "FALSE"])).tolist() == [1, 0]
    assert TargetEncoder.fit(table_of([0, 1]), "y").transform(table_of([True, False])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a", None, "b", None], "auto", r"missing in 2 rows \(row 2, row 4\); remove these rows"),
        ([None] * 5, "auto", r"missing in 5 rows \(row 1, row 2, row 3, …\)"),
        ([1.5, None], "auto", r"missing in 1 row \(row 2\)"),
        (["a", "a"], "auto", "has one class only, 'a'"),
        (["a"], "auto", "has one class only, 'a'"),
        (["a", "a", "b"], "auto", r"class 'b' of the target 'y' has one row only \(row 3\)"),
        ([f"name {code}" for code in range(20)], "auto", "20 classes in 20 rows, more than can be learned"),
        ([f"{code},5" for code in range(20)], "auto", "for numbers, write cells such as '0,5' with a point"),
        ([1.0, -1e200, 2.0], "auto", "column 'y', row 2: -1e.200 is too large .* in a larger unit"),
        (list(range(20)), "classification", "for numbers, ask for a regression"),
        ([1.5, 1.5], "regression", "is 1.5 in every row"),
        (["1", "x", "2"], "regression", "column 'y', row 2: 'x' is not a number"),
        ([datetime.date(2020, 1, 1)] * 2, "auto", "neither a number nor a class"),
        ([[1], [2]], "auto", "not numbers or classes"),
    ],
)
def test_a_target_that_cannot_be_learned_says_why(values, task, message):
    with pytest.raises(DataError, match=message) as caught:
        check_target(table_of(values), "y", task)
    assert str(caught.value).startswith("data: ")
    assert "\n" not in str(caught.value)


def test_an_absent_target_names_the_nearest_column():
    with pytest.raises(DataError, match="did you mean 'y'"):
        check_target(table_of([1, 2]), "Y")


def test_only_the_given_rows_are_looked_at():
    table = table_of(["a", "b", "a", None, "c"])
    assert TargetEncoder.fit(table, "y", rows=[0, 1, 2]).classes == ["a", "b"]


def test_a_class_that_training_did_not_see_is_named():
    target = TargetEncoder.fit(table_of(["a", "b"]), "y")
    with pytest.raises(
        DataError, match=r"column 'y', row 2: the training rows hold no class 'c'; known are 'a', 'b'"
    ):
        target.transform(table_of(["a", "c"]))
    with pytest.raises(DataError, match="no class 'x'"):
        TargetEncoder.fit(table_of([1, 2]), "y").transform(table_of(["1", "x"]))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros((2, 2)), ShapeError, "shape \\(2, 2\\)"),
        (np.array([0.5]), ArgumentError, "take the argmax"),
        (np.array([2]), ArgumentError, "from 0 to 1, got 2"),
        (np.array([-1]), ArgumentError, "from 0 to 1"),
    ],
)
def test_what_is_no_class_number_is_refused(y, error, message):
    target = TargetEncoder.fit(table_of(["a", "b"]), "y")
    with pytest.raises(error, match=message):
        target.inverse(y)


def test_unknown_tasks_and_broken_records_are_refused():
    with pytest.raises(ArgumentError, match="task is 'auto'"):
        TargetEncoder.fit(table_of([1, 2]), "y", task="guess")
    with pytest.raises(DataError, match="not the record of a target"):
        TargetEncoder.from_dict({"name": "y"})
