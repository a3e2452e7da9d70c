"""How lessons write the numbers that the engine computed: ``{{ loss | places(3) }}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slopewise.site.drawing.numbers import brief, fixed, signed, vector


def number_filters() -> dict[str, Callable[..., Any]]:
    """Return the filters, by name.

    ``places(n)``
        with n decimal places
    ``digits(n)``
        with n significant digits
    ``signed(n)``
        with its sign and n decimal places
    ``vector(n)``
        in brackets, each with n decimal places
    ``tex``
        any of these inside of a formula, where the minus sign is a hyphen
    """
    return {
        "places": fixed,
        "digits": brief,
        "signed": signed,
        "vector": vector,
        "tex": lambda text: str(text).replace("−", "-").replace("∞", r"\infty"),
    }
