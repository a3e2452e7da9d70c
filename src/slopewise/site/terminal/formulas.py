"""Formulas as a line of text: MathML, read element by element, becomes Unicode that people can read.

Scripts are set as such where Unicode has all the letters (xᵢ², λₘₐₓ), else after a caret or a low line
(x_(i, j)). Brackets are added where a line would say something else than the formula: 1/(2n), (∂L/∂y)(∂y/∂w).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from slopewise.site.terminal.html_tree import SILENT

_SUPERSCRIPT = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδεθφχ⊤′″‴*∗",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᵋᶿᵠᵡᵀ′″‴**",
        strict=True,
    )
)
_SUBSCRIPT = dict(
    zip("0123456789+−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)
)
_SCRIPTS = "".join({*_SUPERSCRIPT.values(), *_SUBSCRIPT.values()})
_ACCENTS = {
    **dict.fromkeys("^ˆ\u0302", "\u0302"),
    **dict.fromkeys("¯‾ˉ―_\u0304\u0305", "\u0304"),
    **dict.fromkeys("~˜\u0303", "\u0303"),
    **dict.fromkeys("→⃗", "\u20d7"),
    **dict.fromkeys("˙.", "\u0307"),
    **dict.fromkeys("¨", "\u0308"),
}
_INFIX = set("=≠≈≡∼≃≅<>≤≥≪≫∈∉⊂⊆∝→←↦⇒⇔↔⟶⟵+−±∓·×÷∗∘⊙⊗⊕∧∨∩∪∣≔") | {":=", "⋅"}
_SIGNS = set("+−±∓")
_TIMES = set("·×⋅∗∘")
_TIGHT = {"/"}
_OPENING, _CLOSING = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉")
_BARS = set("|‖")
_LARGE = set("∑∏∫⋃⋂")
_PREFIX = set("∇∂√")
# beside these a fraction on one line would be read as another one
_ENDS_A_FACTOR = ("operand", "word", "fraction", "closing", "prefix")
_BEGINS_A_FACTOR = ("operand", "word", "fraction", "opening", "prefix", "large")
_BEFORE_A_SIGN = ("start", "infix", "opening", "comma", "tight", "gap")
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")
_ROWS = {"math", "mrow", "mstyle", "mpadded", "menclose", "semantics", "mtd", "merror", "mfenced"}
_ONE_ATOM = re.compile(
    rf"[∂∇√d]?(?:[0-9.]+|[A-Za-z]{{2,}}|[^\W\d_]|∞)[\u0300-\u036f\u20d7]*[{re.escape(_SCRIPTS)}]*(?:_\w+)?"
)


@dataclass(frozen=True)
class _Piece:
    """A stretch of a line, and what may stand beside it without a space or brackets.

    Kinds are operand, word (needs a space beside letters), upright (a letter of a word), fraction, infix,
    tight, prefix, large, opening, closing, bar, comma, blank, and gap (between two formulas).
    """

    kind: str
    text: str


def formula_text(math: Element) -> str:
    """Return a formula as one line of text.

    Examples
    --------
    >>> from slopewise.site.terminal.html_tree import read_html
    >>> w, power = "<mi>w</mi>", "<msup><mi>w</mi><mn>2</mn></msup>"
    >>> formula_text(read_html(f"<math><mfrac>{power}<mrow><mn>2</mn>{w}</mrow></mfrac><mo>=</mo>{w}</math>"))
    'w²/(2w) = w'
    """
    return _line([math]).strip()


def _line(elements: Iterable[Element]) -> str:
    """Return elements beside each other as text."""
    return _joined(list(_merged(_pieces(elements))))


def _pieces(elements: Iterable[Element]) -> Iterator[_Piece]:
    for element in elements:
        if element.tag in SILENT:
            continue
        if element.tag in _ROWS or element.tag not in _LAID_OUT:
            if element.text and element.text.strip():
                yield _Piece("word", element.text.strip())
            yield from _pieces(element)
        else:
            yield _LAID_OUT[element.tag](element)


def _merged(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Join letters that are set upright, which the name of a function is spelled in."""
    letters = ""
    for piece in pieces:
        if piece.kind == "upright":
            letters += piece.text
            continue
        if letters:
            yield _Piece("word" if len(letters) > 1 else "operand", letters)
            letters = ""
        yield piece
    if letters:
        yield _Piece("word" if len(letters) > 1 else "operand", letters)


