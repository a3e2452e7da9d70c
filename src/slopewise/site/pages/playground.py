"""The playground: its page, its live trainings, and the script that repeats one."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Annotated, Any, cast
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, HTTPException
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slopewise.engine.errors import ArgumentError, DataError, SlopewiseError
from slopewise.site.datasets.visitors_data import data_set_of, names_of_data_sets
from slopewise.site.forms import form_token
from slopewise.site.labs.job import Job
from slopewise.site.labs.places import LabBusyError
from slopewise.site.labs.pool import LabFailedError, Pool
from slopewise.site.pages.answers import asker_of, visitors_network
from slopewise.site.playground import drawing
from slopewise.site.playground.design import (
    FEATURES,
    GENERATED,
    MOST_UPDATES,
    OPTIMIZERS,
    OWN,
    SCHEDULES,
    SETTINGS,
    Design,
    check_design,
    query_of,
    read_values,
    write_address,
)
from slopewise.site.playground.formula import formula
from slopewise.site.playground.layers import KINDS, write_layers
from slopewise.site.playground.own import OwnTable, own_table
from slopewise.site.playground.program import program
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import fragment, render
from slopewise.site.visitors import visitor_of

router = APIRouter()
MOST_PREVIEWS = 200
MOST_AT_ONCE = 500  # updates of a page without script
LONGEST_QUERY = 4000
ACTIONS = ("go", "pause", "stop", "open-test")


class Previews:
    """What designs look like before their first update, the most recent ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def of(self, request: Request, design: Design) -> dict[str, Any]:
        """Return a design's state at step 0, with its rows; raises what `Pool.run` raises."""
        if design.own is not None:
            return await at_step(request, design, 0)  # a visitor's rows stay nowhere but with their owner
        key = json.dumps(dict(design.values), sort_keys=True)
        if key not in self._kept:
            self._kept[key] = await at_step(request, design, 0)
            while len(self._kept) > MOST_PREVIEWS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


async def at_step(request: Request, design: Design, step: int) -> dict[str, Any]:
    """Return a design's state after some updates from the start, with its rows."""
    pool: Pool = request.app.state.jobs.pool
    asked = {
        "job": "preview",
        "values": dict(design.values),
        **_more(design),
        "step": 0,
        "until": step,
        "seconds": pool.limits.seconds / 2,
        "snapshots": {},
        "rows": True,
    }
    answer, _ = await pool.ask(asked, asker_of(request))
    del answer["snapshot"]
    return answer


@route(router, "GET", "/playground", ANYONE)
async def page(request: Request) -> Response:
    """Show the playground at the settings of the address; nothing is trained by looking."""
    return await _page(request, query_of(request.query_params), trains=False)


@route(router, "POST", "/playground", ANYONE)
async def train_without_script(request: Request) -> Response:
    """Train to the update that a form asks for, and show that state."""
    return await _page(request, query_of(request.state.fields), trains=True)


@route(router, "GET", "/playground/preview", ANYONE)
async def preview(request: Request) -> Response:
    """Return what the page shows of a design before its first update."""
    try:
        design = await _design(request, query_of(request.query_params))
        answer = await request.app.state.previews.of(request, design)
    except SlopewiseError as error:
        return JSONResponse({"error": str(error)}, status_code=_status(error))
    return JSONResponse(
        {
            "address": _address(design, 0),
            "view": _without_test(answer["view"]),
            "words": drawing.in_words(design, answer),
            "overlay": drawing.draw_surface(design, answer),
            "formula": fragment(request, "playground_formula.html", formula=formula(design)),
            "code": fragment(request, "playground_code.html", code=program(design, 100)),
            "metric": design.metric,
            "classes": list(design.own.classes) if design.own is not None else [],
            "inputs": list(design.features) if design.places > 2 else None,
            "own": {"id": design.values["own"], "target": design.own.target}
            if design.own is not None
            else None,
            "parameters": answer["parameters"],
            "per_epoch": _updates_per_epoch(design, answer),
            "rows": {part: len(rows) for part, rows in answer["rows"].items()},
        }
    )


