"""Cards that come back in the next days, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 700, 190, 6, 24, 34


def draw_forecast(counts: Sequence[tuple[date, int]], title: str) -> str:
    """Return one bar a day as an SVG element; zero is a line without a bar."""
    step = (_WIDTH - 2 * _LEFT) / len(counts)
    most = max(1, *(count for _, count in counts))
    ground = _HEIGHT - _BOTTOM
    parts = [f'<path class="axis" d="M{_LEFT} {ground}H{_WIDTH - _LEFT}"/>']
    for place, (day, count) in enumerate(counts):
        x = _LEFT + place * step
        middle, height = x + step / 2, (ground - _TOP) * count / most
        name = "today" if place == 0 else f"{day:%a}"
        if count:
            parts.append(
                f'<rect class="bar{" today" if place == 0 else ""}" x="{x + 0.14 * step:.1f}" '
                f'y="{ground - height:.1f}" width="{0.72 * step:.1f}" height="{height:.1f}" rx="3"/>'
                f'<text class="number" x="{middle:.1f}" y="{ground - height - 6:.1f}" '
                f'text-anchor="middle">{count}</text>'
            )
        parts.append(
            f'<text class="tick" x="{middle:.1f}" y="{ground + 15}" text-anchor="middle">{name}</text>'
            f'<text class="tick" x="{middle:.1f}" y="{ground + 29}" text-anchor="middle">{day.day}</text>'
        )
    told = ", ".join(f"{day.isoformat()} {count}" for day, count in counts)
    return (
        f'<svg class="plot forecast" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><desc>{told}</desc>{"".join(parts)}</svg>'
    )