def _joined(pieces: list[_Piece]) -> str:
    text, before = "", _Piece("start", "")
    for place, piece in enumerate(pieces):
        after = next((other for other in pieces[place + 1 :] if other.kind != "blank"), _Piece("end", ""))
        shown, kind = piece.text, piece.kind
        if kind == "blank":
            text += " "
            continue
        if kind == "infix":
            is_sign = piece.text in _SIGNS and before.kind in (
                "start",
                "infix",
                "opening",
                "comma",
                "tight",
                "gap",
            )
            shown, kind = (piece.text, "sign") if is_sign else (f" {piece.text} ", "infix")
        elif kind == "fraction" and (before.kind in _ENDS_A_FACTOR or after.kind in _BEGINS_A_FACTOR):
            shown, kind = f"({piece.text})", "closing"
        elif kind == "comma" and after.kind not in ("closing", "end"):
            shown = f"{piece.text} "
        text += " " + shown if _need_space(before, piece) else shown
        before = _Piece(kind, shown.strip())
    return re.sub(r" {2,}", " ", text)


def _need_space(before: _Piece, piece: _Piece) -> bool:
    """Say whether two pieces would run into each other, as a word and a letter do."""
    if before.kind in ("start", "infix", "sign", "opening", "comma", "tight", "gap") or not piece.text:
        return False
    if piece.kind in ("infix", "closing", "comma", "tight", "gap"):
        return False
    if "large" in (before.kind, piece.kind) or (before.kind == "word" and before.text.endswith(")")):
        return True
    if "word" in (before.kind, piece.kind):
        meet = before.text[-1:].isalnum() and piece.text[0].isalnum()
        return meet or before.kind in ("closing", "bar") or piece.kind in ("prefix", "bar")
    return False


