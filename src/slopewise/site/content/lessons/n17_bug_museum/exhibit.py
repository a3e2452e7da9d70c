"""What an exhibit is: a program with a fault, lines that may mend it, and numbers that say whether one did.

The program that a page shows is the program that runs. It has slots, written «name»: a patch puts another of
our lines into one. Nothing that a learner types is part of a program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COVERED = "░" * 22
_SLOT = re.compile("«([a-z]+)»")


@dataclass(frozen=True)
class Patch:
    """Lines that may be put in.

    Attributes
    ----------
    label : str
        What the learner chooses; code between backticks.
    lines : mapping
        From slots to their text.
    why : str
        One or two sentences on why it does what it does.
    heals : bool
        What the author expects; tests hold it against the runs, pages ask the runs.
    """

    label: str
    lines: Mapping[str, str]
    why: str
    heals: bool = False


@dataclass(frozen=True)
class Check:
    """A number that tells a healthy run from a sick one, by its name in `Recording.numbers`."""

    label: str
    number: str
    least: float | None = None
    most: float | None = None
    percent: bool = False

    def passes(self, value: float) -> bool:
        """Tell whether a number is as it should be; one that is not finite never is."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def write(self, value: float) -> str:
        """Return a number as the page shows it."""
        from slopewise.site.drawing import brief

        return f"{100 * value:.0f}%" if self.percent and value == value else brief(value)

    @property
    def wanted(self) -> str:
        """What it should be."""
        if self.least is not None:
            return f"at least {self.write(self.least)}"
        assert self.most is not None
        return f"at most {self.write(self.most)}"


@dataclass(frozen=True)
class Exhibit:
    """A training loop with a fault.

    Attributes
    ----------
    name : str
        By what one sees, never by the fault.
    report : str
        What its owner says.
    data : str
        The rows: a kind that `world.collect` knows.
    program : str
        With slots.
    broken : mapping
        The slots' text with the fault in it.
    fault : str
        The slot that holds it.
    instrument : str
        A name in `pictures.INSTRUMENTS`, shown beside losses, gradients and updates.
    look : str
        What to look at, without saying what is wrong.
    diagnoses, answer, because
        The question, and one or two sentences in which ``{name}`` calls a number of the run.
    patches : mapping
        By letter, in the order shown.
    checks : sequence of Check
        A run is healed if all pass.
    """

    name: str
    report: str
    data: str
    program: str
    broken: Mapping[str, str]
    fault: str
    instrument: str
    look: str
    diagnoses: Sequence[str]
    answer: int
    because: str
    patches: Mapping[str, Patch]
    checks: Sequence[Check]
    loss: str = "cross_entropy"

    def lines(self, patch: str = "none") -> list[str]:
        """Return the program with its fault, or with a patch; a slot that holds nothing is left out."""
        return [text for text, _ in self._filled(patch) if text.strip()]

    def shown(self, patch: str = "none") -> tuple[list[str], int | None]:
        """Return the lines as shown, and the number of the one at fault, or of the first that is put in."""
        changed = {self.fault} if patch == "none" else set(self.patches[patch].lines)
        lines: list[str] = []
        current = None
        for text, slots in self._filled(patch):
            marked = bool(slots & changed)
            if not text.strip() and not (patch == "none" and marked):
                continue
            lines.append(text if text.strip() else f"{text}# nothing stands here")
            if marked and current is None:
                current = len(lines) - 1
        return lines, current

    def covered(self) -> list[str]:
        """Return the lines as they are before a diagnosis: those with a slot are covered."""
        return [
            line[: len(line) - len(line.lstrip())] + COVERED if _SLOT.search(line) else line
            for line in self.program.strip("\n").split("\n")
        ]

    def _filled(self, patch: str) -> list[tuple[str, set[str]]]:
        """Return each line with its slots filled, and the names of these slots."""
        texts = dict(self.broken)
        if patch != "none":
            texts.update(self.patches[patch].lines)
        return [
            (_SLOT.sub(lambda found: texts[found[1]], line), set(_SLOT.findall(line)))
            for line in self.program.strip("\n").split("\n")
        ]
