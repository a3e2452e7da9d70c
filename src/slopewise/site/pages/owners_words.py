"""Privacy, terms and contact, as the owner wrote them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render

router = APIRouter()


@route(router, "GET", "/about/{page}", ANYONE)
def owners_words(request: Request, page: str) -> Response:
    """Show a page of the owner's."""
    found = request.app.state.owner_pages.get(page)
    if found is None:
        raise HTTPException(404)
    return render(request, "owners_words.html", page=found)
