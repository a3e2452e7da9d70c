"""The main job: trained, recorded, resumed to the same bits."""

import json

import numpy as np
import pandas as pd
import pytest

from slopewise.data import Table, generate_table
from slopewise.engine.errors import DataError, RunError
from slopewise.engine.seeding import current_seed, manual_seed
from slopewise.train import job
from slopewise.train.defaults import OPTIMIZERS, Settings
from slopewise.train.job import fit_table, prepare_again, resume_run, start_run, train
from slopewise.train.preparation import Question, prepare
from slopewise.train.run_folder import RunFolder
from slopewise.train.table_model import TableModel

SMALL = Settings(hidden=(8,), epochs=6)


@pytest.fixture(scope="module")
def moons():
    return generate_table("moons", n=90, seed=2)


@pytest.fixture
def moons_file(tmp_path, moons):
    path = tmp_path / "moons.csv"
    moons.frame.write_csv(path)
    return path


def saved(run):
    return (run.path / "model.safetensors").read_bytes()


def test_a_job_is_recorded_so_that_it_can_be_repeated(tmp_path, moons_file):
    epochs = []
    run, model = fit_table(
        moons_file, "class", out=tmp_path / "run", seed=5, settings=SMALL, on_epoch=epochs.append
    )
    record = run.record
    assert record["status"] == "trained"
    assert record["test_openings"] == []
    assert record["seed"] == 5
    assert record["data"]["path"] == "../moons.csv"
    assert record["model"]["parameters"] == sum(p.numpy().size for p in model.network.parameters())
    assert record["result"]["epochs"] == len(epochs) == len(run.metrics()) == 6
    again = prepare_again(run)
    assert np.array_equal(
        again.features("train"), prepare(moons_file, Question("class", seed=5)).features("train")
    )


def test_a_data_frame_is_learned_from_and_predicted_for_as_the_table_it_holds(tmp_path, moons):
    frame = pd.DataFrame(moons.frame.to_dict(as_series=False))
    run, model = fit_table(frame, "class", out=tmp_path / "run", settings=SMALL)
    assert run.record["data"]["path"] is None
    assert saved(run) == saved(fit_table(moons, "class", out=tmp_path / "other", settings=SMALL)[0])
    assert np.array_equal(model.predict(frame), model.predict(moons))
    with pytest.raises(DataError, match=r"expected a data frame .*, got builtins.str; read_table reads"):
        model.predict("new.csv")


def test_the_weights_kept_are_those_of_the_best_epoch(tmp_path, moons_file):
    run, model = fit_table(moons_file, "class", out=tmp_path / "run", settings=SMALL)
    losses = [line["validation_loss"] for line in run.metrics()]
    best = run.record["result"]["best_epoch"]
    assert losses[best - 1] == min(losses)
    prepared = prepare_again(run)
    rows = prepared.parts.validation
    given = model.probabilities(prepared.table, rows)[np.arange(len(rows)), prepared.targets("validation")]
    assert -np.log(given).mean() == pytest.approx(min(losses), rel=1e-5)


def test_a_saved_model_predicts_the_same_bits(tmp_path, moons_file, moons):
    run, model = fit_table(moons_file, "class", out=tmp_path / "run", settings=SMALL)
    loaded = TableModel.load(RunFolder.open(run.path))
    assert np.array_equal(loaded.probabilities(moons), model.probabilities(moons))
    assert loaded.predict(moons).tolist() == model.predict(moons).tolist()


def test_test_rows_have_no_say_in_training(tmp_path, moons):
    prepared = prepare(moons, Question("class"), SMALL)
    frame = moons.frame.clone()
    values = frame["x1"].to_numpy().copy()
    values[prepared.parts.test] += 1000.0
    changed = Table.from_frame(frame.with_columns(x1=values))
    runs = [fit_table(table, "class", out=tmp_path / name, settings=SMALL)[0] for table, name in
            ((moons, "a"), (changed, "b"))]  # fmt: skip
    assert saved(runs[0]) == saved(runs[1])


def test_the_callers_seed_stays_as_it_was(tmp_path, moons_file):
    manual_seed(41)
    fit_table(moons_file, "class", out=tmp_path / "run", seed=5, settings=SMALL)
    assert current_seed() == 41


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_of_the_defaults_can_be_had(name, tmp_path, moons_file):
    run, _ = fit_table(
        moons_file, "class", out=tmp_path / "run", settings=Settings(hidden=(4,), epochs=2, optimizer=name)
    )
    assert run.record["optimizer"] == {"name": name, "lr": OPTIMIZERS[name].lr}
    assert all(np.isfinite(line["loss"]) for line in run.metrics())


