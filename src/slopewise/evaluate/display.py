"""Numbers and text as people read them, in the report and in the terminal alike."""

from __future__ import annotations

import math
import unicodedata

from slopewise.evaluate.scorecards import kind_of

NOTHING = "–"
MINUS = "\u2212"
LONGEST_TEXT = 60

# Characters that would change how the text around them is shown: they could make one value pass for another.
_DIRECTION_MARKS = {*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C}


def number(value: float) -> str:
    """Return a number with four significant digits and grouped thousands; NaN is a dash.

    What is below zero has a minus sign, not the hyphen of data, which is short and may end a line.

    Examples
    --------
    >>> [number(x) for x in (1234567.8, 0.00012345, -3.0, 12.345, float("nan"))]
    ['1,234,568', '0.0001234', '−3', '12.35', '–']
    """
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    if abs(value) >= 1000:
        return with_minus(f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.4g}")
    return with_minus(f"{value:z.4g}")


def with_minus(text: str) -> str:
    """Return the text of a number with a minus sign where it begins with a hyphen."""
    return MINUS + text[1:] if text.startswith("-") else text


def percent(value: float) -> str:
    """Return a share as a percentage with one digit; only all is "100%", and only none "0%".

    Examples
    --------
    >>> [percent(x) for x in (0.98551, 1.0, 0.99999, 0.00001, float("nan"))]
    ['98.6%', '100%', '>99.9%', '<0.1%', '–']
    """
    if math.isnan(value):
        return NOTHING
    if value in (0, 1):
        return f"{value:.0%}"
    if value > 0.9995:
        return ">99.9%"
    if 0 < value < 0.0005:
        return "<0.1%"
    return f"{value:.1%}"


def score_value(name: str, value: float) -> str:
    """Return the value of a score as is usual for it.

    Examples
    --------
    >>> score_value("accuracy", 0.98551), score_value("r2", -0.98551), score_value("mae", 299.0)
    ('98.6%', '−0.986', '299.0')
    """
    kind = kind_of(name)
    if kind.share:
        return percent(value)
    if not math.isfinite(value) or abs(value) >= 1000:
        return number(value)
    # Zeros at the end are kept, so that numbers below each other have the same precision.
    return with_minus(f"{value:z#.4g}".removesuffix(".") if kind.unit == "target" else f"{value:z.3f}")


def interval(name: str, low: float, high: float) -> str:
    """Return an interval of a score, or a dash.

    Examples
    --------
    >>> interval("accuracy", 0.9225, 0.9974)
    '92.2% to 99.7%'
    """
    if math.isnan(low) or math.isnan(high):
        return NOTHING
    return f"{score_value(name, low)} to {score_value(name, high)}"


def count(value: int, noun: str = "") -> str:
    """Return a count with grouped thousands and, if given, its noun in the right number.

    Examples
    --------
    >>> count(1), count(1234, "row"), count(1, "row"), count(2, "class")
    ('1', '1,234 rows', '1 row', '2 classes')
    """
    if not noun:
        return f"{value:,}"
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{value:,} {noun if value == 1 else plural}"


def duration(seconds: float) -> str:
    """Return a duration in the two largest units that matter, with no-break spaces before them.

    Examples
    --------
    >>> [duration(s).replace("\u00a0", " ") for s in (0.042, 1.26, 75, 4000)]
    ['0.04 s', '1.3 s', '1 min 15 s', '1 h 6 min']
    """
    if seconds < 10:
        return f"{seconds:.2f}\u00a0s" if seconds < 1 else f"{seconds:.1f}\u00a0s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}\u00a0min {whole % 60}\u00a0s"
    return f"{whole // 3600}\u00a0h {whole % 3600 // 60}\u00a0min"


def visible(text: object, longest: int = LONGEST_TEXT) -> str:
    """Return text from a table so that it can be shown safely on one line.

    Control characters, marks that turn the direction of writing, and characters that XML forbids become "�";
    line breaks and tabs become spaces; what is longer than `longest` is cut. Escaping is the template's work.

    Examples
    --------
    >>> visible("a\\nb\\x00c"), visible("x" * 70, longest=5), visible("")
    ('a b�c', 'xxxx…', '(empty)')
    """
    plain = "".join(_visible_character(character) for character in str(text)[: 4 * longest])
    if not plain.strip():
        return "(empty)" if not plain else "(blank)"
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def _visible_character(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Cn") or ord(character) in _DIRECTION_MARKS
    return "�" if hidden else character