@route(router, "GET", "/playground/program.py", ANYONE)
async def exported(request: Request) -> Response:
    """Return the script that repeats a training."""
    try:
        query = query_of(request.query_params)
        design, step = await _design(request, query), _step(query.get("step", "100"))
    except SlopewiseError as error:
        raise HTTPException(400, str(error)) from None
    headers = {"Content-Disposition": 'attachment; filename="playground.py"'}
    return PlainTextResponse(program(design, step), headers=headers, media_type="text/x-python")


# ---- live trainings


@route(router, "POST", "/playground/jobs", ANYONE, status_code=201)
async def start(request: Request) -> Response:
    """Begin a training; the one that the visitor had ends."""
    fields, jobs = request.state.fields, request.app.state.jobs
    try:
        query = query_of(_pairs(fields.get("query", "")))
        design = await _design(request, query)
        job = await jobs.start(
            owner_of(request),
            visitors_network(request),
            design.values,
            _step(fields.get("step", 0)),
            _more(design),
        )
    except SlopewiseError as error:
        return JSONResponse({"error": str(error)}, status_code=_status(error))
    return JSONResponse({"job": job.id, "state": job.state, "place": job.place}, status_code=201)


async def job_of(request: Request, id: str) -> Job:
    """Return the visitor's job of this id, which this process holds from now on."""
    try:
        job = await request.app.state.jobs.adopt(owner_of(request), id, partial(_needed, request))
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
        step = _step(request.state.fields.get("step")) if action == "go" else 0
        job = await jobs.ask(owner_of(request), id, action, step, partial(_needed, request))
        if job is None:
            raise HTTPException(404, "This training has ended.")
        if action == "open-test":
            return await _show_test(request, job)
    except SlopewiseError as error:
        return JSONResponse({"error": str(error)}, status_code=_status(error))
    return JSONResponse({"state": job.state, "place": job.place, "step": job.shown_step})


@route(router, "GET", "/playground/jobs/{id}/events", ANYONE, response_class=EventSourceResponse)
async def events(
    request: Request, job: Annotated[Job, Depends(job_of)], after: Annotated[int, Depends(last_event)]
) -> AsyncIterator[ServerSentEvent]:
    """Stream what is new of a training: each message holds what the one before did not."""
    async for step, message in request.app.state.jobs.stream(job, after):
        yield ServerSentEvent(data=message, id=str(max(step, 0)), retry=1000)


async def _show_test(request: Request, job: Job) -> Response:
    state = request.app.state
    own = OwnTable.from_json(job.more["own"]) if job.more else None
    design = check_design(job.values, own)
    answer = await state.previews.of(request, design)
    return JSONResponse(
        {"overlay": drawing.draw_surface(design, answer, with_test=True), "openings": job.openings}
    )


def owner_of(request: Request) -> str:
    """Return who a visitor is: the account, or the browser that holds the cookie of our forms."""
    visitor = visitor_of(request)
    if visitor.account_id is not None:
        return f"account {visitor.account_id}"
    return "browser " + hashlib.sha256(form_token(request).encode()).hexdigest()


async def _design(request: Request, query: dict[str, str]) -> Design:
    """Return the design that a query names; own data must be the visitor's."""
    values = read_values(query)
    if values["data"] != OWN:
        return check_design(values)
    return check_design(values, await run_in_threadpool(_own, request, values))


def _own(request: Request, values: dict[str, Any]) -> OwnTable | None:
    """Return the table that the values name; raises a DataError if the visitor has no such table."""
    if values["own"] == "none":
        newest = names_of_data_sets(request)
        if not newest:
            return None
        values["own"] = str(newest[0][0])
    try:
        which = uuid.UUID(str(values["own"]))
    except ValueError:
        raise DataError("You have no such data set.") from None
    found = data_set_of(request, which)
    target = str(values["target"])
    return own_table(found.name, found.numbers, found.labels, found.target if target == "likely" else target)


