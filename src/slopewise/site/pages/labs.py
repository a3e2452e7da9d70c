"""Labs in lessons: their frames at the settings of an address, and the runs that visitors begin.

To look at an address starts nothing: it shows frames that are kept, or a lab that is ready to run. A run is
begun by a form or a script of ours, which a crawler, a link or another site's page cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.content import Lesson, markup
from slopewise.site.labs.places import LabBusyError
from slopewise.site.labs.pool import Frames
from slopewise.site.labs.settings import Values
from slopewise.site.pages.answers import asker_of
from slopewise.site.pages.refusals import COME_BACK, status_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.spreadsheets import csv_of
from slopewise.site.templating import fragment

router = APIRouter()

QUICK = 2.0  # seconds for which an answer waits for its run; most take a tenth of that
IN_QUEUE = 0.3  # seconds until it tells the place in the queue
LOOK_AGAIN = 2  # seconds until a page without script asks how its run stands
LONGEST_QUERY = 6000


@dataclass(frozen=True)
class View:
    """A lab as a page shows it.

    Attributes
    ----------
    values : of its settings
    state : str
        "shown" with a frame; "ready" to run; "waiting" for a run, in the queue or at work; "refused", as
        there is nothing to run at this address.
    step, guess : int
        What the address asks for; `step` is the one that is shown, if one is.
    place : int
        In the queue, from 1; 0 is at work.
    gates : tuple of int
        The steps at which a prediction is asked.
    """

    values: Values
    state: Literal["shown", "ready", "waiting", "refused"] = "ready"
    step: int = 0
    guess: int | None = None
    place: int = 0
    steps: int = 1
    gates: tuple[int, ...] = ()
    frame: Mapping[str, Any] | None = None
    verdict: Mapping[str, Any] | None = None
    problem: str = ""
    status: int = 200


@route(router, "GET", "/labs/{slug}/frame", ANYONE)
async def frame(request: Request, slug: str) -> Response:
    """Return one step of a lab as JSON, if its frames are kept; else how the visitor's run stands."""
    lesson = await _lesson(request, slug)
    return _as_json(request, lesson, view_of(request, lesson, dict(request.query_params)))


@route(router, "POST", "/labs/{slug}/runs", ANYONE)
async def run(request: Request, slug: str) -> Response:
    """Run a lab at ``{"query": settings and step as in an address}``; the answer is that of `frame`."""
    lesson = await _lesson(request, slug)
    try:
        query = _pairs(request.state.fields.get("query", ""))
    except ArgumentError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    return _as_json(request, lesson, await run_lab(request, lesson, query))


@route(router, "GET", "/labs/{slug}/table.csv", ANYONE)
async def table(request: Request, slug: str) -> Response:
    """Return the table of one step as a file, if the lab's frames are kept; nothing is run for it."""
    lesson = await _lesson(request, slug)
    view = view_of(request, lesson, dict(request.query_params))
    found = view.frame and view.frame["table"]
    if not found:
        reason = view.problem or "This step has no table here: run the lab first."
        return PlainTextResponse(reason, view.status if view.problem else 404)
    rows = [[text.replace("\u2212", "-") for text in row] for row in found["rows"]]
    name = f"{slug}-{view.step}.csv"
    return Response(
        csv_of(found["columns"], rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def run_lab(request: Request, lesson: Lesson, query: Mapping[str, str]) -> View:
    """Run a lab for the visitor unless its frames are kept; return how it stands after a moment."""
    view, store = view_of(request, lesson, query), request.app.state.frames
    if view.state in ("shown", "refused"):
        return view
    try:
        run = store.start(asker_of(request), lesson.folder, view.values)
    except LabBusyError as error:
        return replace(view, state="ready", problem=str(error))
    await run.wait(QUICK, IN_QUEUE)
    return view_of(request, lesson, query)


def view_of(request: Request, lesson: Lesson, query: Mapping[str, str]) -> View:
    """Return the lab as an address asks for it; what cannot be shown becomes one sentence."""
    lab, store = lesson.lab, request.app.state.frames
    store.pin(lesson.folder, lab.read({}))
    try:
        view = View(lab.read(query), step=_whole(query, "step") or 0, guess=_whole(query, "guess"))
    except ArgumentError as error:
        problem = f"{error}. The address asks for something that this lab does not do."
        return View(lab.read({}), "refused", problem=problem, status=400)
    frames = store.kept(lesson.folder, view.values)
    if frames is not None:
        return _shown(view, lesson, frames)
    run = store.run_of(asker_of(request).visitor, lesson.folder, view.values)
    if run is None:
        return view
    if run.error is not None:
        return _failed(view, run.error)
    return replace(view, state="waiting", place=run.place)


def address_of(lesson: Lesson, view: View, *, has_guess: bool = False) -> str:
    """Return the address of a lab at its settings and its step, with or without the guess."""
    query = lesson.lab.write(view.values)
    if view.step:
        query["step"] = str(view.step)
    if view.guess is not None and has_guess:
        query["guess"] = str(view.guess)
    return f"/lessons/{lesson.slug}" + (f"?{urlencode(query)}" if query else "")


def _shown(view: View, lesson: Lesson, frames: Frames) -> View:
    step = min(view.step, len(frames) - 1)
    return replace(
        view,
        state="shown",
        step=step,
        steps=len(frames),
        gates=tuple(number for number, made in enumerate(frames) if made["prediction"]),
        frame=frames[step],
        verdict=_verdict(
            frames[step - 1]["prediction"] if step else None,
            view.guess,
            lesson.lab.write(view.values),
            step,
        ),
    )


def _failed(view: View, error: SlopewiseError) -> View:
    """Return what a run that failed leaves: what cannot be run is refused, the rest may be tried again."""
    status = status_of(error)
    return replace(view, state="refused" if status == 400 else "ready", problem=str(error), status=status)


def _as_json(request: Request, lesson: Lesson, view: View) -> Response:
    if view.problem and view.state == "refused":
        return JSONResponse({"error": view.problem}, status_code=view.status)
    address = address_of(lesson, view, has_guess=view.state != "shown")
    value: dict[str, Any] = {
        "state": view.state,
        "step": view.step,
        "address": address,
        "problem": view.problem,
    }
    if view.frame is None:
        html = fragment(request, "lab_start.html", view=view, lesson=lesson, run_address=address)
        value |= {"place": view.place, "html": html}
        headers = {"Cache-Control": "no-store"} | (COME_BACK if view.status == 503 else {})
        return JSONResponse(value, status_code=view.status, headers=headers)
    value |= {
        "steps": view.steps,
        "gates": view.gates,
        "title": view.frame["title"],
        "verdict": _told(view),
        "html": fragment(request, "lab_frame.html", view=view, lesson=lesson),
    }
    # The same address always gives the same frame.
    return JSONResponse(value, headers={"Cache-Control": "private, max-age=600"})


async def _lesson(request: Request, slug: str) -> Lesson:
    lesson: Lesson | None = await run_in_threadpool(request.app.state.course.lesson, slug)
    if lesson is None:
        raise HTTPException(404)
    return lesson


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


def _pairs(text: object) -> dict[str, str]:
    if not isinstance(text, str) or len(text) > LONGEST_QUERY:
        raise ArgumentError(f"query is a text of at most {LONGEST_QUERY} characters")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise ArgumentError("query cannot be read") from None


def _whole(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ArgumentError(f"{name} is a whole number, not {text[:40]!r}")
    return int(text)
