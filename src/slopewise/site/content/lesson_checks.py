"""What every lesson has: a lesson without it is refused in one line that names its file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slopewise.engine.errors import DataError

if TYPE_CHECKING:
    from slopewise.site.content.lesson import Lesson

TAGS = ("important", "definition", "review", "extra")
_BLOCKS = {"text", "lab", "figure", "questions", "prompts", "snippets"}
_SENTENCE_ENDS = re.compile(r"[.!?]['\"”)]*(?:\s|$)")


def check_lesson(lesson: Lesson, folder: Path) -> None:
    """Refuse a lesson that lacks what every lesson has, or whose parts do not fit together.

    Raises
    ------
    DataError
        With one line that names the file and what is wrong in it.
    """
    for file, problem in _problems(lesson):
        raise DataError(f"{folder / file}: {problem}")


def _problems(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, as a file and a problem each."""
    yield from _in_text(lesson)
    yield from _in_about(lesson)
    for file, kind, items in (
        ("lesson.toml", "prompt", lesson.prompts),
        ("questions.toml", "question", lesson.questions),
        ("cards.toml", "card", lesson.cards),
    ):
        for problem in _in_items(kind, items, {skill.id for skill in lesson.skills}):
            yield file, problem
    yield from _in_questions(lesson)
    yield from _in_cards(lesson)


def _in_text(lesson: Lesson) -> Iterator[tuple[str, str]]:
    kinds = [block.kind for block in lesson.blocks]
    if unknown := sorted(set(kinds) - _BLOCKS):
        yield "text.md", f"there is no marker :::{unknown[0]}"
    for kind in ("lab", "questions", "prompts"):
        if kinds.count(kind) != 1:
            yield "text.md", f"needs the marker :::{kind} once, not {kinds.count(kind)} times"
    for block in lesson.blocks:
        if block.kind == "figure" and block.name not in lesson.figures:
            yield "text.md", f"the figure {block.name} is not in FIGURES of facts.py"
    if "$$" not in lesson.text:
        yield "text.md", "needs the idea in a formula: show one of FORMULAS, as {{ formula.NAME }}"


def _in_about(lesson: Lesson) -> Iterator[tuple[str, str]]:
    for name, entries, lacks in (
        ("goals", lesson.goals, "needs learning goals"),
        ("takeaways", lesson.takeaways, "needs key takeaways"),
        ("workflow", (lesson.workflow,), "needs its place in the workflow"),
        ("next", lesson.next, "needs what to read next"),
        ("[[skill]]", lesson.skills, "needs a skill"),
        ("[[source]]", lesson.sources, "needs its sources"),
    ):
        if not entries or not all(str(getattr(entry, "text", entry)).strip() for entry in entries):
            yield "lesson.toml", f"{lacks}: {name}"
    if lesson.slug in lesson.next:
        yield "lesson.toml", "next names the lesson itself"
    if not 1 <= len(lesson.prompts) <= 2:
        yield "lesson.toml", f"needs one or two prompts, [[prompt]], not {len(lesson.prompts)}"
    if problem := _of_tags(lesson.tags):
        yield "lesson.toml", problem
    for prompt in lesson.prompts:
        if (sentences := len(_SENTENCE_ENDS.findall(prompt.answer))) != 2:
            yield "lesson.toml", f"prompt {prompt.id}: its answer has two sentences, not {sentences}"
        if len(prompt.ideas) < 2:
            yield "lesson.toml", f"prompt {prompt.id}: needs the ideas of its answer, two or more"


def _in_items(kind: str, items: Sequence[Any], skills: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    for item in items:
        if item.skill not in skills:
            yield f"{kind} {item.id}: the lesson has no skill {item.skill!r}"
        if item.id in seen:
            yield f"the id {item.id!r} is there twice"
        if problem := _of_tags(item.tags):
            yield f"{kind} {item.id}: {problem}"
        seen.add(item.id)


def _of_tags(tags: Sequence[str]) -> str:
    return "" if tags and set(tags) <= set(TAGS) else f"needs tags, of {', '.join(TAGS)}"


def _in_questions(lesson: Lesson) -> Iterator[tuple[str, str]]:
    if len(lesson.questions) < 3:
        yield "questions.toml", f"needs three questions or more, not {len(lesson.questions)}"
    for question in lesson.questions:
        if not 0 <= question.answer < len(question.choices):
            yield "questions.toml", f"question {question.id}: answer is not one of its choices"
        if len(set(question.choices)) < len(question.choices):
            yield "questions.toml", f"question {question.id}: two choices read the same"


def _in_cards(lesson: Lesson) -> Iterator[tuple[str, str]]:
    if len(lesson.cards) < 10:
        yield "cards.toml", f"needs ten cards or more, not {len(lesson.cards)}"
    carded = {card.skill for card in lesson.cards}
    for skill in lesson.skills:
        if skill.id not in carded:
            yield "cards.toml", f"no card is for the skill {skill.id!r}"
