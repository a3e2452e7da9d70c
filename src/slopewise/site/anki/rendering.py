"""From a note's fields to the two sides of a card, as HTML that is safe to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape, unescape

import nh3

from slopewise.engine.errors import DataError
from slopewise.site.anki.collection import RawCard

LONGEST_SIDE = 20_000  # characters of HTML
_LONGEST_RAW = 200_000
MEDIA_PATH = "/cards/media/"
TAGS = {
    *("p", "br", "div", "span", "b", "strong", "i", "em", "u", "s", "sub", "sup", "mark", "small"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "caption"),
    *("pre", "code", "kbd", "samp", "blockquote", "hr", "h3", "h4", "h5", "h6", "ruby", "rt", "rp"),
    *("img", "audio"),
}
ATTRIBUTES = {
    "img": {"src", "alt"},
    "audio": {"src", "controls", "preload"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SECTION = re.compile(r"\{\{([#^])([^{}]{1,100})\}\}((?:(?!\{\{[#^/]).)*)\{\{/\2\}\}", re.DOTALL)
_FIELD = re.compile(r"\{\{([^{}#^/][^{}]{0,200})\}\}")
_CLOZE = re.compile(  # the innermost
    r"\{\{c(\d{1,3}(?:,\d{1,3}){0,20})::((?:(?!\{\{c\d|\}\}).)*)\}\}", re.DOTALL
)
_DEEPEST = 20  # sections of a template, or deletions, one within the other
_MASKS = "::image-occlusion:"  # drawn over a picture by a script of Anki; without them the picture tells
_RUBY = re.compile(r" ?([^ >\[]{1,60})\[(?!sound:)([^\[\]]{1,100})\]")
_READINGS = {"furigana": r"<ruby>\1<rt>\2</rt></ruby>", "kanji": r"\1", "kana": r"\2"}
_SOUND = re.compile(r"\[sound:([^\]\n]{1,300})\]")
_MARKS = re.compile(r"<(?!img|audio)[^>]*>")
_RULE = re.compile(r"^(\s|<br>)*<hr>")

FindMedium = Callable[[str], str | None]  # from a name in a note to the name under which it is kept


def sides(card: RawCard, medium: FindMedium) -> tuple[str, str] | None:
    """Return front and back; None if nothing is on the front, or a picture without the masks over it.

    Raises
    ------
    DataError
        If a side is too long.
    """
    if card.is_cloze and any(_MASKS in value for value in card.values.values()):
        return None
    front = sanitised(_rendered(card, card.template.question, False), medium)
    back = sanitised(_rendered(card, card.template.answer, True), medium)
    back = _RULE.sub("", back).strip()
    return None if is_empty(front) else (front, "" if is_empty(back) else back)


def sanitised(html: str, medium: FindMedium) -> str:
    """Return HTML without whatever could run, reach out, or change the page; of media only what is kept.

    Examples
    --------
    >>> sanitised('<b onclick="x()">bold</b><script>x()</script><img src="https://a.example/i.png">', {}.get)
    '<b>bold</b>'
    >>> sanitised('<a href="javascript:x()">link</a> <p style="color:red">red</p>', {}.get)
    'link <p>red</p>'
    """
    if len(html) > _LONGEST_RAW:
        raise DataError("a card is too long")

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name != "src":
            return value[:500]
        kept = medium(value)
        return f"{MEDIA_PATH}{kept}" if kept else None

    clean = nh3.clean(
        _SOUND.sub(_as_audio, html),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=attribute,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math"},
        url_schemes=set(),
        link_rel=None,
        strip_comments=True,
    )
    clean = re.sub(r"<img(?![^>]* src=)[^>]*>|<audio(?![^>]* src=)[^>]*></audio>", "", clean).strip()
    if len(clean) > LONGEST_SIDE:
        raise DataError("a card is too long")
    return clean


def _as_audio(found: re.Match[str]) -> str:
    name = escape(unescape(found[1]), quote=True)
    return f'<audio controls="" preload="none" src="{name}"></audio>'


def is_empty(html: str) -> bool:
    """Whether nothing would be seen or heard.

    Examples
    --------
    >>> is_empty("<div><br></div>&nbsp;"), is_empty('<img src="/cards/media/1">'), is_empty("a")
    (True, False, False)
    """
    return not unescape(_MARKS.sub("", html)).strip()


def _rendered(card: RawCard, template: str, is_answer: bool) -> str:
    values = {name: value[:_LONGEST_RAW] for name, value in card.values.items()}
    text = _sections(template[:_LONGEST_RAW], values)

    def field(found: re.Match[str]) -> str:
        *filters, name = (part.strip() for part in found[1].split(":"))
        is_typed, is_spoken = "type" in filters[:1], any(one.startswith("tts ") for one in filters)
        if name not in values or is_spoken or (is_typed and not is_answer):
            return ""  # FrontSide too: the front stands above the back already
        value = values[name]
        for one in reversed(filters):  # from the name out
            if one == "cloze":
                value = _cloze(value, card.ordinal + 1, is_answer)
            elif one in _READINGS:
                value = _RUBY.sub(_READINGS[one], value)
        return value

    return _FIELD.sub(field, text)


def _sections(text: str, values: Mapping[str, str]) -> str:
    """Keep ``{{#Field}}…{{/Field}}`` where the field is filled, ``{{^Field}}…`` where it is not."""

    def choose(found: re.Match[str]) -> str:
        is_filled = not is_empty(values.get(found[2].strip(), ""))
        return found[3] if is_filled == (found[1] == "#") else ""

    for _ in range(_DEEPEST):  # from the innermost out
        text, count = _SECTION.subn(choose, text)
        if not count:
            break
    return text


def _cloze(text: str, number: int, is_answer: bool) -> str:
    """Hide what belongs to a card of a cloze note, or mark it in the answer.

    Examples
    --------
    >>> _cloze("{{c1::Tape}} before {{c2::backward::order}}", 2, False)
    'Tape before <b>[order]</b>'
    >>> _cloze("{{c1::one {{c2::within}} the other}}", 2, False)
    'one <b>[…]</b> the other'
    """
    is_asked = False

    def shown(found: re.Match[str]) -> str:
        nonlocal is_asked
        inner, _, hint = found[2].partition("::")
        if number not in map(int, found[1].split(",")):
            return inner
        is_asked = True
        return f"<b>{inner}</b>" if is_answer else f"<b>[{hint or '…'}]</b>"

    for _ in range(_DEEPEST):  # from the innermost out
        text, count = _CLOZE.subn(shown, text)
        if not count:
            break
    return text if is_answer or is_asked else ""
