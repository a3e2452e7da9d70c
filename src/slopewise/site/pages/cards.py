"""The decks of flash cards. What of them a visitor may see, the library decides."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.content.lesson import TAGS
from slopewise.site.content.library import ShownCard
from slopewise.site.loaded_content import library_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "GET", "/cards", ANYONE)
def decks(request: Request) -> Response:
    """List the decks: one a lesson, and those for members."""
    return render(request, "decks.html", labels=library_of(request).labels)


@route(router, "GET", "/cards/{slug}", ANYONE)
def deck(request: Request, slug: str, tag: str = "") -> Response:
    """Show the cards of a deck, or those with a tag; without script each opens by itself.

    Locked ones are shown as such.
    """
    library = library_of(request)
    label = library.label(slug)
    if label is None:
        raise HTTPException(404)
    cards = library.cards(slug, visitor_of(request))
    carried = {name for card in cards if isinstance(card, ShownCard) for name in card.tags}
    if tag in carried:
        cards = [card for card in cards if isinstance(card, ShownCard) and tag in card.tags]
    return render(
        request,
        "deck.html",
        deck=label,
        cards=cards,
        tags=[name for name in TAGS if name in carried],
        chosen=tag if tag in carried else "",
    )
