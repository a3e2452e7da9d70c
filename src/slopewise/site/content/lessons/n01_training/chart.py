"""The workflow as a chart whose boxes are links."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise


@dataclass(frozen=True)
class Stage:
    """A box of the chart."""

    id: str
    name: str
    says: str
    lesson: str
    column: int
    row: int


STAGES = (
    Stage("ask", "Ask", "what, and for whom?", "your-own-data", 0, 0),
    Stage("collect", "Collect", "rows with targets", "your-own-data", 1, 0),
    Stage("split", "Split", "three parts, three jobs", "train-test-split", 2, 0),
    Stage("prepare", "Prepare", "fitted on training rows", "overfitting-and-leakage", 3, 0),
    Stage("train", "Train", "many small updates", "training-loop", 3, 1),
    Stage("validate", "Validate", "choose", "splitting", 2, 1),
    Stage("test", "Test", "judge, once", "train-test-split", 1, 1),
    Stage("use", "Use", "and watch", "error-analysis", 0, 1),
)
_WIDE = (190, 58, 44, 96)  # box width and height, gap across and down
_COMPACT = (98, 34, 18, 16)
_MARGIN = 10


def draw_chart(current: str = "", *, whole: bool = True) -> str:
    """Return the chart as an SVG element.

    Parameters
    ----------
    current : str
        The stage to emphasise.
    whole : bool
        With what each stage does and with the ways back; without them it is small enough for a phone.
    """
    width, height, across, down = _WIDE if whole else _COMPACT
    places = {
        stage.id: (_MARGIN + stage.column * (width + across), _MARGIN + stage.row * (height + down))
        for stage in STAGES
    }
    parts = [_way(places[a.id], places[b.id], width, height) for a, b in pairwise(STAGES)]
    if whole:
        parts += _ways_back(places, width, height)
    parts += [_box(stage, places[stage.id], width, height, stage.id == current, whole) for stage in STAGES]
    right = max(x for x, _ in places.values()) + width + _MARGIN
    bottom = max(y for _, y in places.values()) + height + (58 if whole else _MARGIN)
    kind, role = ("whole", "group") if whole else ("compact", "group")
    label = "The workflow" + (f"; the current stage is {current}" if current else "")
    return (
        f'<svg class="workflow {kind}" viewBox="0 0 {right} {bottom}" role="{role}" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _way(source: tuple[int, int], target: tuple[int, int], width: int, height: int) -> str:
    (x1, y1), (x2, y2) = source, target
    if y1 != y2:
        x, end = x1 + width / 2, y2 - 2
        return f'<path class="way" d="M{x:g} {y1 + height + 2}V{end - 6}"/>' + _head(x, end, 90)
    y = y1 + height / 2
    if x2 > x1:
        return f'<path class="way" d="M{x1 + width + 2} {y:g}H{x2 - 8}"/>' + _head(x2 - 2, y, 0)
    return f'<path class="way" d="M{x1 - 2} {y:g}H{x2 + width + 8}"/>' + _head(x2 + width + 2, y, 180)


def _ways_back(places: dict[str, tuple[int, int]], width: int, height: int) -> list[str]:
    """Draw the three reasons to do it again."""
    train, validate, collect = places["train"], places["validate"], places["collect"]
    ask, use = places["ask"], places["use"]
    left, right, base = validate[0] + width / 2, train[0] + width / 2, train[1] + height
    foot = collect[1] + height
    return [
        f'<path class="way again" d="M{left:g} {base + 2}C{left:g} {base + 34} {right:g} {base + 34} '
        f'{right:g} {base + 10}"/>' + _head(right, base + 2, -90, "again"),
        _why((left + right) / 2, base + 46, "not good enough: change something, train again"),
        f'<path class="way again" d="M{left:g} {validate[1] - 2}L{collect[0] + width / 2 + 9:g} {foot + 7}"/>'
        + _head(collect[0] + width / 2 + 3, foot + 2, -151, "again"),
        _why(
            (left + collect[0] + width / 2) / 2 + 88, (validate[1] + foot) / 2 - 12, "more, or better, rows"
        ),
        f'<path class="way again" d="M{use[0] + width / 2:g} {use[1] - 2}V{ask[1] + height + 10}"/>'
        + _head(use[0] + width / 2, ask[1] + height + 2, -90, "again"),
        _why(use[0] + width / 2 + 12, (use[1] + ask[1] + height) / 2 + 4, "the world changes", "start"),
    ]


def _head(x: float, y: float, turn: float, kind: str = "") -> str:
    return (
        f'<path class="head {kind}" d="M0 0l-9 -4.5v9z" transform="translate({x:g} {y:g}) rotate({turn:g})"/>'
    )


def _why(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text class="why" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _box(stage: Stage, place: tuple[int, int], width: int, height: int, is_current: bool, whole: bool) -> str:
    x, y = place
    middle = x + width / 2
    says = f'<text class="says" x="{middle:g}" y="{y + 43}" text-anchor="middle">{escape(stage.says)}</text>'
    kind = " ".join(["stage", stage.id] + ["current"] * is_current)
    return (
        f'<a class="{kind}" href="/lessons/{stage.lesson}"><rect x="{x}" y="{y}" width="{width}" '
        f'height="{height}" rx="{8 if whole else 6}"/><text x="{middle:g}" y="{y + (24 if whole else 22)}" '
        f'text-anchor="middle">{escape(stage.name)}</text>{says if whole else ""}'
        f"<title>{escape(stage.name)}: {escape(stage.says)}</title></a>"
    )
