"""The decks of flash cards. Grades stay in the browser until there are accounts."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render

router = APIRouter()


@route(router, "GET", "/cards", ANYONE)
def decks(request: Request) -> Response:
    """List the decks, one a lesson."""
    return render(request, "decks.html")


@route(router, "GET", "/cards/{slug}", ANYONE)
def deck(request: Request, slug: str) -> Response:
    """Show the cards of a lesson; without script each opens by itself."""
    lesson = request.app.state.course.lesson(slug)
    if lesson is None:
        raise HTTPException(404)
    skills = {skill.id: skill.name for skill in lesson.skills}
    return render(request, "deck.html", lesson=lesson, skills=skills)
