"""How good a model is, as one plain record that the report shows: scores by part, and error analysis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import permutation
from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.error_analysis import (
    FEW_VALUES,
    ClassRow,
    Slice,
    by_class,
    confusion,
    error_sizes,
    worst,
    worst_slices,
)
from slopewise.evaluate.outcome import Outcome, Task
from slopewise.evaluate.scorecards import Score, scorecard

if TYPE_CHECKING:
    from slopewise.data import Table

WORST_ROWS = 10
WORST_CELLS = 8  # input columns shown with each of them
POINTS = 400  # rows drawn in the plot of predicted against actual values
BINS = 24
SAMPLE_STREAM = 0xFFFFFFEF

TRAINED_ON = "train"  # these rows flatter the model: they get neither noise nor error analysis
SEALED = "test"  # slices are for changing the model, which test rows are not


@dataclass(frozen=True)
class WorstRow:
    """One of the worst predictions.

    Attributes
    ----------
    row, line : int, int or None
        The row's number (the first is 1) and, for a text file, the line at which it begins.
    truth, predicted : str
    sure : float
        The probability of the predicted class; NaN for numbers.
    error : float
        1 - the probability of the true class, or the distance from the truth.
    cells : list of str or None
        The row's values in the columns `Part.worst_columns`; None is a missing one.
    """

    row: int
    line: int | None
    truth: str
    predicted: str
    sure: float
    error: float
    cells: list[str | None]


@dataclass(frozen=True)
class Part:
    """How the model does on one part of the data; what does not apply to the task is empty.

    Attributes
    ----------
    name : "train", "validation", "test", or "data" for a table given later
    rows : int
    scores : list of Score
    classes : list of ClassRow
    confusion : list of lists of int, true class down, predicted class across
    points : list of (actual, predicted), at most POINTS of them
    residual_edges, residual_counts : list of float, list of int
        The histogram of actual - predicted.
    worst, worst_columns : the worst predictions, and which columns their cells are of
    slices : list of Slice
    """

    name: str
    rows: int
    scores: list[Score]
    classes: list[ClassRow] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)
    points: list[list[float]] = field(default_factory=list)
    residual_edges: list[float] = field(default_factory=list)
    residual_counts: list[int] = field(default_factory=list)
    worst: list[WorstRow] = field(default_factory=list)
    worst_columns: list[str] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)

    def score(self, name: str) -> Score:
        """Return the score of that name.

        Raises
        ------
        ArgumentError
            If the task has no such score.
        """
        for score in self.scores:
            if score.name == name:
                return score
        raise ArgumentError(f"there is no score {name!r}: there are {', '.join(s.name for s in self.scores)}")


@dataclass(frozen=True)
class Evaluation:
    """How a model does on parts of the data.

    Attributes
    ----------
    task : "classification" or "regression"
    target : str
    classes : list of str
        The classes as text, in the order of their numbers; empty for regression.
    baseline : Baseline
        What the training rows suggest.
    parts : list of Part
    """

    task: Task
    target: str
    classes: list[str]
    baseline: Baseline
    parts: list[Part]

    @property
    def most_frequent(self) -> str:
        """The most frequent class of the training rows, or ""."""
        return self.classes[self.baseline.most_frequent] if self.classes else ""

    def part(self, name: str) -> Part | None:
        """Return the part of that name, or None."""
        return next((part for part in self.parts if part.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return a plain record, for evaluation.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Evaluation:
        """Return the evaluation that `to_dict` described; null stands for NaN, as JSON has none."""
        parts = [_part_from_dict(part) for part in record["parts"]]
        return cls(**{**record, "baseline": Baseline.from_dict(record["baseline"]), "parts": parts})


def evaluate_part(
    name: str,
    outcome: Outcome,
    baseline: Baseline,
    *,
    classes: Sequence[str] = (),
    table: Table | None = None,
    rows: NDArray[np.int64] | None = None,
    columns: Sequence[str] = (),
    seed: int = 0,
) -> Part:
    """Score the rows of one part and, unless the model was trained on them, look at its errors.

    Parameters
    ----------
    name : str
        "train", "validation", "test" or "data".
    outcome : Outcome
    baseline : Baseline
        What the training rows suggest.
    classes : sequence of str
        The classes as text.
    table : Table, optional
        Where the values of the worst rows are read.
    rows : int64 array, shape (rows of the outcome,), optional
        Their row numbers in the table; all of them by default.
    columns : sequence of str
        The model's input columns.
    seed : int
        Of the bootstrap, and of the sample that is drawn as points.

    Raises
    ------
    ArgumentError
        If there are no rows.
    """
    if outcome.rows == 0:
        raise ArgumentError(f"the part {name!r} has no rows to score")
    scores = scorecard(outcome, baseline, noise=name != TRAINED_ON, seed=seed)
    if name == TRAINED_ON:
        return Part(name, outcome.rows, scores, **_class_counts(outcome))
    sliced = [] if name == SEALED else _slices(outcome, table, rows, columns, seed)
    return Part(
        name,
        outcome.rows,
        scores,
        **_class_counts(outcome),
        **_residuals(outcome, seed),
        **_worst_rows(outcome, classes, table, rows, columns),
        slices=sliced,
    )


def _class_counts(outcome: Outcome) -> dict[str, Any]:
    if outcome.task == "regression":
        return {}
    return {"classes": by_class(outcome), "confusion": confusion(outcome).tolist()}


def _residuals(outcome: Outcome, seed: int) -> dict[str, Any]:
    if outcome.task == "classification":
        return {}
    drawn = np.sort(permutation(outcome.rows, seed, SAMPLE_STREAM)[:POINTS])
    counts, edges = np.histogram(outcome.truth - outcome.predicted, bins=BINS)
    return {
        "points": np.stack([outcome.truth[drawn], outcome.predicted[drawn]], axis=1).tolist(),
        "residual_edges": edges.tolist(),
        "residual_counts": counts.tolist(),
    }


def _worst_rows(
    outcome: Outcome,
    classes: Sequence[str],
    table: Table | None,
    rows: NDArray[np.int64] | None,
    columns: Sequence[str],
) -> dict[str, Any]:
    positions = worst(outcome, WORST_ROWS)
    shown = list(columns[:WORST_CELLS]) if table is not None else []
    places = positions if rows is None else np.asarray(rows)[positions]
    numbers = places + 1 if table is None else table.row_numbers(places)
    lines = None if table is None else table.line_numbers(places)
    cells = (
        [[None] * len(positions)] * len(shown) if table is None else [_cells(table, c, places) for c in shown]
    )
    sizes = error_sizes(outcome)
    found = []
    for place, position in enumerate(positions):
        truth, predicted = outcome.truth[position], outcome.predicted[position]
        prob = outcome.probabilities
        found.append(
            WorstRow(
                int(numbers[place]),
                None if lines is None else int(lines[place]),
                classes[truth] if prob is not None else f"{truth:.6g}",
                classes[predicted] if prob is not None else f"{predicted:.6g}",
                float("nan") if prob is None else float(prob[position].max()),
                float(sizes[position]),
                [column[place] for column in cells],
            )
        )
    return {"worst": found, "worst_columns": shown}


def _cells(table: Table, column: str, places: NDArray[np.int64]) -> list[str | None]:
    values = table.column(column, places).to_list()
    return [None if value is None else _cell(value) for value in values]


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _slices(
    outcome: Outcome,
    table: Table | None,
    rows: NDArray[np.int64] | None,
    columns: Sequence[str],
    seed: int,
) -> list[Slice]:
    if table is None:
        return []
    places = np.arange(outcome.rows) if rows is None else np.asarray(rows)
    values = {name: _values(table, name, places) for name in columns}
    return worst_slices(outcome, {n: v for n, v in values.items() if v is not None}, seed=seed)


def _values(table: Table, name: str, places: NDArray[np.int64]) -> NDArray[Any] | None:
    """The cells to slice by: objects if few differ, else floats; None for a column of many words."""
    import polars as pl

    cells = table.column(name, places)
    if cells.n_unique() <= FEW_VALUES:
        return np.array([None if cell is None else _cell(cell) for cell in cells.to_list()], dtype=object)
    if cells.dtype.is_numeric():
        return cells.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return None


def _part_from_dict(record: dict[str, Any]) -> Part:
    return Part(
        **{
            **record,
            "scores": [_filled(Score, score) for score in record["scores"]],
            "classes": [_filled(ClassRow, row) for row in record["classes"]],
            "worst": [_filled(WorstRow, row) for row in record["worst"]],
            "slices": [_filled(Slice, item) for item in record["slices"]],
        }
    )


def _filled(kind: type[Any], record: dict[str, Any]) -> Any:
    """Make a dataclass from a record in which null stands for NaN in the fields that are floats."""
    floats = {item.name for item in dataclasses.fields(kind) if item.type == "float"}
    return kind(**{k: float("nan") if v is None and k in floats else v for k, v in record.items()})
