"""The end of a run: the sealed test rows are opened, scored, and the report is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data import Split, Table
from slopewise.engine.errors import RunError
from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.evaluation import Evaluation, Part, evaluate_part
from slopewise.evaluate.outcome import Outcome
from slopewise.evaluate.report import render_report
from slopewise.train.job import OnEpoch, OnProgress, train
from slopewise.train.memory import release_freed_memory
from slopewise.train.preparation import Prepared
from slopewise.train.run_folder import RunFolder
from slopewise.train.table_model import TableModel


def finish(
    prepared: Prepared,
    run: RunFolder,
    *,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
    on_trained: Callable[[], None] | None = None,
) -> Evaluation:
    """Take a run to its scores: train what is not trained yet, open the test rows once.

    `slopewise fit`, `slopewise resume` and the data sets of the tutorial site all come here. What is left is
    `write_report(run)`, which needs neither table nor model: let go of a large table before.

    Parameters
    ----------
    prepared : Prepared
    run : RunFolder
        As `start_run` made it, or stopped at any moment since.
    on_epoch, on_progress : callable, optional
        As for `slopewise.train.job.train`.
    on_trained : callable, optional
        Called between training and evaluation.

    Examples
    --------
    >>> import tempfile
    >>> from slopewise.train.job import start_run
    >>> from slopewise.train.preparation import Question, prepare
    >>> prepared = prepare("examples/data/penguins.csv", Question("species"))
    >>> run = start_run(prepared, tempfile.mkdtemp() + "/run")
    >>> finish(prepared, run).task, run.record["status"]
    ('classification', 'finished')
    >>> write_report(run)
    >>> run.report_path.exists()
    True
    """
    if run.record["status"] == "trained":
        model = TableModel.load(run)
    else:
        model = train(prepared, run, on_epoch=on_epoch, on_progress=on_progress)
    if on_trained is not None:
        on_trained()
    return conclude(run, model, prepared.table, prepared.parts)


def conclude(
    run: RunFolder, model: TableModel, table: Table, parts: Split | None = None, *, why: str = "fit"
) -> Evaluation:
    """Score a trained run on its three parts and write evaluation.json.

    The opening of the test rows is recorded in run.json before they are looked at.

    Parameters
    ----------
    run : RunFolder
    model : TableModel
        The run's, trained.
    table : Table
        The whole table of the run.
    parts : Split, optional
        The run's, if they need not be read.
    why : str
        What the test rows are opened for.
    """
    evaluation = evaluate_parts(run, model, table, parts or Split.from_dict(run.split()), why=why)
    run.save_evaluation(evaluation.to_dict())
    run.update(status="finished")
    return evaluation


def evaluate_parts(run: RunFolder, model: TableModel, table: Table, parts: Split, *, why: str) -> Evaluation:
    """Score a run on its training, validation and test rows; the opening of the test rows is recorded."""
    release_freed_memory(table)
    baseline = _baseline(model, table, parts.train)
    run.record_opening(why, len(parts.test))
    rows = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    scored = [_part(name, model, table, places, baseline, run) for name, places in rows.items()]
    return _evaluation(model, baseline, scored)


def evaluate_table(run: RunFolder, model: TableModel, table: Table) -> Evaluation:
    """Score a run on a table: by part if it is the table that the run was fitted on, else on all of its rows.

    Raises
    ------
    DataError
        If a column that the model needs, or the target, is absent or of another kind.
    RunError
        If the run has not been concluded.
    """
    if table.fingerprint == run.record["data"]["fingerprint"]:
        return evaluate_parts(run, model, table, Split.from_dict(run.split()), why="evaluate")
    concluded = saved_evaluation(run)
    if concluded is None:
        raise RunError(f"{run.path} is not finished: run `slopewise resume {run.path}` first")
    baseline = concluded.baseline
    every_row = np.arange(table.n_rows)
    return _evaluation(model, baseline, [_part("data", model, table, every_row, baseline, run)])


def saved_evaluation(run: RunFolder) -> Evaluation | None:
    """Return the evaluation that the run holds, or None."""
    record = run.evaluation()
    return None if record is None else Evaluation.from_dict(record)


def write_report(run: RunFolder) -> None:
    """Write report.html from what the run folder holds; neither the data nor the test rows are opened."""
    run.save_report(
        render_report(run.record, run.metrics(), saved_evaluation(run), run_name=run.path.as_posix())
    )


def _part(
    name: str, model: TableModel, table: Table, rows: NDArray[np.int64], baseline: Baseline, run: RunFolder
) -> Part:
    return evaluate_part(
        name,
        _outcome(model, table, rows),
        baseline,
        classes=_class_names(model),
        table=table,
        rows=rows,
        columns=model.inputs.inputs,
        seed=run.record["seed"],
    )


def _outcome(model: TableModel, table: Table, rows: NDArray[np.int64]) -> Outcome:
    if model.target.task == "classification":
        return Outcome.of_classes(model.target.transform(table, rows), model.probabilities(table, rows))
    return Outcome.of_numbers(_true_values(model, table, rows), model.values(table, rows))


def _true_values(model: TableModel, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The target as it stands in the table: not by way of float32, which would round it."""
    from slopewise.data.cells import to_numbers

    model.target.transform(table, rows)  # names a cell that is missing or no number
    return to_numbers(table.column(model.target.name, rows))[0]


def _baseline(model: TableModel, table: Table, training: NDArray[np.int64]) -> Baseline:
    if model.target.classes is None:
        return Baseline.of_numbers(_true_values(model, table, training))
    return Baseline.of_classes(model.target.transform(table, training), len(model.target.classes))


def _class_names(model: TableModel) -> list[str]:
    return [str(label) for label in model.target.classes or []]


def _evaluation(model: TableModel, baseline: Baseline, parts: list[Part]) -> Evaluation:
    task: Any = model.target.task
    return Evaluation(task, model.target.name, _class_names(model), baseline, parts)
