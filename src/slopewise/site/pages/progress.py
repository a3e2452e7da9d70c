"""The page of one's progress; without an account, computed from what the browser sends and kept nowhere."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import DataError
from slopewise.site.accounts.accounts import time_zones
from slopewise.site.accounts.own_cards import card_ids_of
from slopewise.site.accounts.progress import Item, merge, progress_of, read_items
from slopewise.site.drawing.forecast import draw_forecast
from slopewise.site.forms import field, finish_page, form_token
from slopewise.site.loaded_content import library_of
from slopewise.site.mastery.evidence import Record
from slopewise.site.mastery.overview import History, Overview, overview
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.entries import read_moment, read_uuid
from slopewise.site.scheduling.replay import LoggedReview
from slopewise.site.scheduling.states import rows_by_card
from slopewise.site.storage.tables import GRADES, Progress
from slopewise.site.templating import fragment, render
from slopewise.site.visitors import visitor_of

router = APIRouter()
MOST_REVIEWS = 3000  # of a browser; an account has no such limit


@route(router, "GET", "/progress", ANYONE)
def progress_page(request: Request) -> Response:
    """Show lessons done, skills, what is due, and how well cards were recalled."""
    found = overview_of(request)
    drawn = _drawn(found) if found is not None else {}
    return render(request, "progress.html", overview=found, **drawn)


@route(router, "POST", "/lessons/{slug}/done", SIGNED_IN)
def mark_lesson(request: Request, slug: str) -> Response:
    """Mark a lesson as done, or as not done."""
    if request.app.state.course.entry(slug) is None:
        raise HTTPException(404)
    visitor, now = visitor_of(request), request.app.state.clock()
    limit(request, "log of an account", str(visitor.account_id))
    with request.app.state.database.writing(of=visitor.learner) as session:
        merge(session, visitor.learner, [Item("done", slug, field(request, "done") == "1", now)], now)
    return go_to(f"/lessons/{slug}#practise")


@route(router, "GET", "/api/form-token", ANYONE)
def token(request: Request) -> Response:
    """Return the token for forms, and set the cookie that it follows from.

    Pages that most visitors only read then need no cookie. Another site can ask for this, but cannot read it.
    """
    answer = JSONResponse({"token": form_token(request)})
    finish_page(request, answer)
    return answer


@route(router, "POST", "/api/overview", ANYONE)
def overview_of_a_browser(request: Request) -> Response:
    """Return parts of the page for what a browser remembers without an account. Nothing is kept.

    The browser sends ``{"items": [...], "reviews": [...], "time_zone": ...}``.
    """
    fields = request.state.fields
    try:
        history = _history(fields)
        calendar = Calendar(_zone(fields.get("time_zone")))
    except DataError as error:
        raise HTTPException(400, f"{error}.") from error
    found = overview(request.app.state.guide, history, calendar, request.app.state.clock())
    visitor = visitor_of(request)
    parts = {
        "next": fragment(request, "next_step.html", next=found.next, due=0),
        "overview": fragment(request, "overview.html", overview=found, visitor=visitor, **_drawn(found)),
    }
    return JSONResponse(parts, headers={"Cache-Control": "no-store"})


def overview_of(request: Request) -> Overview | None:
    """Return how far a visitor is, or None for one without an account."""
    visitor, state = visitor_of(request), request.app.state
    if visitor.learner_id is None:
        return None
    readable = library_of(request).readable(visitor)  # asked for before a session is open: one at a time
    with state.database.reading() as session:
        rows = progress_of(session, visitor.learner_id)
        reviews, events = rows_by_card(session, visitor.learner_id)
        records = [Record(row.kind, row.item, row.value) for row in rows]
        moments = [row.changed_at for row in rows if row.kind != "last"]
        askable = {*card_ids_of(session, visitor.learner_id), *readable}
        session.expunge_all()
    calendar = Calendar(visitor.time_zone, visitor.rollover_hour)
    history = History(records, moments, reviews, events, askable)
    return overview(state.guide, history, calendar, state.clock())


def last_of(request: Request) -> dict[str, str] | None:
    """Return the address and the title of the lesson where a visitor was last; None without an account."""
    visitor = visitor_of(request)
    if visitor.learner_id is None:
        return None
    with request.app.state.database.reading() as session:
        row = session.get(Progress, (visitor.learner_id, "last", "last"))
        value = row.value if row is not None else None
    slug = value.get("slug") if isinstance(value, dict) else None
    entry = request.app.state.course.entry(slug) if isinstance(slug, str) else None
    if entry is None or entry.outline is None or not isinstance(value, dict):
        return None
    address, own = value.get("address"), f"/lessons/{entry.slug}"
    fits = isinstance(address, str) and len(address) < 2000 and address.startswith((f"{own}?", f"{own}#"))
    return {"title": entry.title, "address": str(address) if fits else own}


def _drawn(found: Overview) -> dict[str, Any]:
    total = sum(count for _, count in found.forecast)
    return {"chart": draw_forecast(found.forecast, f"{total} cards come back in the next two weeks")}


def _history(fields: Mapping[str, Any]) -> History:
    items = read_items({"items": fields.get("items", [])})
    rows = fields.get("reviews", [])
    if not isinstance(rows, list) or len(rows) > MOST_REVIEWS:
        raise DataError(f"reviews is a list of at most {MOST_REVIEWS} objects")
    reviews: dict[uuid.UUID, list[LoggedReview]] = defaultdict(list)
    for place, row in enumerate(rows):
        card_id, review = _review(row, f"reviews[{place}]")
        reviews[card_id].append(review)
    records = [Record(item.kind, item.item, item.value) for item in items]
    return History(records, [], reviews, {})


def _review(row: object, where: str) -> tuple[uuid.UUID, LoggedReview]:
    if not isinstance(row, dict) or row.get("grade") not in GRADES:
        raise DataError(f"{where} is an object with a grade")
    at: datetime = read_moment(row.get("at"), f"{where}.at")
    card_id, grade = read_uuid(row.get("card"), f"{where}.card"), 1 + GRADES.index(row["grade"])
    return card_id, LoggedReview(read_uuid(row.get("id"), f"{where}.id"), grade, at)


def _zone(value: object) -> str:
    return value if isinstance(value, str) and value in time_zones() else "UTC"
