"""The placement test: a dozen questions of the lessons, each the one whose answer would tell most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slopewise.engine.errors import DataError
from slopewise.site.content.outline import QuestionOutline
from slopewise.site.mastery.graph import SkillGraph
from slopewise.site.mastery.model import SLIP, Evidence, mastery, shares, shifted, weigh_answer

MOST = 12
LEAST = 6
ENOUGH = (
    0.35  # probability moved by an answer, summed over skills: below it, another question is not worth it
)
UNKNOWN = -1  # somebody said that they do not know


@dataclass(frozen=True)
class Answer:
    """An answer to a question: the choice, or `UNKNOWN`."""

    item: str
    choice: int


class Placement:
    """Which question comes next, from the answers so far and nothing else."""

    def __init__(self, graph: SkillGraph, questions: Sequence[QuestionOutline]) -> None:
        self.graph = graph
        self.questions: Mapping[str, QuestionOutline] = {question.item: question for question in questions}

    def read(self, texts: Sequence[str]) -> list[Answer]:
        """Return answers that came as texts such as ``backpropagation/product:2``; a later one counts.

        Raises
        ------
        DataError
            If one is no answer to a question of the course.
        """
        found: dict[str, Answer] = {}
        for text in texts:
            item, _, choice = text.rpartition(":")
            question = self.questions.get(item)
            if question is None or choice not in [str(UNKNOWN), *map(str, range(question.choices))]:
                raise DataError(f"{text[:80]!r} is no answer to a question of this course")
            found[item] = Answer(item, int(choice))
        return list(found.values())

    def evidence(self, answers: Sequence[Answer]) -> list[Evidence]:
        """Return what answers say about skills."""
        return [answer_evidence(self.questions[answer.item], answer.choice) for answer in answers]

    def next_question(self, answers: Sequence[Answer]) -> QuestionOutline | None:
        """Return the question whose answer is expected to move most, or None if that is little by now.

        A skill is asked about once. The first question lies in the middle of the graph by itself: from there
        a right answer tells of much below, a wrong one of much above.
        """
        if len(answers) >= MOST:
            return None
        asked = {self.questions[answer.item].skill for answer in answers}
        known = mastery(self.graph, self.evidence(answers))
        gains = {
            question.item: self._gain(question, known)
            for question in self.questions.values()
            if question.alone and question.skill not in asked
        }
        best = max(gains, key=gains.__getitem__, default=None)
        if best is None or (len(answers) >= LEAST and gains[best] < ENOUGH):
            return None
        return self.questions[best]

    def _gain(self, question: QuestionOutline, known: Mapping[str, float]) -> float:
        has = known[question.skill]
        right = has * (1 - SLIP) + (1 - has) / question.choices
        return sum(
            chance * self._moved(question, is_right, known)
            for is_right, chance in ((True, right), (False, 1 - right))
        )

    def _moved(self, question: QuestionOutline, is_right: bool, known: Mapping[str, float]) -> float:
        weight = weigh_answer(is_right, question.choices)
        parts = shares(self.graph, question.skill, weight)
        return sum(abs(shifted(known[name], share) - known[name]) for name, share in parts.items())


def answer_evidence(question: QuestionOutline, choice: int) -> Evidence:
    """Return what an answer to a question says about its skill."""
    weight = weigh_answer(choice == question.answer, question.choices)
    return Evidence(question.skill, weight, "question", question.item)
