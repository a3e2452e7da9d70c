"""What is answered where a worker did not do what it was asked for."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from slopewise.engine.errors import SlopewiseError
from slopewise.site.labs.places import LabBusyError
from slopewise.site.labs.pool import LabFailedError

COME_BACK = {"Retry-After": "5"}  # seconds until what there was no place for may find one


def status_of(error: SlopewiseError) -> int:
    """Return the status: what may work later is 503, a mistake of ours 500, what the visitor can mend 400."""
    return 503 if isinstance(error, LabBusyError) else 500 if isinstance(error, LabFailedError) else 400


def headers_of(error: SlopewiseError) -> dict[str, str]:
    """Return the headers that go with the status."""
    return COME_BACK if isinstance(error, LabBusyError) else {}


def refused_as_json(error: SlopewiseError) -> Response:
    """Return the answer that tells a script of it."""
    return JSONResponse({"error": str(error)}, status_code=status_of(error), headers=headers_of(error))
