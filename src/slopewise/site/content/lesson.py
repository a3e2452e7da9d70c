"""A lesson: its folder, read and checked."""

from __future__ import annotations

import re
import tomllib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import jinja2
from markupsafe import Markup

from slopewise.engine.errors import DataError
from slopewise.engine.random import permutation
from slopewise.site.content import markup
from slopewise.site.content.hints import read_phrasing
from slopewise.site.content.lesson_checks import TAGS as TAGS
from slopewise.site.content.lesson_checks import check_lesson
from slopewise.site.content.numbers_in_text import number_filters
from slopewise.site.content.snippets import needs, shown
from slopewise.site.labs.frame import Figure
from slopewise.site.labs.lab import Lab

LESSONS = Path(__file__).parent / "lessons"
_CARD_NAMESPACE = uuid.UUID("6a8e2b52-6c1e-4b0b-9f3e-5b1d6f0c7a11")  # fixed: identities of cards depend on it
_FOLDER = re.compile(r"n([0-9]{2})_([a-z0-9_]+)")
_READING = Lock()
_MARKER = re.compile(r"^:::(\w+)(?: ([\w-]+))?$", re.MULTILINE)

_read: dict[Path, Lesson] = {}  # what `read_lesson` has read


@dataclass(frozen=True)
class Formula:
    """A displayed formula, and a check of it on the engine.

    Attributes
    ----------
    name : str
        Used in the text as ``{{ formula.name }}``.
    latex : str
    sides : callable
        Returns the left and the right side, or two ways to one number, computed: a test compares them.
    """

    name: str
    latex: str
    sides: Callable[[], tuple[Any, Any]]


@dataclass(frozen=True)
class Skill:
    """Something a learner can do, and the skills it rests on: of the same lesson, or `lesson-slug/skill`."""

    id: str
    name: str
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A question with choices, answered before the answer is shown.

    `alone` says whether it can be asked outside of its lesson, as in the placement test.
    """

    id: str
    skill: str
    ask: str
    choices: tuple[str, ...]
    answer: int
    because: str
    tags: tuple[str, ...] = ()
    alone: bool = True


def in_any_order(question: Question) -> Question:
    """Return a question with its choices in an order that follows from its id alone.

    Whoever writes questions puts the right choice second more often than not, and readers notice.
    """
    if not 0 <= question.answer < len(question.choices):
        return question  # said when the lesson is checked
    order = permutation(len(question.choices), seed=crc32(question.id.encode())).tolist()
    choices = tuple(question.choices[place] for place in order)
    return replace(question, choices=choices, answer=order.index(question.answer))


@dataclass(frozen=True)
class Prompt:
    """Something to define in two sentences, with a model answer and the ideas it holds.

    `accept` holds for each idea the phrasings by which it is recognised (`content.hints`), if there are any.
    """

    id: str
    skill: str
    ask: str
    answer: str
    ideas: tuple[str, ...]
    accept: tuple[tuple[str, ...], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """A flash card. `uuid` is its identity for ever: it follows from the lesson and the card's id."""

    id: str
    uuid: uuid.UUID
    skill: str
    front: str
    back: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snippet:
    """A program in some library, and what it printed when it was last run."""

    id: str
    title: str
    source: str
    output: str
    needs: tuple[str, ...]
    note: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it shows this library; the others stand beside it."""
        return "slopewise" in self.needs


@dataclass(frozen=True)
class Source:
    """Where something in a lesson comes from."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Block:
    """A part of the page: text as HTML, or a place for the lab, a figure, questions, prompts or snippets."""

    kind: str
    html: str = ""
    name: str = ""


@dataclass(frozen=True)
class Lesson:
    """All that a lesson's folder holds."""

    number: int
    slug: str
    folder: str
    title: str
    summary: str
    minutes: int
    tags: tuple[str, ...]
    prerequisites: tuple[str, ...]
    goals: tuple[str, ...]
    takeaways: tuple[str, ...]
    workflow: str
    next: tuple[str, ...]
    skills: tuple[Skill, ...]
    sources: tuple[Source, ...]
    prompts: tuple[Prompt, ...]
    questions: tuple[Question, ...]
    cards: tuple[Card, ...]
    snippets: tuple[Snippet, ...]
    blocks: tuple[Block, ...]
    text: str
    lab: Lab
    formulas: tuple[Formula, ...]
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def sections(self) -> list[tuple[str, Markup]]:
        """The headings of the text: address and title."""
        found = re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', "".join(str(block.html) for block in self.blocks))
        return [(anchor, Markup(title)) for anchor, title in found]


