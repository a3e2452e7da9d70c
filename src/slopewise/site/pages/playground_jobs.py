"""Live trainings over HTTP: wishes by POST, what is new by server-sent events."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, HTTPException
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import SlopewiseError
from slopewise.site.forms import form_token
from slopewise.site.labs.job import Job
from slopewise.site.pages.answers import asker_of
from slopewise.site.pages.playground_designs import (
    design_of,
    fields_of,
    more_of,
    needed,
    whole,
)
from slopewise.site.pages.refusals import refused_as_json
from slopewise.site.playground import drawing
from slopewise.site.playground.design import check_design, query_of
from slopewise.site.playground.own import OwnTable
from slopewise.site.playground.view import rows_and_frame
from slopewise.site.policies import ANYONE, route
from slopewise.site.visitors import visitor_of

router = APIRouter()
ACTIONS = ("go", "pause", "stop", "open-test")


@route(router, "POST", "/playground/jobs", ANYONE, status_code=201)
async def start(request: Request) -> Response:
    """Begin a training; the one that the visitor had ends."""
    fields, jobs = request.state.fields, request.app.state.jobs
    try:
        query = query_of(fields_of(fields.get("query", "")))
        design = await design_of(request, query)
        job = await jobs.start(
            owner_of(request),
            asker_of(request).network,
            design.values,
            whole(fields.get("step", 0)),
            more_of(design),
        )
    except SlopewiseError as error:
        return refused_as_json(error)
    return JSONResponse({"job": job.id, "state": job.state, "place": job.place}, status_code=201)


async def job_of(request: Request, id: str) -> Job:
    """Return the visitor's job of this id, which this process holds from now on."""
    try:
        job = await request.app.state.jobs.adopt(owner_of(request), id, partial(needed, request))
    except SlopewiseError as error:
        raise HTTPException(404, f"This training has ended: {error}") from error
    if job is None:
        raise HTTPException(404, "This training has ended.")
    return cast(Job, job)


def last_event(request: Request, job: Annotated[Job, Depends(job_of)]) -> int:
    """Return the step that a stream goes on from: it means the same in every process."""
    jobs = request.app.state.jobs
    if job.streams >= jobs.limits.streams:
        raise HTTPException(429, f"A training has at most {jobs.limits.streams} streams at a time.")
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "-1"
    if text != "-1" and not (text.isascii() and text.isdigit() and len(text) < 8):
        raise HTTPException(400, f"Last-Event-ID is the number of an update, not {text[:20]!r}.")
    return int(text)


@route(router, "POST", "/playground/jobs/{id}/{action}", ANYONE)
async def control(request: Request, id: str, action: str) -> Response:
    """Move a training, let it rest, end it, or open its test set."""
    jobs = request.app.state.jobs
    if action not in ACTIONS:
        raise HTTPException(404)
    try:
        step = whole(request.state.fields.get("step")) if action == "go" else 0
        job = await jobs.ask(owner_of(request), id, action, step, partial(needed, request))
        if job is None:
            raise HTTPException(404, "This training has ended.")
        if action == "open-test":
            return await _show_test(request, job)
    except SlopewiseError as error:
        return refused_as_json(error)
    return JSONResponse({"state": job.state, "place": job.place, "step": job.shown_step})


@route(router, "GET", "/playground/jobs/{id}/events", ANYONE, response_class=EventSourceResponse)
async def events(
    request: Request, job: Annotated[Job, Depends(job_of)], after: Annotated[int, Depends(last_event)]
) -> AsyncIterator[ServerSentEvent]:
    """Stream what is new of a training: each message holds what the one before did not."""
    async for step, message in request.app.state.jobs.stream(job, after):
        yield ServerSentEvent(data=message, id=str(max(step, 0)), retry=1000)


async def _show_test(request: Request, job: Job) -> Response:
    own = OwnTable.from_json(job.more["own"]) if job.more else None
    design = check_design(job.values, own)
    rows, frame = await run_in_threadpool(rows_and_frame, design)
    overlay = drawing.draw_surface(design, rows, frame, with_test=True).svg()
    return JSONResponse({"overlay": overlay, "openings": job.openings})


def owner_of(request: Request) -> str:
    """Return who a visitor is: the account, or the browser that holds the cookie of our forms."""
    visitor = visitor_of(request)
    if visitor.account_id is not None:
        return f"account {visitor.account_id}"
    return "browser " + hashlib.sha256(form_token(request).encode()).hexdigest()
