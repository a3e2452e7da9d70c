"""Designs as requests name them, and their states as workers compute them."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.datasets.visitors_data import data_set_of, names_of_data_sets
from slopewise.site.labs.pool import Pool
from slopewise.site.pages.answers import asker_of
from slopewise.site.playground.design import (
    MOST_UPDATES,
    OWN,
    Design,
    check_design,
    read_values,
    write_address,
)
from slopewise.site.playground.own import OwnTable, own_table

LONGEST_QUERY = 4000
MOST_FIELDS = 100
SLICE = 1.0  # seconds of one request to a worker
MOST_SLICES = 4  # for one page

Kept = TypeVar("Kept")


class Recent(Generic[Kept]):
    """What was made of designs, the most recent; never of own data, which stay with their owner."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, design: Design, *more: object) -> Kept | None:
        """Return what is kept of a design."""
        key = _key(design, more)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, made: Kept, design: Design, *more: object) -> Kept:
        """Keep what was made of a design, and return it."""
        if design.own is None:
            self._kept[_key(design, more)] = made
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return made


def _key(design: Design, more: Sequence[object]) -> str:
    return json.dumps([dict(design.values), *more], sort_keys=True)


async def design_of(request: Request, query: Mapping[str, str]) -> Design:
    """Return the design that a query names; own data must be the visitor's."""
    values = read_values(query)
    if values["data"] != OWN:
        return check_design(values)
    return check_design(values, await run_in_threadpool(_own, request, values))


def _own(request: Request, values: dict[str, Any]) -> OwnTable | None:
    """Return the table that the values name; raises a DataError if the visitor has no such table."""
    if values["own"] == "none":
        newest = names_of_data_sets(request)
        if not newest:
            return None
        values["own"] = str(newest[0][0])
    try:
        which = uuid.UUID(str(values["own"]))
    except ValueError:
        raise DataError("You have no such data set.") from None
    found = data_set_of(request, which)
    target = str(values["target"])
    return own_table(found.name, found.numbers, found.labels, found.target if target == "likely" else target)


async def needed(request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worker needs beside the values of a training that began at another process."""
    if values["data"] != OWN:
        return {}
    own = await run_in_threadpool(_own, request, dict(values))
    return {"own": own.to_json()} if own is not None else {}


def more_of(design: Design) -> dict[str, Any]:
    """Return what a worker needs beside the values."""
    return {"own": design.own.to_json()} if design.own is not None else {}


async def states_at(request: Request, design: Design, steps: Sequence[int]) -> list[dict[str, Any]]:
    """Return a design's states at some updates, gone to one after the other, forward and back.

    A training that has diverged, or takes too long, stays where it is: its states say at which update.
    """
    states: list[dict[str, Any]] = []
    snapshots: dict[str, Any] = {}
    points: list[list[float | None]] = []
    at = slices = 0
    for step in steps:
        while True:
            slices += 1
            answer = await _slice(request, design, at, step, snapshots)
            points += [
                point for point in answer["points"] if not points or (point[0] or 0) > (points[-1][0] or 0)
            ]
            at = answer["step"]
            snapshots = snapshots | {str(at): answer["snapshot"]}
            if at >= step or answer["diverged"] or slices >= MOST_SLICES + len(steps):
                break
        states.append({**answer, "points": list(points)})
    return states


async def _slice(
    request: Request, design: Design, at: int, step: int, snapshots: Mapping[str, Any]
) -> dict[str, Any]:
    pool: Pool = request.app.state.jobs.pool
    before = [known for known in snapshots if int(known) < step]
    useful = {known: snapshots[known] for known in {str(at), *before[-1:]} if known in snapshots}
    asked = {
        "job": "preview",
        "values": dict(design.values),
        **more_of(design),
        "step": at,
        "until": step,
        "seconds": min(SLICE, pool.limits.seconds / 2),
        "snapshots": useful,
    }
    answer, _ = await pool.ask(asked, asker_of(request))
    return answer


def fields_of(text: object) -> dict[str, str]:
    """Return the fields of a query that came in a body.

    Raises
    ------
    ArgumentError
        If it is no query.
    """
    if not isinstance(text, str) or len(text) > LONGEST_QUERY:
        raise ArgumentError(f"query is a text of at most {LONGEST_QUERY} characters")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise ArgumentError("query cannot be read") from None


def whole(value: object, name: str = "step", most: int = MOST_UPDATES) -> int:
    """Return a whole number from 0 to some end.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= most):
        raise ArgumentError(f"{name} is a whole number from 0 to {most}, not {text[:20]!r}")
    return int(text)


def address_of(design: Design, more: Mapping[str, str] | None = None) -> str:
    """Return the address of a design, with further fields if there are any."""
    query = {**write_address(design.values), **(more or {})}
    return "/playground" + (f"?{urlencode(query, safe=',:')}" if query else "")
