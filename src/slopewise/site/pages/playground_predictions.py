"""Predictions in the playground: the question, and what the engine says of a guess.

The verdict comes from the states that a worker computes at the settings of the address, never from what a
browser tells; so does the card that a failed prediction becomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.pages.playground_designs import (
    address_of,
    design_of,
    fields_of,
    states_at,
    whole,
)
from slopewise.site.pages.refusals import refused_as_json
from slopewise.site.playground.design import Design, query_of, write_address
from slopewise.site.playground.predictions import USUAL, Question
from slopewise.site.policies import ANYONE, route

router = APIRouter()
SLUG = "playground"  # where lessons have theirs
TITLE = "Playground"


@dataclass(frozen=True)
class Verdict:
    """A guess beside what happened; `query` names settings, step and guess, as a card wants them."""

    prediction: Mapping[str, Any]
    guess: int
    query: str

    @property
    def is_right(self) -> bool:
        """Whether the guess was right."""
        return self.guess == int(self.prediction["answer"])

    def to_json(self) -> dict[str, Any]:
        """Return what the page's script needs."""
        choices = self.prediction["choices"]
        return {
            "right": self.is_right,
            "guess": choices[self.guess],
            "answer": choices[self.prediction["answer"]],
            "because": self.prediction["because"],
            "question": self.prediction["question"],
            "choices": len(choices),
            "query": self.query,
        }


@route(router, "GET", "/playground/question", ANYONE)
async def question(request: Request) -> Response:
    """Return what is asked at the settings of the address: by ``ask``, ``step`` and ``to``, or at first."""
    try:
        query = query_of(request.query_params)
        design = await design_of(request, query)
        asked = question_of(design, query) if "ask" in query else Question("train", 0, USUAL, design)
    except SlopewiseError as error:
        return refused_as_json(error)
    return JSONResponse({"question": asked.text, "choices": asked.choices})


@route(router, "POST", "/playground/verdicts", ANYONE)
async def verdict(request: Request) -> Response:
    """Return what became of ``{"query": settings with ask, step, to and guess}``."""
    try:
        query = query_of(fields_of(request.state.fields.get("query", "")))
        asked = question_of(await design_of(request, query), query)
        made, _ = await verdict_on(request, asked, query.get("guess", ""))
    except SlopewiseError as error:
        return refused_as_json(error)
    return JSONResponse(made.to_json())


def question_of(design: Design, query: Mapping[str, str]) -> Question:
    """Return the question that a query names.

    Raises
    ------
    ArgumentError
        If nothing of the kind is asked.
    """
    step, to = whole(query.get("step", "0")), whole(query.get("to", ""), "to")
    return Question(query.get("ask", ""), step, to, design)


async def verdict_on(request: Request, asked: Question, guess: str) -> tuple[Verdict, list[dict[str, Any]]]:
    """Compute what was asked about, and hold a guess against it; return the states along the way too.

    Raises
    ------
    ArgumentError
        If there is no such answer to choose, or the settings take too long.
    LabBusyError
        If no worker was free in time.
    """
    if not (guess.isascii() and guess.isdigit() and len(guess) == 1 and int(guess) < len(asked.choices)):
        raise ArgumentError("choose one of the answers first, or train without a prediction")
    states = await states_at(request, asked.design, asked.way)
    if any(state["step"] != step and not state["diverged"] for state, step in zip(states, asked.way)):
        raise ArgumentError("these settings take too long for a verdict")
    prediction = asked.answered([state["view"]["scores"] for state in states])
    query = urlencode({**write_address(asked.design.values), **asked.query, "guess": guess}, safe=",:")
    return Verdict(prediction, int(guess), query), states


async def failed_prediction(request: Request, query: Mapping[str, str]) -> tuple[str, Verdict]:
    """Return the address of the step at which a prediction failed, and the prediction with its guess.

    Raises
    ------
    SlopewiseError
        As `verdict_on` does.
    """
    query = query_of(query)
    asked = question_of(await design_of(request, query), query)
    made, _ = await verdict_on(request, asked, query.get("guess", ""))
    return address_of(asked.design, asked.query), made
