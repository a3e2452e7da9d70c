"""The numbers of the cards: each comes from a run, or a value, that has the fault."""

from __future__ import annotations

from functools import cache
from typing import Any

from pro.decks.diagnosis import levels, loops, scores
from slopewise.site.content.lesson import Formula

FORMULAS: tuple[Formula, ...] = (*levels.FORMULAS, *loops.FORMULAS, *scores.FORMULAS)


@cache
def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {**levels.facts(), **loops.facts(), **scores.facts()}
