"""Training on a data set of one's own, and its report, which only its owner sees."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.datasets import records
from slopewise.site.datasets.records import UNDER_WAY, UnderWayError
from slopewise.site.datasets.visitors_data import owner_of
from slopewise.site.forms import field
from slopewise.site.pages.answers import asker_of, go_to
from slopewise.site.pages.datasets import find_data_set, limit_visitor, number, show_data_set, whole
from slopewise.site.policies import ANYONE, route
from slopewise.site.security import CONTENT_SECURITY_POLICY
from slopewise.site.storage.dataset_tables import DataRun, DataSet
from slopewise.site.templating import render

router = APIRouter()

EPOCHS = 100
LOOK_AGAIN = 2  # seconds until a stream, or a page without script, looks how a training stands
INTERVAL = 0.05  # seconds between two messages of a stream
MOST_STREAMS = 4  # of one training: a page has one, and a reload may overlap with the one before

# A report holds words of a table. It runs no script, loads nothing, and is of no origin: it cannot read ours.
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


@route(router, "POST", "/data/{data_id}/runs", ANYONE)
async def train(request: Request, data_id: uuid.UUID) -> Response:
    """Begin a training."""
    row = await to_thread.run_sync(find_data_set, request, data_id)
    try:
        asked = _asked(request)
        await to_thread.run_sync(limit_visitor, request)
        run = await to_thread.run_sync(_add, request, row, asked)
    except ArgumentError as error:
        shown = partial(show_data_set, request, data_id, target=field(request, "target"), status=400)
        at_work = error if isinstance(error, UnderWayError) else None
        return await to_thread.run_sync(partial(shown, problem=str(error), at_work=at_work))
    request.app.state.workshop.start(run, row, asker_of(request))
    return go_to(f"/data/{data_id}/runs/{run.id}")


@route(router, "GET", "/data/{data_id}/runs/{run_id}", ANYONE)
def show_run(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Show how a training stands, or its report. That somebody looks keeps it going."""
    row, run = _find(request, data_id, run_id)
    answer = render(
        request,
        "data_run.html",
        row=row,
        run=run,
        words=_look(request, run_id)[1],
        epochs=run.settings["settings"]["epochs"],  # type: ignore[index]
        look_again=LOOK_AGAIN,
        is_under_way=run.state in UNDER_WAY,
    )
    answer.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return answer


def _look(request: Request, run_id: uuid.UUID) -> tuple[str, str]:
    """Return the state of a training, and where it stands in a sentence; note that somebody looked."""
    state = request.app.state
    place = state.workshop.place_of(run_id)
    with state.database.reading() as session:
        run = session.get(DataRun, run_id)
        if run is None:
            return "ended", ""
        before = records.places_before(session, run, state.clock()) if place is None else 0
    if run.state in UNDER_WAY:
        with state.database.writing(of=run_id) as session:  # each page does so every few seconds
            session.get_one(DataRun, run_id).seen_at = state.clock()
    if run.state == "running" and place:
        return (
            run.state,
            f"It is training, in turns with others: place {place} in the queue for the next turn.",
        )
    if run.state == "running":
        return run.state, "It is training now."
    if run.state == "waiting" and place:
        return run.state, f"It waits at place {place} in the queue."
    if run.state == "waiting":
        return run.state, f"It waits: {before} before it." if before else "It begins in a moment."
    return run.state, run.message


def _last_point(request: Request) -> int:
    """Return how many points of the curve the browser has."""
    text = request.headers.get("last-event-id") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise HTTPException(400, f"Last-Event-ID is a number of points, not {text[:20]!r}.")
    return int(text)


