"""Weights that a learner sets by hand after some update; an exported script holds what sets them."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import slopewise as sw
from slopewise.engine.errors import ArgumentError

MOST_EDITS = 40
_EDIT = re.compile(r"([0-9]{1,5}):([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{1,2}|b)=(-?[0-9]{0,4}(?:\.[0-9]{1,6})?)")


@dataclass(frozen=True)
class Edit:
    """One number set by hand, such as ``12:1.2.3=0.5``.

    After update 12, row 2, column 3 of the first Linear's weight becomes 0.5. A ``b`` in place of the column
    is the bias.
    """

    step: int
    linear: int
    row: int
    column: int | None
    value: float

    def place(self, modules: Sequence[int]) -> tuple[int, str, Any, float]:
        """Return module, name and index of the number, and its value; `modules` are those of the Linears."""
        if self.column is None:
            return modules[self.linear - 1], "bias", self.row - 1, self.value
        return modules[self.linear - 1], "weight", (self.row - 1, self.column - 1), self.value

    @property
    def words(self) -> str:
        """What is done."""
        name = f"row {self.row} of b" if self.column is None else f"row {self.row}, column {self.column} of W"
        return f"after update {self.step}, {name} of Linear {self.linear} is set to {self.value:g}"


def read_edits(text: str, shapes: Sequence[tuple[int, int]], most_updates: int) -> tuple[Edit, ...]:
    """Return the edits that a line names; `shapes` are those of the Linears' weights.

    Raises
    ------
    ArgumentError
        If one cannot be read, or names a place that is not there.
    """
    entries = [] if text == "none" else text.split(",")
    if len(entries) > MOST_EDITS:
        raise ArgumentError(f"at most {MOST_EDITS} weights are set by hand, not {len(entries)}")
    made = []
    for entry in entries:
        found = _EDIT.fullmatch(entry.strip())
        if found is None or found[5] in ("", "-"):
            raise ArgumentError(
                f"a weight is set by hand (edits) as UPDATE:LINEAR.ROW.COLUMN=VALUE, such as 0:1.2.1=0.5, "
                f"not {entry.strip()[:30]!r}"
            )
        column = None if found[4] == "b" else int(found[4])
        edit = Edit(int(found[1]), int(found[2]), int(found[3]), column, float(found[5]))
        if not 1 <= edit.linear <= len(shapes):
            raise ArgumentError(f"edits: {entry.strip()} names Linear {edit.linear} of {len(shapes)}")
        rows, columns = shapes[edit.linear - 1]
        if not (1 <= edit.row <= rows and 1 <= (edit.column or 1) <= columns and edit.column != 0):
            raise ArgumentError(
                f"edits: {entry.strip()} is outside of Linear {edit.linear}, which has {rows} rows and "
                f"{columns} columns"
            )
        if edit.step > most_updates:
            raise ArgumentError(f"edits: there is no update {edit.step}; the last is {most_updates}")
        made.append(edit)
    return tuple(made)


def set_by_hand(model, edits, step):
    """Set the numbers that are due after an update."""
    with sw.no_grad():
        for module, name, place, value in edits.get(step, ()):
            getattr(model[module], name)[place] = value
