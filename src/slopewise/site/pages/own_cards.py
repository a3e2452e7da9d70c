"""The page of one's own cards."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.own_cards import (
    LABEL,
    LONGEST_BACK,
    LONGEST_FRONT,
    add_card,
    change_card,
    delete_card,
    written_cards,
)
from slopewise.site.forms import field
from slopewise.site.pages.answers import go_to
from slopewise.site.policies import SIGNED_IN, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "GET", "/cards/own", SIGNED_IN)
def own_cards(request: Request) -> Response:
    """Show one's own cards, and a form for another."""
    return _page(request)


@route(router, "POST", "/cards/own", SIGNED_IN)
def write_card(request: Request) -> Response:
    """Add a card."""
    front, back = field(request, "front", 5000), field(request, "back", 5000)
    learner = visitor_of(request).learner
    try:
        with request.app.state.database.writing(of=learner) as session:
            add_card(session, learner, front, back, request.app.state.clock())
    except ArgumentError as error:
        return _page(request, str(error), front, back)
    return go_to("/cards/own")


@route(router, "POST", "/cards/own/{card_id}", SIGNED_IN)
def change_or_delete_card(request: Request, card_id: uuid.UUID) -> Response:
    """Change a card's text, or delete the card."""
    learner = visitor_of(request).learner
    try:
        with request.app.state.database.writing(of=learner) as session:
            if field(request, "action") == "delete":
                delete_card(session, learner, card_id)
            else:
                front, back = field(request, "front", 5000), field(request, "back", 5000)
                change_card(session, learner, card_id, front, back, request.app.state.clock())
    except DataError as error:
        raise HTTPException(404) from error
    except ArgumentError as error:
        return _page(request, str(error))
    return go_to("/cards/own")


def _page(request: Request, problem: str = "", front: str = "", back: str = "") -> Response:
    with request.app.state.database.reading() as session:
        cards = written_cards(session, visitor_of(request).learner)
    return render(
        request,
        "own_cards.html",
        status=400 if problem else 200,
        deck=LABEL,
        cards=list(cards.values()),
        problem=problem,
        front=front,
        back=back,
        longest={"front": LONGEST_FRONT, "back": LONGEST_BACK},
    )