@pytest.mark.parametrize("checkpoint_seconds", [0.0, 1e9], ids=["after every epoch", "at the stop only"])
@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_job_that_is_stopped_goes_on_to_the_same_bits(
    tmp_path, moons_file, monkeypatch, stop_after, checkpoint_seconds
):
    monkeypatch.setattr(job, "CHECKPOINT_SECONDS", checkpoint_seconds)
    whole, _ = fit_table(moons_file, "class", out=tmp_path / "whole", settings=SMALL)

    def stop(record):
        if record["epoch"] == stop_after:
            raise KeyboardInterrupt

    prepared = prepare(moons_file, Question("class"), SMALL)
    run = start_run(prepared, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(prepared, run, on_epoch=stop)
    assert run.record["status"] == "stopped"
    assert run.latest_checkpoint() is not None
    resume_run(RunFolder.open(run.path))
    assert saved(run) == saved(whole)
    assert [line["epoch"] for line in run.metrics()] == [1, 2, 3, 4, 5, 6]
    ours, theirs = (r.record["result"] for r in (run, whole))
    assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


def stopped_after_an_epoch(moons_file, folder):
    def stop(record):
        raise KeyboardInterrupt

    prepared = prepare(moons_file, Question("class"), SMALL)
    run = start_run(prepared, folder)
    with pytest.raises(KeyboardInterrupt):
        train(prepared, run, on_epoch=stop)
    return run


@pytest.mark.parametrize(("began", "goes_on"), [("interpreter", "native"), ("native", "interpreter")])
def test_a_job_goes_on_only_in_the_mode_that_it_began_in(tmp_path, moons_file, monkeypatch, began, goes_on):
    monkeypatch.setenv("SLOPEWISE_TARGET", began)
    run = stopped_after_an_epoch(moons_file, tmp_path / "run")
    assert run.record["environment"]["mode"] == began
    assert ("machine_code" in run.record["environment"]) == (began == "native")
    monkeypatch.setenv("SLOPEWISE_TARGET", goes_on)
    with pytest.raises(RunError, match=r"set SLOPEWISE_TARGET.*or fit again") as caught:
        resume_run(run)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("SLOPEWISE_TARGET", began)
    resume_run(run)
    assert run.record["status"] == "trained"


def test_a_job_that_goes_on_on_another_processor_says_that_bits_may_differ(tmp_path, moons_file, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", "native")
    run = stopped_after_an_epoch(moons_file, tmp_path / "run")
    record = run.record["environment"]
    run.update(environment={**record, "machine_code": {**record["machine_code"], "cpu": "another"}})
    with pytest.warns(UserWarning, match="began with another machine code: its bits may differ"):
        resume_run(run)


def test_a_job_killed_before_its_first_checkpoint_begins_again(tmp_path, moons_file):
    whole, _ = fit_table(moons_file, "class", out=tmp_path / "whole", settings=SMALL)
    run = start_run(prepare(moons_file, Question("class"), SMALL), tmp_path / "run")
    run.append_metrics({"epoch": 1, "loss": 9.0})
    resume_run(run)
    assert saved(run) == saved(whole)
    assert len(run.metrics()) == 6


def test_stopping_early_keeps_the_reason(tmp_path, moons_file):
    settings = Settings(hidden=(8,), epochs=50, patience=1, lr=0.5)
    run, _ = fit_table(moons_file, "class", out=tmp_path / "run", settings=settings)
    result = run.record["result"]
    assert result["stopped"] == "early"
    assert result["epochs"] < 50
    assert "has not improved" in result["reason"]


def test_a_split_that_was_edited_is_refused(tmp_path, moons_file):
    run, _ = fit_table(moons_file, "class", out=tmp_path / "run", settings=SMALL)
    split = run.split()
    split["train"].append(split["test"].pop())
    (run.path / "split.json").write_text(json.dumps(split))
    with pytest.raises(RunError, match="not the split of this run"):
        prepare_again(run)


def test_a_table_in_memory_is_fitted_but_cannot_be_resumed(tmp_path, moons):
    run, _ = fit_table(moons, "class", out=tmp_path / "run", settings=SMALL)
    with pytest.raises(RunError, match="table in memory"):
        prepare_again(run)


def test_a_model_file_of_another_shape_is_refused(tmp_path, moons_file):
    run, _ = fit_table(moons_file, "class", out=tmp_path / "run", settings=SMALL)
    description = json.loads((run.path / "model.json").read_text())
    description["network"]["hidden"] = [9]
    (run.path / "model.json").write_text(json.dumps(description))
    with pytest.raises(RunError, match=r"model\.json is damaged"):
        TableModel.load(run)


def test_a_regression_is_predicted_in_its_own_unit(tmp_path):
    table = generate_table("linear", n=120, noise=0.1, seed=1)
    far = Table.from_frame(table.frame.with_columns(y=table["y"] * 1e4 + 3e6))
    settings = Settings(hidden=(), epochs=100, lr=0.03)
    run, model = fit_table(far, "y", out=tmp_path / "run", settings=settings)
    truth = far["y"].to_numpy()
    assert np.abs(model.values(far) - truth).mean() < 0.2 * truth.std()
    assert run.metrics()[0]["validation_mae"] > 1e3
