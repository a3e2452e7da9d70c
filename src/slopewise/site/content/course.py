"""The whole course: written and planned lessons in order, the glossary, the concept map, and search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slopewise.engine.errors import DataError
from slopewise.site.content import markup
from slopewise.site.content.lesson import LESSONS, TAGS, Card, Lesson, parse_toml, read_lesson, read_rows
from slopewise.site.content.outline import Outline, load_outline

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """A line of the course: a lesson that is written, or one that is planned."""

    number: int
    slug: str
    title: str
    summary: str
    outline: Outline | None  # what needs no engine; None if the lesson is planned

    @property
    def lesson(self) -> Lesson | None:
        """The whole lesson, or None if it is planned.

        Its first use computes its numbers on the engine, which can take seconds: the event loop does not
        ask. Raises what `load_lesson` raises.
        """
        return None if self.outline is None else read_lesson(self.outline.folder)


@dataclass(frozen=True)
class Part:
    """A part of the course, with its lessons in order."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Term:
    """A term of the glossary; `lesson` is the slug of the lesson that explains it."""

    name: str
    definition: str
    lesson: str
    also: tuple[str, ...] = ()
    tags: tuple[str, ...] = ("definition",)

    @property
    def anchor(self) -> str:
        """The term's name in an address."""
        return markup.slug(self.name)


@dataclass(frozen=True)
class Concept:
    """A box of the concept map, at a column and a row, and at those of `tall` where a screen is narrow.

    `phrase` is its name inside of a sentence.
    """

    id: str
    name: str
    phrase: str
    says: str
    lesson: str
    column: int
    row: int
    tall: tuple[int, int]


@dataclass(frozen=True)
class Relation:
    """An arrow of the concept map: `source` does something with `target`."""

    source: str
    target: str
    says: str


@dataclass(frozen=True)
class Hit:
    """A place that a search found."""

    kind: str
    title: str
    excerpt: str
    address: str


IndexRow = tuple[Hit, str, str]  # a place, its title and its text in small letters


@dataclass(frozen=True)
class Course:
    """All content, in the order of the course."""

    title: str
    parts: tuple[Part, ...]
    terms: tuple[Term, ...]
    concepts: tuple[Concept, ...]
    relations: tuple[Relation, ...]

    @property
    def entries(self) -> list[Entry]:
        """All lines of the course."""
        return [entry for part in self.parts for entry in part.entries]

    @property
    def outlines(self) -> list[Outline]:
        """What is known of the lessons that are written, without reading them."""
        return [entry.outline for entry in self.entries if entry.outline is not None]

    @property
    def lessons(self) -> list[Lesson]:
        """The lessons that are written, all of them read."""
        return [read_lesson(outline.folder) for outline in self.outlines]

    @cached_property
    def _index(self) -> tuple[IndexRow, ...]:
        return tuple(_index(self.lessons, self.terms))

    def entry(self, slug: str) -> Entry | None:
        """Return the line of a lesson, or None."""
        return next((entry for entry in self.entries if entry.slug == slug), None)

    def lesson(self, slug: str) -> Lesson | None:
        """Return a lesson that is written, or None."""
        entry = self.entry(slug)
        return None if entry is None else entry.lesson

    def search(self, query: str, more: Sequence[IndexRow] = (), most: int = 30) -> list[Hit]:
        """Return the places that hold all words of a query, best first.

        Terms that begin with the query come first; then a word in a title counts more than one in the text,
        and a term comes before the rest. `more` are places outside of the course that this reader may see.
        """
        words = re.findall(r"\w+", query.lower())[:8]
        if not words:
            return []
        found = []
        for position, (hit, title, text) in enumerate((*self._index, *more)):
            scores = [_score(word, title, text) for word in words]
            if all(scores):
                begins = hit.kind == "Glossary" and title.startswith(" ".join(words))
                found.append((not begins, -sum(scores), position, hit))
        return [hit for *_, hit in sorted(found, key=lambda item: item[:3])[:most]]


def _score(word: str, title: str, text: str) -> int:
    if re.search(rf"\b{re.escape(word)}\b", title):
        return 8
    if re.search(rf"\b{re.escape(word)}", title):
        return 4
    return 1 if re.search(rf"\b{re.escape(word)}", text) else 0


