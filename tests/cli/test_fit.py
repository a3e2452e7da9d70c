"""From a table to a tested model through the command line."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from slopewise.cli.app import run
from slopewise.cli.plan import plan_lines
from slopewise.data import generate_table
from slopewise.engine.errors import RunError
from slopewise.evaluate.conclusion import finish
from slopewise.train.defaults import Settings
from slopewise.train.job import fit_table, start_run
from slopewise.train.preparation import Question, prepare

COMMAND = [sys.executable, "-m", "slopewise"]


def make_tables(path):
    generate_table("blobs", n=120, noise=2.0, missing=0.05, seed=3).frame.write_csv(path / "blobs.csv")
    generate_table("sine", n=80, seed=3).frame.write_csv(path / "sine.csv")
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return make_tables(tmp_path)


def fit(*options, data="blobs.csv", target="class", out="run"):
    return run(["fit", data, "--target", target, "--out", out, "--epochs", "12", "--hidden", "8", *options])


def text_of(capsys):
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def weights(path):
    return (path / "model.safetensors").read_bytes()


def test_fit_leaves_a_whole_run_and_says_how_good_it_is(folder, capsys):
    assert fit() == 0
    shown = text_of(capsys)
    for words in (
        "Data      blobs.csv: 120 rows, 3 columns",
        "class: classification, 3 classes; in training a 24 (33.3%), b 24 (33.3%), c 24 (33.3%)",
        "72 train, 24 validation, 24 test rows",
        "learning rate 0.003, batch size 32, at most 12 epochs",
        "epoch 1/12  loss",
        "test accuracy",
        "95% interval",
        "baseline 33.3% (always a)",
        "true \\ predicted  a  b  c",
        "run/report.html",
    ):
        assert words in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown)
    assert sorted(os.listdir("run")) == [
        "checkpoints",
        "evaluation.json",
        "metrics.jsonl",
        "model.json",
        "model.safetensors",
        "report.html",
        "run.json",
        "split.json",
    ]
    record = json.loads((folder / "run" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["command"].startswith("slopewise fit blobs.csv --target class --out run --epochs 12")
    assert [opening["why"] for opening in record["test_openings"]] == ["fit"]
    lines = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, record["result"]["epochs"] + 1))
    assert {"loss", "accuracy", "validation_loss", "validation_accuracy"} <= lines[0].keys()


def test_fitting_twice_gives_the_same_scores_and_weights(folder, capsys):
    assert fit() == 0
    first, first_weights = text_of(capsys), weights(folder / "run")
    assert fit() == 0
    assert text_of(capsys) == first
    assert weights(folder / "run") == first_weights
    assert fit("--seed", "1", out="other") == 0
    assert weights(folder / "other") != first_weights


def test_the_default_folder_is_numbered(folder, capsys):
    for number in (1, 2):
        assert run(["fit", "blobs.csv", "-t", "class", "--epochs", "1", "--quiet"]) == 0
        assert f"runs/blobs-{number}/report.html" in text_of(capsys)
    record = json.loads((folder / "runs" / "blobs-2" / "run.json").read_text())
    assert record["data"]["path"] == "../../blobs.csv"


def test_quiet_prints_the_result_only(capsys):
    assert fit("--quiet") == 0
    shown = text_of(capsys)
    assert "test accuracy" in shown
    assert "epoch" not in shown


def test_json_is_one_object_and_nothing_else(capsys):
    assert fit("--json") == 0
    result = json.loads(text_of(capsys))
    assert result["run"] == "run"
    assert result["task"] == "classification"
    assert list(result["scores"]) == ["train", "validation", "test"]
    test = result["scores"]["test"]["accuracy"]
    low, high = result["intervals"]["test"]["accuracy"]
    assert low <= test <= high
    assert result["baselines"]["test"]["accuracy"] == pytest.approx(1 / 3)


def test_a_regression_is_scored_in_the_unit_of_the_target(folder, capsys):
    assert fit("--epochs", "60", "--lr", "0.02", data="sine.csv", target="y") == 0
    assert "test mean absolute error" in text_of(capsys)
    evaluation = json.loads((folder / "run" / "evaluation.json").read_text())
    test = next(part for part in evaluation["parts"] if part["name"] == "test")
    scores = {score["name"]: score for score in test["scores"]}
    assert scores["mae"]["value"] < 0.5 * scores["mae"]["baseline"]
    last = json.loads((folder / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    validation = next(part for part in evaluation["parts"] if part["name"] == "validation")
    found = {score["name"]: score["value"] for score in validation["scores"]}
    assert last["validation_mae"] == pytest.approx(found["mae"], rel=0.3)


def test_predict_gives_a_row_for_each_row(folder, capsys):
    assert fit("--quiet") == 0
    table = pl.read_csv("blobs.csv").drop("class")
    table.write_csv("new.csv")
    capsys.readouterr()
    assert run(["predict", "run", "new.csv", "--out", "predictions.csv"]) == 0
    assert text_of(capsys) == "predictions.csv: 120 rows\n"
    found = pl.read_csv("predictions.csv")
    assert found.columns == ["prediction", "probability_a", "probability_b", "probability_c"]
    assert found.height == 120
    probabilities = found.select(pl.exclude("prediction")).to_numpy()
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert found["prediction"].to_list() == ["abc"[place] for place in probabilities.argmax(axis=1)]
    table.head(1).write_csv("one.csv")
    assert run(["predict", "run", "one.csv", "--out", "first.csv"]) == 0
    assert pl.read_csv("first.csv").row(0)[1:] == pytest.approx(found.row(0)[1:], abs=1e-6)


def test_codes_stay_as_they_are_written_through_fit_evaluate_and_predict(folder, capsys):
    zips = ["01067", "10115", "80331"]
    rows = [f"{zips[n % 3]},{n % 5}.5,{['001', '010', '7.50'][n % 3]}" for n in range(60)]
    (folder / "codes.csv").write_text("\n".join(["zip,x,article", *rows]) + "\n")
    prepared = prepare("codes.csv", Question("article"), Settings(epochs=60, lr=0.03, hidden=(8,)))
    finish(prepared, start_run(prepared, "run"))
    shown = "\n".join(plan_lines(prepared))
    assert "article: classification, 3 classes; in training 001 12" in shown
    assert "zip as category: codes, as cells such as '01067' begin with a zero" in shown
    (folder / "new.csv").write_text("zip,x,article\n80331,0.5,7.50\n80331,1.5,7.50\n")  # no zeros in front
    assert run(["predict", "run", "new.csv", "--out", "predictions.csv"]) == 0
    lines = (folder / "predictions.csv").read_text().splitlines()
    assert lines[0] == "prediction,probability_001,probability_010,probability_7.50"
    assert [line.split(",")[0] for line in lines[1:]] == ["7.50", "7.50"]
    capsys.readouterr()
    assert run(["evaluate", "run", "new.csv"]) == 0
    assert "100%" in text_of(capsys)
    assert "codes, as cells such as '001' begin with a zero" in shown.split("article: ")[1].split("Split")[0]


def test_categories_that_training_never_saw_are_told(folder, capsys):
    rows = [f"{['01067', '10115'][n % 2]},{['red', 'blue'][n % 2]},{n % 2}" for n in range(40)]
    (folder / "seen.csv").write_text("\n".join(["zip,colour,y", *rows]) + "\n")
    fit_table("seen.csv", "y", out="run", settings=Settings(epochs=1, hidden=()))
    (folder / "new.csv").write_text("zip,colour\n1067,red\n10115,\n1067,green\n")
    assert run(["predict", "run", "new.csv", "--out", "predictions.csv"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "slopewise: note: column 'zip': 2 of 3 cells are no category of training, such as '1067'; "
        "training had '01067': were zeros lost?",
        "slopewise: note: column 'colour': 1 of 3 cells are no category of training, such as 'green'",
    ]
    assert run(["predict", "run", "seen.csv", "--out", "predictions.csv"]) == 0
    assert text_of(capsys) == "predictions.csv: 40 rows\n"


def test_predict_prints_csv_without_out(capfdbinary):
    assert fit("--quiet", data="sine.csv", target="y") == 0
    capfdbinary.readouterr()
    assert run(["predict", "run", "sine.csv"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 81


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop("x2"), ["'x2'"]),
        (lambda frame: frame.with_columns(x1=pl.lit("tall")), ["'x1'", "tall"]),
    ],
    ids=["an absent column", "a column of another kind"],
)
def test_predict_names_what_does_not_fit_the_model(change, words, folder, capsys):
    assert fit("--quiet") == 0
    change(pl.read_csv("blobs.csv")).write_csv("new.csv")
    capsys.readouterr()
    assert run(["predict", "run", "new.csv", "--out", "predictions.csv"]) == 2
    line = capsys.readouterr().err
    assert all(word in line for word in ["new.csv", *words])
    assert not (folder / "predictions.csv").exists()


def test_predict_does_not_overwrite_its_table(capsys):
    assert fit("--quiet") == 0
    assert run(["predict", "run", "blobs.csv", "--out", "./blobs.csv"]) == 2
    assert "give another file" in capsys.readouterr().err
    assert pl.read_csv("blobs.csv").columns == ["x1", "x2", "class"]


def test_evaluate_on_the_runs_own_table_opens_the_test_rows_again(folder, capsys):
    assert fit("--json") == 0
    fitted = json.loads(text_of(capsys))
    assert run(["evaluate", "run", "blobs.csv", "--json"]) == 0
    assert json.loads(text_of(capsys))["scores"] == fitted["scores"]
    record = json.loads((folder / "run" / "run.json").read_text())
    assert [opening["why"] for opening in record["test_openings"]] == ["fit", "evaluate"]
    assert run(["report", "run"]) == 0
    assert "opened 2 times" in (folder / "run" / "report.html").read_text()


def test_evaluate_on_another_table_scores_all_of_its_rows(folder, capsys):
    assert fit("--quiet") == 0
    generate_table("blobs", n=30, noise=2.0, seed=4).frame.write_csv("new.csv")
    capsys.readouterr()
    assert run(["evaluate", "run", "new.csv"]) == 0
    shown = text_of(capsys)
    assert shown.startswith("data accuracy")
    assert "30 rows" in shown
    record = json.loads((folder / "run" / "run.json").read_text())
    assert len(record["test_openings"]) == 1


def test_a_finished_run_has_nothing_to_resume(capsys):
    assert fit("--quiet") == 0
    result = text_of(capsys)
    assert run(["resume", "run"]) == 0
    shown = text_of(capsys)
    assert shown.startswith("run is finished")
    assert result in shown


def test_a_run_whose_data_has_changed_is_not_resumed(folder, capsys):
    assert fit("--quiet") == 0
    record = json.loads((folder / "run" / "run.json").read_text())
    (folder / "run" / "run.json").write_text(json.dumps({**record, "status": "stopped"}))
    (folder / "blobs.csv").write_text((folder / "blobs.csv").read_text() + "0,0,a\n")
    assert run(["resume", "run"]) == 2
    assert "has changed since" in capsys.readouterr().err
    (folder / "blobs.csv").unlink()
    assert run(["resume", "run"]) == 2
    assert "put blobs.csv back" in capsys.readouterr().err


def test_a_run_that_is_stopped_while_it_is_tested_is_concluded_by_resume(folder, capsys, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    assert fit("--quiet") == 0
    result = text_of(capsys)
    with monkeypatch.context() as patched:
        patched.setattr("slopewise.evaluate.conclusion.conclude", stop)
        assert fit("--quiet") == 130
    assert "slopewise resume run" in capsys.readouterr().err
    assert json.loads((folder / "run" / "run.json").read_text())["test_openings"] == []
    assert run(["resume", "run", "--quiet"]) == 0
    assert text_of(capsys) == result
    (folder / "run" / "report.html").unlink()
    assert run(["resume", "run", "--quiet"]) == 0
    assert (folder / "run" / "report.html").exists()


def test_ctrl_c_before_the_run_begins_writes_nothing(folder, capsys, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    before = sorted(os.listdir(folder))
    monkeypatch.setattr("slopewise.cli.jobs.prepare", stop)
    assert fit() == 130
    assert "nothing was written" in capsys.readouterr().err
    assert sorted(os.listdir(folder)) == before


def test_a_full_disk_in_the_middle_of_training_leaves_a_run_that_can_go_on(folder, capsys, monkeypatch):
    assert fit("--quiet", out="whole") == 0
    with monkeypatch.context() as patched:

        def full(*arguments):
            raise RunError("cannot write the checkpoint: the disk is full")

        patched.setattr("slopewise.train.run_folder.RunFolder.save_checkpoint", full)
        assert fit("--quiet") == 2
    assert "the disk is full" in capsys.readouterr().err
    assert run(["resume", "run", "--quiet"]) == 0
    assert weights(folder / "run") == weights(folder / "whole")


def test_a_learning_rate_that_is_far_too_large_is_named(folder, capsys):
    assert fit("--optimizer", "sgd", "--lr", "1e30", data="sine.csv", target="y") == 2
    assert "diverged" in capsys.readouterr().err
    assert run(["report", "run"]) == 0
    assert "Training diverged" in (folder / "run" / "report.html").read_text()


def test_class_names_and_columns_may_hold_anything(folder, capsys):
    hostile = "<script>alert(1)</script>"
    frame = pl.read_csv("blobs.csv").rename({"x1": hostile, "class": "class [red]"})
    frame = frame.with_columns(pl.col("class [red]").replace({"a": hostile, "b": "[/bold] 🐧"}))
    frame.write_csv("odd.csv")
    assert fit(data="odd.csv", target="class [red]") == 0
    assert "[/bold] 🐧" in text_of(capsys)
    html = (folder / "run" / "report.html").read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


# ---- in a process of its own -----------------------------------------------------------------------------


def long_run(out, *options):
    arguments = ["fit", "blobs.csv", "-t", "class", "--out", out, "--epochs", "250", "--hidden", "32"]
    return [*COMMAND, *arguments, "--lr", "1e-5", *options]


def wait_for_epochs(path, epochs):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().count("\n") >= epochs:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} did not reach {epochs} epochs")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing stopped."""
    path = make_tables(tmp_path_factory.mktemp("whole"))
    subprocess.run(long_run("run"), cwd=path, check=True, capture_output=True, timeout=120)
    return path / "run"


