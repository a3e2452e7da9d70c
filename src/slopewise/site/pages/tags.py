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
    """Show all that carries a tag, lesson by lesson. Cards of Pro decks are not among it."""
    if tag not in TAGS:
        raise HTTPException(404)
    course = request.app.state.course
    lessons = [
        {
            "lesson": lesson,
            "terms": [term for term in course.terms if term.lesson == lesson.slug and tag in term.tags],
            "prompts": [prompt for prompt in lesson.prompts if tag in prompt.tags],
            "cards": [card for card in lesson.cards if tag in card.tags],
            "questions": [question for question in lesson.questions if tag in question.tags],
            "is_tagged": tag in lesson.tags,
        }
        for lesson in course.lessons
    ]
    rows = [row for row in lessons if any(found for key, found in row.items() if key != "lesson")]
    return render(request, "tags.html", tag=tag, tags=TAGS, rows=rows)
