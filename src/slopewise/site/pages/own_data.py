"""What belongs to somebody: taking all of it along, and having all of it deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import IO
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import confirmed_hash
from slopewise.site.accounts.export import ExportBusyError, export, review_rows, write_csv, write_json
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
PIECE = 2**18  # bytes that are sent at a time


@route(router, "GET", "/account/export.json", SIGNED_IN)
def export_as_json(request: Request) -> Response:
    """Return all that is kept of the visitor."""
    state, visitor, library = request.app.state, visitor_of(request), library_of(request)

    def write(file: IO[bytes], learner_id: UUID) -> None:
        value = export(state.database, account_id(request), library, visitor, state.clock())
        value["data_sets"] = data_sets_as_export(state.database, learner_id, state.workshop.shelf)
        write_json(file, value)

    return _file(request, write, "application/json", "slopewise.json")


@route(router, "GET", "/account/reviews.csv", SIGNED_IN)
def export_as_csv(request: Request) -> Response:
    """Return the visitor's reviews as a table."""
    database, visitor, library = request.app.state.database, visitor_of(request), library_of(request)

    def write(file: IO[bytes], learner_id: UUID) -> None:
        write_csv(file, review_rows(database, learner_id, library, visitor))

    return _file(request, write, "text/csv; charset=utf-8", "slopewise-reviews.csv")


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
    state, learner_id = request.app.state, visitor_of(request).learner
    confirmed_hash(state.database, state.passwords, account_id(request), field(request, "password"))
    erase(state.database, learner_id, state.clock())


def _file(request: Request, write: Callable[[IO[bytes], UUID], None], kind: str, name: str) -> Response:
    """Return what `write` puts into a file, which lies on the disk until it is sent."""
    limit(request, "export", str(account_id(request)))
    state, learner_id = request.app.state, visitor_of(request).learner
    file = state.workshop.shelf.scratch()
    try:
        state.exports.begin(account_id(request), file)
        write(file, learner_id)
        size = file.tell()
        file.seek(0)
    except ExportBusyError as error:
        file.close()
        raise HTTPException(503, str(error)) from None
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "Content-Length": str(size),
    }
    return StreamingResponse(_pieces(file), media_type=kind, headers=headers)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await to_thread.run_sync(file.read, PIECE):
            yield piece
    finally:
        file.close()
