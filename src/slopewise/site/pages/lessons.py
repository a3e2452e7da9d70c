"""The hub and the lessons, and the frames of a lesson's lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.content import Lesson, markup
from slopewise.site.drawing.concept_map import draw_concept_map
from slopewise.site.labs.pool import LabBusyError, LabFailedError
from slopewise.site.labs.settings import Values
from slopewise.site.pages.due import duties_of_visitor
from slopewise.site.pages.progress import last_of, overview_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import fragment, render

router = APIRouter()


@dataclass(frozen=True)
class View:
    """A lab at one step, ready for the template."""

    values: Values
    step: int = 0
    steps: int = 1
    gates: tuple[int, ...] = ()  # the steps at which a prediction is asked
    frame: Mapping[str, Any] | None = None
    verdict: Mapping[str, Any] | None = None
    problem: str = ""
    status: int = 200


@route(router, "GET", "/", ANYONE)
def hub(request: Request) -> Response:
    """Show the whole course in order, and how its ideas hang together."""
    course = request.app.state.course
    return render(
        request,
        "hub.html",
        map=draw_concept_map(course.concepts, course.relations),
        duties=duties_of_visitor(request),
        overview=overview_of(request),
        last=last_of(request),
    )


@route(router, "GET", "/lessons/{slug}", ANYONE)
async def lesson_page(request: Request, slug: str) -> Response:
    """Show a lesson, its lab at the settings of the address."""
    entry = request.app.state.course.entry(slug)
    if entry is None:
        raise HTTPException(404)
    lesson = await run_in_threadpool(lambda: entry.lesson)
    if lesson is None:
        return render(request, "planned.html", entry=entry)
    view = await _view(request, lesson)
    return render(
        request,
        "lesson.html",
        status=view.status,
        lesson=lesson,
        entry=entry,
        view=view,
        neighbours=_neighbours(request, lesson),
    )


@route(router, "GET", "/labs/{slug}/frame", ANYONE)
async def frame(request: Request, slug: str) -> Response:
    """Return one step of a lab as JSON: the settings come in, all that the page shows goes out.

    Nothing is kept for a visitor: the same address always gives the same answer.
    """
    lesson = await run_in_threadpool(request.app.state.course.lesson, slug)
    if lesson is None:
        raise HTTPException(404)
    view = await _view(request, lesson)
    if view.problem:
        return JSONResponse({"error": view.problem}, status_code=view.status)
    assert view.frame is not None
    return JSONResponse(
        {
            "step": view.step,
            "steps": view.steps,
            "gates": view.gates,
            "title": view.frame["title"],
            "address": _address(lesson, view),
            "verdict": _told(view),
            "html": fragment(request, "lab_frame.html", view=view, lesson=lesson),
        },
        headers={"Cache-Control": "private, max-age=600"},
    )


async def _view(request: Request, lesson: Lesson) -> View:
    """Return the lab as the address asks for it; what cannot be shown becomes one sentence."""
    query = dict(request.query_params)
    defaults = lesson.lab.read({})
    try:
        values = lesson.lab.read(query)
        step = _whole(query, "step", 0)
        guess = _whole(query, "guess", None)
    except ArgumentError as error:
        return View(
            defaults,
            problem=f"{error}. The address asks for something that this lab does not do.",
            status=400,
        )
    try:
        frames = await request.app.state.frames.frames(lesson.folder, values)
    except SlopewiseError as error:
        status = 503 if isinstance(error, LabBusyError) else 500 if isinstance(error, LabFailedError) else 400
        return View(values, problem=str(error), status=status)
    step = min(step or 0, len(frames) - 1)
    gates = tuple(number for number, made in enumerate(frames) if made["prediction"])
    return View(
        values,
        step,
        len(frames),
        gates,
        frames[step],
        _verdict(frames[step - 1]["prediction"] if step else None, guess, lesson.lab.write(values), step),
    )


def _verdict(
    prediction: Mapping[str, Any] | None, guess: int | None, settings: Mapping[str, str], step: int
) -> dict[str, Any] | None:
    """Hold a guess against what the run showed; None if nothing was asked."""
    if prediction is None:
        return None
    choices = prediction["choices"]
    guessed = guess is not None and 0 <= guess < len(choices)
    return {
        "question": prediction["question"],
        "answer": choices[prediction["answer"]],
        "because": prediction["because"],
        "guess": choices[guess] if guessed and guess is not None else "",
        "is_right": guess == prediction["answer"],
        "choices": len(choices),
        "query": urlencode({**settings, "step": step - 1, "guess": guess}) if guessed else "",
    }


def _told(view: View) -> dict[str, Any] | None:
    """Return what the script needs to keep a prediction; None if none was made."""
    verdict = view.verdict
    if verdict is None or not verdict["guess"]:
        return None
    told = {"right": verdict["is_right"], "choices": verdict["choices"], "query": verdict["query"]}
    texts = {name: markup.plain(verdict[name]) for name in ("question", "answer")}
    return {**told, **texts, "step": view.step - 1}


def _whole(query: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ArgumentError(f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def _address(lesson: Lesson, view: View) -> str:
    query = lesson.lab.write(view.values)
    if view.step:
        query["step"] = str(view.step)
    return f"/lessons/{lesson.slug}" + (f"?{urlencode(query)}" if query else "")


def _neighbours(request: Request, lesson: Lesson) -> dict[str, Any]:
    """Return the lines of the course before and after a lesson, written or not."""
    entries = request.app.state.course.entries
    place = next(place for place, entry in enumerate(entries) if entry.slug == lesson.slug)
    return {
        "before": entries[place - 1] if place else None,
        "after": entries[place + 1] if place + 1 < len(entries) else None,
    }
