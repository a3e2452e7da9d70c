"""The classes that a visitor belongs to: joining, what is due, what is shared, leaving."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.accounts import LONGEST_NAME, change_name, time_zones
from slopewise.site.classes.members import (
    Invitation,
    invitation,
    join,
    leave,
    name_tells_address,
    set_sharing,
)
from slopewise.site.classes.teaching import classes_taught, open_code
from slopewise.site.forms import field
from slopewise.site.loaded_content import library_of
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import go_to, limit, visitors_network
from slopewise.site.pages.due import duties
from slopewise.site.policies import SIGNED_IN, route
from slopewise.site.storage.tables import Account
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()

_DONE = {
    "joined": "You belong to the class now.",
    "shared": "You share your progress with the teacher of this class.",
    "unshared": "You share nothing any more: what the teacher could see of you is gone.",
    "left": "You left the class. Your progress stays yours.",
    "ended": "The class has ended.",
}


@route(router, "GET", "/classes", SIGNED_IN)
def own_classes(request: Request, done: str = "") -> Response:
    """Show what is due, the classes of a visitor, and those that a teacher holds."""
    return classes_page(request, done=_DONE.get(done, ""))


def classes_page(request: Request, *, problem: str = "", done: str = "", name: str = "") -> Response:
    """Return the page of all classes, with what went wrong or was done."""
    visitor, now = visitor_of(request), request.app.state.clock()
    library_of(request)  # asked for before a session is open: one connection at a time
    with request.app.state.database.reading() as session:
        rows, due = duties(request, session)
        taught = [
            (found.id, found.name, open_code(found, now))
            for found in classes_taught(session, account_id(request))
        ]
    return render(
        request,
        "classes.html",
        status=400 if problem else 200,
        problem=problem,
        done=done,
        memberships=rows,
        duties=due,
        taught=taught,
        name=name,
        zones=sorted(zone for zone in time_zones() if "/" in zone or zone == "UTC"),
        needs_name=name_tells_address(visitor.name, visitor.email),
    )


@route(router, "GET", "/classes/join", SIGNED_IN)
def ask_to_join(request: Request, code: str = "") -> Response:
    """Ask for a code; with one, say whose class it is and what sharing means, and ask for a choice."""
    code = code.strip()[:40]
    if not code:
        return _join_page(request)
    try:
        found = _look_up(request, code)
    except DataError as error:
        return _join_page(request, code, problem=str(error))
    return go_to("/classes?done=joined") if found.is_member else _join_page(request, code, found)


@route(router, "POST", "/classes/join", SIGNED_IN)
def join_class(request: Request) -> Response:
    """Join, with the name that the teacher will see, and a yes or no to sharing progress."""
    code, name, shares = (
        field(request, "code", 40),
        field(request, "display_name", 200),
        field(request, "share"),
    )
    found = None
    try:
        found = _look_up(request, code)
        if shares not in ("yes", "no"):
            raise ArgumentError("Say whether you share your progress with the teacher.")
        with request.app.state.database.writing() as session:
            change_name(session.get_one(Account, account_id(request)), name)
            join(session, account_id(request), code, shares == "yes", request.app.state.clock())
    except (ArgumentError, DataError) as error:
        return _join_page(request, code, found, str(error), name)
    return go_to("/classes?done=joined")


@route(router, "POST", "/classes/{class_id}/sharing", SIGNED_IN)
def change_sharing(request: Request, class_id: uuid.UUID) -> Response:
    """Share progress with the teacher of a class, or stop it at once."""
    shares = field(request, "share") == "yes"
    if shares:  # to stop is free at any time
        limit(request, "sharing of progress", str(account_id(request)))
    try:
        with request.app.state.database.writing() as session:
            set_sharing(session, account_id(request), class_id, shares, request.app.state.clock())
    except DataError as error:
        raise HTTPException(404) from error
    return go_to(f"/classes?done={'shared' if shares else 'unshared'}")


@route(router, "POST", "/classes/{class_id}/leave", SIGNED_IN)
def leave_class(request: Request, class_id: uuid.UUID) -> Response:
    """Leave a class."""
    try:
        with request.app.state.database.writing() as session:
            leave(session, account_id(request), class_id, request.app.state.clock())
    except DataError as error:
        raise HTTPException(404) from error
    return go_to("/classes?done=left")


def _look_up(request: Request, code: str) -> Invitation:
    limit(request, "class code of an account", str(account_id(request)))
    limit(request, "class code from a network", visitors_network(request))
    with request.app.state.database.reading() as session:
        return invitation(session, account_id(request), code, request.app.state.clock())


def _join_page(
    request: Request,
    code: str = "",
    found: Invitation | None = None,
    problem: str = "",
    name: str | None = None,
) -> Response:
    visitor = visitor_of(request)
    if name is None:
        name = "" if name_tells_address(visitor.name, visitor.email) else visitor.name
    return render(
        request,
        "class_join.html",
        status=400 if problem else 200,
        code=code,
        invitation=found,
        problem=problem,
        name=name,
        longest=LONGEST_NAME,
    )
