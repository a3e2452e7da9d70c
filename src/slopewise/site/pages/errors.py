"""Pages for what went wrong: one sentence, and the way out."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

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
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": sentence}, status_code=status)
    return render(request, "error.html", status=status, sentence=sentence)
