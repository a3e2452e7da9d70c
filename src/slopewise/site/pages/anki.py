"""Packages of Anki: bringing cards along, and taking decks away; and the media that imported cards show."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.arriving_cards import Arrivals, keep, media_in
from slopewise.site.accounts.imported_cards import decks_of, delete_cards, medium_of
from slopewise.site.accounts.own_cards import cards_of
from slopewise.site.anki.exporting import NoteToWrite, html_of_markdown, html_of_plain, package
from slopewise.site.anki.importing import Contents
from slopewise.site.content.library import ShownCard
from slopewise.site.forms import field
from slopewise.site.labs.places import LabBusyError
from slopewise.site.labs.pool import LabFailedError
from slopewise.site.loaded_content import library_of
from slopewise.site.pages.answers import asker_of, go_to, limit, limit_in_thread, visitors_network
from slopewise.site.pages.refusals import headers_of, status_of
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.storage.anki_tables import CardMedium
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()

SHOWN = 100  # cards of a deck on the page; all of them come up among the cards of the day
_MEDIUM_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Accept-Ranges": "bytes",  # some browsers play no sound that they cannot ask for in parts
}


@route(router, "GET", "/cards/imported", SIGNED_IN)
def imported(
    request: Request,
    added: int = -1,
    updated: int = 0,
    known: int = 0,
    empty: int = 0,
    lost: int = 0,
    videos: int = 0,
) -> Response:
    """Show the decks that came from Anki, and the form for another package."""
    done = _in_words(added, updated, known, empty, lost, videos) if added >= 0 else ""
    return _page(request, done=done)


@route(router, "POST", "/cards/imported", SIGNED_IN, takes_file=True)
async def bring_package(request: Request) -> Response:
    """Take in a package."""
    await limit_in_thread(request, "package of an account", str(visitor_of(request).account_id))
    upload = request.state.upload
    if upload is None:
        return await run_in_threadpool(
            _page, request, "Choose a file that Anki exported: its name ends in .apkg."
        )
    try:
        content = await upload.read()
        await upload.close()
        found = await request.app.state.importer.read(content, asker_of(request))
        arrived = await run_in_threadpool(_keep, request, found)
    except (ArgumentError, LabBusyError, LabFailedError) as error:
        answer = await run_in_threadpool(_page, request, _sentence(str(error)), "", status_of(error))
        answer.headers.update(headers_of(error))
        return answer
    counts = {**vars(arrived), "empty": found.empty + found.long, "lost": found.lost, "videos": found.videos}
    return go_to("/cards/imported?" + "&".join(f"{name}={count}" for name, count in counts.items()))


@route(router, "POST", "/cards/imported/delete", SIGNED_IN)
def delete_imported(request: Request) -> Response:
    """Delete a card that came from Anki, or a deck of them."""
    card, deck = field(request, "card", 40), field(request, "deck", 200)
    database, learner_id = request.app.state.database, visitor_of(request).learner
    try:
        delete_cards(database, learner_id, card=uuid.UUID(card) if card else None, deck=deck)
    except (DataError, ValueError) as error:
        raise HTTPException(404) from error
    return go_to("/cards/imported")


@route(router, "GET", "/cards/media/{medium_id}", SIGNED_IN)
def medium(request: Request, medium_id: uuid.UUID) -> Response:
    """Return an image or a sound of the visitor's own: its type is what its bytes say, never a page."""
    with request.app.state.database.reading() as session:
        found = medium_of(session, visitor_of(request).learner, medium_id)
    if found is None:
        raise HTTPException(404)
    part = _part(request.headers.get("range", ""), found.size)
    if part is None:
        return Response(found.content, media_type=found.kind, headers=_MEDIUM_HEADERS)
    start, end = part
    headers = {**_MEDIUM_HEADERS, "Content-Range": f"bytes {start}-{end - 1}/{found.size}"}
    return Response(found.content[start:end], 206, headers, found.kind)


@route(router, "GET", "/cards/own.apkg", SIGNED_IN)
def own_package(request: Request) -> Response:
    """Return one's own cards, and those that came from Anki, as a package; on every tier."""
    limit(request, "export", str(visitor_of(request).account_id))
    with request.app.state.database.reading() as session:
        cards = list(cards_of(session, visitor_of(request).learner).values())
        shown = {
            name
            for card in cards
            if card.is_html
            for side in (card.front, card.back)
            for name in media_in(side)
        }
        found = [medium_of(session, visitor_of(request).learner, name) for name in sorted(shown)]
    media = {str(row.id): (row.kind, row.content) for row in found if isinstance(row, CardMedium)}
    return _file(request, "Slopewise: own cards", cards, media, "slopewise-own-cards")


@route(router, "GET", "/cards/{slug}.apkg", ANYONE)
def deck_package(request: Request, slug: str) -> Response:
    """Return a free deck as a package."""
    library = library_of(request)
    label = library.label(slug)
    if label is None:
        raise HTTPException(404)
    if label.is_pro:
        raise HTTPException(403, "Pro decks stay on this site: they are not given out as packages.")
    limit(request, "package from a network", visitors_network(request))
    cards = [card for card in library.cards(slug, visitor_of(request)) if isinstance(card, ShownCard)]
    return _file(request, f"Slopewise: {label.title}", cards, {}, f"slopewise-{slug}")


def _file(
    request: Request,
    name: str,
    cards: Sequence[ShownCard],
    media: Mapping[str, tuple[str, bytes]],
    file_name: str,
) -> Response:
    notes = [NoteToWrite(card.uuid, *_sides(card), card.tags) for card in cards]
    content = package(name, notes, media, request.app.state.clock())
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name}.apkg"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def _sides(card: ShownCard) -> tuple[str, str]:
    if card.is_html:
        return card.front, card.back
    html = html_of_plain if card.is_plain else html_of_markdown
    return html(card.front), html(card.back)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """Return where a part that a browser asks for begins and ends; None if it is to get the whole.

    Examples
    --------
    >>> _part("bytes=0-1", 10), _part("bytes=7-", 10), _part("bytes=20-", 10), _part("", 10)
    ((0, 2), (7, 10), None, None)
    """
    found = re.fullmatch(r"bytes=([0-9]{1,12})-([0-9]{0,12})", asked)
    if found is None or int(found[1]) >= size:
        return None
    start, end = int(found[1]), min(int(found[2] or size) + 1, size)
    return (start, end) if start < end else None


def _keep(request: Request, found: Contents) -> Arrivals:
    course_cards = frozenset(library_of(request).ids)
    learner, now = visitor_of(request).learner, request.app.state.clock()
    return keep(request.app.state.database, learner, found.cards, found.media, now, course_cards)


def _page(request: Request, problem: str = "", done: str = "", status: int = 400) -> Response:
    with request.app.state.database.reading() as session:
        decks = decks_of(session, visitor_of(request).learner)
    return render(
        request,
        "imported_cards.html",
        status=status if problem else 200,
        problem=problem,
        done=done,
        decks=decks,
        most_shown=SHOWN,
    )


def _in_words(added: int, updated: int, known: int, empty: int, lost: int, videos: int) -> str:
    parts = [
        f"{added} added",
        f"{updated} updated" if updated else "",
        f"{known} known already" if known else "",
    ]
    text = f"Cards: {', '.join(part for part in parts if part)}."
    if empty:
        text += f" Left out: {empty} without a front, too long, or with masks over a picture."
    if lost:
        text += f" Media left out: {lost} that are missing, too large, or neither raster images nor sound"
        text += f" (videos: {videos})." if videos else "."
    return text


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
