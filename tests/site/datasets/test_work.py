"""What the limited process does: reading, facts, generating, training within caps; here in our own."""

import json
import re
from contextlib import nullcontext

import pytest

from slopewise.data import generate_table
from slopewise.engine.errors import ArgumentError, DataError, SlopewiseError
from slopewise.site.datasets import work as module
from slopewise.site.datasets.work import work as work_and_tell
from slopewise.train.preparation import Question, prepare

FLOWERS = "height,width,kind\n" + "\n".join(
    f"{0.1 * row + (3 if row % 2 else 0):.1f},{0.05 * row:.2f},{'rose' if row % 2 else 'daisy'}"
    for row in range(60)
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def work(request, tell=lambda value: None):
    return work_and_tell(request, tell)


def read(folder, text, name="a.csv"):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return work({"task": "read", "file": name})


def target(found, name):
    return next(target for target in found["facts"]["targets"] if target["name"] == name)


def fit(folder, text=FLOWERS, *, column="kind", tell=lambda value: None, **settings):
    (folder / "a.csv").write_text(text)
    question = {"target": column} | {
        name: settings.pop(name) for name in ("task", "group") if name in settings
    }
    settings = {"hidden": [8], "epochs": 5, **settings}
    request = {"question": question, "settings": settings, "command": "slopewise fit a.csv"}
    return work({"task": "fit", "file": "a.csv", **request}, tell)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "arrow"])
def test_every_kind_of_file_is_read(folder, suffix):
    frame = generate_table("blobs", 60, seed=1).frame
    write = {
        "csv": frame.write_csv,
        "tsv": lambda file: frame.write_csv(file, separator="\t"),
        "parquet": frame.write_parquet,
        "arrow": frame.write_ipc,
    }[suffix]
    write(folder / f"a.{suffix}")
    found = work({"task": "read", "file": f"a.{suffix}"})
    assert (found["facts"]["rows"], found["facts"]["guess"]) == (60, "class")
    assert list(found["points"]["numbers"]) == ["x1", "x2"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"x,y\n1,2\n3\n", r"^a.csv: row 2 \(line 3\) has 1 cell, fewer than the 2 of the header"),
        ("a.csv", b"x,x\n1,2\n", "columns 1 and 2 are both called"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"PK\x03\x04rest", "it is a zip archive or an Excel workbook"),
        ("a.csv", b"x\n\xff\xfe\xfa\n", "is not UTF-8"),
        ("a.csv", b"\x00\x01", "is not a text table"),
        ("a.xlsx", b"x", "do not know how to read files ending in .xlsx"),
        ("a.parquet", b"PAR1 is all there is", "this is not a whole Parquet file"),
        ("a.csv", b"x,y\n1,inf\n", "the number is infinite"),
    ],
)
def test_errors_are_those_of_the_command_line(folder, name, content, told):
    with pytest.raises(DataError, match=told):
        read(folder, content, name)


def test_facts_say_what_is_missing_repeated_contradicted_and_lopsided(folder):
    rows = ["1,1,a", "1,1,a", "2,,a", "3,3,b", "3,3,a", *(f"{row},{row},a" for row in range(10, 40))]
    found = read(folder, "x,y,class\n" + "\n".join(rows))
    facts = found["facts"]
    assert (facts["rows"], facts["cells"], facts["holes"], facts["gaps"], facts["repeated"]) == (
        35,
        105,
        1,
        1,
        1,
    )
    told = " ".join(target(found, "class")["hints"])
    assert target(found, "class")["classes"] == [["a", 34], ["b", 1]]
    assert target(found, "class")["conflicts"] == 1
    assert "1 row contradict" in told
    assert "very unequal size" in told
    assert "97.1%" in told


def test_a_wrong_label_is_found_among_its_neighbours(folder):
    frame = generate_table("blobs", 90, classes=2, noise=0.5, seed=2).frame
    lines = frame.write_csv().splitlines()
    place = 17
    lines[place] = lines[place][:-1] + ("b" if lines[place].endswith("a") else "a")
    found = target(read(folder, "\n".join(lines)), "class")
    assert found["lonely"] == [place]
    assert f"(row {place})" in " ".join(found["hints"])


