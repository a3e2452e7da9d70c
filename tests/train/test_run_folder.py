"""The run folder: what is written comes back, nothing is half-written, only our own folders are replaced."""

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise._version import __version__
from slopewise.engine.errors import RunError
from slopewise.train import files
from slopewise.train.environment import environment
from slopewise.train.run_folder import FORMAT, RunFolder

RECORD = {
    "data": {"name": "penguins.csv", "path": "../penguins.csv", "given": "penguins.csv"},
    "target": "species",
}
SPLIT = {"train": [0, 1, 2], "validation": [3], "test": [4]}
TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
    "step": np.array(7, dtype=np.int64),  # 0-d
    "swapped": np.array([1.5, 2.5], dtype=">f8"),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "mask": np.array([True, False]),
}


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", RECORD, split=SPLIT)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def fail_on_write(monkeypatch, code, suffix):
    """Let writing files that end in `suffix` fail as the system would, after some bytes were written."""
    real_fsync = os.fsync

    def fsync(handle):
        if Path(os.readlink(f"/proc/self/fd/{handle}")).name.endswith(suffix):
            raise OSError(code, os.strerror(code))
        real_fsync(handle)

    monkeypatch.setattr(files.os, "fsync", fsync)


# ---- making and opening ------------------------------------------------------------------------------


def test_a_new_run_holds_its_record_and_split(run):
    opened = RunFolder.open(run.path)
    assert opened.record["target"] == "species"
    assert opened.record["format"] == FORMAT
    assert opened.record["slopewise"] == __version__
    assert opened.record["status"] == "training"
    assert opened.record["test_openings"] == []
    assert opened.split() == SPLIT
    assert sorted(tree(run.path)) == ["run.json", "split.json"]


def test_the_default_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [RunFolder.create(None, RECORD, split=SPLIT, stem="penguins").path for _ in range(3)]
    assert [path.as_posix() for path in paths] == ["runs/penguins-1", "runs/penguins-2", "runs/penguins-3"]


def test_a_run_of_the_same_job_is_replaced_whole(run):
    run.append_metrics({"epoch": 1})
    run.save_checkpoint(1, TENSORS, {})
    run.save_model({"task": "classification"}, TENSORS)
    run.save_evaluation({})
    run.save_report("<p>old</p>")
    (run.path / "notes.txt").write_text("mine")
    RunFolder.create(run.path, {**RECORD, "seed": 1}, split=SPLIT)
    assert sorted(tree(run.path)) == ["notes.txt", "run.json", "split.json"]
    assert run.record["seed"] == 1


def test_a_run_of_another_job_is_kept(run):
    before = tree(run.path)
    with pytest.raises(RunError, match=r"another job \(penguins.csv, target species\)"):
        RunFolder.create(run.path, {**RECORD, "target": "sex"}, split=SPLIT)
    assert tree(run.path) == before


def test_a_folder_of_other_files_is_kept(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"not empty \(it holds thesis.tex\)"):
        RunFolder.create(tmp_path, RECORD, split=SPLIT)
    assert sorted(tree(tmp_path)) == ["thesis.tex"]


def test_the_rest_of_a_run_that_was_killed_before_it_began_is_taken_over(tmp_path):
    (tmp_path / "run.json.new.part").write_text("{")
    assert RunFolder.create(tmp_path, RECORD, split=SPLIT).record["target"] == "species"


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunError, match="it is a file, not a folder"):
        RunFolder.create(tmp_path / "run", RECORD, split=SPLIT)
    with pytest.raises(RunError, match="is a file"):
        RunFolder.create(tmp_path / "run" / "deeper", RECORD, split=SPLIT)


def test_a_file_called_runs_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunError, match="a file of that name is in the way"):
        RunFolder.create(None, RECORD, split=SPLIT)


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "may not write")],
)
def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch, code, message):
    fail_on_write(monkeypatch, code, "split.json.new.part")
    with pytest.raises(RunError, match=message):
        RunFolder.create(tmp_path / "run", RECORD, split=SPLIT)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_no_older_run(run, monkeypatch):
    run.save_model({}, TENSORS)
    before = tree(run.path)
    fail_on_write(monkeypatch, errno.ENOSPC, "split.json.new.part")
    with pytest.raises(RunError, match="the disk is full"):
        RunFolder.create(run.path, RECORD, split=SPLIT)
    assert tree(run.path) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="may not write there"):
        RunFolder.create(tmp_path / "run", RECORD, split=SPLIT)
    tmp_path.chmod(0o700)


def test_a_run_of_another_version_says_which_version_made_it(run):
    run.update(format=99, slopewise="7.1.0")
    with pytest.raises(RunError, match=r"format 99, made by slopewise 7\.1\.0; slopewise .* reads format 1"):
        RunFolder.open(run.path)
    with pytest.raises(RunError, match=r"made by slopewise 7\.1\.0"):
        RunFolder.create(run.path, RECORD, split=SPLIT)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "holds no run"), ("{", "not JSON"), ("[]", "not the record"), ("{}", "not the record")],
)
def test_a_folder_that_holds_no_run_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=message):
        RunFolder.open(tmp_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(RunError, match="does not exist"):
        RunFolder.open(tmp_path / "nowhere")


# ---- records -----------------------------------------------------------------------------------------


def test_each_opening_of_the_test_rows_is_recorded(run):
    run.record_opening("fit", 69)
    run.record_opening("evaluate", 69)
    openings = run.record["test_openings"]
    assert [(opening["why"], opening["rows"]) for opening in openings] == [("fit", 69), ("evaluate", 69)]
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", opening["when"]) for opening in openings
    )


