"""Pictures in a row, a confusion matrix, and bars of errors by cause, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from slopewise.site.content.lessons.n15_error_analysis.pictures import SHAPES, SIDE, Floats

_SHADES = 4
_ACROSS, _PIXEL = 3, 8
_BOX = SIDE * _PIXEL


def draw_pictures(
    pixels: Floats, captions: Sequence[tuple[str, str]], *, title: str, current: int | None = None
) -> str:
    """Return pictures in rows of three, each with two lines below it; the current one is framed."""
    rows = (len(pixels) + _ACROSS - 1) // _ACROSS
    width, high = _ACROSS * 116 + 4, _BOX + 54
    parts = []
    for place, (picture, (first, second)) in enumerate(zip(pixels, captions)):
        x, y = 4 + place % _ACROSS * 116, 4 + place // _ACROSS * high
        strong = " current" if place == current else ""
        box = f'class="frame" x="{x}" y="{y}" width="{_BOX}" height="{_BOX}"'
        parts.append(f'<g class="lane{strong}">{_shades(picture, x, y)}<rect {box}/>')
        for line, (text, kind) in enumerate(((first, "name"), (second, "tag"))):
            parts.append(
                f'<text class="{kind}" x="{x}" y="{y + _BOX + 17 + 16 * line}">{escape(text)}</text>'
            )
        parts.append("</g>")
    told = "; ".join(f"{place + 1}: {first}, {second}" for place, (first, second) in enumerate(captions))
    return (
        f'<svg class="pictures" viewBox="0 0 {width} {rows * high}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><desc>{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def _shades(picture: Floats, x: int, y: int) -> str:
    """Draw the ink of a picture, one path for each shade."""
    shade = np.rint(np.clip(picture, 0, 1) * _SHADES).astype(int).reshape(SIDE, SIDE)
    paths = []
    for level in range(1, _SHADES + 1):
        squares = "".join(
            f"M{x + column * _PIXEL} {y + row * _PIXEL}h{_PIXEL}v{_PIXEL}h-{_PIXEL}z"
            for row, column in zip(*np.nonzero(shade == level))
        )
        if squares:
            paths.append(f'<path class="shade-{level}" d="{squares}"/>')
    return "".join(paths)


def draw_matrix(
    matrix: NDArray[np.int64],
    current: tuple[int, int] | None,
    links: Mapping[tuple[int, int], Mapping[str, str]],
    *,
    title: str,
) -> str:
    """Return a confusion matrix: labels down, what the network said across. Errors are shaded by how many.

    `links` are the attributes of the link that a cell is, by cell.
    """
    size, left, top = 76, 88, 46
    most = max(1, int((matrix - np.diag(np.diag(matrix))).max()))
    parts = [_text("axis-title", left + 1.5 * size, 14, "the network said", "middle")]
    for number, name in enumerate(SHAPES):
        parts.append(_text("name", left + (number + 0.5) * size, top - 10, name, "middle"))
        parts.append(_text("name", left - 12, top + (number + 0.5) * size + 5, name, "end"))
    for true in range(len(SHAPES)):
        for said in range(len(SHAPES)):
            x, y, count = left + said * size, top + true * size, int(matrix[true, said])
            depth = 8 if true == said or not count else 7 - round(7 * count / most)
            kind = "hit" if true == said else f"miss depth-{depth}"
            chosen = " current" if (true, said) == current else ""
            cell = (
                f'<g class="cell{chosen}"><rect class="contour {kind}" x="{x + 2}" y="{y + 2}" '
                f'width="{size - 4}" height="{size - 4}" rx="4"/>'
                + _text("number", x + size / 2, y + size / 2 + 5, str(count), "middle")
                + "</g>"
            )
            if (true, said) in links:
                named = {"aria-label": f"Open {SHAPES[true]} taken for {SHAPES[said]}: {count}"}
                attributes = {**links[true, said], **named}
                written = "".join(f' {name}="{escape(text)}"' for name, text in attributes.items())
                cell = f"<a{written}>{cell}</a>"
            parts.append(cell)
    height = top + 3 * size + 8
    parts.append(
        f'<text class="axis-title" text-anchor="middle" transform="rotate(-90)" '
        f'x="{-(top + 1.5 * size):g}" y="13">the label says</text>'
    )
    told = "; ".join(
        f"{SHAPES[a]} taken for {SHAPES[b]}: {matrix[a, b]}" for a in range(3) for b in range(3) if a != b
    )
    return (
        f'<svg class="plot matrix" viewBox="0 0 {left + 3 * size + 4} {height}" role="group" '
        f'aria-label="{escape(title, quote=True)}"><desc>{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def draw_bars(
    before: Mapping[str, int], after: Mapping[str, int] | None = None, *, title: str, current: str = ""
) -> str:
    """Return errors by cause as bars; with `after`, a second bar each."""
    lane, left, width = (40 if after else 30), 132, 560
    most = max(1, *before.values(), *(after or before).values())
    parts = []
    for place, (name, count) in enumerate(before.items()):
        y = 6 + place * lane
        strong = " current" if name == current else ""
        parts.append(_text(f"name{strong}", left - 12, y + lane / 2 + 1, name, "end"))
        bars = [("", count)] if after is None else [("", count), ("forward", after[name])]
        for line, (kind, number) in enumerate(bars):
            long = number / most * (width - left - 60)
            top = y + 4 + line * 15
            parts.append(
                f'<rect class="bar {kind}" x="{left}" y="{top}" '
                f'width="{max(long, 1):.1f}" height="13" rx="2"/>'
            )
            parts.append(_text("tick", left + long + 7, top + 11, str(number), "start"))
    told = "; ".join(
        f"{name}: {count}" + (f", then {after[name]}" if after else "") for name, count in before.items()
    )
    return (
        f'<svg class="plot bars" viewBox="0 0 {width} {lane * len(before) + 12}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><desc>{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
