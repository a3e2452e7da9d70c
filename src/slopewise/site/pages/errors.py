"""Pages for what went wrong: one sentence, and the way out."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError, TimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from slopewise.site.content.lesson import BrokenLessonError
from slopewise.site.security import headers_of
from slopewise.site.templating import render
from slopewise.site.visitors import NOBODY

log = logging.getLogger(__name__)

_SENTENCES = {
    404: "There is no such page.",
    405: "This address does not answer that kind of request.",
}
_TITLES = {
    403: "Not for you",
    404: "Not here",
    410: "Not here any more",
    413: "Too much at once",
    429: "Too many tries",
    500: "Our mistake",
    503: "Busy",
}


def add_handlers(application: FastAPI) -> None:
    """Answer errors with a page, and requests for data with JSON."""
    application.add_exception_handler(HTTPException, _http_error)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(OperationalError, _busy)
    application.add_exception_handler(TimeoutError, _busy)
    application.add_exception_handler(ClientDisconnect, _left)
    application.add_exception_handler(Exception, _mistake)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if (
        error.status_code == 401
        and not error.headers
        and request.method == "GET"
        and not _wants_json(request)
    ):
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/log-in?{urlencode({'next': address})}", status_code=303)
    detail = str(error.detail)
    is_ours = detail != HTTPStatus(error.status_code).phrase  # else nobody said more than the status does
    sentence = detail if is_ours else _SENTENCES.get(error.status_code, detail)
    answer = _answer(request, error.status_code, sentence, getattr(error, "way_out", None))
    answer.headers.update(error.headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _answer(request, 400, f"{first['loc'][-1]}: {first['msg']}.")


def _busy(request: Request, error: Exception) -> Response:
    """Answer while the database does not: others write for too long, or it cannot be reached."""
    log.error(
        "%s %s: the database did not answer: %s", request.method, _pattern(request), type(error).__name__
    )
    if not hasattr(request.state, "visitor"):
        request.state.visitor = NOBODY  # the page would ask the database again who this is
    answer = _answer(request, 503, "The site is busy at the moment. Wait a few seconds, then try again.")
    answer.headers["Retry-After"] = "5"
    return answer


def _left(request: Request, error: Exception) -> Response:
    """Somebody went away in the middle of what they sent: nobody reads this."""
    return PlainTextResponse("Not all was sent.", status_code=400)


def _mistake(request: Request, error: Exception) -> Response:
    """Answer a mistake of ours. Starlette raises it again afterwards: the log gets its traceback."""
    if isinstance(error, BrokenLessonError):
        log.error("%s", error)
        sentence = f"The lesson {error.slug!r} cannot be shown at the moment. All others can."
    else:
        log.error("%s %s ran into a mistake of ours", request.method, _pattern(request))
        sentence = "This page ran into a mistake of ours, which is noted in the server's log."
    answer = _answer(request, 500, sentence)
    # This handler runs outside of the middleware that adds these.
    answer.headers.update(headers_of(request.app.state.configuration))
    return answer


def _pattern(request: Request) -> str:
    """Return the path of the route, without what a visitor put into it: addresses hold secrets of links."""
    return str(getattr(request.scope.get("route"), "path", "an address without a route"))


def _answer(request: Request, status: int, sentence: str, way_out: tuple[str, str] | None = None) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": sentence}, status_code=status)
    try:
        title = _TITLES.get(status, "This did not work")
        return render(request, "error.html", status=status, title=title, sentence=sentence, way_out=way_out)
    except Exception:  # the database may be what failed, and a page asks it who the visitor is
        log.exception("the page of an error could not be made")
        return PlainTextResponse(f"{sentence} Go to / for the course.", status_code=status)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