def test_the_data_is_found_from_the_run_wherever_both_are_moved(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "penguins.csv").write_text("x\n")
    run = RunFolder.create(tmp_path / "a" / "run", RECORD, split=SPLIT)
    (tmp_path / "a").rename(tmp_path / "b")
    moved = RunFolder.open(tmp_path / "b" / "run")
    assert moved.data_path() == tmp_path / "b" / "penguins.csv"
    (tmp_path / "b" / "penguins.csv").rename(tmp_path / "penguins.csv")
    monkeypatch.chdir(tmp_path)
    assert moved.data_path() == Path("penguins.csv")
    (tmp_path / "penguins.csv").unlink()
    with pytest.raises(RunError, match=r"put penguins\.csv back"):
        moved.data_path()
    assert run.path != moved.path


def test_metrics_come_back_line_by_line_and_a_torn_line_is_dropped(run):
    assert run.metrics() == []
    run.append_metrics({"epoch": 1, "loss": np.float32(0.5)})
    run.append_metrics({"epoch": 2, "loss": float("nan")})
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 3, "lo')
    assert run.metrics() == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": None}]
    run.cut_metrics(1)
    run.append_metrics({"epoch": 2, "loss": 0.25})
    assert [line["loss"] for line in run.metrics()] == [0.5, 0.25]


def test_records_are_strict_json(run):
    run.update(
        values={"nan": float("nan"), "inf": np.float32("inf"), "array": np.arange(2), "path": Path("a/b")}
    )

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (run.path / "run.json").read_text()
    values = json.loads(text, parse_constant=refuse)["values"]
    assert values == {"nan": None, "inf": None, "array": [0, 1], "path": "a/b"}


def test_a_failed_update_leaves_the_record_as_it_was(run, monkeypatch):
    before = tree(run.path)
    fail_on_write(monkeypatch, errno.ENOSPC, "run.json.part")
    with pytest.raises(RunError, match=r"run\.json: the disk is full"):
        run.update(status="finished")
    assert tree(run.path) == before


def test_the_environment_names_what_the_bits_depend_on():
    record = environment("eager")
    assert record["numpy"] == np.__version__
    assert record["cpu_features"]
    assert record["mode"] == "eager"
    assert "machine_code" not in record
    assert json.loads(files.to_json(record)) == record


def test_the_environment_of_machine_code_names_compiler_processor_and_threads():
    record = environment("native")
    assert record["machine_code"].keys() == {"compiler", "triple", "cpu", "features"}
    assert "llvmlite" in record["machine_code"]["compiler"]
    assert json.loads(files.to_json(record)) == record


# ---- tensors -----------------------------------------------------------------------------------------


def assert_same(tensors, expected):
    assert sorted(tensors) == sorted(expected)
    for name, value in expected.items():
        assert tensors[name].shape == value.shape
        assert tensors[name].dtype == value.dtype.newbyteorder("=")
        assert np.array_equal(tensors[name], value)


def test_the_model_comes_back_bit_for_bit(run):
    run.save_model({"classes": ["a", "b"], "mean": 0.1 + 0.2}, TENSORS)
    description, weights = run.load_model()
    assert description["classes"] == ["a", "b"]
    assert description["mean"] == 0.1 + 0.2
    assert_same(weights, TENSORS)


def test_a_run_without_a_model_says_how_to_go_on(run):
    with pytest.raises(RunError, match=r"no trained model yet: run `slopewise resume .*run`"):
        run.load_model()


def test_damaged_weights_are_refused(run):
    run.save_model({}, TENSORS)
    path = run.path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="damaged"):
        run.load_model()


def test_checkpoints_come_back_and_older_ones_are_removed(run):
    assert run.latest_checkpoint() is None
    state = {"best": float("-inf"), "epoch": 3, "lr": 0.1, "history": [1.5, None]}
    for step in (5, 100_000_000, 30):
        run.save_checkpoint(step, TENSORS, state)
    checkpoint = run.latest_checkpoint()
    assert checkpoint.step == 100_000_000
    assert checkpoint.state == state
    assert_same(checkpoint.tensors, TENSORS)
    assert sorted(path.name for path in (run.path / "checkpoints").iterdir()) == [
        "step-00000030.json",
        "step-00000030.safetensors",
        "step-100000000.json",
        "step-100000000.safetensors",
    ]


@given(kept=st.floats(0, 1), damaged=st.sampled_from(["json", "safetensors"]))
def test_a_torn_checkpoint_is_passed_over(tmp_path_factory, kept, damaged):
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "run", RECORD, split=SPLIT)
    run.save_checkpoint(1, TENSORS, {"epoch": 1})
    run.save_checkpoint(2, TENSORS, {"epoch": 2})
    path = run.path / "checkpoints" / f"step-00000002.{damaged}"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * (len(content) - 2))])
    assert run.latest_checkpoint().step == 1


def test_a_checkpoint_that_cannot_be_written_leaves_the_older_one(run, monkeypatch):
    run.save_checkpoint(1, TENSORS, {})
    before = tree(run.path)
    fail_on_write(monkeypatch, errno.ENOSPC, "step-00000002.json.part")
    with pytest.raises(RunError, match="the disk is full"):
        run.save_checkpoint(2, TENSORS, {})
    assert run.latest_checkpoint().step == 1
    assert {name: content for name, content in tree(run.path).items() if name in before} == before
