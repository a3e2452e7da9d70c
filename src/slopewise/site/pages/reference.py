"""The glossary, the concept map, and search over all content."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.drawing.concept_map import draw_concept_map
from slopewise.site.loaded_content import library_of
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()
LONGEST_QUERY = 100


@route(router, "GET", "/glossary", ANYONE)
def glossary(request: Request) -> Response:
    """Show all terms, each linked to its lesson."""
    return render(request, "glossary.html")


@route(router, "GET", "/map", ANYONE)
def concept_map(request: Request) -> Response:
    """Show how the ideas hang together, as a picture and as sentences."""
    course = request.app.state.course
    names = {concept.id: concept for concept in course.concepts}
    svg = draw_concept_map(course.concepts, course.relations)
    return render(request, "map.html", map=svg, concepts=names)


@route(router, "GET", "/search", ANYONE)
def search(request: Request, q: str = "") -> Response:
    """Show where the words of a query are found; of one that is too long, no part is searched for."""
    query = q.strip()
    if len(query) > LONGEST_QUERY:
        problem = f"A search has at most {LONGEST_QUERY} characters. Take fewer words."
        return render(request, "search.html", status=400, query="", hits=[], problem=problem)
    hits = library_of(request).search(query, visitor_of(request))
    return render(request, "search.html", query=query, hits=hits, problem="")