def _run_of(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> uuid.UUID:
    """Return the training of the visitor, if a page more may listen to it."""
    _find(request, data_id, run_id)
    curve = request.app.state.workshop.curve_of(run_id)
    if curve is not None and curve.streams >= MOST_STREAMS:
        raise HTTPException(429, f"A training has at most {MOST_STREAMS} streams at a time.")
    return run_id


@route(router, "GET", "/data/{data_id}/runs/{run_id}/events", ANYONE, response_class=EventSourceResponse)
async def events(
    request: Request,
    run_id: Annotated[uuid.UUID, Depends(_run_of)],
    after: Annotated[int, Depends(_last_point)],
) -> AsyncIterator[ServerSentEvent]:
    """Stream the curve of a training: each message holds what the one before did not."""
    curve = request.app.state.workshop.listen(run_id)
    curve.streams += 1
    try:
        looked_at, told, stands = -math.inf, None, ("", "")
        while True:
            points = curve.points[after:]
            if curve.is_closed or time.monotonic() - looked_at >= LOOK_AGAIN:
                stands, looked_at = await to_thread.run_sync(_look, request, run_id), time.monotonic()
            if points or stands != told:
                after, told = after + len(points), stands
                message = {"points": points, "state": stands[0], "words": stands[1]}
                yield ServerSentEvent(data=message, id=str(after), retry=1000)
            if stands[0] not in UNDER_WAY:
                return
            await asyncio.sleep(INTERVAL if not curve.is_closed else LOOK_AGAIN)
            await curve.wait(after, LOOK_AGAIN)
    finally:
        curve.streams -= 1


@route(router, "GET", "/data/{data_id}/runs/{run_id}/report", ANYONE)
def show_report(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Return the report itself, for the frame on the page of the training."""
    _find(request, data_id, run_id)
    report = request.app.state.workshop.shelf.report(data_id, run_id)
    if report is None:
        raise HTTPException(404)
    headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(report, headers=headers)


@route(router, "POST", "/data/{data_id}/runs/{run_id}", ANYONE)
async def change_run(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """End a training, or delete it with its report."""
    await to_thread.run_sync(_find, request, data_id, run_id)
    request.app.state.workshop.stop(run_id)
    await to_thread.run_sync(_end, request, data_id, run_id, field(request, "action") == "delete")
    return go_to(f"/data/{data_id}#trainings")


def _asked(request: Request) -> dict[str, Any]:
    """Return the settings of a training as the form gives them; what they mean is the worker's to check."""
    hidden = field(request, "hidden", 100).strip().lower()
    try:
        units = [] if hidden in ("none", "") else [int(text) for text in hidden.split(",")]
    except ValueError:
        raise ArgumentError(f"hidden is {hidden[:40]!r}: use whole numbers such as 64,64, or none.") from None
    batch = field(request, "batch_size").strip().lower()
    settings = {
        "hidden": units,
        "epochs": whole(request, "epochs", 1, 1000, EPOCHS),
        "optimizer": field(request, "optimizer") or "adam",
        "lr": number(request, "lr", 1e-9, 100.0),
        "batch_size": "full" if batch == "full" else whole(request, "batch_size", 1, 100_000),
    }
    question = {
        "target": field(request, "target"),
        "task": field(request, "task") or "auto",
        "group": field(request, "group") or None,
        "time": field(request, "time") or None,
        "seed": whole(request, "seed", 0, 2**31 - 1, 0),
    }
    return {"question": question, "settings": settings}


def _add(request: Request, row: DataSet, asked: dict[str, Any]) -> DataRun:
    state = request.app.state
    with state.database.writing() as session:
        run, gone = records.add_run(session, owner_of(request), row, asked, state.clock())
    if gone:
        state.workshop.remove_reports(row.id, gone)
    return run


def _find(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> tuple[DataSet, DataRun]:
    row = find_data_set(request, data_id)
    with request.app.state.database.reading() as session:
        run = records.find_run(session, owner_of(request), data_id, run_id)
    if run is None:
        raise HTTPException(404)
    return row, run


def _end(request: Request, data_id: uuid.UUID, run_id: uuid.UUID, is_deleted: bool) -> None:
    state = request.app.state
    with state.database.writing() as session:
        run = session.get_one(DataRun, run_id)
        if is_deleted:
            session.delete(run)
        elif run.state in UNDER_WAY:
            run.state, run.message, run.ended_at = "ended", "You ended it.", state.clock()
    if is_deleted:
        state.workshop.remove_reports(data_id, [run_id])
