"""A frame: what a lab shows at one step, as pictures, in words and in a table.

Frames cross from the worker process to the server as JSON, so they hold text and numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A picture: one ``<svg>`` element of `slopewise.site.drawing`, and the caption above it.

    A wide one takes the whole width of the lab.
    """

    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """The numbers behind the pictures; cells are text, already rounded. The first column names the row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    current: int | None = None  # the row that belongs to this step
    first: bool = False  # shown open and before the pictures: what this step is about


@dataclass(frozen=True)
class Code:
    """Lines of a program, the current one, and what its variables hold, by name."""

    lines: Sequence[str]
    current: int | None
    variables: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Prediction:
    """What a learner is asked before the next frame is shown.

    Attributes
    ----------
    question : str
    choices : sequence of str, two or more
    answer : int
        The choice that the engine's numbers say is right.
    because : str
        One or two sentences with this run's own numbers.
    """

    question: str
    choices: Sequence[str]
    answer: int
    because: str


@dataclass(frozen=True)
class Offer:
    """A choice that a frame offers: it sets a setting of the lab, and goes on at a step.

    Attributes
    ----------
    setting : str
        The name of a `Choice`, `Whole` or `Text` that is `offered`.
    question : str
    choices : sequence of (value, label)
        Values of the setting; labels may hold code.
    step : int
        The step to go to with the new value.
    button : str
        What the button says.
    numbers : (lowest, highest, step), optional
        Of a `Whole`, in place of choices: shown as a slider.
    """

    setting: str
    question: str
    choices: Sequence[tuple[str, str]]
    step: int
    button: str = "Go on with this"
    numbers: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Frame:
    """One step of a lab.

    Attributes
    ----------
    title : str
        A few words: which step this is.
    words : str
        What the pictures show, in sentences, for who cannot see them and for who can.
    figures : sequence of Figure
    table : Table, optional
    formula : str
        LaTeX with this step's numbers in it.
    code : Code, optional
    prediction : Prediction, optional
        Asked at this frame, answered by the next.
    offer : Offer, optional
        What may be chosen here.
    """

    title: str
    words: str
    figures: Sequence[Figure] = ()
    table: Table | None = None
    formula: str = ""
    code: Code | None = None
    prediction: Prediction | None = None
    notes: Sequence[str] = field(default=())
    offer: Offer | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the frame as plain dictionaries and lists."""
        return asdict(self)