@pytest.mark.slow
def test_ctrl_c_leaves_a_run_that_resumes_to_the_same_bits(folder, whole):
    with subprocess.Popen(
        long_run("run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_epochs(folder / "run" / "metrics.jsonl", 5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "slopewise: stopped; to go on: slopewise resume run\n"
    assert json.loads((folder / "run" / "run.json").read_text())["status"] == "stopped"
    resumed = subprocess.run([*COMMAND, "resume", "run"], capture_output=True, text=True, timeout=120)
    assert resumed.returncode == 0, resumed.stderr
    assert "Resuming run after epoch" in resumed.stdout
    assert weights(folder / "run") == weights(whole)
    paths = (folder / "run", whole)
    scores = [json.loads((path / "evaluation.json").read_text()) for path in paths]
    assert scores[0] == scores[1]
    lines = [(path / "metrics.jsonl").read_text().splitlines() for path in paths]
    for first, second in zip(*lines, strict=True):
        assert {**json.loads(first), "seconds": 0} == {**json.loads(second), "seconds": 0}


@pytest.mark.slow
def test_a_run_that_was_killed_resumes_to_the_same_bits(folder, whole):
    with subprocess.Popen(long_run("run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for_epochs(folder / "run" / "metrics.jsonl", 9)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    resumed = subprocess.run([*COMMAND, "resume", "run", "--json"], capture_output=True, timeout=120)
    assert resumed.returncode == 0, resumed.stderr
    assert weights(folder / "run") == weights(whole)


@pytest.mark.slow
def test_training_goes_on_when_nobody_reads_along(folder):
    with subprocess.Popen(long_run("run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert json.loads((folder / "run" / "run.json").read_text())["status"] == "finished"


@pytest.mark.slow
def test_a_terminal_gets_a_live_bar(folder):
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    arguments = [*COMMAND, "fit", "blobs.csv", "-t", "class", "--epochs", "1500", "--lr", "1e-5"]
    with subprocess.Popen(arguments, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                piece = os.read(controller, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    os.close(controller)
    assert process.returncode == 0
    text = shown.decode()
    assert "━" in text
    assert re.search(r"epoch \d+/1500.*loss \d\.\d+.*(accuracy|acc\.) \d+.*≤ \d:\d\d left", text)
    assert "test accuracy" in text


def test_numbers_of_a_json_result_are_finite_or_null(capsys):
    generate_table("sine", n=8, seed=1).frame.write_csv("tiny.csv")
    assert fit("--json", data="tiny.csv", target="y") == 0

    def refuse(constant):
        raise AssertionError(constant)

    result = json.loads(text_of(capsys), parse_constant=refuse)
    assert np.isfinite(result["scores"]["test"]["mae"])
