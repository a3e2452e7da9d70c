"""Numbers that lessons and decks type instead of computing: found in texts, and held against the engine."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slopewise.site.content import markup

_NO_PROSE = re.compile(
    r"""```.*?```|`[^`]*`      # code
    |\{\{.*?\}\}|\{%.*?%\}    # what is computed
    |\]\([^)]*\)              # where a link leads
    |\blessons?\ \d+         # what a lesson is called
    |^\d+\.\                 # numbers of a list""",
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_INLINE = re.compile(r"\$([^$]*)\$")
_NOT_A_VALUE = re.compile(r"(10)?[_^]\s*(\{[^}]*\}|\S)|\\\w+")  # indices, exponents, commands, a power's base
_NUMBER = re.compile(r"(?<![\w.,])[−-]?\d[\d,]*(?:\.\d+)?(?!\w)")
_YEAR = re.compile(r"(19|20)\d\d")


@dataclass(frozen=True)
class Typed:
    """The numbers that an item of a lesson types.

    Attributes
    ----------
    given : str
        Those that set a case or name a convention, such as "a batch of 32": nothing can prove them.
    shows : callable, optional
        Computes the others on the engine; a test compares them with what is typed.
    """

    given: str = ""
    shows: Callable[[], Iterable[float]] | None = None


def typed_numbers(text: str) -> list[str]:
    """Return the numbers that a text types instead of computing them.

    Code, years, names of lessons, and the small constants 0, 1 and 2 inside of formulas do not count.

    Examples
    --------
    >>> typed_numbers("In 1951, `x = 3` and {{ loss }}: 2/25 = 0.08, at $z_1 = -5$, in float32")
    ['-5', '2', '25', '0.08']
    """
    found: list[str] = []

    def formula(match: re.Match[str]) -> str:
        inside = re.sub(r"(?<=\d)(?=[a-zA-Z(])", " ", _NOT_A_VALUE.sub(" ", match[1]))
        found.extend(
            number for number in _NUMBER.findall(inside) if number.lstrip("−-") not in ("0", "1", "2")
        )
        return " § "

    prose = _INLINE.sub(formula, _NO_PROSE.sub(" ", text))
    found += [number.rstrip(",") for number in _NUMBER.findall(prose)]
    return [number for number in found if not _YEAR.fullmatch(number)]


_UNREAD = ("source", "prerequisites", "next", "tags", "id", "skill", "rests_on")  # names and references


def written_items(folder: Path) -> dict[str, str]:
    """Return what the files of a lesson or deck say, as it is written: sections of the text, cards and so on.

    Keys are like `text/the-update-rule`, `card/minus` and `takeaways`.
    """
    items: dict[str, str] = {}
    text = folder / "text.md"
    if text.exists():
        code_free = re.sub(r"```.*?```", "", text.read_text(encoding="utf-8"), flags=re.DOTALL)
        pieces = re.split(r"^## (.+)$", code_free, flags=re.MULTILINE)
        items |= {f"text/{markup.slug(title)}": body for title, body in zip(pieces[1::2], pieces[2::2])}
    for file in ("lesson.toml", "deck.toml", "questions.toml", "cards.toml"):
        if (folder / file).exists():
            items |= rows_of(tomllib.loads((folder / file).read_text(encoding="utf-8")))
    return items


def lab_words(folder: Path) -> str:
    """Return what the programs of a lesson say in fixed words: their strings of more than one word.

    Small numbers up to 2 are left out: in labs they name rounds, classes and layers.
    """
    said = []
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        silent = {id(part) for node in ast.walk(tree) for part in _not_said(node)}
        said += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent
        ]
    words = "\n".join(filter(_is_prose, said))
    return re.sub(r"(?<![\d.,])[012](?![\d.,]*\d)", " ", words)


def _is_prose(text: str) -> bool:
    """Say whether a text holds words: no single name, no markup, formula or list of numbers."""
    words, numbers = re.findall(r"[A-Za-z]{2,}", text), _NUMBER.findall(text)
    return len(words) > 1 and len(words) >= len(numbers) and not re.search(r'="|</|\\[a-z]|\^', text)


def _not_said(node: ast.AST) -> Iterator[ast.AST]:
    """Return the strings in a part of a program that nobody reads on the page."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
        yield node.body[0].value  # type: ignore[attr-defined]
    if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        yield from ast.walk(node.format_spec)
    if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith("TYPED"):
        yield from ast.walk(node)


def rows_of(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return key and words of each entry of a TOML file."""
    for key, value in content.items():
        if key in _UNREAD:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for row in value:
                yield f"{key}/{row.get('id', row.get('name'))}", "\n".join(_words(row))
        else:
            yield key, "\n".join(_words(value))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _UNREAD:
                yield from _words(item)


def unproved_numbers(items: Mapping[str, str], typed: Mapping[str, Typed]) -> list[str]:
    """Return a line for each typed number that `typed` neither gives nor computes, and for each idle entry.

    Examples
    --------
    >>> unproved_numbers({"card/limit": "It is 2/25."}, {"card/limit": Typed("2")})
    ['card/limit types 25: compute it, or list it in TYPED']
    """
    problems = [f"TYPED lists {key}, which there is not" for key in typed if key not in items]
    for key, text in items.items():
        numbers, entry = typed_numbers(text), typed.get(key, Typed())
        given = entry.given.split()
        shown = [float(value) for value in entry.shows()] if entry.shows else []
        problems += [
            f"{key} types {number}: compute it, or list it in TYPED"
            for number in dict.fromkeys(numbers)
            if number not in given and not any(_is_rounded(number, value) for value in shown)
        ]
        problems += [
            f"TYPED gives {number} in {key}, which types it no more"
            for number in given
            if number not in numbers
        ]
        problems += [
            f"TYPED computes {value:g} for {key}, which types no such number"
            for value in shown
            if not any(_is_rounded(number, value) for number in numbers)
        ]
    return problems


def _is_rounded(typed: str, value: float) -> bool:
    """Say whether a typed number is a computed one, rounded to the digits that were typed."""
    digits = len(typed.partition(".")[2])
    return abs(float(typed.replace(",", "").replace("−", "-")) - value) <= 0.5 * 10.0**-digits + 1e-9
