"""What belongs to somebody: taking all of it along, and having all of it deleted."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import confirmed_hash
from slopewise.site.accounts.export import export, review_rows, reviews_as_csv
from slopewise.site.datasets.taking_along import data_sets_as_export
from slopewise.site.forms import field
from slopewise.site.loaded_content import library_of
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import go_to, limit, limit_in_thread, slowly
from slopewise.site.pages.subscriptions import offer_of
from slopewise.site.policies import SIGNED_IN, route
from slopewise.site.storage.erasure import erase
from slopewise.site.templating import render
from slopewise.site.visitors import drop_cookie, visitor_of

router = APIRouter()


@route(router, "GET", "/account/export.json", SIGNED_IN)
def export_as_json(request: Request) -> Response:
    """Return all that is kept of the visitor."""
    limit(request, "export", str(account_id(request)))
    state, visitor, library = request.app.state, visitor_of(request), library_of(request)
    assert visitor.learner_id is not None
    with state.database.reading() as session:
        value = export(session, account_id(request), library, visitor, state.clock())
        value["data_sets"] = data_sets_as_export(session, visitor.learner_id, state.workshop.shelf)
    text = json.dumps(value, default=_text, ensure_ascii=False, indent=1)
    return _file(text, "application/json", "slopewise.json")


@route(router, "GET", "/account/reviews.csv", SIGNED_IN)
def export_as_csv(request: Request) -> Response:
    """Return the visitor's reviews as a table."""
    limit(request, "export", str(account_id(request)))
    state, visitor, library = request.app.state, visitor_of(request), library_of(request)
    assert visitor.learner_id is not None
    with state.database.reading() as session:
        rows = review_rows(session, visitor.learner_id, library, visitor)
    return _file(reviews_as_csv(rows), "text/csv; charset=utf-8", "slopewise-reviews.csv")


@route(router, "GET", "/account/delete", SIGNED_IN)
def ask_to_delete(request: Request) -> Response:
    """Say what deletion means, and ask for the password."""
    return render(request, "delete_account.html", problem="", offer=offer_of(request))


@route(router, "POST", "/account/delete", SIGNED_IN)
async def delete(request: Request) -> Response:
    """Delete the account and all that belongs to it."""
    await limit_in_thread(request, "password again", str(account_id(request)))
    try:
        await slowly(request, _delete, request)
    except ArgumentError as error:
        offer = await to_thread.run_sync(offer_of, request)
        return render(request, "delete_account.html", status=400, problem=str(error), offer=offer)
    if request.app.state.desk is not None:
        request.app.state.desk.wake()
    answer = go_to("/")
    drop_cookie(request, answer, "session")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _delete(request: Request) -> None:
    state, learner_id = request.app.state, visitor_of(request).learner_id
    confirmed_hash(state.database, state.passwords, account_id(request), field(request, "password"))
    assert learner_id is not None
    erase(state.database, learner_id, state.clock())


def _file(text: str, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type=kind, headers=headers)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an export")
