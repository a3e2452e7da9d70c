"""Tables of one's progress for a spreadsheet: where each card stands, and every answer."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.accounts.progress import progress_of
from slopewise.site.content.outline import CardOutline
from slopewise.site.mastery.guide import Guide
from slopewise.site.pages.answers import limit
from slopewise.site.policies import SIGNED_IN, route
from slopewise.site.scheduling.states import cached
from slopewise.site.spreadsheets import csv_of
from slopewise.site.visitors import Visitor, visitor_of

router = APIRouter()

_CARD = (
    *("card", "lesson", "skill", "tags", "phase", "stability", "difficulty"),
    *("due_at", "first_at", "last_at", "reviews", "lapses", "is_suspended"),
)
_ANSWER = ("kind", "item", "value", "is_right", "changed_at")


@route(router, "GET", "/account/cards.csv", SIGNED_IN)
def cards_as_csv(request: Request) -> Response:
    """Return where the visitor stands with each card; of cards of no lesson, lesson and skill stay empty."""
    visitor, state = _visitor(request), request.app.state
    guide: Guide = state.guide
    with state.database.reading() as session:
        found = cached(session, visitor.learner)
    rows = []
    for card_id, standing in found.items():
        card = guide.items.cards.get(card_id)
        rows.append({"card": card_id, **vars(standing), **_of_lesson(card)})
    return _file(csv_of(_CARD, [[row[name] for name in _CARD] for row in rows]), "slopewise-cards.csv")


@route(router, "GET", "/account/answers.csv", SIGNED_IN)
def answers_as_csv(request: Request) -> Response:
    """Return the visitor's answers, predictions, texts and lessons marked as done."""
    visitor, state = _visitor(request), request.app.state
    guide: Guide = state.guide
    with state.database.reading() as session:
        found = progress_of(session, visitor.learner)
        kept = [(row.kind, row.item, row.value, row.changed_at) for row in found]
    rows = []
    for kind, item, value, changed_at in kept:
        question = guide.items.questions.get(item) if kind == "answer" else None
        is_right = question.answer == value if question is not None else None
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows.append((kind, item, text, is_right, changed_at))
    return _file(csv_of(_ANSWER, rows), "slopewise-answers.csv")


def _visitor(request: Request) -> Visitor:
    visitor = visitor_of(request)
    limit(request, "export", str(visitor.account_id))
    return visitor


def _of_lesson(card: CardOutline | None) -> dict[str, str]:
    if card is None:
        return {"lesson": "", "skill": "", "tags": ""}
    lesson, _, skill = card.skill.partition("/")
    return {"lesson": lesson, "skill": skill, "tags": " ".join(card.tags)}


def _file(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
