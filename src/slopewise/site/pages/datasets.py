"""The pages of one's own data: making a data set, looking at what it holds, sharing it, deleting it."""

from __future__ import annotations

import math
import re
import uuid
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.data import GENERATED_KINDS
from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.datasets import records
from slopewise.site.datasets.arrivals import LONGEST_NAME, display_name, file_name, keep, pasted
from slopewise.site.datasets.pictures import balance, scatter
from slopewise.site.datasets.records import Owner, UnderWayError, check_quota, data_sets_of, find
from slopewise.site.datasets.visitors_data import GUEST_COOKIE, owner_of, visiting_guest
from slopewise.site.forms import LARGEST_BODY, LARGEST_UPLOAD, field
from slopewise.site.pages.answers import asker_of, go_to, limit, visitors_network
from slopewise.site.pages.refusals import headers_of, status_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.spreadsheets import csv_of
from slopewise.site.storage.dataset_tables import DataGuest, DataSet
from slopewise.site.templating import render
from slopewise.site.visitors import drop_cookie, set_cookie, visitor_of
from slopewise.train.defaults import OPTIMIZERS

router = APIRouter()

_DONE = {
    "kept": "They are in your account now.",
    "deleted": "It is deleted, with its reports.",
    "forgotten": "Your data is deleted.",
    "unshared": "The link is revoked: it shows nothing any more.",
    "named": "It has its new name.",
}


# ---- all of one's data sets, and making another


@route(router, "GET", "/data", ANYONE)
def all_data(request: Request, done: str = "") -> Response:
    """Show one's data sets, and the ways to make another."""
    return _list(request, done=_DONE.get(done, ""))


@route(router, "GET", "/data/draw", ANYONE)
def draw(request: Request) -> Response:
    """Show the sheet to draw on."""
    return render(request, "data_draw.html", problem="", longest=LONGEST_NAME)


@route(router, "POST", "/data", ANYONE)
async def make(request: Request) -> Response:
    """Make a data set of a table that was pasted or drawn, or generate one."""
    how = field(request, "how")
    try:
        if how == "generate":
            return await _generate(request)
        content, suffix = pasted(field(request, "text", LARGEST_BODY))
        name = display_name(field(request, "name"), "Drawn data" if how == "draw" else "Pasted data")
        return await _take_in(request, name, file_name(name, suffix), how, content)
    except SlopewiseError as error:
        return await to_thread.run_sync(partial(_refused, request, error, how))


@route(router, "POST", "/data/upload", ANYONE, takes_file=True)
async def upload(request: Request) -> Response:
    """Make a data set of a file."""
    try:
        sent = request.state.upload
        if sent is None:
            raise ArgumentError("Choose a file first: CSV, TSV, Parquet or Arrow.")
        stem, dot, suffix = sent.filename.rpartition(".")
        content = await sent.read(LARGEST_UPLOAD + 1)
        if len(content) > LARGEST_UPLOAD:
            raise HTTPException(413, f"A file may have up to {LARGEST_UPLOAD // 2**20} MiB.")
        name = display_name(field(request, "name") or _printable(stem or suffix), "Uploaded data")
        return await _take_in(request, name, file_name(stem or suffix, dot + suffix), "upload", content)
    except SlopewiseError as error:
        return await to_thread.run_sync(partial(_refused, request, error, "upload"))


@route(router, "POST", "/data/keep", ANYONE)
def keep_in_account(request: Request) -> Response:
    """Keep the data sets that were made before logging in."""
    owner, guest = owner_of(request), visiting_guest(request)
    if owner.learner_id is None:
        raise HTTPException(401, "Log in first.")
    if guest is not None:
        try:
            with request.app.state.database.writing() as session:
                records.keep_guests_data(session, session.merge(guest), owner)
        except ArgumentError as error:
            return _list(request, problem=str(error))
    answer = go_to("/data?done=kept")
    drop_cookie(request, answer, GUEST_COOKIE)
    return answer


