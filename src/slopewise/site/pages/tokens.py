"""Making and revoking tokens for `slopewise cards`, on the page of one's account."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.tokens import make_token, revoke_token
from slopewise.site.forms import field
from slopewise.site.pages.account import account_id, show_account
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.policies import SIGNED_IN, route

router = APIRouter()


@route(router, "POST", "/account/tokens", SIGNED_IN)
def add_token(request: Request) -> Response:
    """Make a token, and show it this once."""
    limit(request, "new token", str(account_id(request)))
    try:
        with request.app.state.database.writing() as session:
            token = make_token(
                session, account_id(request), field(request, "name"), request.app.state.clock()
            )
    except ArgumentError as error:
        return show_account(request, problem=str(error))
    return show_account(request, new_token=token)


@route(router, "POST", "/account/tokens/{token_id}/revoke", SIGNED_IN)
def end_token(request: Request, token_id: uuid.UUID) -> Response:
    """Revoke a token: whoever holds it is refused from now on."""
    try:
        with request.app.state.database.writing() as session:
            revoke_token(session, account_id(request), token_id, request.app.state.clock())
    except DataError as error:
        raise HTTPException(404) from error
    return go_to("/account?done=revoked#terminal")
