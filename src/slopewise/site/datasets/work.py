"""The process that reads, describes and trains on what a visitor gave, by the same code as `slopewise fit`.

Started as ``python -m slopewise.site.datasets.work`` by `slopewise.site.labs.alone`, in a folder that holds
the file. Its errors are the one-line messages of the command line.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from slopewise.data import GENERATED_KINDS, Table, generate_table, read_table
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.datasets.facts import facts_of, points_of
from slopewise.site.labs.alone import Tell, serve_one
from slopewise.train.defaults import Settings
from slopewise.train.preparation import Prepared, Question

MOST_ROWS, MOST_COLUMNS = 50_000, 300  # of a table that is kept
MOST_CELLS = 2_000_000
MOST_GENERATED = 5000
MOST_TRAINED = 20_000  # rows
MOST_FEATURES = 500
MOST_PARAMETERS = 100_000
MOST_UPDATES = 30_000
MOST_LAYERS, MOST_EPOCHS = 4, 1000
RUN = "run"
PAUSE = 0.1  # seconds between two tellings of how a training goes


def work(request: Mapping[str, Any], tell: Tell) -> Any:
    """Do what a request asks for: ``read``, ``generate``, ``table`` or ``fit``, which tells how it goes."""
    if request["task"] == "fit":
        return _fit(request, tell)
    tasks = {"read": _read, "generate": _generate, "table": _table}
    return tasks[request["task"]](request)


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    table = read_table(request["file"])
    _check_size(table)
    return {"facts": facts_of(table), "points": points_of(table)}


def _check_size(table: Table) -> None:
    if table.n_rows > MOST_ROWS:
        raise DataError(f"{table.label}: {table.n_rows:,} rows; this site takes up to {MOST_ROWS:,} of them")
    if len(table.names) > MOST_COLUMNS:
        raise DataError(
            f"{table.label}: {len(table.names):,} columns; this site takes up to {MOST_COLUMNS} of them"
        )
    if table.n_rows * len(table.names) > MOST_CELLS:
        raise DataError(f"{table.label}: this site takes up to {MOST_CELLS:,} cells; take fewer rows")


def _generate(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a data set with a known answer; its file comes back as text."""
    kind, rows, noise, seed = (request[name] for name in ("kind", "rows", "noise", "seed"))
    if kind not in GENERATED_KINDS:
        raise ArgumentError(
            f"there is no generated data set {kind!r}; kinds are {', '.join(GENERATED_KINDS)}"
        )
    if not 10 <= rows <= MOST_GENERATED:
        raise ArgumentError(f"rows is {rows}: use 10 to {MOST_GENERATED}")
    table = generate_table(kind, rows, noise, seed=seed)
    return {"facts": facts_of(table), "points": points_of(table), "text": table.frame.write_csv()}


def _table(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole table as text cells, for an export."""
    table = read_table(request["file"])
    rows = [["" if cell is None else str(cell) for cell in row] for row in table.frame.rows()]
    return {"names": table.names, "rows": rows}


class _Curve:
    """Tells the losses of epochs, of some at a time: ``[epoch, on training rows, on validation rows]``."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.points, self.told_at = tell, list[list[float | None]](), 0.0

    def note(self, line: Mapping[str, Any]) -> None:
        """Take an epoch's record."""
        losses = (line.get(name) for name in ("loss", "validation_loss"))
        self.points.append([line["epoch"], *(loss if _is_finite(loss) else None for loss in losses)])
        if time.monotonic() - self.told_at >= PAUSE:
            self.flush()

    def flush(self) -> None:
        """Tell what has not been told."""
        if self.points:
            self.tell(self.points)
        self.points, self.told_at = [], time.monotonic()


def _is_finite(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss)


def _fit(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Train as `slopewise fit` does: prepare, start a run, finish it; the report comes back."""
    from slopewise.evaluate.conclusion import finish, write_report
    from slopewise.train.job import start_run
    from slopewise.train.preparation import prepare

    question = Question(**request["question"])
    settings = _settings(request["settings"])
    table = read_table(request["file"])
    if table.n_rows > MOST_TRAINED:
        raise DataError(
            f"{table.label}: {table.n_rows:,} rows; a page trains on up to {MOST_TRAINED:,}. Take fewer, or "
            f"install Slopewise and run: {request['command']}"
        )
    prepared = prepare(table, question, settings)
    _check_work(prepared)
    curve = _Curve(tell)
    run = start_run(prepared, RUN, request["command"])
    evaluation = finish(prepared, run, on_epoch=curve.note, on_trained=curve.flush)
    write_report(run)
    return {
        "report": run.report_path.read_text("utf-8"),
        "task": prepared.question.task,
        "words": _words(evaluation, run.record["result"]),
    }


def _settings(given: Mapping[str, Any]) -> Settings:
    settings = Settings(**{**given, "hidden": tuple(given["hidden"])})
    if len(settings.hidden) > MOST_LAYERS:
        raise ArgumentError(f"hidden has {len(settings.hidden)} layers: use up to {MOST_LAYERS}")
    if settings.epochs > MOST_EPOCHS:
        raise ArgumentError(f"epochs is {settings.epochs}: use up to {MOST_EPOCHS}")
    return settings


def _check_work(prepared: Prepared) -> None:
    """Refuse what would take longer than a visitor may use the machine, before it begins."""
    settings, rows = prepared.settings, len(prepared.parts.train)
    features = len(prepared.inputs.feature_names)
    if features > MOST_FEATURES:
        raise ArgumentError(
            f"the inputs make {features:,} numbers a row; a page trains on up to {MOST_FEATURES}: leave out "
            "columns with many categories"
        )
    widths = [features, *settings.hidden, len(prepared.target.classes or [0])]
    parameters = sum((before + 1) * after for before, after in pairwise(widths))
    if parameters > MOST_PARAMETERS:
        raise ArgumentError(
            f"this network has {parameters:,} parameters; a page trains up to {MOST_PARAMETERS:,}: use fewer "
            "hidden units"
        )
    batch = rows if settings.batch_size == "full" else int(settings.batch_size or 1)
    updates = settings.epochs * math.ceil(rows / max(batch, 1))
    if updates > MOST_UPDATES:
        raise ArgumentError(
            f"{settings.epochs} epochs with batches of {batch} are {updates:,} updates; a page makes up to "
            f"{MOST_UPDATES:,}: use fewer epochs or larger batches"
        )


def _words(evaluation: Any, result: Mapping[str, Any]) -> str:
    """Return how it went, in a line."""
    from slopewise.evaluate.display import count, score_value
    from slopewise.evaluate.scorecards import kind_of
    from slopewise.evaluate.verdict import MAIN_SCORE

    test = evaluation.part("test")
    score = test.score(MAIN_SCORE[evaluation.task])
    title = kind_of(score.name).title.lower()
    return (
        f"Test {title} {score_value(score.name, score.value)} on {count(test.rows, 'row')}; "
        f"baseline {score_value(score.name, score.baseline)}; {count(result['epochs'], 'epoch')}."
    )


if __name__ == "__main__":
    serve_one(work)
