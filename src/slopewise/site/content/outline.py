"""What the site knows of a lesson before any of its numbers is computed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from slopewise.engine.errors import DataError
from slopewise.site.content.lesson import Skill, card_identity, parse_toml, read_rows, split_folder_name


@dataclass(frozen=True)
class Outline:
    """What needs no engine: enough for hub, counts, links and queues. `load_lesson` reads the rest."""

    number: int
    slug: str
    folder: Path
    title: str
    summary: str
    minutes: int
    prerequisites: tuple[str, ...]
    next: tuple[str, ...]
    skills: tuple[Skill, ...]
    questions: int
    cards: tuple[uuid.UUID, ...]


def load_outline(folder: Path) -> Outline:
    """Read what a lesson's folder says of itself, without its texts and numbers.

    Raises
    ------
    DataError
        If a file cannot be read, lacks a key, or calls a number where none is known yet.
    """
    number, slug = split_folder_name(folder)
    lesson = parse_toml(folder / "lesson.toml")
    cards = parse_toml(folder / "cards.toml")
    questions = parse_toml(folder / "questions.toml")
    try:
        outline = Outline(
            number=number,
            slug=slug,
            folder=folder,
            title=lesson["title"],
            summary=lesson["summary"],
            minutes=lesson["minutes"],
            prerequisites=tuple(lesson["prerequisites"]),
            next=tuple(lesson["next"]),
            skills=tuple(read_rows(Skill, folder / "lesson.toml", lesson["skill"])),
            questions=len(questions["question"]),
            cards=tuple(card_identity(slug, card) for card in cards["card"]),
        )
    except KeyError as error:
        raise DataError(f"{folder}: the lesson's files lack {error}") from error
    _refuse_numbers(outline)
    return outline


def _refuse_numbers(outline: Outline) -> None:
    texts = [outline.title, outline.summary, *(skill.name for skill in outline.skills)]
    for text in texts:
        if "{{" in text or "{%" in text:
            raise DataError(
                f"{outline.folder / 'lesson.toml'}: {text!r}: title, summary and skills cannot call numbers, "
                "as they are shown before any is computed"
            )
