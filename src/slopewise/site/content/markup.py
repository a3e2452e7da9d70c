"""Markdown to HTML: mathematics becomes MathML, code is coloured, and nothing carries a style of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from typing import Any
from xml.etree.ElementTree import Element, tostring

from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.typesetting import typeset
from slopewise.site.terminal.formulas import formula_text
from slopewise.site.terminal.html_tree import read_html

# Formulas come from content archives too, so they are held against a list of what MathML they may become.
_ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
    *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
    *("mtable", "mtr", "mtd"),
}
_ATTRIBUTES = {
    *("mathvariant", "mathcolor", "mathbackground", "mathsize", "displaystyle", "scriptlevel"),
    *("fence", "form", "stretchy", "symmetric", "separator", "largeop", "movablelimits", "accent"),
    *("minsize", "maxsize", "lspace", "rspace", "width", "height", "depth", "voffset", "linethickness"),
    *("columnalign", "columnspacing", "columnlines", "rowspacing", "rowlines", "notation"),
}
_VALUE = re.compile(r"[A-Za-z0-9#%.,+\- ]{0,60}")
_DEFINES = re.compile(r"\\(newcommand|renewcommand|newenvironment|def|DeclareMathOperator)(?![A-Za-z])")
_LONGEST_FORMULA = 4000


@lru_cache(maxsize=4096)
def math(latex: str, display: bool = False) -> Markup:
    r"""Return LaTeX as MathML, which browsers lay out and screen readers read.

    Nothing in it can be taken for HTML: words are escaped, and elements and attributes are those of formulas.

    Raises
    ------
    ArgumentError
        If the formula uses what the converter does not know, or what may not stand in a page.

    Examples
    --------
    >>> "<mtext>&lt;img&gt;</mtext>" in math(r"\text{<img>}")
    True
    """
    from latex2mathml.converter import convert_to_element

    if len(latex) > _LONGEST_FORMULA or _DEFINES.search(latex):  # a few commands can unfold to millions
        raise ArgumentError(f"the formula {latex[:60]!r}… is too long, or defines a command of its own")
    try:
        tree = convert_to_element(latex, display="block" if display else "inline")
        typeset(_checked(tree))
        drawn = tostring(tree, encoding="unicode")
    except ArgumentError as error:
        raise ArgumentError(f"the formula {latex!r} {error}") from None
    except Exception as error:  # the converter's own errors share no base class
        raise ArgumentError(f"cannot set the formula {latex!r}: {error!r}") from error
    if "\\" in "".join(tree.itertext()):
        raise ArgumentError(f"the formula {latex!r} holds a command that the converter does not know")
    return Markup(drawn)


def _checked(tree: Element) -> Element:
    """Return a formula with its signs as themselves: the converter writes many as ``&#x0003C;``."""
    for element in tree.iter():
        given = element.attrib if element is not tree else {}
        bad = [name for name, value in given.items() if not _is_allowed(name, value)]
        if element.tag not in _ELEMENTS or bad:
            raise ArgumentError(
                f"would need <{' '.join([element.tag, *bad[:1]])}>, which no formula may have"
            )
        element.text = unescape(element.text) if element.text else element.text
        element.tail = unescape(element.tail) if element.tail else element.tail
    return tree


def _is_allowed(name: str, value: str) -> bool:
    return name in _ATTRIBUTES and _VALUE.fullmatch(value) is not None


@lru_cache(maxsize=1024)
def code(text: str, language: str = "python") -> Markup:
    """Return source text as coloured HTML, in a ``<pre>``; colours are classes of the style sheet."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(language or "text", stripnl=False)
    lines = highlight(text.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    # Each line says how far in it begins, so that a narrow page can break it and go on further in.
    wrapped = [f'<span class="line{_indented(line)}">{line}\n</span>' for line in lines.split("\n")]
    return Markup(f'<pre class="code" tabindex="0"><code>{"".join(wrapped)}</code></pre>')


def _indented(line: str) -> str:
    spaces = len(text := re.sub("<[^>]*>", "", line)) - len(text.lstrip(" "))
    return f" in-{min(spaces // 4, 3)}" if spaces >= 4 else ""


def code_lines(lines: Sequence[str]) -> tuple[Markup, ...]:
    """Return lines of Python one by one, coloured."""
    return _code_lines(tuple(lines))


@lru_cache(maxsize=256)
def _code_lines(lines: tuple[str, ...]) -> tuple[Markup, ...]:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = highlight("\n".join(lines), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return tuple(Markup(line) for line in text.rstrip("\n").split("\n"))


def _fence(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return str(code(token.content, token.info.strip()))


def _table_open(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'


def _table_close(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return "</table></div>"


def _new_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
        ["table", "replacements", "smartquotes"]
    )
    parser.use(
        dollarmath_plugin,
        renderer=lambda latex, options: str(math(latex.strip(), options["display_mode"])),
        double_inline=True,  # a displayed formula may end a sentence's paragraph
        allow_space=False,
    )
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    parser.add_render_rule("th_open", lambda *arguments: '<th scope="col">')
    parser.add_render_rule("td_open", lambda *arguments: "<td>")
    return parser


_PARSER = _new_parser()
_STOPPED = re.compile(
    r'([(\[“‘]?)(<span class="math inline">(?:(?!</span>).)*</span>)([.,;:?!)\]”’]+)', re.DOTALL
)
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>")


@lru_cache(maxsize=4096)
def inline(text: str) -> Markup:
    """Return one paragraph of Markdown as HTML without the paragraph around it."""
    return Markup(_held(_PARSER.renderInline(text)))


@lru_cache(maxsize=1024)
def block(text: str) -> Markup:
    """Return Markdown as HTML; its headings can be linked to."""
    return Markup(_HEADING.sub(_anchored, _held(_PARSER.render(text))))


def _held(html: str) -> str:
    """Keep brackets and stops on the line of the formula that they belong to: browsers break between them."""
    return _STOPPED.sub(r'<span class="held">\1\2\3</span>', html)


def plain(text: str) -> str:
    """Return Markdown as plain words, for search and for descriptions; a formula becomes a line of text.

    Examples
    --------
    >>> plain("**Note:** `a < b` and $w_1^2 + \\\\frac{1}{2}$.")
    'Note: a < b and w₁² + 1/2.'
    """
    tokens = [child for token in _PARSER.parse(text) for child in token.children or (token,)]
    return " ".join("".join(map(_words_of, tokens)).split())


def _words_of(token: Any) -> str:
    if token.type.startswith("math"):
        return formula_text(read_html(math(token.content.strip())))
    return token.content if token.content else " " if token.block or token.type.endswith("break") else ""


def slug(text: str) -> str:
    """Return a heading's name in an address.

    Examples
    --------
    >>> slug("The update rule, in <em>words</em>")
    'the-update-rule-in-words'
    """
    words = re.sub(r"<[^>]*>|&[a-z]+;", " ", text).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


def _anchored(match: re.Match[str]) -> str:
    level, heading = match.groups()
    return f'<h{level} id="{escape(slug(heading), quote=True)}">{heading}</h{level}>'
