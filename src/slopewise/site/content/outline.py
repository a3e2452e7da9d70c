"""What the site knows of a lesson before any of its numbers is computed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from slopewise.engine.errors import DataError
from slopewise.site.content.lesson import (
    Question,
    Skill,
    card_identity,
    in_any_order,
    parse_toml,
    read_rows,
    split_folder_name,
)


@dataclass(frozen=True)
class QuestionOutline:
    """What of a question needs no number: enough to judge an answer, as a place among the choices shown.

    `item` is `lesson/question`.
    """

    item: str
    skill: str
    choices: int
    answer: int
    tags: tuple[str, ...]
    alone: bool


@dataclass(frozen=True)
class CardOutline:
    """What of a card needs no number."""

    uuid: uuid.UUID
    skill: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class PromptOutline:
    """What of a prompt needs no number: how many ideas its answer holds. `item` is `lesson/prompt`."""

    item: str
    skill: str
    ideas: int


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
    question_outlines: tuple[QuestionOutline, ...]
    card_outlines: tuple[CardOutline, ...]
    prompt_outlines: tuple[PromptOutline, ...]

    @property
    def questions(self) -> int:
        """How many questions there are."""
        return len(self.question_outlines)

    @property
    def cards(self) -> tuple[uuid.UUID, ...]:
        """The identities of the cards."""
        return tuple(card.uuid for card in self.card_outlines)

    def skill_address(self, name: str) -> str:
        """Return a skill's name in the whole course: `lesson/skill`, also for one of this lesson.

        Examples
        --------
        >>> from slopewise.site.content import load_course
        >>> lesson = load_course().entry("backpropagation").outline
        >>> lesson.skill_address("chain"), lesson.skill_address("training/stages")
        ('backpropagation/chain', 'training/stages')
        """
        return name if "/" in name else f"{self.slug}/{name}"


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
            question_outlines=tuple(
                _question(slug, in_any_order(question))
                for question in read_rows(Question, folder / "questions.toml", questions["question"])
            ),
            card_outlines=tuple(
                CardOutline(card_identity(slug, row), f"{slug}/{row['skill']}", tuple(row.get("tags", ())))
                for row in cards["card"]
            ),
            prompt_outlines=tuple(
                PromptOutline(f"{slug}/{row['id']}", f"{slug}/{row['skill']}", len(row["ideas"]))
                for row in lesson["prompt"]
            ),
        )
    except KeyError as error:
        raise DataError(f"{folder}: the lesson's files lack {error}") from error
    _refuse_numbers(outline)
    return outline


def _question(slug: str, question: Question) -> QuestionOutline:
    return QuestionOutline(
        item=f"{slug}/{question.id}",
        skill=f"{slug}/{question.skill}",
        choices=len(question.choices),
        answer=question.answer,
        tags=question.tags,
        alone=question.alone,
    )


def _refuse_numbers(outline: Outline) -> None:
    texts = [outline.title, outline.summary, *(skill.name for skill in outline.skills)]
    for text in texts:
        if "{{" in text or "{%" in text:
            raise DataError(
                f"{outline.folder / 'lesson.toml'}: {text!r}: title, summary and skills cannot call numbers, "
                "as they are shown before any is computed"
            )
