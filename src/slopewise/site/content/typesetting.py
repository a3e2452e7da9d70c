"""What TeX does to a formula and the converter to MathML leaves out: spaces at names, limits below them."""

from __future__ import annotations

from itertools import pairwise
from xml.etree.ElementTree import Element

_THIN = "0.167em"
_WITH_LIMITS = {"lim", "max", "min", "sup", "inf"}
_OPERANDS = {"mi", "mn", "mtext", "mfrac", "msqrt", "mroot", "mrow", "mover"}
_SCRIPTS = {"msub", "msup", "msubsup", "munder", "munderover"}


def typeset(formula: Element) -> None:
    """Set limits below names in a displayed formula, and thin spaces beside names.

    Examples
    --------
    >>> from xml.etree.ElementTree import fromstring, tostring
    >>> formula = fromstring("<math><mrow><mi>y</mi><mi>log</mi><mi>p</mi></mrow></math>")
    >>> typeset(formula)
    >>> tostring(formula[0], encoding="unicode").count("<mspace")
    2
    """
    if formula.get("display") == "block":
        for row in (formula, *formula.findall("mrow")):
            for child in row:
                if child.tag == "msub" and (child[0].text or "") in _WITH_LIMITS:
                    child.tag = "munder"
    for power in formula.iter("msup"):
        _prime(power)
    for row in [element for element in formula.iter() if element.tag in ("math", "mrow", "mtd", "msqrt")]:
        _space(row)


def _prime(power: Element) -> None:
    """Set a prime beside its letter: fonts draw it high and small, and a script would raise it once more."""
    mark = power[1]
    if mark.text and not mark.text.strip("\u2032"):
        power.tag, mark.tag = "mrow", "mo"
        mark.set("lspace", "0")
        mark.set("rspace", "0")


def _space(row: Element) -> None:
    children = list(row)
    for place, (before, after) in reversed(list(enumerate(pairwise([None, *children, None])))):
        if before is not None and _is_name(before):
            opens = after is None or (after.tag == "mo" and not _is_operand(after))
            _beside(row, place, before, "rspace", not opens)
        if after is not None and _is_name(after):
            _beside(row, place, after, "lspace", before is not None and _is_operand(before))


def _beside(row: Element, place: int, name: Element, side: str, wide: bool) -> None:
    """Space a side of a name: an operator has spaces of its own, which are set; else a space is put there."""
    core = name[0] if name.tag in _SCRIPTS else name
    if core.tag == "mo":
        core.set(side, _THIN if wide else "0")
    elif wide and not (place < len(row) and row[place].tag == "mspace"):
        row.insert(place, Element("mspace", width=_THIN))


def _is_name(element: Element) -> bool:
    """Tell whether this is a function's name, such as log, or one with a script."""
    core = element[0] if element.tag in _SCRIPTS and len(element) else element
    text = core.text or ""
    return core.tag in ("mi", "mo") and len(text) > 1 and text.isascii() and text.isalpha()


def _is_operand(element: Element) -> bool:
    """Tell whether a formula may go on beside it without an operator."""
    if element.tag == "mo":
        return element.text in ("∇", "∂", "∑", "∏", ")", "]", "‖", "|")
    return element.tag in _OPERANDS | _SCRIPTS
