"""What answers, predictions, prompts and reviews say about skills."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slopewise.site.content.outline import Outline
from slopewise.site.mastery.model import Evidence, weigh_answer, weigh_recall
from slopewise.site.mastery.placement import answer_evidence
from slopewise.site.scheduling.replay import Standing, recall

PREDICTION_SHARE = 1 / 3  # a prediction in a lab does not say which skill of its lesson it needs
CARD_SHARE = 0.5  # learners grade themselves, and cards of a skill are alike


@dataclass(frozen=True)
class Record:
    """What is kept of a learner: `kind` and `item` as in the table of progress."""

    kind: str
    item: str
    value: Any


class Items:
    """The skills that questions, prompts and cards of the lessons ask for."""

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self.questions = {row.item: row for outline in outlines for row in outline.question_outlines}
        self.prompts = {row.item: row for outline in outlines for row in outline.prompt_outlines}
        self.cards = {row.uuid: row for outline in outlines for row in outline.card_outlines}
        self.skills = {
            outline.slug: [outline.skill_address(skill.id) for skill in outline.skills]
            for outline in outlines
        }

    def evidence(
        self, records: Iterable[Record], standings: Mapping[uuid.UUID, Standing], now: datetime
    ) -> list[Evidence]:
        """Return what all that is kept of a learner says; what no longer fits the course says nothing."""
        found = [piece for record in records for piece in self._of_record(record)]
        return found + [
            piece
            for card_id, standing in standings.items()
            for piece in self._of_card(card_id, standing, now)
        ]

    def _of_record(self, record: Record) -> list[Evidence]:
        if record.kind == "answer":
            question = self.questions.get(record.item)
            if question is not None and isinstance(record.value, int):
                return [answer_evidence(question, record.value)]
        elif record.kind == "prediction":
            return self._of_prediction(record)
        elif record.kind == "prompt":
            return self._of_prompt(record)
        return []

    def _of_prediction(self, record: Record) -> list[Evidence]:
        value = record.value if isinstance(record.value, dict) else {}
        is_right, choices = value.get("right"), value.get("choices")
        if not isinstance(is_right, bool) or not isinstance(choices, int) or not 2 <= choices <= 20:
            return []
        weight = PREDICTION_SHARE * weigh_answer(is_right, choices)
        skills = self.skills.get(record.item.partition("/")[0], [])
        return [Evidence(skill, weight, "prediction", record.item) for skill in skills]

    def _of_prompt(self, record: Record) -> list[Evidence]:
        prompt = self.prompts.get(record.item)
        value = record.value if isinstance(record.value, dict) else {}
        held = value.get("ideas")
        if prompt is None or not isinstance(held, list) or not prompt.ideas:
            return []
        share = sum(idea is True for idea in held[: prompt.ideas]) / prompt.ideas
        return [Evidence(prompt.skill, weigh_recall(share), "prompt", record.item)]

    def _of_card(self, card_id: uuid.UUID, standing: Standing, now: datetime) -> list[Evidence]:
        card, probability = self.cards.get(card_id), recall(standing, now)
        if card is None or probability is None:
            return []
        return [Evidence(card.skill, CARD_SHARE * weigh_recall(probability), "card", str(card_id))]
