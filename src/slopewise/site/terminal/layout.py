"""Cards as a terminal shows them: HTML as paragraphs, lists, code and tables, formulas as lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.style import Style
from rich.table import Table
from rich.text import Text

from slopewise.site.terminal.formulas import formula_text
from slopewise.site.terminal.html_tree import SILENT, read_html

if TYPE_CHECKING:
    from pygments.token import _TokenType

STYLES = {
    **dict.fromkeys(("strong", "b", "th", "dt", "h1", "h2", "h3", "h4", "h5", "h6"), Style(bold=True)),
    **dict.fromkeys(("em", "i", "cite", "var"), Style(italic=True)),
    **dict.fromkeys(("code", "kbd", "samp"), Style(color="cyan")),
    **dict.fromkeys(("u", "ins", "a"), Style(underline=True)),
    **dict.fromkeys(("s", "del"), Style(strike=True)),
    **dict.fromkeys(("small", "rt"), Style(dim=True)),
    "mark": Style(reverse=True),
}
DEEPEST_LIST = 4
_CONTAINERS = {"body", "div", "section", "article", "blockquote", "details", "summary", "dl", "dd", "figure"}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "caption", "figcaption"}
_LISTS = {"ul", "ol"}
_BLOCKS = _CONTAINERS | _PARAGRAPHS | _LISTS | {"pre", "table", "hr", "li"}


def card_side(html: str) -> RenderableType:
    """Return one side of a card, ready to print.

    Examples
    --------
    >>> from rich.console import Console
    >>> Console(width=40).print(card_side("<p>Is <b>this</b></p><ul><li>one</li><li>two</li></ul>"))
    Is this
    <BLANKLINE>
     • one
     • two
    """
    blocks = list(_blocks(read_html(html)))
    return Group(*_with_blank_lines(blocks)) if blocks else Text("(empty)", style="dim")


def plain_line(html: str) -> str:
    """Return a stretch of HTML as one line, formulas included.

    Examples
    --------
    >>> plain_line("The <em>rule</em> for <math><msub><mi>w</mi><mi>t</mi></msub></math>")
    'The rule for wₜ'
    """
    return " ".join(_inline(read_html(html)).plain.split())


def _with_blank_lines(blocks: list[RenderableType]) -> Iterator[RenderableType]:
    for place, block in enumerate(blocks):
        if place:
            yield Text("")
        yield block


def _blocks(parent: Element, depth: int = 0) -> Iterator[RenderableType]:
    """Yield the blocks in an element; what stands between them is a paragraph too."""
    loose = Element("p")
    loose.text = parent.text
    for child in parent:
        if child.tag not in _BLOCKS:
            loose.append(child)
            continue
        yield from _paragraph(loose, depth)
        loose = Element("p")
        loose.text = child.tail
        yield from _block(child, depth)
    yield from _paragraph(loose, depth)


def _block(element: Element, depth: int) -> Iterator[RenderableType]:
    if element.tag in _CONTAINERS or element.tag == "li":
        indent = 2 if element.tag in ("blockquote", "dd") and depth < DEEPEST_LIST else 0
        yield from (Padding(block, (0, 0, 0, indent)) for block in _blocks(element, depth + bool(indent)))
    elif element.tag in _PARAGRAPHS:
        yield from _paragraph(element, depth)
    elif element.tag in _LISTS:
        yield from _list(element, depth)
    elif element.tag == "pre":
        yield Padding(_code(element), (0, 0, 0, 2))
    elif element.tag == "table":
        yield from _table(element, depth)
    else:
        yield Rule(style="dim")


def _paragraph(element: Element, depth: int) -> Iterator[RenderableType]:
    keeps_lines = element.get("class") == "plain"
    if any(child.tag in _BLOCKS for child in element):
        yield from _blocks(element, depth)
        return
    text = _inline(element, STYLES.get(element.tag, Style.null()))
    shown = text if keeps_lines else _folded(text)
    if shown.plain.strip():
        yield shown


def _list(element: Element, depth: int) -> Iterator[RenderableType]:
    if depth >= DEEPEST_LIST or _has_loose_text(element, ("li",)):
        yield from _blocks(element, depth)  # each table in a table doubles the work
        return
    rows = Table.grid(padding=(0, 1, 0, 0))
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    start = element.get("start", "")
    first = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1
    for number, item in enumerate(element, first):
        rows.add_row(f" {number}." if element.tag == "ol" else " •", Group(*_blocks(item, depth + 1)))
    yield rows


def _has_loose_text(element: Element, parts: tuple[str, ...]) -> bool:
    """Say whether there is more in an element than the parts it is made of: then it is shown as it comes."""
    between = [element.text, *(child.tail for child in element)]
    return any((text or "").strip() for text in between) or any(child.tag not in parts for child in element)


def _table(element: Element, depth: int) -> Iterator[RenderableType]:
    parts = [part for part in element if part.tag in ("thead", "tbody", "tfoot")]
    rows = [row for part in (element, *parts) for row in part if row.tag == "tr"]
    if (
        _has_loose_text(element, ("thead", "tbody", "tfoot", "tr"))
        or any(_has_loose_text(part, ("tr",)) for part in parts)
        or any(_has_loose_text(row, ("td", "th")) for row in rows)
    ):
        yield from _blocks(element, depth)
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(_folded(_inline(cell, STYLES.get(cell.tag, Style.null()))) for cell in row))
    yield table


def _code(element: Element) -> Text:
    """Return lines of code, coloured by the classes that Pygments gave to their parts."""
    text = Text(overflow="fold")
    for part, style in _code_parts(element, Style.null()):
        text.append(part, style)
    text.rstrip()
    return text


def _code_parts(element: Element, style: Style) -> Iterator[tuple[str, Style]]:
    own = style + _style_of_class(element.get("class", "")) if element.tag == "span" else style
    if element.text:
        yield element.text, own
    for child in element:
        if child.tag == "br":
            yield "\n", own
        yield from _code_parts(child, own)
        if child.tail:
            yield child.tail, own


@lru_cache(maxsize=256)
def _style_of_class(name: str) -> Style:
    from pygments.token import STANDARD_TYPES
    from rich.syntax import ANSI_DARK, ANSISyntaxTheme

    tokens: dict[str, _TokenType] = {short: token for token, short in STANDARD_TYPES.items() if short}
    return ANSISyntaxTheme(ANSI_DARK).get_style_for_token(tokens[name]) if name in tokens else Style.null()


def _inline(element: Element, style: Style | None = None) -> Text:
    text = Text()
    _add(text, element, style or Style.null())
    return text


def _add(text: Text, element: Element, style: Style) -> None:
    text.append(element.text or "", style)
    for child in element:
        if child.tag == "math":
            text.append(formula_text(child), style)
        elif child.tag == "br":
            text.append("\u2028", style)  # a line break that folding keeps
        elif child.tag == "img":
            text.append(
                f"[picture{': ' if child.get('alt') else ''}{child.get('alt', '')}]", style + Style(dim=True)
            )
        elif child.tag == "audio":
            text.append("[sound]", style + Style(dim=True))
        elif child.tag not in SILENT:
            _add(text, child, style + STYLES.get(child.tag, Style.null()))
        text.append(child.tail or "", style)


def _folded(text: Text) -> Text:
    """Return text in which blanks and line breaks of the source are single spaces, as in a browser."""
    folded = Text()
    for part in text.split("\u2028", include_separator=False, allow_blank=True):
        if folded.plain or part.plain.strip():
            folded.append("\n" if folded.plain else "")
        for match in re.finditer(r"[^ \n\t]+|[ \n\t]+", part.plain):
            blank = match[0].isspace() and match[0] != "\u00a0"
            if blank and (not folded.plain or folded.plain[-1] in " \n"):
                continue
            folded.append_text(Text(" ") if blank else part[match.start() : match.end()])
    folded.rstrip()
    return folded
