"""From a file to what a network is trained on: all that `fit` does and checks before it trains."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data import Preprocessor, Split, Table, TargetEncoder, check_target, read_table, split
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.engine.seeding import check_seed
from slopewise.train.defaults import DEFAULTS, OPTIMIZERS, Settings, batch_size_for, check_settings

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """What is asked of a table: which column to predict, as what, and which rows belong together.

    Attributes
    ----------
    target : str
    task : "auto", "classification" or "regression"
    group, time : str or None
        A column whose rows stay on one side of the split, or by which the split is made. No inputs.
    seed : int
        Of the split, the weights, the order of the rows and dropout.
    """

    target: str
    task: str = "auto"
    group: str | None = None
    time: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Prepared:
    """A table that is ready to be learned from. Only training rows had a say in it.

    Attributes
    ----------
    table : Table
    question : Question
        Its task is settled: no longer "auto".
    settings : Settings
        Learning rate and batch size are settled too.
    parts : Split
    inputs : Preprocessor
    target : TargetEncoder
    """

    table: Table
    question: Question
    settings: Settings
    parts: Split
    inputs: Preprocessor
    target: TargetEncoder

    def features(self, part: str) -> NDArray[np.float32]:
        """Return the inputs of a part, shape (rows, features)."""
        return self.inputs.transform(self.table, getattr(self.parts, part))

    def targets(self, part: str) -> NDArray[np.int64] | NDArray[np.float32]:
        """Return the targets of a part, shape (rows,): class numbers, or standardised values."""
        return self.target.transform(self.table, getattr(self.parts, part))


def prepare(
    data: str | os.PathLike[str] | Table | Any, question: Question, settings: Settings = DEFAULTS
) -> Prepared:
    """Read, check, split and preprocess a table. Nothing is written.

    Parameters
    ----------
    data : path, Table, or any data frame that `Table.from_frame` takes
    question : Question
    settings : Settings

    Raises
    ------
    DataError
        If the table cannot be read or learned from; the message names file, row and column.
    ArgumentError
        If a setting cannot be meant.

    Examples
    --------
    >>> prepared = prepare("examples/data/penguins.csv", Question("species"))
    >>> prepared.question.task, prepared.parts, prepared.features("train").shape[0]
    ('classification', Split(train=206, validation=69, test=69), 206)
    """
    check_settings(settings)
    check_seed(question.seed)
    table = read_table(data) if isinstance(data, str | os.PathLike) else Table.from_frame(data)
    _check_columns(table, question)
    task = check_target(table, question.target, question.task)
    question = replace(question, task=task)
    parts = _split(table, question, settings)
    inputs = Preprocessor.fit(table, rows=parts.train, exclude=no_inputs(question))
    target = TargetEncoder.fit(table, question.target, rows=parts.train, task=task)
    _check_sealed_rows(table, parts, inputs, target)
    return Prepared(table, question, _settled(settings, len(parts.train)), parts, inputs, target)


def no_inputs(question: Question) -> list[str]:
    """Return the columns that must not be inputs: the answer itself, and what rules the split."""
    return [name for name in (question.target, question.group, question.time) if name is not None]


def _check_columns(table: Table, question: Question) -> None:
    for name in no_inputs(question):
        table.column(name)
    if question.group is not None and question.time is not None:
        raise ArgumentError("group and time cannot be combined: give one of them")
    for role, ruler in (("group", question.group), ("time", question.time)):
        if ruler is None:
            continue
        if ruler == question.target:
            raise ArgumentError(f"{ruler!r} is the target: it cannot be the {role} column as well")
        missing = table.column(ruler).is_null()
        if missing.any():
            row = table.row_label(int(missing.arg_max() or 0))
            raise DataError(
                f"{table.label}: the {role} column {ruler!r} is missing in {row}: fill in the cell"
            )


def _split(table: Table, question: Question, settings: Settings) -> Split:
    """Classes keep their shares in all parts, unless groups or times rule the split."""
    by_class = question.task == "classification" and question.group is None and question.time is None
    try:
        return split(
            table,
            validation=settings.validation,
            test=settings.test,
            stratify=question.target if by_class else None,
            groups=question.group,
            time=question.time,
            seed=question.seed,
        )
    except DataError as error:
        if str(error).startswith(table.label):
            raise
        ruler = question.group or question.time
        by = f"split by {ruler!r}: " if ruler else ""
        raise DataError(f"{table.label}: {by}{error}") from error


def _check_sealed_rows(table: Table, parts: Split, inputs: Preprocessor, target: TargetEncoder) -> None:
    """Let a cell that cannot be read end the job before training, not after it; nothing is kept or scored."""
    for rows in (parts.validation, parts.test):
        inputs.transform(table, rows)
        target.transform(table, rows)


def _settled(settings: Settings, rows: int) -> Settings:
    return replace(
        settings,
        lr=OPTIMIZERS[settings.optimizer].lr if settings.lr is None else settings.lr,
        batch_size=batch_size_for(rows) if settings.batch_size is None else settings.batch_size,
    )


# ---- the record of a prepared table, for run.json --------------------------------------------------------


def describe_data(prepared: Prepared, run_path: Path) -> dict[str, Any]:
    """Return what run.json says of the data; paths are relative to the run folder where they can be."""
    table = prepared.table
    path = Path(table.source) if table.source and Path(table.source).is_file() else None
    return {
        "name": path.name if path else table.source or "a table in memory",
        "path": relative_path(path, run_path) if path else None,
        "given": table.source if path else None,
        "fingerprint": table.fingerprint,
        "rows": table.n_rows,
    }


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with forward slashes; absolute if they share no drive."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def describe_columns(prepared: Prepared) -> list[dict[str, Any]]:
    """Return what run.json says of each column: what it is, and what became of it."""
    question, inputs = prepared.question, prepared.inputs
    widths = {encoder.name: len(encoder.feature_names) for encoder in inputs.encoders}
    roles = {question.target: "target", question.group: "group", question.time: "time"}
    described = []
    for name, info in prepared.table.columns.items():
        use = roles.get(name) or ("input" if name in widths else "dropped")
        described.append(
            {
                "name": name,
                "kind": inputs.kinds.get(name, info.kind),
                "missing": info.missing,
                "unique": info.unique,
                "examples": list(info.examples),
                "use": use,
                "features": widths.get(name, 0),
                "reason": inputs.dropped.get(name, "") if use == "dropped" else "",
            }
        )
    return described


def describe_split(prepared: Prepared) -> dict[str, Any]:
    """Return what run.json says of the split; split.json has the rows."""
    question, settings = prepared.question, prepared.settings
    by_class = question.task == "classification" and question.group is None and question.time is None
    return {
        "validation": settings.validation,
        "test": settings.test,
        "stratify": question.target if by_class else None,
        "groups": question.group,
        "time": question.time,
        "seed": question.seed,
        "rows": prepared.parts.sizes,
    }