async def _needed(request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worker needs beside the values of a training that began at another process."""
    if values["data"] != OWN:
        return {}
    own = await run_in_threadpool(_own, request, dict(values))
    return {"own": own.to_json()} if own is not None else {}


def _more(design: Design) -> dict[str, Any]:
    """Return what a worker needs beside the values."""
    return {"own": design.own.to_json()} if design.own is not None else {}


# ---- the page


async def _page(request: Request, query: dict[str, str], *, trains: bool) -> Response:
    state = request.app.state
    design, answer, problem, status, wanted = check_design(read_values({})), None, "", 200, 0
    try:
        design = await _design(request, query)
        wanted = _step(query.get("step", "0"))
        if trains:
            if wanted > MOST_AT_ONCE:
                raise ArgumentError(f"without script at most {MOST_AT_ONCE} updates are made at once")
            answer = await at_step(request, design, wanted)
            if answer["step"] < wanted:
                problem = (
                    f"These settings take long: {answer['step']} updates were made in the time there is."
                )
        else:
            answer = await state.previews.of(request, design)
    except SlopewiseError as error:
        problem, status = str(error), _status(error)
    return render(
        request,
        "playground.html",
        status=status,
        design=design,
        settings={setting.name: setting for setting in SETTINGS},
        layers_text=write_layers(design.layers),
        only=_only(),
        features=FEATURES,
        own_data=await run_in_threadpool(names_of_data_sets, request),
        layer_kinds=KINDS,
        most_updates=MOST_UPDATES,
        wanted=wanted,
        problem=problem,
        answer=answer and {**answer, "view": _without_test(answer["view"])},
        surface=drawing.draw_surface(design, answer) if answer else "",
        curves=_curves(design, answer) if answer else (),
        words=drawing.in_words(design, answer) if answer else "",
        formula=formula(design),
        code=program(design, wanted or 100),
        address=_address(design, 0),
        per_epoch=_updates_per_epoch(design, answer) if answer else 1,
    )


def _only() -> dict[str, str]:
    """Return the optimizers or schedules that have a setting, by its name."""
    made: dict[str, list[str]] = {}
    for name in ("rows", "noise", "standardise"):
        made[name] = list(GENERATED)
    for kind, (_, names) in (*OPTIMIZERS.items(), *SCHEDULES.items()):
        for name in names:
            made.setdefault(name, []).append(kind)
    return {name: " ".join(kinds) for name, kinds in made.items()}


def _curves(design: Design, answer: dict[str, Any]) -> tuple[str, str]:
    points = [point[:6] for point in answer["points"]]
    score = "R²" if design.metric == "r2" else "accuracy"
    return drawing.draw_curves(points, 0, "loss"), drawing.draw_curves(points, 1, score)


def _without_test(view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "scores": view["scores"][:6]}


def _updates_per_epoch(design: Design, answer: dict[str, Any]) -> int:
    return -(-len(answer["rows"]["train"]) // min(design.whole("batch"), len(answer["rows"]["train"])))


def _address(design: Design, step: int) -> str:
    query = write_address(design.values, step)
    return "/playground" + (f"?{urlencode(query, safe=',:')}" if query else "")


def _pairs(text: object) -> dict[str, str]:
    if not isinstance(text, str) or len(text) > LONGEST_QUERY:
        raise ArgumentError(f"query is a text of at most {LONGEST_QUERY} characters")
    return dict(parse_qsl(text, keep_blank_values=True))


def _step(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= MOST_UPDATES):
        raise ArgumentError(f"step is a whole number from 0 to {MOST_UPDATES}, not {text[:20]!r}")
    return int(text)


def _status(error: SlopewiseError) -> int:
    return 503 if isinstance(error, LabBusyError) else 500 if isinstance(error, LabFailedError) else 400
