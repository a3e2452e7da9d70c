"""A tape as a picture: boxes in the order of computation, with gradients written under the values."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slopewise.engine.tape_reader import Entry, Tape
    from slopewise.engine.tensor import Tensor

BOX_WIDTH, BOX_HEIGHT = 132, 62
COLUMN_GAP, ROW_GAP, MARGIN = 56, 22, 12
_SWEEPS = 4  # passes of the ordering heuristic, forward and backward in turn

_STYLE = (
    ".tape{font:12px/1.3 ui-sans-serif,system-ui,sans-serif;color:#1d2733;--line:#8a97a6;--box:#f4f6f8;"
    "--leaf:#e3f0ea;--value:#1d2733;--gradient:#b1461a}"
    "@media (prefers-color-scheme:dark){.tape{color:#e7ecf1;--line:#7d8997;--box:#232b34;--leaf:#203a30;"
    "--value:#e7ecf1;--gradient:#f09a6c}}"
    ".tape rect{fill:var(--box);stroke:var(--line)}.tape .leaf rect{fill:var(--leaf)}"
    ".tape path{fill:none;stroke:var(--line);stroke-width:1.3}.tape marker path{fill:var(--line);stroke:none}"
    ".tape text{fill:currentColor}.tape .op{font-weight:600}.tape .gradient{fill:var(--gradient)}"
    ".tape .number{font-variant-numeric:tabular-nums}"
)


def draw_tape(tape: Tape) -> str:
    """Return a tape as an SVG element, in light and dark, readable without colour.

    Columns are the length of the longest path from an input, rows follow the mean place of the neighbours
    (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).

    Parameters
    ----------
    tape : Tape
        From `read_tape`.

    Returns
    -------
    str : one ``<svg>`` element; all names are escaped
    """
    grid = place_entries(tape.entries)
    places = {
        number: (MARGIN + x * (BOX_WIDTH + COLUMN_GAP), MARGIN + y * (BOX_HEIGHT + ROW_GAP))
        for number, (x, y) in grid.items()
    }
    columns, rows = (1 + max(place[axis] for place in grid.values()) for axis in (0, 1))
    width = 2 * MARGIN + columns * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP
    height = 2 * MARGIN + rows * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
    edges = [
        _edge(places[source], places[entry.number], (port + 1) / (len(entry.inputs) + 1))
        for entry in tape.entries
        for port, source in enumerate(entry.inputs)
    ]
    boxes = [_box(entry, places[entry.number], tape.gradients.get(entry.number)) for entry in tape.entries]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tape" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>The gradient tape</title><desc>{escape(str(tape))}</desc>'
        f"<style>{_STYLE}</style>"
        '<defs><marker id="tape-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>' + "".join(edges) + "".join(boxes) + "</svg>"
    )


def place_entries(entries: list[Entry]) -> dict[int, tuple[int, int]]:
    """Return the column and row of each entry, by its number, for a picture of the tape."""
    columns = _order_rows(_columns(entries), entries)
    return {number: (x, y) for x, column in enumerate(columns) for y, number in enumerate(column)}


def _columns(entries: list[Entry]) -> list[list[int]]:
    """Put each result right of its inputs, and each input right before its first use."""
    depth: dict[int, int] = {}
    for entry in entries:
        depth[entry.number] = 1 + max((depth[i] for i in entry.inputs), default=-1)
    first_use: dict[int, int] = {}
    for entry in entries:
        for source in entry.inputs:
            first_use[source] = min(first_use.get(source, depth[entry.number]), depth[entry.number])
    columns: dict[int, list[int]] = defaultdict(list)
    for entry in entries:
        place = depth[entry.number]
        if not entry.inputs and entry.number in first_use:
            place = first_use[entry.number] - 1
        columns[place].append(entry.number)
    return [columns[place] for place in sorted(columns)]


def _order_rows(columns: list[list[int]], entries: list[Entry]) -> list[list[int]]:
    neighbours: dict[int, list[int]] = defaultdict(list)
    for entry in entries:
        for source in entry.inputs:
            neighbours[entry.number].append(source)
            neighbours[source].append(entry.number)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            rows = {number: row for other in columns for row, number in enumerate(other)}

            def mean_place(number: int, rows: dict[int, int] = rows) -> float:
                near = neighbours[number]
                return sum(rows[n] for n in near) / len(near) if near else rows[number]

            column.sort(key=mean_place)
    return columns


def _edge(source: tuple[int, int], target: tuple[int, int], port: float) -> str:
    """Draw an edge; each input arrives at a port of its own, so that a value used twice shows two edges."""
    x1, y1 = source[0] + BOX_WIDTH, source[1] + BOX_HEIGHT // 2
    x2, y2 = target[0], target[1] + round(BOX_HEIGHT * port)
    bend = max((x2 - x1) // 2, 16)
    return f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" marker-end="url(#tape-arrow)"/>'


def _box(entry: Entry, place: tuple[int, int], gradient: Tensor | None) -> str:
    x, y = place
    kind = "leaf" if entry.operation == "leaf" else "node"
    label = entry.name or f"v{entry.number}"
    heading = label if entry.operation in ("leaf", "constant") else f"{label} = {entry.operation}"
    under = "" if gradient is None else _line(x, y + 53, "gradient number", f"∂ {_brief(gradient)}")
    return (
        f'<g class="{kind}" data-entry="{entry.number}">'
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        + _line(x, y + 18, "op", _fitted(heading))
        + _line(x, y + 36, "number", _brief(entry.value))
        + under
        + "</g>"
    )


def _line(x: int, y: int, kind: str, text: str) -> str:
    return f'<text x="{x + 9}" y="{y}" class="{kind}">{escape(text)}</text>'


def _fitted(text: str, longest: int = 17) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _brief(value: Tensor) -> str:
    """Return a number, a short vector, or a shape."""
    array = value.numpy()
    if array.size == 1:
        return f"{array.item():.5g}"
    if array.size <= 3:
        return _fitted(np.array2string(array, precision=2, separator=", ").replace("\n", ""))
    return f"{array.dtype}[{', '.join(map(str, array.shape))}]"
