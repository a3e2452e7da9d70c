"""A teacher's class: its code, its members with what they share, what is assigned."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.accounts import change_name, time_zones
from slopewise.site.classes.assignments import assign, read_due, take_back, tasks_of
from slopewise.site.classes.members import remove, roster
from slopewise.site.classes.progress import state_of, table_of, tally
from slopewise.site.classes.teaching import (
    CODE_DAYS,
    change_class,
    class_of_teacher,
    close_code,
    end_class,
    make_class,
    new_code,
    open_code,
)
from slopewise.site.forms import field
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.pages.classes import classes_page
from slopewise.site.pages.due import in_words, targets
from slopewise.site.policies import SIGNED_IN, TEACHER, route
from slopewise.site.spreadsheets import csv_of
from slopewise.site.storage.class_tables import SchoolClass
from slopewise.site.storage.tables import Account
from slopewise.site.templating import render

router = APIRouter()

_DONE = {
    "made": "The class is made. Its members join with the code.",
    "settings": "Name and time zone are kept.",
    "code": "This is the new code; the one before is void.",
    "closed": "Nobody can join until you make a new code.",
    "assigned": "It is assigned.",
    "taken": "It is no longer assigned.",
    "removed": "The member is removed, and the code is void. Make a new one when somebody is to join.",
}


@route(router, "POST", "/classes", TEACHER)
def make(request: Request) -> Response:
    """Make a class."""
    name, zone = field(request, "name"), field(request, "time_zone")
    limit(request, "new class", str(account_id(request)))
    try:
        with request.app.state.database.writing() as session:
            if "display_name" in request.state.fields:
                change_name(session.get_one(Account, account_id(request)), field(request, "display_name"))
            found = make_class(session, account_id(request), name, zone, request.app.state.clock())
    except ArgumentError as error:
        return classes_page(request, problem=str(error), name=name[:100])
    return go_to(f"/classes/{found.id}?done=made")


@route(router, "GET", "/classes/{class_id}", TEACHER)
def class_page(request: Request, class_id: uuid.UUID, done: str = "") -> Response:
    """Show a class to its teacher."""
    return _page(request, class_id, done=_DONE.get(done, ""))


@route(router, "GET", "/classes/{class_id}/progress.csv", TEACHER)
def progress_as_csv(request: Request, class_id: uuid.UUID) -> Response:
    """Return the progress that members share as a table."""
    now, choices = request.app.state.clock(), targets(request)
    with request.app.state.database.reading() as session:
        found = _own(request, session, class_id)
        pupils = roster(session, found.id)
        tasks = tasks_of(session, [found.id], choices)
        counts = tally(session, [pupil.learner_id for pupil in pupils if pupil.learner_id], tasks)
    text = csv_of(*table_of(pupils, tasks, counts, now))
    headers = {
        "Content-Disposition": 'attachment; filename="class-progress.csv"',
        "Cache-Control": "no-store",
    }
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@route(router, "POST", "/classes/{class_id}/settings", TEACHER)
def save_settings(request: Request, class_id: uuid.UUID) -> Response:
    """Keep name and time zone."""
    name, zone = field(request, "name"), field(request, "time_zone")
    return _change(request, class_id, "settings", lambda session, found: change_class(found, name, zone))


@route(router, "POST", "/classes/{class_id}/code", TEACHER)
def change_code(request: Request, class_id: uuid.UUID) -> Response:
    """Make a new code, or let nobody join any more."""
    now = request.app.state.clock()
    if field(request, "action") == "close":
        return _change(request, class_id, "closed", lambda session, found: close_code(session, found, now))
    limit(request, "new class code", str(account_id(request)))
    days = field(request, "days", 10)

    def renew(session: Session, found: SchoolClass) -> None:
        new_code(session, found, int(days) if days.isascii() and days.isdigit() else 0, now)

    return _change(request, class_id, "code", renew)


@route(router, "POST", "/classes/{class_id}/assignments", TEACHER)
def add_assignment(request: Request, class_id: uuid.UUID) -> Response:
    """Assign a lesson or a deck, or give another time to one that is assigned."""
    key, typed, now = field(request, "target"), field(request, "due"), request.app.state.clock()
    choices = targets(request)

    def add(session: Session, found: SchoolClass) -> None:
        target = next((one for one in choices if one.key == key), None)
        if target is None:
            raise ArgumentError("Choose a lesson or a deck from the list.")
        assign(session, found, target, read_due(typed), now)

    return _change(request, class_id, "assigned", add)


@route(router, "POST", "/classes/{class_id}/assignments/{assignment_id}", TEACHER)
def remove_assignment(request: Request, class_id: uuid.UUID, assignment_id: uuid.UUID) -> Response:
    """Take back an assignment."""
    return _change(
        request, class_id, "taken", lambda session, found: take_back(session, found, assignment_id)
    )


@route(router, "POST", "/classes/{class_id}/members/{member_id}", TEACHER)
def remove_member(request: Request, class_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Remove a member."""
    now = request.app.state.clock()
    return _change(
        request, class_id, "removed", lambda session, found: remove(session, found, member_id, now)
    )


@route(router, "POST", "/classes/{class_id}/end", SIGNED_IN)
def end(request: Request, class_id: uuid.UUID) -> Response:
    """End a class; a teacher whose membership lapsed may do that too."""
    with request.app.state.database.writing() as session:
        found = _own(request, session, class_id)
        if field(request, "sure") == "yes":
            end_class(session, found, request.app.state.clock())
            return go_to("/classes?done=ended")
        name = found.name
    return render(request, "class_end.html", class_id=class_id, name=name)


def _change(
    request: Request, class_id: uuid.UUID, done: str, work: Callable[[Session, SchoolClass], Any]
) -> Response:
    """Change a class of the visitor's in one transaction, and show it again."""
    try:
        with request.app.state.database.writing() as session:
            found = _own(request, session, class_id)
            try:
                work(session, found)
            except DataError as error:
                raise HTTPException(404) from error
    except ArgumentError as error:
        return _page(request, class_id, problem=str(error))
    return go_to(f"/classes/{class_id}?done={done}")


def _own(request: Request, session: Session, class_id: uuid.UUID) -> SchoolClass:
    try:
        return class_of_teacher(session, account_id(request), class_id)
    except DataError as error:
        raise HTTPException(404) from error


def _page(request: Request, class_id: uuid.UUID, *, problem: str = "", done: str = "") -> Response:
    state = request.app.state
    now, choices = state.clock(), targets(request)
    with state.database.reading() as session:
        found = _own(request, session, class_id)
        pupils = roster(session, found.id)
        tasks = tasks_of(session, [found.id], choices)
        counts = tally(session, [pupil.learner_id for pupil in pupils if pupil.learner_id], tasks)
    here = now.astimezone(ZoneInfo(found.time_zone)).replace(tzinfo=None)
    expires = found.code_expires_at
    return render(
        request,
        "class.html",
        status=400 if problem else 200,
        problem=problem,
        done=done,
        found=found,
        code=open_code(found, now),
        code_until=in_words(expires.astimezone(ZoneInfo(found.time_zone))) if expires else "",
        days=CODE_DAYS,
        pupils=pupils,
        tasks=tasks,
        counts=counts,
        state_of=lambda done, task: state_of(done, task, now),
        in_words=in_words,
        targets=choices,
        next_week=f"{here + timedelta(days=7):%Y-%m-%dT}23:59",
        address=state.configuration.address,
        zones=sorted(zone for zone in time_zones() if "/" in zone or zone == "UTC"),
    )
