"""What carries a tag, over all lessons: important, definition, review or extra."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.content.lesson import TAGS
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render

router = APIRouter()


@route(router, "GET", "/tags/{tag}", ANYONE)
def tagged(request: Request, tag: str) -> Response:
    """Show all cards and questions with a tag, lesson by lesson. Cards of Pro decks are not among them."""
    if tag not in TAGS:
        raise HTTPException(404)
    lessons = [
        {
            "lesson": lesson,
            "cards": [card for card in lesson.cards if tag in card.tags],
            "questions": [question for question in lesson.questions if tag in question.tags],
            "is_tagged": tag in lesson.tags,
        }
        for lesson in request.app.state.course.lessons
    ]
    rows = [row for row in lessons if row["cards"] or row["questions"] or row["is_tagged"]]
    return render(request, "tags.html", tag=tag, tags=TAGS, rows=rows)
