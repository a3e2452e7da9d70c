"""Bad input through the command line: status 2, one line that names what and where, nothing written."""

import os

import numpy as np
import pytest

from slopewise.cli.app import run

GOOD = "size,colour,kind\n" + "".join(
    f"{i}.5,{'red' if i % 2 else 'blue'},{'ab'[i % 2]}\n" for i in range(30)
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(*lines):
    return "\n".join(lines) + "\n"


def refused(capsys, *arguments):
    """Run a command that must be refused; return its line."""
    assert run(list(arguments)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err.removeprefix("slopewise: error: ").rstrip("\n")


# what is wrong, the file's content, words that the line must hold
CONTENT = {
    "an empty file": ("", ["data.csv", "empty"]),
    "only blank lines": ("\n\n", ["data.csv", "empty"]),
    "a header only": ("size,kind\n", ["data.csv", "no row"]),
    "binary rubbish": (bytes(range(256)) * 8, ["data.csv"]),
    "a wrong encoding": ("size,kind\n1,é\n".encode("latin-1"), ["data.csv", "UTF-8"]),
    "ragged rows": (GOOD + "1,red,a,extra\n", ["data.csv", "row 31", "line 32", "4"]),
    "duplicate column names": (GOOD.replace("colour", "size", 1), ["data.csv", "size"]),
    "an absent target": (GOOD.replace("kind", "kinds", 1), ["data.csv", "'kind'", "did you mean 'kinds'?"]),
    "a target of one class": (GOOD.replace(",a\n", ",b\n"), ["data.csv", "'kind'", "one class"]),
    "a target with missing values": (GOOD.replace("3.5,red,b", "3.5,red,"), ["data.csv", "row 4 (line 5)"]),
    "a target that is all missing": (
        GOOD.replace(",a\n", ",\n").replace(",b\n", ",\n"),
        ["'kind'", "missing"],
    ),
    "a class of one row": (GOOD + "9,red,c\n", ["'c'", "row 31 (line 32)"]),
    "an infinity": (GOOD.replace("\n4.5,", "\ninf,"), ["'size'", "row 5 (line 6)", "inf"]),
    "more classes than rows allow": (
        rows("x,kind", *(f"{i},c{i % 16}" for i in range(30))),
        ["16 classes", "30 rows"],
    ),
    "a constant number as target": (rows("x,kind", *(f"{i},2.5" for i in range(30))), ["'kind'", "2.5"]),
    "no usable column": (
        rows("x,kind", *(f",{'ab'[i % 2]}" for i in range(30))),
        ["no column is left", "'x'"],
    ),
    "one row": (rows("x,kind", "1,a"), ["one class"]),
    "one column": (rows("kind", *("ab"[i % 2] for i in range(30))), ["no column is left"]),
    "three rows, too few for the split": (rows("x,kind", "1,2.5", "2,3.5"), ["part", "2 rows", "empty"]),
}


@pytest.mark.parametrize(("content", "words"), CONTENT.values(), ids=CONTENT)
def test_a_table_that_cannot_be_used_is_refused(content, words, folder, capsys):
    (folder / "data.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refused(capsys, "fit", "data.csv", "--target", "kind")
    for word in words:
        assert word in line
    assert os.listdir(folder) == ["data.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dato.csv", "--target", "kind"], ["dato.csv", "data.csv"]),
        (["sub", "--target", "kind"], ["sub", "folder"]),
        (["data.txt", "--target", "kind"], ["data.txt"]),
        (["data.csv", "--target", "knd"], ["'knd'", "did you mean 'kind'?"]),
        (["data.csv", "--target", "kind", "--task", "regression"], ["'kind'", "not a number"]),
        (["data.csv", "--target", "kind", "--task", "ranking"], ["'ranking'"]),
        (["data.csv", "--target", "kind", "--group", "shape"], ["'shape'"]),
        (["data.csv", "--target", "kind", "--group", "colour"], ["data.csv", "'colour'", "2 groups"]),
        (["data.csv", "--target", "kind", "--group", "colour", "--time", "size"], ["cannot be combined"]),
        (["data.csv", "--target", "kind", "--optimizer", "adm"], ["'adm'", "adam"]),
        (["data.csv", "--target", "kind", "--lr", "-1"], ["lr is -1"]),
        (["data.csv", "--target", "kind", "--hidden", "8,0"], ["hidden"]),
        (["data.csv", "--target", "kind", "--seed", str(2**64)], ["seed"]),
        (["data.csv", "--target", "kind", "--out", "data.csv"], ["data.csv", "not a folder"]),
        (["data.csv", "--target", "kind", "--out", "sub"], ["sub", "notes.txt"]),
        (["data.csv", "--target", "kind", "--out", "data.csv/run"], ["data.csv"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_arguments_that_do_not_fit_the_table_are_refused(arguments, words, folder, capsys):
    (folder / "data.csv").write_text(GOOD)
    (folder / "data.txt").write_text(GOOD)
    (folder / "sub").mkdir()
    (folder / "sub" / "notes.txt").write_text("mine")
    line = refused(capsys, "fit", *arguments)
    for word in words:
        assert word in line
    assert sorted(os.listdir(folder)) == ["data.csv", "data.txt", "sub"]
    assert os.listdir(folder / "sub") == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_refused(folder, capsys):
    (folder / "data.csv").write_text(GOOD)
    folder.chmod(0o500)
    try:
        assert "may not write" in refused(capsys, "fit", "data.csv", "--target", "kind")
    finally:
        folder.chmod(0o700)


def test_a_full_disk_is_refused_and_nothing_is_left(folder, capsys, monkeypatch):
    (folder / "data.csv").write_text(GOOD)

    def full(handle):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in refused(capsys, "fit", "data.csv", "--target", "kind", "--out", "run")
    assert os.listdir(folder) == ["data.csv"]


@pytest.mark.parametrize("command", ["resume", "evaluate", "predict", "report"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["holds no run.json"]),
        ('{"format": 99, "slopewise": "7.0"}', ["format 99", "slopewise 7.0"]),
        ("{", ["damaged"]),
    ],
    ids=["no run", "another version", "damaged"],
)
def test_a_folder_that_holds_no_run_of_ours_is_refused(command, content, words, folder, capsys):
    (folder / "data.csv").write_text(GOOD)
    (folder / "run").mkdir()
    if content is not None:
        (folder / "run" / "run.json").write_text(content)
    data = ["data.csv"] if command in ("evaluate", "predict") else []
    line = refused(capsys, command, "run", *data)
    for word in words:
        assert word in line


def test_groups_that_leave_a_part_empty_are_refused(folder, capsys):
    lines = [f"{i},{'g' if i < 29 else 'h'},{np.sin(i):.4f}" for i in range(30)]
    (folder / "data.csv").write_text(rows("x,who,y", *lines))
    line = refused(capsys, "fit", "data.csv", "--target", "y", "--group", "who")
    assert "part" in line
    assert os.listdir(folder) == ["data.csv"]