class BrokenLessonError(DataError):
    """A lesson that cannot be read: a mistake in its files."""

    def __init__(self, slug: str, error: Exception) -> None:
        reason = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        super().__init__(f"the lesson {slug} cannot be shown: {reason}")
        self.slug = slug


def load_lesson(folder: Path) -> Lesson:
    """Read a lesson's folder.

    Raises
    ------
    DataError
        If something is missing or does not fit; the message names the file and the entry.
    """
    number, slug = split_folder_name(folder)
    package = f"slopewise.site.content.lessons.{folder.name}"
    facts_module = import_module(f"{package}.facts")
    formulas = tuple(facts_module.FORMULAS)
    environment = text_environment()
    context = {
        **facts_module.facts(),
        "formula": SimpleNamespace(**{formula.name: f"$${formula.latex}$$" for formula in formulas}),
    }
    read = FolderReader(folder, environment, context)
    lesson = read.toml("lesson.toml")
    figures = {name: draw() for name, draw in getattr(facts_module, "FIGURES", {}).items()}
    text = read.text("text.md")
    made = Lesson(
        number=number,
        slug=slug,
        folder=folder.name,
        title=lesson["title"],
        summary=lesson["summary"],
        minutes=lesson["minutes"],
        tags=tuple(lesson.get("tags", ())),
        prerequisites=tuple(lesson["prerequisites"]),
        goals=tuple(lesson.get("goals", ())),
        takeaways=tuple(lesson.get("takeaways", ())),
        workflow=lesson.get("workflow", ""),
        next=tuple(lesson["next"]),
        skills=tuple(read.rows(Skill, "lesson.toml", lesson["skill"])),
        sources=tuple(read.rows(Source, "lesson.toml", lesson.get("source", []))),
        prompts=tuple(_prompts(read, lesson.get("prompt", []))),
        questions=tuple(
            map(in_any_order, read.rows(Question, "questions.toml", read.toml("questions.toml")["question"]))
        ),
        cards=tuple(read_cards(read, "cards.toml", slug)),
        snippets=tuple(_snippets(read, lesson.get("snippet", []))),
        blocks=tuple(_blocks(text)),
        text=text,
        lab=import_module(f"{package}.lab").LAB,
        formulas=formulas,
        figures=figures,
    )
    check_lesson(made, folder)
    return made


def read_lesson(folder: Path) -> Lesson:
    """Return a lesson, read at its first use in this process.

    One lesson is read at a time: whoever asks for one that is being read waits for it.

    Raises
    ------
    BrokenLessonError
        If it cannot be read, whatever the reason.
    """
    if folder not in _read:  # who asks for one that is there waits for nobody
        with _READING:
            if folder not in _read:
                try:
                    _read[folder] = load_lesson(folder)
                except Exception as error:  # facts.py is a program, and may be wrong in any way
                    raise BrokenLessonError(split_folder_name(folder)[1], error) from error
    return _read[folder]


def split_folder_name(folder: Path) -> tuple[int, str]:
    """Return the number and the slug of a lesson."""
    match = _FOLDER.fullmatch(folder.name)
    if match is None:
        raise DataError(f"{folder}: a lesson's folder is called like n04_gradient_descent")
    return int(match[1]), match[2].replace("_", "-")


def parse_toml(file: Path) -> dict[str, Any]:
    """Return a TOML file as it is written; what is wrong with it is said in one line."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{file}: {error}") from error


def read_rows(kind: type[Any], file: Path, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return rows of a TOML file as objects; an unknown or missing key is named."""
    made = []
    for position, row in enumerate(rows, start=1):
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        try:
            made.append(kind(**values))
        except TypeError as error:
            raise DataError(f"{file}: {kind.__name__.lower()} {position}: {error}") from error
    return made


