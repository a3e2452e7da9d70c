"""Predictions before something is shown for the first time: what is asked, and what the numbers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.site.playground.design import Design
from slopewise.site.playground.words import described, said, score_name

USUAL = 200  # the update that is asked about where nothing else is said
FURTHEST = 500  # updates: what is asked about must be computed again in a moment, for a card
ENDS = {"accuracy": (0.7, 0.95), "r2": (0.5, 0.9)}  # of the middle answer about a score
CLOSE = 0.02  # scores that differ by less are about the same

Scores = Sequence[float | None]


@dataclass(frozen=True)
class Question:
    """Something to predict.

    Attributes
    ----------
    kind : str
        "update": what the next update does to the loss; "train": the score after many; "rewind": what comes
        of going back and forward again.
    step, to : int
        The update at which it is asked, and the one that it asks about.
    """

    kind: str
    step: int
    to: int
    design: Design

    def __post_init__(self) -> None:
        if self.kind not in _ASKED:
            raise ArgumentError(f"what can be predicted is {', '.join(_ASKED)}, not {self.kind[:20]!r}")
        if not max(self.step, self.to) <= FURTHEST:
            raise ArgumentError(f"predictions are about the first {FURTHEST} updates")
        fits = {
            "update": self.to == self.step + 1,
            "train": self.to > self.step,
            "rewind": self.to < self.step,
        }
        if not fits[self.kind]:
            raise ArgumentError(f"a prediction of the kind {self.kind} is not about update {self.to}")

    @property
    def text(self) -> str:
        """What is asked."""
        return _ASKED[self.kind].format(step=self.step, to=self.to, score=score_name(self.design))

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers to choose from."""
        if self.kind == "update":
            return ("it falls", "it rises", "it stays the same, to four digits")
        if self.kind == "rewind":
            return ("the same, digit for digit", "about the same", "another, as order and noise are new")
        low, high = ENDS[self.design.metric]
        return (f"below {low}", f"from {low} to {high}", f"above {high}")

    @property
    def way(self) -> tuple[int, ...]:
        """The updates to go to, one after the other, to see the answer."""
        return (self.step, self.to, self.step) if self.kind == "rewind" else (self.step, self.to)

    @property
    def query(self) -> dict[str, str]:
        """What an address holds of it beside the settings."""
        return {"step": str(self.step), "ask": self.kind, "to": str(self.to)}

    def answered(self, scores: Sequence[Scores]) -> dict[str, Any]:
        """Return the prediction as cards take it, from the scores along its way.

        Raises
        ------
        ArgumentError
            If the training does not get to where it is asked.
        """
        if scores[0][0] != self.step:
            raise ArgumentError(f"the loss is no longer a number before update {self.step}")
        answer, because = {"update": self._of_update, "train": self._of_training, "rewind": self._of_rewind}[
            self.kind
        ](scores)
        return {
            "question": f"{self.text} ({described(self.design)})",
            "choices": list(self.choices),
            "answer": answer,
            "because": because,
        }

    def _of_update(self, scores: Sequence[Scores]) -> tuple[int, str]:
        before, after = scores[0][2], scores[-1][2]
        told = f"It goes from {said(before, 5)} to {said(after, 5)}."
        if before is None or after is None:
            return 1, f"{told} The step was far too long."
        if said(before) == said(after):
            return 2, f"{told} The gradient, or the learning rate, is nearly zero there."
        if after < before:
            return 0, f"{told} The step goes down the slope of its batch, which is like that of all rows."
        why = "the step was too long, or, if its batch was not all rows, the batch unlike the others"
        return 1, f"{told} A step goes down the slope; if the loss rises all the same, {why}."

    def _of_training(self, scores: Sequence[Scores]) -> tuple[int, str]:
        training, validation = scores[-1][3], scores[-1][5]
        low, high = ENDS[self.design.metric]
        if scores[-1][0] != self.to or training is None or validation is None:
            return 0, f"At update {scores[-1][0]} the loss is not a number: the learning rate is too large."
        gap = training - validation
        about = "about the same as" if abs(gap) < CLOSE else "lower than" if gap > 0 else "higher than"
        told = (
            f"After {self.to} updates it is {said(validation, 3)}, {about} the {said(training, 3)} on the "
            "training rows."
        )
        return 0 if validation < low else 1 if validation <= high else 2, told

    def _of_rewind(self, scores: Sequence[Scores]) -> tuple[int, str]:
        first, second = scores[0][2], scores[-1][2]
        told = f"The training loss at update {self.step} is {said(first, 7)}, and again {said(second, 7)}."
        if list(scores[0]) != list(scores[-1]):
            return (1 if said(first, 2) == said(second, 2) else 2), told
        why = "Weights, order of rows and dropout follow from the seeds: each update can be made again."
        return 0, f"{told} {why}"


_ASKED: Mapping[str, str] = {
    "update": "What does update {to} do to the loss on the training rows?",
    "train": "After update {to}, what is the {score} on the validation rows?",
    "rewind": (
        "Back from update {step} to update {to}, and forward again: what is the training loss at {step}?"
    ),
}
