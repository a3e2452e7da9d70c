"""Training on a data set of one's own, and its report, which only its owner sees."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.datasets import records
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
LOOK_AGAIN = 2  # seconds until the page of a training asks how it stands

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
        return await to_thread.run_sync(partial(shown, problem=str(error)))
    request.app.state.workshop.start(run, row, asker_of(request))
    return go_to(f"/data/{data_id}/runs/{run.id}")


@route(router, "GET", "/data/{data_id}/runs/{run_id}", ANYONE)
def show_run(request: Request, data_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """Show how a training stands, or its report. That somebody looks keeps it going."""
    row, run = _find(request, data_id, run_id)
    state = request.app.state
    before, place = 0, state.workshop.place_of(run_id)
    if run.state in ("waiting", "running"):
        with state.database.writing(of=run_id) as session:  # each page does so every few seconds
            session.get_one(DataRun, run_id).seen_at = state.clock()
            before = records.places_before(session, run, state.clock()) if place is None else 0
    answer = render(
        request,
        "data_run.html",
        row=row,
        run=run,
        before=before,
        place=place or 0,
        look_again=LOOK_AGAIN,
        is_under_way=run.state in ("waiting", "running"),
    )
    answer.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return answer


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
        elif run.state in ("waiting", "running"):
            run.state, run.message, run.ended_at = "ended", "You ended it.", state.clock()
    if is_deleted:
        state.workshop.remove_reports(data_id, [run_id])
