"""What pages ask: where a learner stands with each skill, and what comes next."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slopewise.site.content.outline import Outline
from slopewise.site.mastery.evidence import Items, Record
from slopewise.site.mastery.graph import skill_graph
from slopewise.site.mastery.model import Evidence, level, mastery, seen
from slopewise.site.mastery.next_step import NextStep, next_step
from slopewise.site.mastery.placement import Placement
from slopewise.site.scheduling.replay import Standing


@dataclass(frozen=True)
class SkillRow:
    """A skill as a page shows it: `level` is new, shaky, growing or sound; `percent` the mastery."""

    name: str
    level: str
    percent: int


@dataclass(frozen=True)
class LessonRow:
    """A lesson as a page shows it: how far its questions are answered, and its skills."""

    slug: str
    title: str
    number: int
    answered: int
    questions: int
    is_marked: bool
    skills: tuple[SkillRow, ...]

    @property
    def is_done(self) -> bool:
        """Whether all its questions are answered, or the learner says that it is done."""
        return self.is_marked or self.answered == self.questions


class Guide:
    """The skills of the course, and what can be said of a learner by them."""

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self.outlines = outlines
        self.graph = skill_graph(outlines)
        self.items = Items(outlines)
        self.placement = Placement(self.graph, list(self.items.questions.values()))

    def evidence(
        self, records: Sequence[Record], standings: Mapping[uuid.UUID, Standing], now: datetime
    ) -> list[Evidence]:
        """Return what all that is kept of a learner says of skills."""
        return self.items.evidence(records, standings, now)

    def lessons(self, records: Sequence[Record], evidence: Sequence[Evidence]) -> list[LessonRow]:
        """Return how far a learner has come in each lesson."""
        known, direct = mastery(self.graph, evidence), seen(self.graph, evidence)
        answered = {record.item for record in records if record.kind == "answer"}
        marked = {record.item for record in records if record.kind == "done" and record.value is True}
        rows = []
        for outline in self.outlines:
            names = [(outline.skill_address(skill.id), skill.name) for skill in outline.skills]
            skills = tuple(
                SkillRow(name, level(known[skill], skill in direct), round(100 * known[skill]))
                for skill, name in names
            )
            count = sum(question.item in answered for question in outline.question_outlines)
            rows.append(
                LessonRow(
                    outline.slug,
                    outline.title,
                    outline.number,
                    count,
                    outline.questions,
                    outline.slug in marked,
                    skills,
                )
            )
        return rows

    def next_step(self, records: Sequence[Record], evidence: Sequence[Evidence]) -> NextStep | None:
        """Return what comes next for a learner."""
        done = frozenset(row.slug for row in self.lessons(records, evidence) if row.is_done)
        return next_step(self.graph, evidence, done)
