"""What `slopewise cards` asks for: the cards of the day and the log, opened by a token."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.accounts.own_cards import cards_of
from slopewise.site.accounts.tokens import revoke_token
from slopewise.site.content import markup
from slopewise.site.content.library import ShownCard
from slopewise.site.pages.answers import limit
from slopewise.site.pages.review import (
    add_to_log,
    private_json,
    queue_for,
    sent_entries,
    shown_card,
    undoable,
)
from slopewise.site.policies import TOKEN, route
from slopewise.site.visitors import visitor_of

router = APIRouter()
FORMAT = 1  # of the answers; a client that knows an older one says so
MOST_CARDS = 200  # sent at once: a day's work, also while the network is away


@route(router, "GET", "/api/terminal/queue", TOKEN)
def queue(request: Request) -> Response:
    """Return the cards of the day with both sides as HTML, and what else the day holds."""
    visitor, now = visitor_of(request), request.app.state.clock()
    learner = visitor.learner
    limit(request, "queue of an account", str(visitor.account_id))
    with request.app.state.database.reading() as session:
        found = queue_for(request, session, visitor, "")
        own = cards_of(session, learner, found.cards[:MOST_CARDS])
        last = undoable(session, visitor, now)
    return private_json(
        {
            "format": FORMAT,
            "learner": str(learner),
            "name": visitor.name,
            "cards": [_card(shown_card(request, card, own)) for card in found.cards[:MOST_CARDS]],
            "due": found.due,
            "new": found.new,
            "later": found.later,
            "resting": found.resting,
            "next_at": found.next_at.isoformat() if found.next_at else None,
            "last": str(last.id) if last else None,
            "now": now.isoformat(),
        }
    )


@route(router, "POST", "/api/terminal/log", TOKEN)
def write_log(request: Request) -> Response:
    """Add entries to the log, as `/api/log` does for browsers; what was sent before counts as stored."""
    entries, sent_at = sent_entries(request.state.fields)
    return private_json(add_to_log(request, entries, sent_at))


@route(router, "POST", "/api/terminal/log-out", TOKEN)
def log_out(request: Request) -> Response:
    """Revoke the token that asks for it."""
    account, token = visitor_of(request).account_id, request.state.token_id
    assert account is not None
    with request.app.state.database.writing() as session:
        revoke_token(session, account, token, request.app.state.clock())
    return private_json({"revoked": True})


def _card(card: ShownCard) -> dict[str, Any]:
    return {
        "card": str(card.uuid),
        "deck": card.deck.title,
        "skill": markup.inline(card.skill) if card.skill else "",
        "tags": [*(["Pro"] if card.deck.is_pro else []), *card.tags],
        "front": _html(card, card.front),
        "back": _html(card, card.back),
        "source": card.source,
    }


def _html(card: ShownCard, side: str) -> str:
    """Return a side of a card as the pages show it."""
    if card.is_plain:
        return f'<p class="plain">{escape(side)}</p>'
    return side if card.is_html else markup.block(side)
