"""The playground's page: a design at the settings of an address, and the script that repeats its training.

To look at an address asks no worker for anything: the rows are drawn here. What the untrained network says
is asked for by our script, with a POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.datasets.visitors_data import names_of_data_sets
from slopewise.site.forms import texts
from slopewise.site.pages.playground_designs import (
    Recent,
    address_of,
    design_of,
    fields_of,
    states_at,
    whole,
)
from slopewise.site.pages.playground_predictions import Verdict, question_of, verdict_on
from slopewise.site.pages.refusals import headers_of, refused_as_json, status_of
from slopewise.site.playground import drawing
from slopewise.site.playground.design import (
    BY_NAME,
    FEATURES,
    GENERATED,
    MOST_UPDATES,
    OPTIMIZERS,
    SCHEDULES,
    SETTINGS,
    Design,
    check_design,
    query_of,
    read_values,
)
from slopewise.site.playground.formula import formula
from slopewise.site.playground.layers import KINDS, write_layers
from slopewise.site.playground.predictions import FURTHEST, USUAL, Question
from slopewise.site.playground.program import program
from slopewise.site.playground.view import rows_and_frame
from slopewise.site.playground.words import before_training, legend, score_name
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import fragment, render

router = APIRouter()
MOST_AT_ONCE = 500  # updates of a page without script
# parts of the page that an address may leave out, beside single settings
PARTS = {
    "data-part": "Data",
    "inputs": "Inputs",
    "network-part": "Network",
    "training-part": "Training",
    "curves": "Curves",
    "scores": "Scores",
    "neurons": "The network's picture",
    "formula": "The formula",
    "code": "The code",
}


@dataclass(frozen=True)
class Picture:
    """A design as a page shows it.

    Attributes
    ----------
    rows : mapping
        From parts to places and targets.
    frame : sequence of float
        The ends of the picture.
    view : mapping or None
        What is seen of the network, if it has been computed.
    points : sequence
        Of the curves.
    """

    design: Design
    rows: Mapping[str, Any]
    frame: Any
    view: Mapping[str, Any] | None = None
    points: Any = ()

    @property
    def surface(self) -> str:
        """The rows, and what the network says, as SVG."""
        return drawing.draw_surface(self.design, self.rows, self.frame, self.view).svg()

    @property
    def curves(self) -> tuple[str, str]:
        """Loss and score over updates as SVG."""
        points = [point[:6] for point in self.points]
        name = score_name(self.design)
        return drawing.draw_curves(points, 0, "loss"), drawing.draw_curves(points, 1, name)

    @property
    def legend(self) -> list[str]:
        """What the colours mean; none for a curve over one input."""
        return legend(self.design, self.rows) if self.design.places > 1 or self.design.has_classes else []

    @property
    def words(self) -> str:
        """What there is to see, in words."""
        return self.view["words"] if self.view else before_training(self.design, self.rows)

    @property
    def updates_per_epoch(self) -> int:
        """How many batches the training rows make."""
        n = len(self.rows["train"])
        return -(-n // min(self.design.whole("batch"), n))


class Previews:
    """What is known of recent designs: their rows, and their networks before the first update."""

    def __init__(self) -> None:
        self.rows: Recent[tuple[Any, Any]] = Recent(100)
        self.views: Recent[dict[str, Any]] = Recent(200)

    async def picture(self, design: Design) -> Picture:
        """Return a design as it can be shown at once."""
        made = self.rows.find(design)
        if made is None:
            made = self.rows.keep(await run_in_threadpool(rows_and_frame, design), design)
        view = self.views.find(design)
        return Picture(design, *made, view, [view["scores"]] if view else ())

    async def untrained(self, request: Request, design: Design) -> dict[str, Any]:
        """Return what the network shows before its first update; raises what `Pool.ask` raises."""
        view = self.views.find(design)
        if view is None:
            [state] = await states_at(request, design, [0])
            view = self.views.keep(_without_test(state["view"]), design)
        return view


@route(router, "GET", "/playground", ANYONE)
async def page(request: Request) -> Response:
    """Show the playground at the settings of the address; nothing is computed but the rows."""
    return await _page(request, query_of(request.query_params), trains=False)


@route(router, "POST", "/playground", ANYONE)
async def train_without_script(request: Request) -> Response:
    """Train to the update that a form asks for, or a prediction is about, and show that state."""
    asked = {
        name: request.query_params[name] for name in ("ask", "step", "to") if name in request.query_params
    }
    return await _page(request, query_of(texts(request)) | asked, trains=True)


@route(router, "GET", "/playground/preview", ANYONE)
async def preview(request: Request) -> Response:
    """Return what the page shows of a design without its network."""
    try:
        design = await design_of(request, query_of(request.query_params))
        picture = await request.app.state.previews.picture(design)
    except SlopewiseError as error:
        return refused_as_json(error)
    return await run_in_threadpool(_preview, request, design, picture)


def _preview(request: Request, design: Design, picture: Picture) -> Response:
    """Draw and write what a preview holds: for a worker thread, as other visitors wait for the event loop."""
    plot = drawing.draw_surface(design, picture.rows, picture.frame)
    return JSONResponse(
        {
            "address": address_of(design),
            "words": before_training(design, picture.rows),
            "overlay": plot.svg(),
            "frame": plot.frame,
            "size": (plot.width, plot.height),
            "formula": fragment(request, "playground_formula.html", formula=formula(design)),
            "code": fragment(request, "playground_code.html", code=program(design, 100)),
            "metric": design.metric,
            "score": score_name(design),
            "legend": picture.legend,
            "inputs": list(design.features) if design.places > 2 else None,
            "own": {"target": design.own.target} if design.own is not None else None,
            "axes": drawing.axes(design),
            "parameters": design.n_parameters,
            "per_epoch": picture.updates_per_epoch,
            "rows": {part: len(rows) for part, rows in picture.rows.items()},
        }
    )


@route(router, "POST", "/playground/untrained", ANYONE)
async def untrained(request: Request) -> Response:
    """Return what is seen of the network at ``{"query": settings}`` before its first update."""
    try:
        design = await design_of(request, query_of(fields_of(request.state.fields.get("query", ""))))
        view = await request.app.state.previews.untrained(request, design)
    except SlopewiseError as error:
        return refused_as_json(error)
    return JSONResponse({"view": view})


@route(router, "GET", "/playground/program.py", ANYONE)
async def exported(request: Request) -> Response:
    """Return the script that repeats a training."""
    try:
        query = query_of(request.query_params)
        design, step = await design_of(request, query), whole(query.get("step", "100"))
    except SlopewiseError as error:
        raise HTTPException(400, str(error)) from None
    headers = {"Content-Disposition": 'attachment; filename="playground.py"'}
    return PlainTextResponse(program(design, step), headers=headers, media_type="text/x-python")


# ---- the page


async def _page(request: Request, query: dict[str, str], *, trains: bool) -> Response:
    previews: Previews = request.app.state.previews
    design, picture, problem, status, wanted = check_design(read_values({})), None, "", 200, 0
    headers: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    question: Question | None = None
    verdict: Verdict | None = None
    try:
        left_out = _left_out(query.get("hide", ""))
        design = await design_of(request, query)
        picture = await previews.picture(design)
        wanted = whole(query.get("step", "0"))
        question = question_of(design, query) if "ask" in query else None
        if trains and question is not None:
            verdict, states = await verdict_on(request, question, query.get("guess", ""))
            picture = _trained(picture, states[-1])
        elif trains:
            if wanted > MOST_AT_ONCE:
                raise ArgumentError(f"without script at most {MOST_AT_ONCE} updates are made at once")
            [state] = await states_at(request, design, [wanted])
            picture = _trained(picture, state)
            if state["step"] < wanted:
                problem = _cut_short(state)
    except SlopewiseError as error:
        problem, status, headers = str(error), status_of(error), headers_of(error)
    picture = picture or await previews.picture(design)
    draw = partial(_rendered, request, design, picture, wanted)
    answer = await run_in_threadpool(
        draw,
        status=status,
        left_out=left_out,
        problem=problem,
        asked=question,
        question=question or Question("train", 0, USUAL, design),
        verdict=verdict,
    )
    answer.headers.update(headers)
    return answer


def _rendered(request: Request, design: Design, picture: Picture, wanted: int, **found: Any) -> Response:
    """Draw and write the page: for a worker thread, as other visitors wait for the event loop."""
    return render(
        request,
        "playground.html",
        design=design,
        picture=picture,
        wanted=wanted,
        settings={setting.name: setting for setting in SETTINGS},
        layers_text=write_layers(design.layers),
        only=_only(),
        features=FEATURES,
        own_data=names_of_data_sets(request),
        layer_kinds=KINDS,
        most_updates=MOST_UPDATES,
        furthest_prediction=FURTHEST,
        parts=PARTS,
        axes=drawing.axes(design),
        formula=formula(design),
        code=program(design, (picture.view or {}).get("step") or wanted or 100),
        address=address_of(design),
        **found,
    )


def _trained(picture: Picture, state: Mapping[str, Any]) -> Picture:
    view = _without_test(state["view"])
    return Picture(picture.design, picture.rows, picture.frame, view, state["points"])


def _cut_short(state: Mapping[str, Any]) -> str:
    if state["diverged"]:
        return f"The loss is no longer a number at update {state['step']}; a smaller learning rate helps."
    return f"These settings take long: {state['step']} updates were made in the time there is."


def _left_out(text: str) -> tuple[str, ...]:
    """Return the parts of the page that an address leaves out, so that a class sees what it is about."""
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        if name not in PARTS and name not in BY_NAME:
            known = ", ".join([*PARTS, *BY_NAME])
            raise ArgumentError(f"what can be left out (hide) is {known}; not {name[:20]!r}")
    return names


def _only() -> dict[str, str]:
    """Return the optimizers or schedules that have a setting, by its name."""
    made: dict[str, list[str]] = {}
    for name in ("rows", "noise", "standardise"):
        made[name] = list(GENERATED)
    for kind, (_, names) in (*OPTIMIZERS.items(), *SCHEDULES.items()):
        for name in names:
            made.setdefault(name, []).append(kind)
    return {name: " ".join(kinds) for name, kinds in made.items()}


def _without_test(view: Mapping[str, Any]) -> dict[str, Any]:
    return {**view, "scores": view["scores"][:6]}
