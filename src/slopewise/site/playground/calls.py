"""A call of the library, made now or written as code: one definition for what runs and what is exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import slopewise


@dataclass(frozen=True)
class Name:
    """A variable of the exported script, or an expression made of some."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call such as ``sw.nn.Linear(2, 8)``.

    Parameters
    ----------
    function : str
        Its path below `slopewise`.
    arguments, keywords : numbers, texts, Names and other Calls

    Examples
    --------
    >>> layer = Call("nn.Linear", (2, 8), {"bias": False})
    >>> layer.code()
    'sw.nn.Linear(2, 8, bias=False)'
    >>> layer.make()
    Linear(in_features=2, out_features=8, bias=False)
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def make(self, names: Mapping[str, Any] | None = None) -> Any:
        """Call the function; `names` says what the Names stand for."""
        known = names or {}
        function = reduce(getattr, self.function.split("."), slopewise)
        arguments = [_made(argument, known) for argument in self.arguments]
        keywords = {name: _made(value, known) for name, value in self.keywords.items()}
        return function(*arguments, **keywords)  # type: ignore[operator]

    def code(self) -> str:
        """Return the call as an expression of Python."""
        parts = [_written(argument) for argument in self.arguments]
        parts += [f"{name}={_written(value)}" for name, value in self.keywords.items()]
        return f"sw.{self.function}({', '.join(parts)})"


def _made(value: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(value, Call):
        return value.make(names)
    return names[value.text] if isinstance(value, Name) else value


def _written(value: Any) -> str:
    if isinstance(value, Call):
        return value.code()
    if isinstance(value, Name):
        return value.text
    return json.dumps(value) if isinstance(value, str) else repr(value)
