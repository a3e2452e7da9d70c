"""A visitor's own data as the playground trains on it: columns of numbers, and a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slopewise.engine.errors import DataError

FEWEST_ROWS, MOST_ROWS = 20, 1000
MOST_CLASSES = 6  # colours that can be told apart


@dataclass(frozen=True)
class OwnTable:
    """Rows without gaps.

    Attributes
    ----------
    name, target : str
        Of the data set, and of the column that is predicted.
    inputs : sequence of str
        The columns of numbers that the network gets.
    rows : sequence of rows of numbers
    targets : sequence of numbers; class numbers if there are classes
    classes : sequence of str
        The labels of the classes; none for a regression.
    left_out : int
        How many rows are not used, because a cell is missing or there are too many.
    """

    name: str
    target: str
    inputs: Sequence[str]
    rows: Sequence[Sequence[float]]
    targets: Sequence[float]
    classes: Sequence[str]
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OwnTable:
        """Return the table that `to_json` wrote."""
        return cls(**value)


def own_table(
    name: str,
    numbers: Mapping[str, Sequence[float | None]],
    labels: Mapping[str, Sequence[str | None]],
    target: str,
) -> OwnTable:
    """Return a table to train on from columns of numbers and of labels.

    Raises
    ------
    DataError
        If the target is no column, or what is left cannot be trained on.
    """
    if target not in numbers and target not in labels:
        known = ", ".join([*labels, *numbers]) or "none"
        raise DataError(f"{name} has no column {target[:40]!r} that can be predicted; it has {known}")
    inputs = [column for column in numbers if column != target]
    if not inputs:
        raise DataError(f"{name} has no column of numbers beside {target}; the network needs one as input")
    wanted: Sequence[Any] = labels[target] if target in labels else numbers[target]
    columns = [numbers[column] for column in inputs]
    whole = [
        place for place in range(len(wanted)) if None not in (wanted[place], *(c[place] for c in columns))
    ]
    step = -(-len(whole) // MOST_ROWS) if whole else 1
    chosen = whole[::step]
    if len(chosen) < FEWEST_ROWS:
        raise DataError(f"{name} has {len(chosen)} rows without gaps; the playground needs {FEWEST_ROWS}")
    classes = sorted({wanted[place] for place in chosen}) if target in labels else []
    if target in labels and not 2 <= len(classes) <= MOST_CLASSES:
        raise DataError(f"{target} has {len(classes)} classes; the playground draws 2 to {MOST_CLASSES}")
    numbered = {label: number for number, label in enumerate(classes)}
    return OwnTable(
        name,
        target,
        tuple(inputs),
        [[float(column[place] or 0.0) for column in columns] for place in chosen],
        [numbered[wanted[place]] if classes else float(wanted[place]) for place in chosen],
        tuple(classes),
        len(wanted) - len(chosen),
    )
