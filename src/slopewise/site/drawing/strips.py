"""Shares by name as dots on a line from 0 to 100%, with rules across all of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _LEFT, _RIGHT, _TOP, _LANE = 720, 92, 64, 30, 30


def draw_strips(
    shares: Sequence[tuple[str, float | None]],
    rules: Sequence[tuple[str, float, str]] = (),
    *,
    title: str,
    current: str = "",
) -> str:
    """Return the picture as an SVG element.

    Parameters
    ----------
    shares : sequence of (name, share)
        None is not known yet: its line stays empty.
    rules : sequence of (label, share, kind)
        Lines across, such as a mean; the labels stand above and must not meet.
    title : str
        What a screen reader says; the numbers follow by themselves.
    current : str
        The name to emphasise.
    """
    height = _TOP + _LANE * len(shares) + 22
    bottom = height - 22
    parts = [
        f'<path class="grid" d="M{_at(share / 4):.1f} {_TOP - 4}V{bottom}"/>'
        + _text("tick", _at(share / 4), height - 5, f"{25 * share}%", "middle")
        for share in range(5)
    ]
    for label, share, kind in rules:
        anchor = "end" if share > 0.75 else "start" if share < 0.25 else "middle"
        parts.append(
            f'<path class="rule {kind}" d="M{_at(share):.1f} {_TOP - 8}V{bottom}"/>'
            + _text(f"label {kind}", _at(share), _TOP - 14, label, anchor)
        )
    for place, (name, known) in enumerate(shares):
        y = _TOP + _LANE * place + _LANE / 2
        strong = " current" if name == current else ""
        parts.append(f'<path class="axis" d="M{_LEFT} {y:g}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(f"name{strong}", _LEFT - 12, y + 4, name, "end"))
        if known is not None:
            parts.append(
                f'<g class="dots forward"><circle cx="{_at(known):.1f}" cy="{y:g}" r="6"/></g>'
                + _text(f"number{strong}", _WIDTH - _RIGHT + 14, y + 4, f"{100 * known:.0f}%", "start")
            )
    told = ", ".join(f"{name} {100 * known:.0f}%" for name, known in shares if known is not None)
    return (
        f'<svg class="plot strips" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}"><desc>{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def _at(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
