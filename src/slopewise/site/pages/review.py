"""The cards of the day, the log that devices write to, and progress."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import DataError
from slopewise.site.accounts.own_cards import LABEL, card_ids_of, cards_of, own_among
from slopewise.site.accounts.progress import merge, progress_of, read_items
from slopewise.site.content.library import ShownCard
from slopewise.site.forms import field
from slopewise.site.loaded_content import library_of
from slopewise.site.pages.answers import go_to, limit
from slopewise.site.policies import SIGNED_IN, route, too_often
from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.entries import read_entries
from slopewise.site.scheduling.log import DayFullError, Entry, Receipt, append, last_review
from slopewise.site.scheduling.queue import Queue, day_queue, resting
from slopewise.site.storage.tables import Review
from slopewise.site.templating import fragment, render
from slopewise.site.visitors import Visitor, visitor_of

router = APIRouter()
MOST_CARDS = 30  # sent at once; a device shows them also while the network is away
UNDO_FOR = timedelta(hours=1)


@route(router, "GET", "/review", SIGNED_IN)
def review_page(request: Request, deck: str = "") -> Response:
    """Show the first card of the day's queue, with forms that work without script.

    Of a deck that is locked to the visitor, the page that says so is shown instead.
    """
    label, visitor = _label(request, deck), visitor_of(request)
    if label is not None and label.is_pro and not visitor.reads_pro:
        return go_to(f"/cards/{label.slug}")
    with request.app.state.database.reading() as session:
        queue = queue_for(request, session, visitor, deck)
        own = cards_of(session, visitor.learner, queue.cards[:1])
        last = undoable(session, visitor, request.app.state.clock())
    card = shown_card(request, queue.cards[0], own) if queue.cards else None
    return render(
        request,
        "review.html",
        deck=label,
        card=card,
        queue=queue,
        left=_left(queue),
        next_in=_in_words(queue.next_at, request.app.state.clock()),
        last=last,
        rests=queue.resting,
        entry_id=uuid.uuid4(),
    )


@route(router, "POST", "/review", SIGNED_IN)
def review_by_form(request: Request) -> Response:
    """Take what a form of the page says: a grade, an undo, or that a card shall rest."""
    entries, _ = sent_entries({"entries": [_form_entry(request)]})
    receipt = add_to_log(request, entries, None)
    if receipt["refused"]:
        raise HTTPException(400, f"Nothing was kept: {receipt['refused'][0]['because']}.")
    if field(request, "kind") == "resume":
        return go_to("/review/resting")
    deck = field(request, "deck", 100)
    return go_to(f"/review?deck={deck}" if deck and _label(request, deck) else "/review")


@route(router, "GET", "/review/resting", SIGNED_IN)
def resting_cards(request: Request) -> Response:
    """List the cards that rest, and let each be woken."""
    visitor, library = visitor_of(request), library_of(request)
    with request.app.state.database.reading() as session:
        card_ids = resting(session, visitor.learner)
        own = cards_of(session, visitor.learner, card_ids)
    cards = [(card_id, own.get(card_id) or library.card(card_id, visitor)) for card_id in card_ids]
    return render(request, "resting.html", cards=[row for row in cards if row[1]], new_id=uuid.uuid4)


@route(router, "GET", "/api/queue", SIGNED_IN)
def queue_as_json(request: Request, deck: str = "") -> Response:
    """Return the next cards of the day's queue, ready to show."""
    _label(request, deck)
    visitor = visitor_of(request)
    with request.app.state.database.reading() as session:
        queue = queue_for(request, session, visitor, deck)
        own = cards_of(session, visitor.learner, queue.cards[:MOST_CARDS])
    cards = [shown_card(request, card_id, own) for card_id in queue.cards[:MOST_CARDS]]
    return private_json(
        {
            "cards": [
                {"card": str(card.uuid), "html": fragment(request, "review_card.html", card=card)}
                for card in cards
            ],
            "due": queue.due,
            "new": queue.new,
            "later": queue.later,
            "left": _left(queue),
            "next_in": _in_words(queue.next_at, request.app.state.clock()),
        }
    )


@route(router, "POST", "/api/log", SIGNED_IN)
def write_log(request: Request) -> Response:
    """Add entries to the log; the answer says of each whether it was stored or refused.

    An entry that was stored before counts as stored: a device that heard no answer sends again.
    """
    entries, sent_at = sent_entries(request.state.fields)
    return private_json(add_to_log(request, entries, sent_at))


@route(router, "GET", "/api/progress", SIGNED_IN)
def read_progress(request: Request) -> Response:
    """Return answers, drafts and the last lesson."""
    learner_id = visitor_of(request).learner
    with request.app.state.database.reading() as session:
        rows = progress_of(session, learner_id)
        items = [
            {"kind": row.kind, "item": row.item, "value": row.value, "at": row.changed_at.isoformat()}
            for row in rows
        ]
    return private_json({"items": items})


