"""Membership: what it opens, and the form for a code."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import DataError
from slopewise.site.accounts.membership import had_membership, redeem
from slopewise.site.forms import field
from slopewise.site.loaded_content import library_of
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import go_to, limit, visitors_network
from slopewise.site.pages.subscriptions import offer_of
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "GET", "/membership", ANYONE)
def membership(request: Request, paid: str = "") -> Response:
    """Say what members get, offer a subscription, and take a code.

    With `paid`, somebody came back from the payment service. Only its own word opens the decks.
    """
    return _page(request, came_back=bool(paid))


@route(router, "POST", "/membership", SIGNED_IN)
def redeem_code(request: Request) -> Response:
    """Turn a code into a membership."""
    limit(request, "code of an account", str(account_id(request)))
    limit(request, "code from a network", visitors_network(request))
    try:
        with request.app.state.database.writing() as session:
            redeem(session, account_id(request), field(request, "code", 100), request.app.state.clock())
    except DataError as error:
        return _page(request, str(error))
    return go_to("/account?done=redeemed")


def _page(request: Request, problem: str = "", *, came_back: bool = False) -> Response:
    decks = [label for label in library_of(request).labels if label.is_pro]
    account = visitor_of(request).account_id
    with request.app.state.database.reading() as session:
        was_member = account is not None and had_membership(session, account)
    return render(
        request,
        "membership.html",
        status=400 if problem else 200,
        problem=problem,
        decks=decks,
        was_member=was_member,
        offer=offer_of(request),
        came_back=came_back,
    )