@route(router, "POST", "/data/forget", ANYONE)
def forget(request: Request) -> Response:
    """Delete what was made without an account, now."""
    guest = visiting_guest(request)
    if guest is not None:
        state = request.app.state
        with state.database.writing() as session:
            mine = [row.id for row in data_sets_of(session, Owner(guest=guest.digest))]
            records.remove(session, mine)
            found = session.get(DataGuest, guest.digest)
            if found is not None:
                session.delete(found)
        for data_set_id in mine:
            state.workshop.shelf.remove(data_set_id)
    answer = go_to("/data?done=forgotten")
    drop_cookie(request, answer, GUEST_COOKIE)
    return answer


async def _generate(request: Request) -> Response:
    kind = field(request, "kind")
    if kind not in GENERATED_KINDS:
        raise ArgumentError(f"kind is one of {', '.join(GENERATED_KINDS)}.")
    rows, seed = whole(request, "rows", 10, 5000, 300), whole(request, "seed", 0, 10**9, 0)
    noise = number(request, "noise", 0.0, 100.0)
    await to_thread.run_sync(limit_arrivals, request)
    found = await request.app.state.workshop.generate(kind, rows, noise, seed, asker_of(request))
    name = display_name(field(request, "name"), kind.capitalize())
    return await _keep(request, name, file_name(name, ".csv"), "generate", found.pop("text").encode(), found)


async def _take_in(request: Request, name: str, file: str, made_by: str, content: bytes) -> Response:
    await to_thread.run_sync(limit_arrivals, request)
    await to_thread.run_sync(partial(_check_room, request, len(content)))
    found = await request.app.state.workshop.read(file, content, asker_of(request))
    return await _keep(request, name, file, made_by, content, found)


def _check_room(request: Request, size: int) -> None:
    owner = owner_of(request)
    with request.app.state.database.reading() as session:
        who = owner if owner != Owner() else Owner(guest=b"")
        check_quota(session, who, size, visitors_network(request))


async def _keep(
    request: Request, name: str, file: str, made_by: str, content: bytes, found: dict[str, Any]
) -> Response:
    def work() -> Response:
        state, now, secret = request.app.state, request.app.state.clock(), ""
        owner = owner_of(request)
        if owner == Owner():
            with state.database.writing() as session:
                secret, owner = records.add_guest(session, now, visitors_network(request))
        data_set_id = keep(
            state.database,
            state.workshop.shelf,
            owner,
            name=name,
            file=file,
            made_by=made_by,
            content=content,
            found=found,
            now=now,
        )
        answer = go_to(f"/data/{data_set_id}")
        if secret:
            set_cookie(request, answer, GUEST_COOKIE, secret, outlives_browser=False)
        return answer

    return await to_thread.run_sync(work)


# ---- one data set


@route(router, "GET", "/data/{data_id}", ANYONE)
def show(request: Request, data_id: uuid.UUID, target: str = "", done: str = "") -> Response:
    """Show what a data set holds, and train on it."""
    return show_data_set(request, data_id, target=target, done=_DONE.get(done, ""))


@route(router, "POST", "/data/{data_id}", ANYONE)
def change(request: Request, data_id: uuid.UUID) -> Response:
    """Rename, share or delete a data set."""
    action, state = field(request, "action"), request.app.state
    owner = owner_of(request)
    secret = ""
    try:
        with state.database.writing() as session:
            row = find(session, owner, data_id)
            if row is None:
                raise HTTPException(404)
            if action == "delete":
                records.remove(session, [data_id])
            elif action == "share":
                secret = records.share(row, state.clock())
            elif action == "unshare":
                records.unshare(row)
            elif action == "rename":
                row.name = display_name(field(request, "name"), row.name)
            else:
                raise ArgumentError("That cannot be done to a data set.")
    except ArgumentError as error:
        return show_data_set(request, data_id, problem=str(error), status=400)
    if action == "delete":
        state.workshop.shelf.remove(data_id)
        return go_to("/data?done=deleted")
    if secret:  # shown once: only its digest is kept
        return show_data_set(request, data_id, link=f"{state.configuration.address}/data/shared/{secret}")
    return go_to(f"/data/{data_id}?done={'named' if action == 'rename' else 'unshared'}")


