"""Pages for what went wrong: one sentence, and the way out."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from slopewise.site.templating import render

_SENTENCES = {
    404: "There is no such page.",
    405: "This address does not answer that kind of request.",
}


def add_handlers(application: FastAPI) -> None:
    """Answer errors with a page, and requests for data with JSON."""
    application.add_exception_handler(HTTPException, _http_error)
    application.add_exception_handler(RequestValidationError, _invalid)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 401 and request.method == "GET" and not _wants_json(request):
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/log-in?{urlencode({'next': address})}", status_code=303)
    detail = str(error.detail)
    sentence = (
        detail if " " in detail and error.status_code != 404 else _SENTENCES.get(error.status_code, detail)
    )
    return _answer(request, error.status_code, sentence)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _answer(request, 400, f"{first['loc'][-1]}: {first['msg']}.")


def _answer(request: Request, status: int, sentence: str) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": sentence}, status_code=status)
    return render(request, "error.html", status=status, sentence=sentence)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
