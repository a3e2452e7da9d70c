"""The main job: from a table to a trained model in a run folder.

`fit_table` reads as what it does: prepare, make a run folder, train. A run that was stopped goes on with
`resume_run`, to the same bits as if it had never been stopped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slopewise.compiler.targets import mode_in_use
from slopewise.data import Table, read_table
from slopewise.engine.errors import RunError
from slopewise.train.callbacks import Callback, EarlyStopping
from slopewise.train.defaults import DEFAULTS, Settings, batch_size_for
from slopewise.train.environment import check_same_mode, environment
from slopewise.train.memory import release_freed_memory
from slopewise.train.networks import build_optimizer, layer_rows
from slopewise.train.orders import ORDERS
from slopewise.train.preparation import (
    Prepared,
    Question,
    describe_columns,
    describe_data,
    describe_split,
    prepare,
)
from slopewise.train.run_folder import RunFolder
from slopewise.train.snapshot import Snapshot
from slopewise.train.table_model import TableModel
from slopewise.train.trainer import Trainer

CHECKPOINT_SECONDS = 5.0  # between two checkpoints; when they are taken changes no bit of the result

OnEpoch = Callable[[Mapping[str, Any]], None]
OnProgress = Callable[[float], None]


def fit_table(
    data: str | os.PathLike[str] | Table | Any,
    target: str,
    *,
    task: str = "auto",
    out: str | os.PathLike[str] | None = None,
    group: str | None = None,
    time: str | None = None,
    seed: int = 0,
    settings: Settings = DEFAULTS,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[RunFolder, TableModel]:
    """Train a network to predict a column of a table.

    The test rows are set aside and not looked at: `slopewise.evaluate.conclude` opens them, once.

    Parameters
    ----------
    data : path, Table, or any data frame that `Table.from_frame` takes
    target : str
        The column to predict.
    task : "auto", "classification" or "regression"
    out : path, optional
        The run folder; by default runs/<data>-<n>.
    group, time : str, optional
        A column whose rows stay on one side of the split, or by which the split is made.
    seed : int
    settings : Settings
    on_epoch : callable, optional
        Is given the record of each epoch.
    on_progress : callable, optional
        Is given the epochs made so far, with the part of the one under way, at most ten times a second.

    Returns
    -------
    run : RunFolder
    model : TableModel, with the weights of the best epoch on the validation rows

    Raises
    ------
    DataError, ArgumentError
        If the table or a setting cannot be used; then nothing has been written.
    RunError
        If the run folder cannot be written, or training diverged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> run, model = fit_table("examples/data/penguins.csv", "species", out=folder)
    >>> run.record["status"]
    'trained'
    """
    prepared = prepare(data, Question(target, task, group, time, seed), settings)
    run = start_run(prepared, out)
    return run, train(prepared, run, on_epoch=on_epoch, on_progress=on_progress)


def start_run(
    prepared: Prepared, out: str | os.PathLike[str] | None = None, command: str | None = None
) -> RunFolder:
    """Make the run folder of a prepared table.

    Parameters
    ----------
    prepared : Prepared
    out : path, optional
    command : str, optional
        The command that repeats the run.
    """
    source = prepared.table.source
    stem = Path(source).stem if source else "table"
    folder = Path(out) if out is not None else Path("runs") / f"{stem}-1"  # all such names are as deep
    return RunFolder.create(
        out, _describe(prepared, folder, command), split=prepared.parts.arrays(), stem=stem
    )


def train(
    prepared: Prepared,
    run: RunFolder,
    *,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
) -> TableModel:
    """Train the network of a run, from its newest checkpoint if it has one, and save the best weights.

    Ctrl-C takes effect between two updates: a checkpoint is written, the run's status becomes "stopped", and
    KeyboardInterrupt goes on its way.
    """
    settings = prepared.settings
    release_freed_memory(prepared.table)
    model = TableModel.build(prepared.inputs, prepared.target, settings.hidden, prepared.question.seed)
    trainer = _trainer(prepared, model)
    stopping = EarlyStopping("validation_loss", patience=settings.patience)
    recorder = RunRecorder(run, unit=prepared.target.std, on_epoch=on_epoch, on_update=on_progress)
    _begin(trainer, prepared, [stopping, recorder])
    _go_back_to_checkpoint(trainer, run)
    run.update(status="training")
    try:
        trainer.resume()
    except KeyboardInterrupt:
        recorder.save_checkpoint(trainer)
        run.update(status="stopped")
        raise
    if not np.isfinite(stopping.best):
        run.update(status="diverged")
        loss = stopping.best
        raise RunError(f"training diverged, the validation loss is {loss}: use a lr below {settings.lr}")
    model.save(run)
    run.update(status="trained", result=_result(trainer, stopping))
    trainer.run = None  # it holds the features of two parts, and is itself part of circles
    ORDERS.forget()
    return model


def _trainer(prepared: Prepared, model: TableModel) -> Trainer:
    return Trainer(
        model.network,
        loss=_loss_of(prepared),
        optimizer=build_optimizer(model.network, prepared.settings),
        metrics=[_metric_of(prepared)],
        seed=prepared.question.seed,
    )


def _begin(trainer: Trainer, prepared: Prepared, callbacks: list[Callback]) -> None:
    """Hand the training and validation rows to the Trainer; it makes no update yet."""
    settings = prepared.settings
    trainer.begin(
        prepared.features("train"),
        _targets(prepared, "train"),
        validation=(prepared.features("validation"), _targets(prepared, "validation")),
        epochs=settings.epochs,
        batch_size=settings.batch_size or batch_size_for(len(prepared.parts.train)),
        callbacks=callbacks,
    )


def _go_back_to_checkpoint(trainer: Trainer, run: RunFolder) -> None:
    """Put the newest checkpoint into the Trainer, if there is one, and forget the epochs after it."""
    checkpoint = run.latest_checkpoint()
    if checkpoint is None:
        run.update(environment=environment(mode_in_use()))  # it begins anew, here
    else:
        check_same_mode(run.path, run.record["environment"], mode_in_use())
        trainer.restore(Snapshot(checkpoint.tensors, checkpoint.state))
    run.cut_metrics(trainer.epoch)


class RunRecorder(Callback):
    """Writes metrics.jsonl and checkpoints while a run is trained.

    Parameters
    ----------
    run : RunFolder
    unit : float
        The standard deviation of the target, to give errors in its unit.
    on_epoch : callable, optional
        Is given what was written for an epoch.
    on_update : callable, optional
        Is given the epochs made so far, with the part of the one under way.
    """

    after_others = True

    def __init__(
        self,
        run: RunFolder,
        *,
        unit: float = 1.0,
        on_epoch: OnEpoch | None = None,
        on_update: OnProgress | None = None,
    ) -> None:
        self.run = run
        self.unit = unit
        self.on_epoch = on_epoch
        self.on_update = on_update
        self.saved = time.monotonic()

    def on_epoch_end(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Write the epoch, and a checkpoint if it is time or the last one."""
        line = {name: value * self.unit if name.endswith("mae") else value for name, value in record.items()}
        self.run.append_metrics(line)
        if self.on_epoch is not None:
            self.on_epoch(line)
        if trainer.is_last_epoch or time.monotonic() - self.saved >= CHECKPOINT_SECONDS:
            self.save_checkpoint(trainer)

    def on_progress(self, trainer: Trainer) -> None:
        """Write a checkpoint in the middle of an epoch that takes long."""
        if self.on_update is not None:
            self.on_update(trainer.epochs_done)
        if time.monotonic() - self.saved >= CHECKPOINT_SECONDS:
            self.save_checkpoint(trainer)

    def save_checkpoint(self, trainer: Trainer) -> None:
        """Write the whole state of training."""
        snapshot = trainer.snapshot()
        self.run.save_checkpoint(trainer.step, snapshot.tensors, snapshot.state)
        self.saved = time.monotonic()


