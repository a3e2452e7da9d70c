"""What the commands do: call the library, print what it says, return the exit status."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from slopewise.cli import terminal
from slopewise.cli.plan import plan_lines
from slopewise.cli.tables import write_table
from slopewise.cli.terminal import say
from slopewise.data import Table, read_table
from slopewise.engine.errors import ArgumentError
from slopewise.evaluate import Evaluation
from slopewise.evaluate.conclusion import evaluate_table, finish, saved_evaluation, write_report
from slopewise.evaluate.display import count, visible
from slopewise.train.defaults import Settings
from slopewise.train.files import to_json
from slopewise.train.job import prepare_again, start_run
from slopewise.train.preparation import Prepared, Question, prepare
from slopewise.train.run_folder import RunFolder
from slopewise.train.table_model import TableModel

STOPPED = 130  # what a shell reports of a program that Ctrl-C ended


def fit_job(
    data: Path,
    question: Question,
    settings: Settings,
    out: Path | None,
    *,
    command: str,
    quiet: bool,
    json: bool,
) -> int:
    """Prepare a table, train on it, test once and write the report."""
    silent = quiet or json
    try:
        prepared = prepare(data, question, settings)
        run = start_run(prepared, out, command)
    except KeyboardInterrupt:
        say("slopewise: stopped; nothing was written", file=sys.stderr)
        return STOPPED
    if not silent:
        for line in (*plan_lines(prepared), f"Run       {run.path}"):
            say(line)
    evaluation = _train_and_score(run, prepared, silent=silent)
    del prepared  # a large table need not stand beside what draws the report
    return _report(run, evaluation, json=json)


def resume_job(path: Path, *, quiet: bool, json: bool) -> int:
    """Go on with a run, wherever it was stopped."""
    run = RunFolder.open(path)
    evaluation = saved_evaluation(run)
    if run.record["status"] == "finished" and evaluation is not None:
        if not (quiet or json):
            say(f"{run.path} is finished: there is nothing to resume.")
        if not run.report_path.exists():  # it was stopped at the very last
            write_report(run)
        _say_result(run, evaluation, json=json)
        return 0
    silent = quiet or json
    try:
        prepared = prepare_again(run)
    except KeyboardInterrupt:
        return _stopped(run)
    if not silent:
        epochs = len(run.metrics())
        say(f"Resuming {run.path} after epoch {count(epochs)} of at most {count(prepared.settings.epochs)}.")
    evaluation = _train_and_score(run, prepared, silent=silent)
    del prepared
    return _report(run, evaluation, json=json)


def _train_and_score(run: RunFolder, prepared: Prepared, *, silent: bool) -> Evaluation | None:
    """Return the evaluation of a run, None if Ctrl-C came before it."""
    epochs = prepared.settings.epochs
    try:
        with ExitStack() as bar:
            progress = bar.enter_context(terminal.progress(epochs, done=len(run.metrics()), quiet=silent))

            def trained() -> None:
                bar.close()
                if not silent:
                    say(_how_it_went(run))

            return finish(
                prepared, run, on_epoch=progress.update, on_progress=progress.advance, on_trained=trained
            )
    except KeyboardInterrupt:
        return None


def _report(run: RunFolder, evaluation: Evaluation | None, *, json: bool) -> int:
    """Write the report of a run that was scored, and say how it did."""
    if evaluation is None:
        return _stopped(run)
    try:
        write_report(run)
    except KeyboardInterrupt:
        return _stopped(run)
    _say_result(run, evaluation, json=json)
    return 0


def _stopped(run: RunFolder) -> int:
    command = shlex.join(["slopewise", "resume", str(run.path)])
    say(f"slopewise: stopped; to go on: {command}", file=sys.stderr)
    return STOPPED


def evaluate_job(path: Path, data: Path, *, json: bool) -> int:
    """Score a run on a table."""
    run = RunFolder.open(path)
    model = TableModel.load(run)
    evaluation = evaluate_table(run, model, _read_for(model, data))
    if json:
        _say_json(run, evaluation)
        return 0
    parts = [evaluation.part(name) for name in ("data", "test", "validation", "train")]
    for line in terminal.result_lines(evaluation, [part for part in parts if part is not None]):
        say(line)
    return 0


def predict_job(path: Path, data: Path, out: Path | None) -> int:
    """Predict for each row of a table."""
    import polars as pl

    run = RunFolder.open(path)
    model = TableModel.load(run)
    if out is not None and _same_file(out, data):
        raise ArgumentError(f"--out {out} is the table itself: give another file")
    table = _read_for(model, data)
    if model.target.classes is None:
        frame = pl.DataFrame({"prediction": model.values(table)})
    else:
        probabilities = model.probabilities(table)
        columns: dict[str, Any] = {"prediction": model.target.inverse(probabilities.argmax(axis=1))}
        for place, label in enumerate(model.target.classes):
            columns[f"probability_{label}"] = probabilities[:, place]
        frame = pl.DataFrame(columns)
    return write_table(frame, out)


def report_job(path: Path) -> int:
    """Write the report of a run again."""
    run = RunFolder.open(path)
    write_report(run)
    say(str(run.report_path))
    return 0


def _read_for(model: TableModel, data: Path) -> Table:
    """Read a table as the one trained on: categories and classes that look like numbers stay as written.

    Categories that training never saw are told: the model knows nothing of them.
    """
    table = read_table(data, text=model.text_columns)
    for sentence in model.inputs.unseen(table):
        say(f"slopewise: note: {visible(sentence, 400)}", file=sys.stderr)
    return table


def _same_file(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and os.path.samefile(first, second)


# ---- words -----------------------------------------------------------------------------------------------


def _how_it_went(run: RunFolder) -> str:
    result = run.record["result"]
    epochs = count(result["epochs"], "epoch")
    ended = f"all {epochs}"
    if result["stopped"]:
        ended = f"stopped after {epochs}, as {visible(result['reason'].replace('_', ' '), 200)}"
    return f"Trained   {ended}; kept the weights of epoch {count(result['best_epoch'])}"


def _say_result(run: RunFolder, evaluation: Evaluation, *, json: bool) -> None:
    if json:
        _say_json(run, evaluation)
        return
    test = evaluation.part("test")
    parts: Sequence[Any] = [test] if test else evaluation.parts
    say()
    for line in terminal.result_lines(evaluation, parts):
        say(line)
    say()
    say(f"Report    {run.report_path}")


def _say_json(run: RunFolder, evaluation: Evaluation) -> None:
    report = {"report": str(run.report_path)} if run.report_path.exists() else {}
    record = {
        "run": str(run.path),
        "task": evaluation.task,
        "target": evaluation.target,
        **terminal.scores_record(evaluation),
        **report,
    }
    say(to_json(record))
