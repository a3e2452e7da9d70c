"""Everything `fit` does and checks before it trains."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slopewise.data import Table
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.train.defaults import DEFAULTS, OPTIMIZERS, Settings, batch_size_for, check_settings
from slopewise.train.preparation import (
    Question,
    describe_columns,
    describe_data,
    describe_split,
    prepare,
    relative_path,
)

PENGUINS = "examples/data/penguins.csv"


@pytest.fixture(scope="module")
def species():
    return prepare(PENGUINS, Question("species"))


def small(**columns):
    return Table.from_frame(pl.DataFrame(columns))


def test_a_classification_is_stratified_and_its_defaults_are_settled(species):
    assert species.question.task == "classification"
    assert species.settings.batch_size == batch_size_for(206) == 32
    assert species.settings.lr == OPTIMIZERS["adam"].lr
    assert [np.bincount(species.targets(part)).tolist() for part in ("validation", "test")] == [
        [31, 13, 25],
        [30, 14, 25],
    ]
    assert species.features("test").shape == (69, species.features("train").shape[1])


def test_the_record_tells_what_became_of_each_column(species):
    columns = {column["name"]: column for column in describe_columns(species)}
    assert columns["species"]["use"] == "target"
    assert columns["island"]["use"] == "input"
    assert sum(column["features"] for column in columns.values()) == species.features("train").shape[1]
    split = describe_split(species)
    assert split["stratify"] == "species"
    assert split["rows"] == {"train": 206, "validation": 69, "test": 69}


def test_dropped_columns_have_a_reason():
    table = small(id=list(range(40)), same=["x"] * 40, x=np.sin(np.arange(40.0)), y=["a", "b"] * 20)
    columns = {column["name"]: column for column in describe_columns(prepare(table, Question("y")))}
    assert columns["same"]["use"] == "dropped"
    assert "every cell is x" in columns["same"]["reason"]
    assert columns["x"]["reason"] == ""


def test_paths_are_relative_to_the_run_folder(species, tmp_path):
    data = describe_data(species, Path("runs/penguins-1"))
    assert data["path"] == "../../examples/data/penguins.csv"
    assert data["given"] == PENGUINS
    assert data["name"] == "penguins.csv"
    assert relative_path(tmp_path / "a" / "b.csv", tmp_path / "c") == "../a/b.csv"
    in_memory = prepare(small(x=[1.0, 2.0, 3.0, 4.0, 5.5] * 4, y=["a", "b"] * 10), Question("y"))
    assert describe_data(in_memory, tmp_path)["path"] is None


def test_groups_stay_on_one_side_and_are_no_inputs():
    who = np.repeat([f"person {number}" for number in range(10)], 5).tolist()
    table = small(who=who, x=np.arange(50.0), y=np.arange(50.0) * 1.5)
    prepared = prepare(table, Question("y", group="who"))
    sides = [set(table["who"].gather(getattr(prepared.parts, p))) for p in ("train", "validation", "test")]
    assert sum(len(side) for side in sides) == 10 == len(set.union(*sides))
    assert prepared.inputs.inputs == ["x"]
    assert describe_split(prepared)["groups"] == "who"
    assert {c["name"]: c["use"] for c in describe_columns(prepared)}["who"] == "group"


def test_time_puts_the_newest_rows_into_the_test():
    table = small(day=list(range(20))[::-1], x=np.cos(np.arange(20.0)), y=np.arange(20.0))
    prepared = prepare(table, Question("y", time="day"))
    newest = set(table["day"].gather(prepared.parts.test))
    assert newest == {16, 17, 18, 19}
    assert prepared.inputs.inputs == ["x"]


@pytest.mark.parametrize(
    ("table", "question", "message"),
    [
        (small(x=[1.0], y=[2.5]), Question("y"), "in every row"),
        (small(x=[1.0], y=["a"]), Question("y"), "one class only"),
        (small(x=[1.0, 2.0] * 5, y=["a", "b"] * 5), Question("Y"), "did you mean 'y'"),
        (small(x=[1.0, 2.0] * 5, y=["a", "b"] * 5), Question("y", group="g"), "'g'"),
        (small(x=[1.0, 2.0] * 5, y=["a", "b"] * 5), Question("y", task="regression"), "'a'"),
        (small(x=[None, 2.0] * 9, y=["a", "b"] * 9), Question("y", group="x"), "missing in row 1"),
        (small(g=["a"] * 9 + ["b"], x=[1.0, 2.0] * 5, y=[1.0, 2.5] * 5), Question("y", group="g"), "part"),
        (small(x=[1.0, 2.5], y=[1.0, 2.5]), Question("y"), "would be empty"),
    ],
)
def test_tables_that_cannot_be_learned_from_are_refused(table, question, message):
    with pytest.raises(DataError, match=message):
        prepare(table, question)


def test_a_cell_of_the_test_rows_that_cannot_be_read_ends_the_job_before_training():
    words = ["red", "blue"] * 10
    table = small(day=list(range(20)), x=words, y=["a"] * 8 + ["b"] * 8 + ["c"] * 4)
    with pytest.raises(DataError, match="no class 'c'"):
        prepare(table, Question("y", time="day"))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("species", group="island", time="year"), "cannot be combined"),
        (Question("species", group="species"), "is the target"),
        (Question("species", seed=-1), "seed"),
        (Question("species", seed=2**64), "seed"),
        (Question("species", task="clustering"), "clustering"),
    ],
)
def test_questions_that_contradict_themselves_are_refused(question, message):
    with pytest.raises(ArgumentError, match=message):
        prepare(PENGUINS, question)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(optimizer="adm"), "'adm' is not known: use one of adagrad, adam"),
        (Settings(lr=0.0), "lr is 0.0"),
        (Settings(lr=float("nan")), "lr is nan"),
        (Settings(batch_size=0), "batch_size is 0"),
        (Settings(epochs=0), "epochs is 0"),
        (Settings(patience=0), "patience is 0"),
        (Settings(hidden=(64, 0)), "hidden"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        check_settings(settings)


def test_the_defaults_are_accepted():
    check_settings(DEFAULTS)
    check_settings(Settings(hidden=(), batch_size="full", lr=0.5))


def test_nothing_of_validation_and_test_rows_reaches_the_training_matrix():
    rows = 60
    x, y = np.sin(np.arange(rows) * 1.0), ["a", "b", "c"] * (rows // 3)
    first = prepare(small(x=x, y=y), Question("y"))
    held_out = np.concatenate([first.parts.validation, first.parts.test])
    changed = x.copy()
    changed[held_out] = 1e6
    second = prepare(small(x=changed, y=y), Question("y"))
    assert np.array_equal(first.features("train"), second.features("train"))
    assert first.inputs.to_dict() == second.inputs.to_dict()
