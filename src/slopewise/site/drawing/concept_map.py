"""The concept map as a picture whose boxes are links: a wide one, and a tall one for narrow screens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from slopewise.site.content.course import Concept, Relation

Point = tuple[float, float]

_MARGIN = 10
_CHARACTER, _LINE = 6.6, 17


@dataclass(frozen=True)
class _Form:
    """The size of a box, the distances of columns and rows, and how many characters a line holds."""

    kind: str
    width: float
    height: float
    across: float
    down: float
    longest: int


_WIDE = _Form("concept-map", 208, 56, 386, 124, 40)
_TALL = _Form("concept-map tall", 126, 56, 250, 128, 15)


def draw_concept_map(concepts: Sequence[Concept], relations: Sequence[Relation]) -> Markup:
    """Return the map as two SVG elements, of which a style sheet shows one; each box leads to its lesson."""
    wide = {concept.id: (concept.column, concept.row) for concept in concepts}
    tall = {concept.id: concept.tall for concept in concepts}
    return _draw(_WIDE, wide, concepts, relations) + _draw(_TALL, tall, concepts, relations)


def _draw(
    form: _Form,
    places: dict[str, tuple[int, int]],
    concepts: Sequence[Concept],
    relations: Sequence[Relation],
) -> Markup:
    centres = {
        name: (
            _MARGIN + form.width / 2 + column * form.across,
            _MARGIN + form.height / 2 + row * form.down,
        )
        for name, (column, row) in places.items()
    }
    width = max(x for x, _ in centres.values()) + form.width / 2 + _MARGIN
    height = max(y for _, y in centres.values()) + form.height / 2 + _MARGIN
    arrows = "".join(_arrow(form, centres[r.source], centres[r.target]) for r in relations)
    labels = "".join(_label(form, centres[r.source], centres[r.target], r.says) for r in relations)
    boxes = "".join(_box(form, centres[concept.id], concept) for concept in concepts)
    return Markup(
        f'<svg class="{form.kind}" viewBox="0 0 {width:g} {height:g}" role="group" '
        f'aria-label="Concept map">{arrows}{boxes}{labels}</svg>'
    )


def _edge_of_box(form: _Form, centre: Point, towards: Point, gap: float) -> Point:
    """Return where the line from a box's centre leaves the box, `gap` outside of it."""
    across, down = towards[0] - centre[0], towards[1] - centre[1]
    share = min(
        (form.width / 2) / abs(across) if across else math.inf,
        (form.height / 2) / abs(down) if down else math.inf,
    )
    length = math.hypot(across, down)
    share += gap / length
    return centre[0] + across * share, centre[1] + down * share


def _arrow(form: _Form, source: Point, target: Point) -> str:
    x1, y1 = _edge_of_box(form, source, target, 2)
    x2, y2 = _edge_of_box(form, target, source, 4)
    angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
    return (
        f'<path class="relation" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'
        f'<path class="relation-head" d="M0 0l-9 -4.5v9z" '
        f'transform="translate({x2:.1f} {y2:.1f}) rotate({angle:.1f})"/>'
    )


def _label(form: _Form, source: Point, target: Point, text: str) -> str:
    x1, y1 = _edge_of_box(form, source, target, 2)
    x2, y2 = _edge_of_box(form, target, source, 4)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    lines = _lines(text, form.longest)
    width, height = 12 + _CHARACTER * max(map(len, lines)), 5 + _LINE * len(lines)
    return (
        f'<g class="relation-label"><rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
        f'width="{width:.1f}" height="{height}" rx="4"/>{_text((x, y), lines)}</g>'
    )


def _box(form: _Form, centre: Point, concept: Concept) -> str:
    x, y = centre
    return (
        f'<a href="/lessons/{escape(concept.lesson, quote=True)}"><rect x="{x - form.width / 2:.1f}" '
        f'y="{y - form.height / 2:.1f}" width="{form.width}" height="{form.height}" rx="8"/>'
        f"{_text(centre, _lines(concept.name, form.longest))}<title>{escape(concept.says)}</title></a>"
    )


def _lines(text: str, longest: int) -> list[str]:
    """Return a text in one line, or in two of about the same length."""
    words = text.split()
    if len(text) <= longest or len(words) == 1:
        return [text]
    cuts = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))]
    return list(min(cuts, key=lambda cut: max(map(len, cut))))


def _text(centre: Point, lines: Sequence[str]) -> str:
    x, y = centre
    first = y + 5 - _LINE * (len(lines) - 1) / 2
    return "".join(
        f'<text x="{x:.1f}" y="{first + _LINE * place:.1f}" text-anchor="middle">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
