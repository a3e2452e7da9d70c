"""A tape as a picture in which a lab can light up single boxes and edges."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import TYPE_CHECKING

from slopewise.engine.tape_drawing import place_entries

if TYPE_CHECKING:
    from slopewise.engine.tape_reader import Entry

BOX_WIDTH, BOX_HEIGHT = 118, 66
_COLUMN_GAP, _ROW_GAP, _MARGIN = 60, 24, 12
_LANE = 18  # below the boxes, for an edge that would run behind one
_SIGNS = {"mul": "×", "add": "+", "sub": "−", "div": "÷", "neg": "negate", "pow": "power"}

Edge = tuple[int, int]  # from the entry of an input to the entry of a result


def sign_of(operation: str) -> str:
    """Return how a person writes an operation: × for mul, the name for most."""
    return _SIGNS.get(operation, operation)


def draw_tape_graph(
    entries: list[Entry],
    *,
    names: Mapping[int, str],
    values: Mapping[int, str],
    gradients: Mapping[int, str],
    current: Collection[int] = (),
    edges: Mapping[Edge, str] | None = None,
    backward: Collection[Edge] = (),
    title: str,
    description: str,
) -> str:
    """Return a tape as an SVG element: values above, gradients below, as far as they are known.

    Parameters
    ----------
    entries : list of Entry
    names : the name of each entry, by number
    values, gradients : what is known so far, as text, by number
    current : the boxes that this step works on
    edges : what is written at an edge, such as its local derivative
    backward : the edges that a gradient has come back along
    title, description : str
        What a screen reader says.
    """
    grid = place_entries(entries)
    places = {
        number: (_MARGIN + x * (BOX_WIDTH + _COLUMN_GAP), _MARGIN + y * (BOX_HEIGHT + _ROW_GAP))
        for number, (x, y) in grid.items()
    }
    width = max(x for x, _ in places.values()) + BOX_WIDTH + _MARGIN
    bottom = max(y for _, y in places.values()) + BOX_HEIGHT
    detours = _detours(entries, grid)
    height = bottom + _MARGIN + _LANE * len(detours)
    drawn, labels = [], []
    for entry in entries:
        for port, source in enumerate(entry.inputs):
            edge = (source, entry.number)
            start = (places[source][0] + BOX_WIDTH, places[source][1] + BOX_HEIGHT // 2)
            share = (port + 1) / (len(entry.inputs) + 1)
            end = (places[entry.number][0], places[entry.number][1] + round(BOX_HEIGHT * share))
            below = bottom + _LANE * (1 + detours.index(edge)) if edge in detours else None
            kind = "backward" if edge in backward else "forward" if entry.number in values else "later"
            drawn.append(_edge(start, end, below, kind))
            if text := (edges or {}).get(edge, ""):
                labels.append(_edge_label(start, end, below, text))
    boxes = [
        _box(
            places[entry.number],
            names[entry.number],
            "" if not entry.inputs else sign_of(entry.operation),
            values.get(entry.number, ""),
            gradients.get(entry.number, ""),
            "leaf" if entry.operation == "leaf" else "constant" if not entry.inputs else "result",
            entry.number in current,
        )
        for entry in entries
    ]
    return (
        f'<svg class="tape-graph" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><desc>{escape(description)}</desc>'
        + "".join(drawn)
        + "".join(boxes)
        + "".join(labels)
        + "</svg>"
    )


def _detours(entries: list[Entry], grid: Mapping[int, tuple[int, int]]) -> list[Edge]:
    """Return the edges that would run behind boxes: they go below all rows instead, each in a lane."""
    found = []
    for entry in entries:
        for source in dict.fromkeys(entry.inputs):
            (left, from_row), (right, to_row) = grid[source], grid[entry.number]
            rows = range(min(from_row, to_row), max(from_row, to_row) + 1)
            if any(left < column < right and row in rows for column, row in grid.values()):
                found.append((source, entry.number))
    return found


def _edge(start: tuple[int, int], end: tuple[int, int], below: int | None, kind: str) -> str:
    (x1, y1), (x2, y2) = start, end
    if below is None:
        bend = max((x2 - x1) // 2, 14)
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    else:
        path = (
            f"M{x1} {y1}C{x1 + 34} {y1} {x1 + 4} {below} {x1 + 52} {below}"
            f"H{x2 - 52}C{x2 - 4} {below} {x2 - 34} {y2} {x2} {y2}"
        )
    if kind == "backward":  # the head points back at the input
        head = f"M{x1 + 1} {y1}l8 -4v8z"
    else:
        head = f"M{x2 - 1} {y2}l-8 -4v8z"
    return f'<g class="edge {kind}"><path d="{path}"/><path class="head" d="{head}"/></g>'


def _edge_label(start: tuple[int, int], end: tuple[int, int], below: int | None, text: str) -> str:
    x = (start[0] + end[0]) // 2
    y = (start[1] + end[1]) // 2 if below is None else below
    width = 10 + 7 * len(text)
    return (
        f'<g class="edge-label"><rect x="{x - width // 2}" y="{y - 11}" width="{width}" height="20" rx="10"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle">{escape(text)}</text></g>'
    )


def _box(
    place: tuple[int, int], name: str, sign: str, value: str, gradient: str, kind: str, is_current: bool
) -> str:
    x, y = place
    classes = f"box {kind}{' current' if is_current else ''}"
    operation = (
        f'<text class="op" x="{x + BOX_WIDTH - 9}" y="{y + 18}" text-anchor="end">{escape(sign)}</text>'
        if sign
        else ""
    )
    below = f"∂ {gradient}" if gradient else ""
    return (
        f'<g class="{classes}"><rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text class="name" x="{x + 9}" y="{y + 18}">{escape(name)}</text>{operation}'
        f'<text class="value" x="{x + 9}" y="{y + 37}">{escape(value)}</text>'
        f'<text class="gradient" x="{x + 9}" y="{y + 56}">{escape(below)}</text></g>'
    )