def _as_numerator(text: str) -> str:
    """Return text in brackets, unless a product, which can stand before the line of a fraction as it is."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0 and place and (character in _INFIX - _TIMES or character in ",/"):
            return f"({text})"
    return text


def _is_one_atom(text: str) -> bool:
    plain = unicodedata.normalize("NFD", text)
    name, bracket, rest = text.partition("(")
    is_call = (
        bool(bracket)
        and name.isascii()
        and name.isalpha()
        and len(name) > 1
        and _is_bracketed(bracket + rest)
    )
    return _ONE_ATOM.fullmatch(plain) is not None or _is_bracketed(text) or is_call


def _is_bracketed(text: str) -> bool:
    """Say whether the first bracket of a text is closed at its end."""
    text = text.rstrip(_SCRIPTS)
    if text[:1] not in _OPENING or text[-1:] not in _CLOSING:
        return False
    depth = 0
    for place, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0:
            return place == len(text) - 1
    return False


def _own_text(element: Element) -> str:
    text = " ".join("".join(element.itertext()).replace("\u00a0", " ").split())
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def _letter(element: Element) -> _Piece:
    text = _own_text(element)
    if element.get("mathvariant") == "normal" and len(text) == 1 and text.isalpha():
        return _Piece("upright", text)
    return _piece_of(text)


def _piece_of(text: str) -> _Piece:
    text = "−" if text == "-" else text
    for kind, known in (
        *(("infix", _INFIX), ("tight", _TIGHT), ("opening", _OPENING), ("closing", _CLOSING)),
        *(("bar", _BARS), ("large", _LARGE), ("prefix", _PREFIX), ("comma", {",", ";", ":"})),
    ):
        if text in known:
            return _Piece(kind, text)
    return _Piece("word" if len(text) > 1 and text[0].isalpha() else "operand", text)


def _number(element: Element) -> _Piece:
    return _Piece("operand", _own_text(element))


def _words(element: Element) -> _Piece:
    return _Piece("word", _own_text(element))


def _blank(element: Element) -> _Piece:
    """Return a blank; a wide one parts two formulas on one line."""
    width = re.match(r"([0-9.]+)em", element.get("width", ""))
    is_wide = width is not None and float(width[1].strip(".") or 0) >= 1
    return _Piece("gap", " \u00a0\u00a0") if is_wide else _Piece("blank", " ")


def _fraction(element: Element) -> _Piece:
    above, below = (_line([child]) for child in _children(element, 2))
    return _Piece("fraction", f"{_as_numerator(above)}/{below if _is_one_atom(below) else f'({below})'}")


def _root(element: Element) -> _Piece:
    inside = _line(element)
    is_clear = _is_one_atom(inside) and not inside.startswith("√")
    return _Piece("operand", f"√{inside if is_clear else f'({inside})'}")


def _root_of_degree(element: Element) -> _Piece:
    inside, degree = (_line([child]) for child in _children(element, 2))
    return _Piece("operand", f"{_script(degree, _SUPERSCRIPT, '^')}√({inside})")


def _below(element: Element) -> _Piece:
    base, below = _children(element, 2)
    return _with_scripts(base, below, None)


def _above(element: Element) -> _Piece:
    base, above = _children(element, 2)
    accent = _ACCENTS.get(_own_text(above)) if element.tag == "mover" else None
    if accent is None:
        return _with_scripts(base, None, above)
    text = _line([base])
    accented = "".join(letter + accent if letter.isalnum() else letter for letter in text)
    return _Piece("operand", unicodedata.normalize("NFC", accented))


def _below_and_above(element: Element) -> _Piece:
    base, below, above = _children(element, 3)
    return _with_scripts(base, below, above)


def _with_scripts(base: Element, below: Element | None, above: Element | None) -> _Piece:
    pieces = list(_merged(_pieces([base])))
    kind = pieces[0].kind if len(pieces) == 1 else "operand"
    text = _joined(pieces)
    if all(piece.kind in ("word", "blank") for piece in pieces):
        kind = "word"
    elif kind == "fraction" or (len(pieces) > 1 and not _is_one_atom(text)):
        text = f"({text})"
    scripts = "".join(
        _script(_line([script]), letters, mark)
        for script, letters, mark in ((below, _SUBSCRIPT, "_"), (above, _SUPERSCRIPT, "^"))
        if script is not None
    )
    if kind in ("infix", "large", "prefix", "closing", "bar"):
        return _Piece(kind, text + scripts)
    # after a low line or a caret a letter beside it would be taken for a part of the script
    return _Piece("word" if kind == "word" or "_" in scripts or "^" in scripts else "operand", text + scripts)


def _script(text: str, letters: dict[str, str], mark: str) -> str:
    """Return a script in small letters, or after a mark where some letter has no small one.

    Examples
    --------
    >>> _script("t + 1", _SUPERSCRIPT, "^"), _script("max", _SUBSCRIPT, "_"), _script("i, j", _SUBSCRIPT, "_")
    ('ᵗ⁺¹', 'ₘₐₓ', '_(i, j)')
    """
    tight = text.replace(" ", "")
    if all(letter in letters for letter in tight):
        return "".join(letters[letter] for letter in tight)
    return f"{mark}{text}" if _is_one_atom(text) else f"{mark}({text})"


def _table(element: Element) -> _Piece:
    rows = [", ".join(filter(None, (_line([cell]).strip() for cell in row))) for row in element]
    return _Piece("operand", "; ".join(rows))


def _children(element: Element, count: int) -> list[Element]:
    """Return so many children; missing ones are empty, as in a formula that is cut off."""
    found = list(element)[:count]
    return found + [Element("mrow") for _ in range(count - len(found))]


_LAID_OUT = {
    "mi": _letter,
    "mo": _letter,
    "mn": _number,
    "mtext": _words,
    "ms": _words,
    "mspace": _blank,
    "mfrac": _fraction,
    "msqrt": _root,
    "mroot": _root_of_degree,
    "msub": _below,
    "munder": _below,
    "msup": _above,
    "mover": _above,
    "msubsup": _below_and_above,
    "munderover": _below_and_above,
    "mtable": _table,
}
