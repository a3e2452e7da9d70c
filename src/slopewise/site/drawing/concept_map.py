"""The concept map as a picture whose boxes are links."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from slopewise.site.content.course import Concept, Relation

_WIDTH, _HEIGHT = 208, 56
_ACROSS, _DOWN, _MARGIN = 386, 124, 10
_CHARACTER = 6.6


def draw_concept_map(concepts: Sequence[Concept], relations: Sequence[Relation]) -> Markup:
    """Return the map as an SVG element; each box leads to its lesson."""
    centres = {
        concept.id: (
            _MARGIN + _WIDTH / 2 + concept.column * _ACROSS,
            _MARGIN + _HEIGHT / 2 + concept.row * _DOWN,
        )
        for concept in concepts
    }
    width = max(x for x, _ in centres.values()) + _WIDTH / 2 + _MARGIN
    height = max(y for _, y in centres.values()) + _HEIGHT / 2 + _MARGIN
    arrows = "".join(_arrow(centres[r.source], centres[r.target]) for r in relations)
    labels = "".join(_label(centres[r.source], centres[r.target], r.says) for r in relations)
    boxes = "".join(_box(centres[concept.id], concept) for concept in concepts)
    return Markup(
        f'<svg class="concept-map" viewBox="0 0 {width:g} {height:g}" role="group" '
        f'aria-label="Concept map">{arrows}{boxes}{labels}</svg>'
    )


def _edge_of_box(
    centre: tuple[float, float], towards: tuple[float, float], gap: float
) -> tuple[float, float]:
    """Return where the line from a box's centre leaves the box, `gap` outside of it."""
    across, down = towards[0] - centre[0], towards[1] - centre[1]
    share = min(
        (_WIDTH / 2) / abs(across) if across else math.inf, (_HEIGHT / 2) / abs(down) if down else math.inf
    )
    length = math.hypot(across, down)
    share += gap / length
    return centre[0] + across * share, centre[1] + down * share


def _arrow(source: tuple[float, float], target: tuple[float, float]) -> str:
    x1, y1 = _edge_of_box(source, target, 2)
    x2, y2 = _edge_of_box(target, source, 4)
    angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
    return (
        f'<path class="relation" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'
        f'<path class="relation-head" d="M0 0l-9 -4.5v9z" '
        f'transform="translate({x2:.1f} {y2:.1f}) rotate({angle:.1f})"/>'
    )


def _label(source: tuple[float, float], target: tuple[float, float], text: str) -> str:
    x1, y1 = _edge_of_box(source, target, 2)
    x2, y2 = _edge_of_box(target, source, 4)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    width = 12 + _CHARACTER * len(text)
    return (
        f'<g class="relation-label"><rect x="{x - width / 2:.1f}" y="{y - 11:.1f}" width="{width:.1f}" '
        f'height="22" rx="4"/><text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{escape(text)}</text>'
        "</g>"
    )


def _box(centre: tuple[float, float], concept: Concept) -> str:
    x, y = centre
    return (
        f'<a href="/lessons/{escape(concept.lesson, quote=True)}"><rect x="{x - _WIDTH / 2:.1f}" '
        f'y="{y - _HEIGHT / 2:.1f}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle">{escape(concept.name)}</text>'
        f"<title>{escape(concept.says)}</title></a>"
    )