def resume_run(run: RunFolder, *, on_epoch: OnEpoch | None = None) -> TableModel:
    """Go on with a run that was stopped or killed; see `prepare_again`."""
    return train(prepare_again(run), run, on_epoch=on_epoch)


def prepare_again(run: RunFolder) -> Prepared:
    """Prepare the table of a run as it was prepared when the run began.

    Raises
    ------
    RunError
        If the data is not where it was or has changed since.
    """
    record = run.record
    table = read_table(run.data_path())
    if table.fingerprint != record["data"]["fingerprint"]:
        raise RunError(
            f"{table.label} has changed since {run.path} began: put the old file back, or fit again"
        )
    settings = Settings(**{**record["settings"], "hidden": tuple(record["settings"]["hidden"])})
    prepared = prepare(table, Question(**record["question"]), settings)
    if prepared.parts.to_dict() != run.split():
        raise RunError(f"{run.path / 'split.json'} is not the split of this run: fit again")
    return prepared


def _loss_of(prepared: Prepared) -> str:
    return "cross_entropy" if prepared.question.task == "classification" else "mse"


def _metric_of(prepared: Prepared) -> str:
    return "accuracy" if prepared.question.task == "classification" else "mae"


def _targets(prepared: Prepared, part: str) -> Any:
    """Class numbers (rows,), or standardised values (rows, 1), as the network gives them."""
    targets = prepared.targets(part)
    return targets if prepared.question.task == "classification" else targets[:, None]


def _describe(prepared: Prepared, folder: Path, command: str | None) -> dict[str, Any]:
    """Return what run.json says when training begins."""
    question, settings = prepared.question, prepared.settings
    features = len(prepared.inputs.feature_names)
    layers = layer_rows(features, settings.hidden, len(prepared.target.classes or [0]))
    options = {"lr": settings.lr}
    return {
        "command": command,
        "data": describe_data(prepared, folder),
        "target": question.target,
        "task": question.task,
        "seed": question.seed,
        "question": dict(question.__dict__),
        "settings": dict(settings.__dict__),
        "columns": describe_columns(prepared),
        "split": describe_split(prepared),
        "model": {"kind": "mlp", "layers": layers, "parameters": sum(row["parameters"] for row in layers)},
        "optimizer": {"name": settings.optimizer, **options},
        "training": {
            "loss": _loss_of(prepared),
            "metric": _metric_of(prepared),
            "batch_size": settings.batch_size,
            "epochs": settings.epochs,
            "patience": settings.patience,
        },
        "environment": environment(mode_in_use()),
    }


def _result(trainer: Trainer, stopping: EarlyStopping) -> dict[str, Any]:
    """Return what run.json says when training has ended."""
    records = [] if trainer.run is None else trainer.run.history.records
    return {
        "epochs": trainer.epoch,
        "updates": trainer.step,
        "best_epoch": stopping.best_epoch,
        "seconds": sum(record["seconds"] for record in records),
        "stopped": "early"
        if stopping.waited >= stopping.patience
        else "other"
        if trainer.stop_reason
        else "",
        "reason": trainer.stop_reason,
    }