class FolderReader:
    """Reads the files of a folder; each text may hold the numbers that the engine computed."""

    def __init__(self, folder: Path, environment: jinja2.Environment, context: Mapping[str, Any]) -> None:
        self.folder = folder
        self._environment = environment
        self._context = context

    def text(self, name: str) -> str:
        """Return a file with its numbers filled in."""
        return self.fill((self.folder / name).read_text(encoding="utf-8"), name)

    def fill(self, text: str, name: str) -> str:
        """Return a text with its numbers filled in."""
        try:
            return self._environment.from_string(text).render(self._context)
        except jinja2.TemplateError as error:
            raise DataError(f"{self.folder / name}: {error}") from error

    def toml(self, name: str) -> dict[str, Any]:
        """Return a TOML file, the numbers in its texts filled in."""
        filled: dict[str, Any] = self._filled(parse_toml(self.folder / name), name)
        return filled

    def rows(self, kind: type[Any], name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return rows of a TOML file as objects; an unknown or missing key is named."""
        return read_rows(kind, self.folder / name, rows)

    def _filled(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self.fill(value, name) if "{" in value else value
        if isinstance(value, list):
            return [self._filled(item, name) for item in value]
        if isinstance(value, dict):
            return {key: self._filled(item, name) for key, item in value.items()}
        return value


def text_environment() -> jinja2.Environment:
    """Return what fills numbers into texts."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters.update(number_filters())
    return environment


def read_cards(read: FolderReader, name: str, slug: str) -> list[Card]:
    """Return the cards of a file; `slug` is the lesson or deck that their identities hang on."""
    rows = read.toml(name)["card"]
    for row in rows:
        row["uuid"] = card_identity(slug, row)
    return read.rows(Card, name, rows)


def card_identity(slug: str, row: Mapping[str, Any]) -> uuid.UUID:
    """Return the identity of a card: it follows from its lesson or deck, and its id."""
    return uuid.uuid5(_CARD_NAMESPACE, f"{slug}/{row.get('id')}")


def _prompts(read: FolderReader, rows: Sequence[Mapping[str, Any]]) -> list[Prompt]:
    """Return the prompts, each with the phrasings that `prompts.toml` accepts for its ideas."""
    file = read.folder / "prompts.toml"
    accepted = parse_toml(file) if file.exists() else {}
    if unknown := set(accepted) - {row["id"] for row in rows}:
        raise DataError(f"{file}: the lesson has no prompt {', '.join(sorted(unknown))}")
    made = []
    for row in rows:
        accept = accepted.get(row["id"], {}).get("accept", [])
        if accept and len(accept) != len(row["ideas"]):
            raise DataError(f"{file}: {row['id']}: accept holds a list for each of {len(row['ideas'])} ideas")
        for phrasing in (phrasing for phrasings in accept for phrasing in phrasings):
            try:
                read_phrasing(phrasing)
            except ValueError as error:
                raise DataError(f"{file}: {row['id']}: {error}") from error
        values = {**row, "accept": [tuple(phrasings) for phrasings in accept]}
        made += read.rows(Prompt, "lesson.toml", [values])
    return made


def _snippets(read: FolderReader, rows: Sequence[Mapping[str, Any]]) -> list[Snippet]:
    made = []
    for row in rows:
        file = read.folder / "snippets" / f"{row['id']}.py"
        source = file.read_text(encoding="utf-8")
        values = {
            **row,
            "source": shown(source),
            "output": file.with_suffix(".out").read_text(encoding="utf-8"),
            "needs": needs(source),
        }
        made += read.rows(Snippet, "lesson.toml", [values])
    return made


def _blocks(text: str) -> list[Block]:
    """Cut a text at its markers, such as ``:::lab`` or ``:::figure by-hand``."""
    blocks, start = [], 0
    for match in _MARKER.finditer(text):
        if before := text[start : match.start()].strip():
            blocks.append(Block("text", markup.block(before)))
        blocks.append(Block(match[1], name=match[2] or ""))
        start = match.end()
    if rest := text[start:].strip():
        blocks.append(Block("text", markup.block(rest)))
    return blocks
