"""The settings of a lab: what may be chosen, and how a choice is read from an address.

A setting reads text and gives a value or an ArgumentError which says what is possible. The same settings
make the form on the page, so the two cannot drift apart.

`only_when` names another setting and the values of it at which this one counts: ``("run", ("nest",))``.
Where it does not count, its form field is not shown, an address leaves it out, and the lab gets its default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from slopewise.engine.errors import ArgumentError

Value = float | int | str | bool
Values = Mapping[str, Value]
OnlyWhen = tuple[str, tuple[Value, ...]]


@dataclass(frozen=True)
class Number:
    """A number within limits."""

    name: str
    label: str
    default: float
    low: float
    high: float
    step: float
    note: str = ""
    only_when: OnlyWhen | None = None
    kind: ClassVar[str] = "number"

    def read(self, text: str) -> Value:
        """Return the number that a text holds."""
        try:
            value = float(text)
        except ValueError:
            raise self._refused(text) from None
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise self._refused(text)
        return value

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return f"{value:.6g}"

    def _refused(self, text: str) -> ArgumentError:
        return ArgumentError(
            f"{self.label} ({self.name}) is a number from {self.low:g} to {self.high:g}, not {text[:40]!r}"
        )


@dataclass(frozen=True)
class Whole:
    """A whole number within limits; one that is `offered` has no field in the form, as with a `Choice`."""

    name: str
    label: str
    default: int
    low: int
    high: int
    step: int = 1
    note: str = ""
    only_when: OnlyWhen | None = None
    offered: bool = False
    kind: ClassVar[str] = "number"

    def read(self, text: str) -> Value:
        """Return the whole number that a text holds."""
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not self.low <= int(text) <= self.high:
            raise ArgumentError(
                f"{self.label} ({self.name}) is a whole number from {self.low} to {self.high}, "
                f"not {text[:40]!r}"
            )
        return int(text)

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return str(value)


@dataclass(frozen=True)
class Choice:
    """One of several named options.

    One that is `offered` has no field in the form: frames offer its options where they make sense, with an
    `Offer`.
    """

    name: str
    label: str
    default: str
    options: Sequence[tuple[str, str]]  # value, label
    note: str = ""
    only_when: OnlyWhen | None = None
    offered: bool = False
    kind: ClassVar[str] = "choice"

    def read(self, text: str) -> Value:
        """Return the option that a text names."""
        values = [value for value, _ in self.options]
        if text not in values:
            raise ArgumentError(
                f"{self.label} ({self.name}) is one of {', '.join(values)}, not {text[:40]!r}"
            )
        return text

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return str(value)


@dataclass(frozen=True)
class Toggle:
    """On or off. An address says 1 or 0."""

    name: str
    label: str
    default: bool
    note: str = ""
    only_when: OnlyWhen | None = None
    kind: ClassVar[str] = "toggle"

    def read(self, text: str) -> Value:
        """Return whether a text says on."""
        if text not in ("0", "1"):
            raise ArgumentError(f"{self.label} ({self.name}) is 0 or 1, not {text[:40]!r}")
        return text == "1"

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return "1" if value else "0"


@dataclass(frozen=True)
class Text:
    """A short text; the lab itself parses it, and refuses what it does not know.

    One that is `offered` has no field in the form: frames write it, with an `Offer`. It stays when another
    setting changes, so the text itself says what it belongs to.
    """

    name: str
    label: str
    default: str
    longest: int
    note: str = ""
    only_when: OnlyWhen | None = None
    offered: bool = False
    kind: ClassVar[str] = "text"

    def read(self, text: str) -> Value:
        """Return the text, without blanks at its ends."""
        text = text.strip()
        if not text or len(text) > self.longest or not text.isprintable():
            raise ArgumentError(
                f"{self.label} ({self.name}) is a line of 1 to {self.longest} characters, not {text[:40]!r}"
            )
        return text

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return str(value)


@dataclass(frozen=True)
class Points:
    """Points that a learner draws, types or pastes: two numbers each, and a class where there are `kinds`.

    An address holds them as ``0.1 2; -0.5 -1.5``, or with classes as ``0.1 2 a; -0.5 -1.5 b``. A pasted table
    has a line for each, with blanks, commas, semicolons or tabs between, and may begin with a header. Plots
    with ``draws`` are where they are drawn, by pointer or by keys.
    """

    name: str
    label: str
    most: int
    x: tuple[float, float]
    y: tuple[float, float]
    kinds: tuple[str, ...] = ()
    default: str = "none"
    note: str = ""
    only_when: OnlyWhen | None = None
    kind: ClassVar[str] = "points"

    @property
    def columns(self) -> int:
        """How many cells a row has."""
        return 3 if self.kinds else 2

    @property
    def longest(self) -> int:
        """Of the text that is read."""
        return 40 * (self.most + 2)

    def read(self, text: str) -> Value:
        """Return the points that a text holds, as an address writes them; "none" is none."""
        text = text.strip()
        if len(text) > self.longest:
            raise self._refused(f"takes {self.most} points at most")
        by_line = "\n" in text
        lines = [line.strip() for line in text.split("\n" if by_line else ";") if line.strip()]
        if lines in ([], ["none"]):
            return "none"
        cells = [re.split(r"[\s,;]+", line.replace("\u2212", "-")) for line in lines]
        rows = [[cell for cell in row if cell] for row in cells]
        if by_line and len(rows) > 1 and not any(map(_is_number, rows[0][:2])):
            rows = rows[1:]
        if len(rows) > self.most:
            raise self._refused(f"takes {self.most} points at most, not {len(rows)}")
        return "; ".join(self._row(place, cells) for place, cells in enumerate(rows, start=1))

    def _row(self, place: int, cells: Sequence[str]) -> str:
        shape = "x, y and a class" if self.kinds else "x and y"
        if len(cells) != self.columns or not all(map(_is_number, cells[:2])):
            raise self._refused(f"needs {shape} in row {place}, not {' '.join(cells)[:40]!r}")
        for name, cell, (low, high) in zip("xy", cells, (self.x, self.y)):
            if not low <= float(cell) <= high:
                raise self._refused(f"has {name} from {low:g} to {high:g}; row {place} has {cell[:20]}")
        if self.kinds and cells[2] not in self.kinds:
            classes = ", ".join(self.kinds)
            raise self._refused(f"has the classes {classes}; row {place} has {cells[2][:20]!r}")
        numbers = (f"{round(float(cell), 3) + 0.0:g}" for cell in cells[:2])  # + 0.0, as there is a -0.0
        return " ".join([*numbers, *cells[2:]])

    def rows(self, value: Value) -> list[tuple[float, float, str]]:
        """Return the points of a value that was read; the class is "" where there are no kinds."""
        cells = [] if value == "none" else [row.split() for row in str(value).split("; ")]
        return [(float(x), float(y), kind[0] if kind else "") for x, y, *kind in cells]

    def write(self, value: Value) -> str:
        """Return the text that `read` reads."""
        return str(value)

    def _refused(self, reason: str) -> ArgumentError:
        return ArgumentError(f"{self.label} ({self.name}) {reason}")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


Setting = Number | Whole | Choice | Toggle | Text | Points
