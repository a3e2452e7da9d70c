"""For what watches the server."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from slopewise.site.policies import UNASKED, route

router = APIRouter()


@route(router, "GET", "/healthz", UNASKED)
def health(request: Request) -> JSONResponse:
    """Say whether the database answers and is up to date."""
    try:
        is_ready = request.app.state.database.is_ready()
    except SQLAlchemyError:
        is_ready = False
    return JSONResponse({"ready": is_ready}, status_code=200 if is_ready else 503)