def load_course() -> Course:
    """Read the course: plan, glossary, concept map, and what lessons say of themselves.

    Texts and numbers of a lesson are read at its first use.

    Raises
    ------
    DataError
        If a file does not fit; the message names it.
    """
    outlines = {
        outline.slug: outline
        for outline in (load_outline(folder) for folder in sorted(LESSONS.glob("n[0-9][0-9]_*")))
    }
    plan = _toml("course.toml")
    parts = tuple(_part(row, outlines) for row in plan["part"])
    slugs = {entry.slug for part in parts for entry in part.entries}
    if missing := set(outlines) - slugs:
        raise DataError(f"{_HERE / 'course.toml'}: does not name the lessons {', '.join(sorted(missing))}")
    terms = sorted(
        read_rows(Term, _HERE / "glossary.toml", _toml("glossary.toml")["term"]),
        key=lambda term: term.name.lower(),
    )
    chart = _toml("concepts.toml")
    concepts = tuple(Concept(**{**row, "tall": tuple(row["tall"])}) for row in chart["concept"])
    relations = tuple(Relation(**row) for row in chart["relation"])
    _check_links(terms, concepts, relations, slugs, outlines)
    return Course(plan["title"], parts, tuple(terms), concepts, relations)


def _part(row: dict[str, Any], outlines: dict[str, Outline]) -> Part:
    entries = []
    for planned in row["lesson"]:
        outline = outlines.get(planned["slug"])
        if outline is not None and outline.number != planned["number"]:
            raise DataError(
                f"{_HERE / 'course.toml'}: {outline.slug} is lesson {planned['number']}, "
                f"but its folder is {outline.folder.name}"
            )
        if outline is None and not {"title", "summary"} <= set(planned):
            raise DataError(
                f"{_HERE / 'course.toml'}: {planned['slug']} is not written: give it a title and a summary"
            )
        title = planned["title"] if outline is None else outline.title
        summary = planned["summary"] if outline is None else outline.summary
        entries.append(Entry(planned["number"], planned["slug"], title, summary, outline))
    return Part(row["title"], tuple(entries))


def _check_links(
    terms: Sequence[Term],
    concepts: Sequence[Concept],
    relations: Sequence[Relation],
    slugs: set[str],
    outlines: dict[str, Outline],
) -> None:
    items: list[Term | Concept] = [*terms, *concepts]
    for item in items:
        if item.lesson not in slugs:
            raise DataError(f"{_HERE}: {item.name!r} links to a lesson {item.lesson!r} that is not planned")
    for term in terms:
        if not term.tags or not set(term.tags) <= set(TAGS):
            raise DataError(f"{_HERE / 'glossary.toml'}: {term.name}: needs tags, of {', '.join(TAGS)}")
    names = {concept.id for concept in concepts}
    for relation in relations:
        if not {relation.source, relation.target} <= names:
            raise DataError(f"{_HERE / 'concepts.toml'}: {relation} names an unknown concept")
    skills = {outline.skill_address(skill.id) for outline in outlines.values() for skill in outline.skills}
    for outline in outlines.values():
        for slug in (*outline.prerequisites, *outline.next):
            if slug not in slugs:
                raise DataError(f"{outline.folder}: links to a lesson {slug!r} that is not planned")
        for skill in outline.skills:
            if unknown := {outline.skill_address(name) for name in skill.rests_on} - skills:
                raise DataError(
                    f"{outline.folder}: {skill.id} rests on unknown skills {', '.join(sorted(unknown))}; "
                    "one of another lesson is written as lesson-slug/skill"
                )


def _index(lessons: list[Lesson], terms: Sequence[Term]) -> list[IndexRow]:
    rows = []
    for term in terms:
        also = f" ({', '.join(term.also)})" if term.also else ""
        rows.append(index_row("Glossary", term.name + also, term.definition, f"/glossary#{term.anchor}"))
    for lesson in lessons:
        rows.append(index_row("Lesson", lesson.title, lesson.summary, f"/lessons/{lesson.slug}"))
        for title, text in _text_sections(lesson.text):
            address = f"/lessons/{lesson.slug}#{markup.slug(title)}"
            rows.append(index_row(f"In {lesson.title}", title, text, address))
        rows += [_card_row(lesson, card) for card in lesson.cards]
    return rows


def _card_row(lesson: Lesson, card: Card) -> IndexRow:
    return index_row("Card", card.front, card.back, f"/cards/{lesson.slug}#{card.id}")


def index_row(kind: str, title: str, text: str, address: str) -> IndexRow:
    """Return a place as the search looks through it."""
    title, text = markup.plain(title), markup.plain(text)
    excerpt = text if len(text) <= 180 else text[:177].rsplit(" ", 1)[0] + "…"
    return Hit(kind, title, excerpt, address), title.lower(), text.lower()


def _text_sections(text: str) -> list[tuple[str, str]]:
    pieces = re.split(r"^## (.+)$", re.sub(r"^:::.*$", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    return list(zip(pieces[1::2], pieces[2::2]))


def _toml(name: str) -> dict[str, Any]:
    return parse_toml(_HERE / name)
