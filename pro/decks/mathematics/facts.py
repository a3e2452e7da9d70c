"""The formulas of the cards, each computed in two ways, and the numbers beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

from pro.decks.mathematics import calculus, convergence, statistics
from slopewise.site.content.lesson import Formula

FORMULAS: tuple[Formula, ...] = (*calculus.FORMULAS, *convergence.FORMULAS, *statistics.FORMULAS)


@cache
def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {**calculus.facts(), **convergence.facts(), **statistics.facts()}