def test_noise_of_numbers_is_what_was_put_in(folder):
    found = target(read(folder, generate_table("sine", 1200, noise=0.2, seed=0).frame.write_csv()), "y")
    assert found["task"] == "regression"
    assert found["unlike"] * 0.72 == pytest.approx(0.2, rel=0.15)  # the target spreads by about 0.72


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x\n" + "a\n" * 5, None),  # constant: no column can be a target
        ("x,y\n1,a\n2,a\n", None),
        ("d,y\n2020-01-01,1\n2020-01-02,2\n", "y"),
    ],
)
def test_a_table_of_little_use_has_facts_all_the_same(folder, text, hint):
    facts = read(folder, text)["facts"]
    assert facts["rows"] > 0
    assert hint is None or facts["guess"] == hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind\n" + "a\nb\n" * 20, "no column is left as an input (there is none but 'kind'); add columns"),
        ("x,kind\n" + "1,a\n1,b\n" * 20, "no column is left as an input ('x': every cell is 1); add columns"),
        ("number,kind\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(40)), ""),
    ],
)
def test_a_target_with_nothing_beside_it_is_told_as_the_training_would(folder, text, told):
    found = target(read(folder, text), "kind")
    assert found["problem"] == (f"a.csv: {told}" if told else "")
    assert found["classes"] == [["a", 20], ["b", 20]]
    with pytest.raises(DataError, match=re.escape(told)) if told else nullcontext():
        prepare("a.csv", Question("kind"))


@pytest.mark.parametrize(
    ("limits", "told"),
    [({"MOST_ROWS": 10}, "60 rows"), ({"MOST_COLUMNS": 2}, "3 columns"), ({"MOST_CELLS": 100}, "100 cells")],
)
def test_a_table_that_is_too_large_is_refused(folder, monkeypatch, limits, told):
    for name, value in limits.items():
        monkeypatch.setattr(module, name, value)
    with pytest.raises(DataError, match=told):
        read(folder, FLOWERS)


def test_points_of_a_long_table_are_a_choice_of_rows_and_the_same_each_time(folder):
    text = generate_table("moons", 3000, seed=0).frame.write_csv()
    first, second = read(folder, text)["points"], read(folder, text)["points"]
    assert first == second
    assert len(first["rows"]) == len(first["numbers"]["x1"]) == len(first["labels"]["class"]) == 2000


def test_points_of_a_wide_table_hold_its_first_columns_and_the_likely_target(folder):
    names = [f"x{k}" for k in range(12)]
    rows = [",".join(f"{row * (k + 1) % 17}.5" for k in range(14)) for row in range(40)]
    points = read(folder, "\n".join([",".join([*names, "target", "more"]), *rows]))["points"]
    assert list(points["numbers"]) == [*names[:10], "target"]


def test_generated_data_is_what_the_command_makes(folder):
    made = work({"task": "generate", "kind": "moons", "rows": 50, "noise": 0.2, "seed": 3})
    assert made["text"] == generate_table("moons", 50, 0.2, seed=3).frame.write_csv()
    for wrong in ({"kind": "pears"}, {"rows": 5001}):
        with pytest.raises(ArgumentError):
            work({"task": "generate", "kind": "moons", "rows": 50, "noise": 0.2, "seed": 3, **wrong})


def test_a_training_makes_a_report(folder):
    made = fit(folder, hidden=[4], epochs=3)
    assert made["task"] == "classification"
    assert made["words"].startswith("Test accuracy")
    assert "<html" in made["report"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"column": "colour"}, "there is no column 'colour'"),
        ({"task": "regression"}, "kind"),
        ({"hidden": [9999, 9999]}, "a page trains up to 100,000"),
        ({"hidden": [1] * 5}, "use up to 4"),
        ({"optimizer": "sgdd"}, "is not known"),
        ({"batch_size": 1, "epochs": 1000}, "a page makes up to 30,000"),
        ({"epochs": 1001}, "use up to 1000"),
        ({"group": "kind"}, "kind"),
    ],
)
def test_a_training_that_cannot_be_is_refused_before_it_begins(folder, changes, told):
    with pytest.raises(SlopewiseError, match=told) as found:
        fit(folder, **changes)
    assert "\n" not in str(found.value)
    assert not (folder / "run").exists()


def test_more_rows_than_a_page_trains_on_are_refused_with_the_command_that_does(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_TRAINED", 50)
    with pytest.raises(
        DataError, match=r"up to 50\. Take fewer, or install Slopewise and run: slopewise fit"
    ):
        fit(folder)


def test_a_training_tells_the_losses_of_each_epoch_before_its_answer(folder):
    told = []
    fit(folder, epochs=7, tell=told.append)
    points = [point for some in told for point in some]
    assert [epoch for epoch, _, _ in points] == list(range(1, len(points) + 1))
    lines = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert points == [[line["epoch"], line["loss"], line["validation_loss"]] for line in lines]
