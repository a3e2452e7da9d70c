"""What is analysed: a network, its errors on the validation pictures, those that are opened, and a fix."""

from __future__ import annotations

from collections import Counter

import numpy as np

from slopewise.engine.errors import ArgumentError
from slopewise.evaluate.error_analysis import confusion, error_sizes
from slopewise.evaluate.outcome import Outcome
from slopewise.site.content.lessons.n15_error_analysis.pictures import (
    SHAPES,
    TAGS,
    Numbers,
    fresh,
    learned,
    trained,
    validation,
)
from slopewise.site.content.lessons.n15_error_analysis.tags import TOP, counted, fix_of, read_tags, top_of
from slopewise.site.labs import Values

CELLS = {f"{a}-{b}": (i, j) for i, a in enumerate(SHAPES) for j, b in enumerate(SHAPES) if i != j}
_OPENED = 6  # examples looked at, at most


class Analysis:
    """A network, its errors on the validation pictures, and the same after a fix.

    Parameters
    ----------
    values : mapping
        The settings of the lab.

    Raises
    ------
    ArgumentError
        If the cell to open holds no error, or a tag is of a picture that is none.
    """

    def __init__(self, values: Values) -> None:
        self.values = values
        self.seed = seed = int(values["seed"])
        cell, self.by_chance = str(values["cell"]), values["order"] == "chance"
        self.basis, self.seen, self.new = learned(seed), validation(seed), fresh(seed)
        self.network = trained(seed)
        self.before = self.network.judge(self.seen)
        self.errors = self.errors_of(self.before)
        self.tags = self._own_tags(str(values["tags"]))
        self.top = top_of(counted(self.tags) or {tag: self.errors[name] for tag, name in TAGS.items()})
        self.fix = fix_of(self.top) if values["fix"] == TOP else str(values["fix"])
        self.mended = learned(seed, self.fix)
        self.fixed, self.control = trained(seed, self.fix), trained(seed, "plain")
        self.after = self.fixed.judge(self.seen)
        self.matrix = confusion(self.before)
        self.cell = None if cell == "all" else self._largest() if cell == "largest" else CELLS[cell]
        self.opened = self._open()

    @property
    def total(self) -> int:
        """How many errors there are."""
        return sum(self.errors.values())

    @property
    def cell_name(self) -> str:
        """Which errors are opened."""
        if self.cell is None:
            return "all errors"
        return f"{SHAPES[self.cell[0]]} taken for {SHAPES[self.cell[1]]}"

    def errors_of(self, outcome: Outcome) -> dict[str, int]:
        """Count the errors of each tag on the validation pictures."""
        found = Counter(self.seen.tag[outcome.predicted != outcome.truth].tolist())
        return {name: found[tag] for tag, name in TAGS.items()}

    def flips(self) -> tuple[int, int]:
        """Count the pictures that the fix mended, and those that it broke."""
        was, now = (outcome.predicted == outcome.truth for outcome in (self.before, self.after))
        return int((now & ~was).sum()), int((was & ~now).sum())

    def _own_tags(self, text: str) -> dict[int, str]:
        tags = read_tags(text, self.seed)
        for row in tags:
            if row >= len(self.seen) or self.before.predicted[row] == self.before.truth[row]:
                raise ArgumentError(f"with seed {self.seed} picture {row} is no error; tags are of errors")
        return tags

    def _largest(self) -> tuple[int, int]:
        errors = self.matrix - np.diag(np.diag(self.matrix))
        true, said = np.unravel_index(int(errors.argmax()), errors.shape)
        return int(true), int(said)

    def _open(self) -> Numbers:
        """Return the rows of the cell in the order in which they are looked at."""
        outcome = self.before
        inside = outcome.predicted != outcome.truth
        if self.cell is not None:
            inside &= (outcome.truth == self.cell[0]) & (outcome.predicted == self.cell[1])
        rows = np.flatnonzero(inside)
        if not len(rows):
            raise ArgumentError(f"with this seed {self.cell_name} holds no error; open another cell")
        if not self.by_chance:
            rows = rows[np.argsort(-error_sizes(outcome)[rows], kind="stable")]
        return rows[:_OPENED]