@route(router, "GET", "/data/{data_id}/table.csv", ANYONE)
async def export(request: Request, data_id: uuid.UUID) -> Response:
    """Return the table as CSV for a spreadsheet, which must not take a text for a formula."""
    row = await to_thread.run_sync(find_data_set, request, data_id)
    return await _csv(request, row)


@route(router, "GET", "/data/shared/{secret}", ANYONE)
def show_shared(request: Request, secret: str, target: str = "") -> Response:
    """Show a data set to whoever has its link."""
    row = _shared(request, secret)
    if row is None:
        return render(
            request,
            "error.html",
            status=410,
            sentence="This link shows nothing: it was revoked, or the data set is gone.",
        )
    facts = request.app.state.workshop.shelf.facts(row.id)
    return render(request, "data_shared.html", row=row, secret=secret, **_view(request, row, facts, target))


@route(router, "GET", "/data/shared/{secret}/table.csv", ANYONE)
async def export_shared(request: Request, secret: str) -> Response:
    """Return the table of a link as CSV."""
    row = await to_thread.run_sync(_shared, request, secret)
    if row is None:
        raise HTTPException(410, "This link shows nothing any more.")
    return await _csv(request, row)


@route(router, "POST", "/data/shared/{secret}", ANYONE)
async def copy_shared(request: Request, secret: str) -> Response:
    """Make a data set of one's own of a shared one."""
    row = await to_thread.run_sync(_shared, request, secret)
    if row is None:
        raise HTTPException(410, "This link shows nothing any more.")
    shelf = request.app.state.workshop.shelf
    content = await to_thread.run_sync(lambda: shelf.table(row.id).read_bytes())
    try:
        return await _take_in(request, row.name, row.file_name, "copy", content)
    except SlopewiseError as error:
        return await to_thread.run_sync(partial(_refused, request, error, "copy"))


def find_data_set(request: Request, data_id: uuid.UUID) -> DataSet:
    """Return a data set of the visitor; that of another is as if it were not there.

    Raises
    ------
    HTTPException
        404.
    """
    with request.app.state.database.reading() as session:
        row = find(session, owner_of(request), data_id)
    if row is None or not request.app.state.workshop.shelf.holds(data_id):
        raise HTTPException(404)
    return row


def show_data_set(
    request: Request,
    data_id: uuid.UUID,
    *,
    target: str = "",
    problem: str = "",
    done: str = "",
    link: str = "",
    at_work: UnderWayError | None = None,
    status: int = 200,
) -> Response:
    """Return the page of a data set, with the way to a training that stands in the way of another."""
    row = find_data_set(request, data_id)
    facts = request.app.state.workshop.shelf.facts(data_id)
    with request.app.state.database.reading() as session:
        runs = records.runs_of(session, data_id)
    return render(
        request,
        "data_set.html",
        status=status,
        row=row,
        runs=runs,
        problem=problem,
        done=done,
        link=link,
        at_work=at_work,
        optimizers=list(OPTIMIZERS),
        longest=LONGEST_NAME,
        is_guest=row.guest is not None,
        **_view(request, row, facts, target),
    )


def _view(request: Request, row: DataSet, facts: dict[str, Any], target: str) -> dict[str, Any]:
    """Return what a page says of a table, with one column as the target."""
    targets = {found["name"]: found for found in facts["targets"]}
    chosen = targets.get(target) or targets.get(facts["guess"])
    picture, words = ("", "")
    if chosen and not chosen["problem"]:
        picture, words = scatter(request.app.state.workshop.shelf.points(row.id), chosen)
    return {
        "facts": facts,
        "targets": list(targets),
        "target": chosen,
        "can_learn": any(not found["problem"] for found in targets.values()),
        "picture": picture,
        "picture_words": words,
        "shares": balance(chosen) if chosen else "",
    }