@route(router, "POST", "/api/progress", SIGNED_IN)
def write_progress(request: Request) -> Response:
    """Merge answers, drafts and the last lesson; the newest of each counts."""
    visitor = visitor_of(request)
    limit(request, "log of an account", str(visitor.account_id))
    try:
        items = read_items(request.state.fields)
        with request.app.state.database.writing(of=visitor.learner) as session:
            merge(session, visitor.learner, items, request.app.state.clock())
    except DataError as error:
        raise HTTPException(400, f"Nothing was kept: {error}.") from error
    return private_json({"kept": len(items)})


def queue_for(request: Request, session: Session, visitor: Visitor, deck: str) -> Queue:
    """Return the day's queue of a visitor, of one deck or of all that they may read."""
    readable = library_of(request).readable(visitor, deck)
    own = card_ids_of(session, visitor.learner) if deck in ("", LABEL.slug) else []
    return day_queue(
        session,
        visitor.learner,
        [*own, *readable],
        Calendar(visitor.time_zone, visitor.rollover_hour),
        visitor.new_per_day,
        request.app.state.clock(),
    )


def shown_card(request: Request, card_id: uuid.UUID, own: Mapping[uuid.UUID, ShownCard]) -> ShownCard:
    """Return a card of a queue as its reader sees it."""
    card = own.get(card_id) or library_of(request).card(card_id, visitor_of(request))
    assert isinstance(card, ShownCard), "a queue holds cards that its reader may see"
    return card


def undoable(session: Session, visitor: Visitor, now: datetime) -> Review | None:
    """Return the review that an undo would take back: the last one, if it came not long ago."""
    last = last_review(session, visitor.learner)
    return last if last is not None and now - last.received_at < UNDO_FOR else None


def add_to_log(request: Request, entries: list[Entry], sent_at: datetime | None) -> dict[str, Any]:
    """Add entries of a visitor to the log, and return what became of each."""
    visitor = visitor_of(request)
    limit(request, "log of an account", str(visitor.account_id))
    library = library_of(request)
    learner = visitor.learner

    def add(session: Session) -> Receipt:
        named = {entry.card_id for entry in entries if entry.card_id is not None}
        known = (named & library.ids) | own_among(session, learner, named)
        return append(session, learner, entries, request.app.state.clock(), sent_at, known)

    try:
        receipt = request.app.state.database.write(add, of=learner)
    except DayFullError as error:
        raise too_often(f"Nothing was kept: {error}.", error.seconds) from error
    return {
        "stored": [str(entry_id) for entry_id in receipt.stored],
        "refused": [
            {"id": str(entry_id), "because": because} for entry_id, because in receipt.refused.items()
        ],
    }


def _form_entry(request: Request) -> dict[str, Any]:
    kind = field(request, "kind", 20)
    target = (
        {"review": field(request, "review", 40)} if kind == "undo" else {"card": field(request, "card", 40)}
    )
    return {
        "id": field(request, "id", 40),
        "kind": kind,
        "at": request.app.state.clock().isoformat(),
        "grade": field(request, "grade", 20),
        **target,
    }


def sent_entries(fields: Any) -> tuple[list[Entry], datetime | None]:
    """Return the entries in what a device sent, and when it sent them.

    Raises
    ------
    HTTPException
        If it is anything else.
    """
    try:
        return read_entries(fields)
    except DataError as error:
        raise HTTPException(400, f"Nothing was kept: {error}.") from error


def _label(request: Request, deck: str) -> Any:
    library = library_of(request)  # asked for before a session is open: one connection at a time
    if not deck:
        return None
    label = LABEL if deck == LABEL.slug else library.label(deck)
    if label is None:
        raise HTTPException(404)
    return label


def _left(queue: Queue) -> str:
    parts = [f"{queue.due} to repeat" if queue.due else "", f"{queue.new} new" if queue.new else ""]
    return ", ".join(part for part in parts if part) or "none left"


def _in_words(moment: datetime | None, now: datetime) -> str:
    """Return how long it is until a moment: "in 8 minutes", "in 3 hours", "in 2 days"."""
    if moment is None:
        return ""
    minutes = max(1, round((moment - now).total_seconds() / 60))
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = round(minutes / size)
            return f"in {count} {name}{'s' if count > 1 else ''}"
    raise AssertionError("a minute is at least a minute")


def private_json(value: object) -> JSONResponse:
    """Return an answer that no cache keeps."""
    return JSONResponse(value, headers={"Cache-Control": "no-store"})
