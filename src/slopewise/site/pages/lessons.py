"""The hub and the lessons."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.content import Lesson
from slopewise.site.content.opening import draw_opening
from slopewise.site.drawing.concept_map import draw_concept_map
from slopewise.site.forms import texts
from slopewise.site.pages.answers import go_to
from slopewise.site.pages.due import duties_of_visitor
from slopewise.site.pages.labs import LOOK_AGAIN, View, address_of, run_lab, view_of
from slopewise.site.pages.progress import last_of, overview_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render

router = APIRouter()


@route(router, "GET", "/", ANYONE)
def hub(request: Request) -> Response:
    """Show the whole course in order, and how its ideas hang together."""
    course = request.app.state.course
    return render(
        request,
        "hub.html",
        opening=draw_opening(),
        map=draw_concept_map(course.concepts, course.relations),
        duties=duties_of_visitor(request),
        overview=overview_of(request),
        last=last_of(request),
    )


@route(router, "GET", "/lessons/{slug}", ANYONE)
async def lesson_page(request: Request, slug: str) -> Response:
    """Show a lesson, its lab at the settings of the address: with frames if there are any, else ready to run.

    Nothing runs by looking.
    """
    entry = request.app.state.course.entry(slug)
    if entry is None:
        raise HTTPException(404)
    lesson = await run_in_threadpool(lambda: entry.lesson)
    if lesson is None:
        return render(request, "planned.html", entry=entry)
    return _page(request, lesson, view_of(request, lesson, dict(request.query_params)))


@route(router, "POST", "/lessons/{slug}", ANYONE)
async def run_without_script(request: Request, slug: str) -> Response:
    """Run a lesson's lab at the settings of a form, and go to the address that holds them."""
    lesson = await run_in_threadpool(request.app.state.course.lesson, slug)
    if lesson is None:
        raise HTTPException(404)
    fields = texts(request)
    view = await run_lab(request, lesson, dict(request.query_params) | fields)
    if view.problem:
        return _page(request, lesson, view)
    return go_to(f"{address_of(lesson, view, has_guess=True)}#lab")


def _page(request: Request, lesson: Lesson, view: View) -> Response:
    return render(
        request,
        "lesson.html",
        status=view.status if view.status < 500 else 200,  # the lesson is there, whatever became of the run
        lesson=lesson,
        entry=request.app.state.course.entry(lesson.slug),
        view=view,
        run_address=address_of(lesson, view, has_guess=True),
        look_again=LOOK_AGAIN,
        neighbours=_neighbours(request, lesson),
    )


def _neighbours(request: Request, lesson: Lesson) -> dict[str, Any]:
    """Return the lines of the course before and after a lesson, written or not."""
    entries = request.app.state.course.entries
    place = next(place for place, entry in enumerate(entries) if entry.slug == lesson.slug)
    return {
        "before": entries[place - 1] if place else None,
        "after": entries[place + 1] if place + 1 < len(entries) else None,
    }
