"""Numbers as people read them: as many digits as matter, a true minus sign."""

from __future__ import annotations

import math
from collections.abc import Sequence


def brief(value: float, digits: int = 4) -> str:
    """Return a number with some significant digits.

    Examples
    --------
    >>> brief(0.123456), brief(-2.0), brief(1234567.0), brief(float("inf"))
    ('0.1235', '−2', '1.235e6', '∞')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else _minus("∞" if value > 0 else "-∞")
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return _minus("0" if text == "-0" else text)


def fixed(value: float, places: int = 2) -> str:
    """Return a number with some decimal places.

    Examples
    --------
    >>> fixed(1.0), fixed(-0.001), fixed(-1.256, 2)
    ('1.00', '0.00', '−1.26')
    """
    if not math.isfinite(value):
        return brief(value)
    if abs(value) >= 1e6:
        return brief(value)
    text = f"{value:.{places}f}"
    return _minus(text[1:] if text.startswith("-") and float(text) == 0 else text)


def signed(value: float, places: int = 2) -> str:
    """Return a number with its sign.

    Examples
    --------
    >>> signed(1.5), signed(-1.5)
    ('+1.50', '−1.50')
    """
    text = fixed(value, places)
    return text if text.startswith("−") else f"+{text}"


def vector(values: Sequence[float], places: int = 2) -> str:
    """Return a short vector.

    Examples
    --------
    >>> vector([1.0, -2.5])
    '(1.00, −2.50)'
    """
    return "(" + ", ".join(fixed(value, places) for value in values) + ")"


def _minus(text: str) -> str:
    return text.replace("-", "−")
