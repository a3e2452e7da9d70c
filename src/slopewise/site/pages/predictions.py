"""Predictions in labs that failed become cards. The lab is run again here: no text comes from the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.accounts.predicted_cards import keep_failed_prediction
from slopewise.site.accounts.progress import Item, merge
from slopewise.site.forms import field
from slopewise.site.labs.places import LabBusyError
from slopewise.site.pages import playground_predictions
from slopewise.site.pages.answers import go_to, limit_in_thread
from slopewise.site.pages.playground_designs import fields_of
from slopewise.site.pages.refusals import headers_of, status_of
from slopewise.site.policies import SIGNED_IN, route
from slopewise.site.visitors import visitor_of

router = APIRouter()
MOST_AT_ONCE = 20
LONGEST_QUERY = 1500


@dataclass(frozen=True)
class Failed:
    """A prediction as a browser tells of it: the lesson, and settings, step and guess as in an address."""

    slug: str
    query: str


@route(router, "POST", "/labs/{slug}/cards", SIGNED_IN)
async def keep_by_form(request: Request, slug: str) -> Response:
    """Make a card of a failed prediction, and go back to where it was made."""
    failed = Failed(slug, field(request, "query", LONGEST_QUERY))
    try:
        address = await _keep(request, failed)
    except SlopewiseError as error:
        raise HTTPException(status_of(error), f"No card was made: {error}.", headers_of(error)) from error
    return go_to(f"/cards/own#{address}")


@route(router, "POST", "/api/predictions", SIGNED_IN)
async def keep_failed(request: Request) -> Response:
    """Make cards of failed predictions ``{"failed": [{"slug": ..., "query": ...}]}``.

    The answer names by place those that were kept and those that never can be; others may be tried again.
    """
    rows = request.state.fields.get("failed")
    if not isinstance(rows, list) or len(rows) > MOST_AT_ONCE:
        raise HTTPException(400, f"failed is a list of at most {MOST_AT_ONCE} objects.")
    kept: list[int] = []
    refused: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        try:
            await _keep(request, _read(row))
        except LabBusyError:
            break
        except SlopewiseError as error:
            refused.append({"place": place, "because": str(error)})
        else:
            kept.append(place)
    return JSONResponse({"kept": kept, "refused": refused}, headers={"Cache-Control": "no-store"})


def _read(row: object) -> Failed:
    slug, query = (row.get("slug"), row.get("query")) if isinstance(row, dict) else (None, None)
    if not isinstance(slug, str) or not isinstance(query, str) or len(query) > LONGEST_QUERY:
        raise ArgumentError("a failed prediction has a slug and a query")
    return Failed(slug, query)


async def _keep(request: Request, failed: Failed) -> str:
    """Run the lab to the step, make the card, note the prediction; return the id of the card."""
    visitor, state = visitor_of(request), request.app.state
    await limit_in_thread(request, "log of an account", str(visitor.account_id))
    if failed.slug == playground_predictions.SLUG:
        return await _keep_of_playground(request, failed)
    entry = state.course.entry(failed.slug)
    lesson = None if entry is None else await run_in_threadpool(lambda: entry.lesson)
    if lesson is None:
        raise ArgumentError("there is no such lesson")
    try:
        query = dict(parse_qsl(failed.query, max_num_fields=50))
    except ValueError as error:
        raise ArgumentError("an address of a lab has fewer settings") from error
    step, guess = query.pop("step", ""), query.pop("guess", "")
    if not (step.isdecimal() and guess.isdecimal() and len(step + guess) < 8):
        raise ArgumentError("step and guess are whole numbers")
    values = lesson.lab.read(query)
    frames = await state.frames.frames(lesson.folder, values)
    prediction = frames[int(step)]["prediction"] if int(step) < len(frames) else None
    if prediction is None:
        raise ArgumentError("nothing is asked at this step")
    written = {**lesson.lab.write(values), "step": step}
    address = f"/lessons/{lesson.slug}?{urlencode(written)}#lab"
    source = Source(lesson.slug, lesson.title)
    return await run_in_threadpool(_store, request, source, address, prediction, int(step), int(guess))


async def _keep_of_playground(request: Request, failed: Failed) -> str:
    """Train to the step anew, make the card, note the prediction; return the id of the card."""
    query = fields_of(failed.query)
    address, verdict = await playground_predictions.failed_prediction(request, query)
    playground = Source(playground_predictions.SLUG, playground_predictions.TITLE)
    step = int(query.get("step", "0"))
    return await run_in_threadpool(
        _store, request, playground, address, verdict.prediction, step, verdict.guess
    )


@dataclass(frozen=True)
class Source:
    """What a prediction was made in."""

    slug: str
    title: str


def _store(
    request: Request, source: Source, address: str, prediction: Mapping[str, Any], step: int, guess: int
) -> str:
    learner_id, now = visitor_of(request).learner, request.app.state.clock()
    value = {"right": False, "choices": len(prediction["choices"])}
    with request.app.state.database.writing(of=learner_id) as session:
        card_id = keep_failed_prediction(session, learner_id, source.title, address, prediction, guess, now)
        merge(session, learner_id, [Item("prediction", f"{source.slug}/{step}", value, now)], now)
    return str(card_id)
