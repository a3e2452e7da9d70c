"""HTML as a tree. Whatever comes is read as well as can be, and nothing in it can steer a terminal."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SILENT = {"script", "style", "title", "annotation", "annotation-xml", "mphantom"}
DEEPEST = 60  # elements within each other; what lies deeper belongs to the last of them
_DIRECTION_MARKS = {*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C}


def read_html(text: str) -> Element:
    """Return the tree of a stretch of HTML, under an element called ``body``.

    Examples
    --------
    >>> tree = read_html("<p>one <b>two</b> three<p>four")
    >>> [(element.tag, element.text, element.tail) for element in tree.iter()][1:3]
    [('p', 'one ', None), ('b', 'two', ' three')]
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.body


def printable(text: str) -> str:
    """Return text without characters that would steer a terminal or turn the direction of writing.

    Line breaks and tabs stay.

    Examples
    --------
    >>> printable("a\\x1b[2Jb\\u202ec\\n")
    'a�[2Jb�c\\n'
    """
    return "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    if character in "\n\t":
        return character
    if character in "\r\u2028\u2029":
        return "\n"
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Cn") or ord(character) in _DIRECTION_MARKS
    return "�" if hidden else character


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.body = Element("body")
        self._open = [self.body]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "p" and self._open[-1].tag == "p":
            self._open.pop()
        values = {name: printable(value or "") for name, value in attrs}
        element = SubElement(self._open[-1], tag, values)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        SubElement(self._open[-1], tag, {name: printable(value or "") for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        parent, text = self._open[-1], printable(data)
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + text
        else:
            parent.text = (parent.text or "") + text
