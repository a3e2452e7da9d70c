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
    """A whole number within limits."""

    name: str
    label: str
    default: int
    low: int
    high: int
    step: int = 1
    note: str = ""
    only_when: OnlyWhen | None = None
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
    """A short text; the lab itself parses it, and refuses what it does not know."""

    name: str
    label: str
    default: str
    longest: int
    note: str = ""
    only_when: OnlyWhen | None = None
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


Setting = Number | Whole | Choice | Toggle | Text