def _shared(request: Request, secret: str) -> DataSet | None:
    with request.app.state.database.reading() as session:
        row = records.shared(session, secret[:100], request.app.state.clock())
    return row if row is not None and request.app.state.workshop.shelf.holds(row.id) else None


async def _csv(request: Request, row: DataSet) -> Response:
    await to_thread.run_sync(limit_visitor, request)
    try:
        table = await request.app.state.workshop.cells(row, asker_of(request))
    except SlopewiseError as error:
        raise HTTPException(status_of(error), str(error), headers_of(error)) from error
    text = await to_thread.run_sync(csv_of, table["names"], table["rows"])
    headers = {
        "Content-Disposition": f'attachment; filename="{row.file_name.rpartition(".")[0]}.csv"',
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


# ---- parts


def limit_visitor(request: Request) -> None:
    """Count a piece of work on data: for the visitor, and for the network."""
    limit(request, "data from a network", visitors_network(request))
    owner = owner_of(request)
    if owner != Owner():
        limit(request, "data of a visitor", owner.key)


def limit_arrivals(request: Request) -> None:
    """Count a data set that is to be made; without an account, many in one network count together."""
    limit_visitor(request)
    if not visitor_of(request).is_signed_in:
        limit(request, "guest's data set from a network", visitors_network(request))


def whole(request: Request, name: str, low: int, high: int, otherwise: int | None = None) -> Any:
    """Return a whole number of a form; an empty field is `otherwise`.

    Raises
    ------
    ArgumentError
        If it is none, or out of its limits.
    """
    text = field(request, name).strip()
    if not text:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,10}", text) or not low <= int(text) <= high:
        raise ArgumentError(f"{name} is a whole number from {low:,} to {high:,}, not {text[:40]!r}.")
    return int(text)


def number(request: Request, name: str, low: float, high: float) -> float | None:
    """Return a number of a form, or None if the field is empty.

    Raises
    ------
    ArgumentError
        If it is none, or out of its limits.
    """
    text = field(request, name).strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ArgumentError(f"{name} is a number from {low:g} to {high:g}, not {text[:40]!r}.")
    return value


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_NAME]


def _refused(request: Request, error: SlopewiseError, how: str) -> Response:
    status, problem = status_of(error), str(error)
    answer: Response
    if how == "draw":
        answer = render(request, "data_draw.html", status=status, problem=problem, longest=LONGEST_NAME)
    else:
        answer = _list(request, problem=problem, how=how, status=status)
    answer.headers.update(headers_of(error))
    return answer


def _list(
    request: Request, *, problem: str = "", done: str = "", how: str = "", status: int = 400
) -> Response:
    owner = owner_of(request)
    guest = visiting_guest(request) if visitor_of(request).is_signed_in else None
    with request.app.state.database.reading() as session:
        rows = data_sets_of(session, owner) if owner != Owner() else []
        earlier = data_sets_of(session, Owner(guest=guest.digest)) if guest is not None else []
    fields = getattr(request.state, "fields", {})
    quota = owner.quota if owner != Owner() else records.GUEST_QUOTA
    return render(
        request,
        "data.html",
        status=status if problem else 200,
        rows=rows,
        earlier=earlier,
        problem=problem,
        done=done,
        how=how,
        typed={name: str(fields.get(name, "")) for name in ("name", "text", "kind", "rows", "noise", "seed")},
        kinds=GENERATED_KINDS,
        quota=quota,
        used=sum(row.size for row in rows),
        is_guest=bool(rows) and owner.guest is not None,
        longest=LONGEST_NAME,
    )
