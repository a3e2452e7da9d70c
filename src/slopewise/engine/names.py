"""Things that users ask for by name, and the way out of a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from slopewise.engine.errors import ArgumentError

T = TypeVar("T")


def look_up(name: str, table: Mapping[str, T], kind: str) -> T:
    """Return what stands under a name; case, hyphens and spaces make no difference.

    Parameters
    ----------
    name : what the user wrote
    table : from names in snake_case to things
    kind : what the things are, for the message: "optimizer", "metric"

    Raises
    ------
    ArgumentError
        If nothing has the name; it tells the nearest one, or all of them.

    Examples
    --------
    >>> look_up("AdamW", {"adam": 1, "adamw": 2}, "optimizer")
    2
    >>> look_up("adm", {"adam": 1, "sgd": 2}, "optimizer")
    Traceback (most recent call last):
    slopewise.engine.errors.ArgumentError: there is no optimizer 'adm'; did you mean 'adam'?
    """
    if not isinstance(name, str):
        raise ArgumentError(f"the name of a {kind} must be a string, not {type(name).__name__}")
    written = name.strip().lower().replace("-", "_").replace(" ", "_")
    if written in table:
        return table[written]
    near = difflib.get_close_matches(written, list(table), n=1)
    way_out = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(table)}"
    raise ArgumentError(f"there is no {kind} {name!r}; {way_out}")
