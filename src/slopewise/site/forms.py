"""What is sent to the site: read up to a limit, and only if a page of ours sent it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.accounts.secrets import new_secret
from slopewise.site.visitors import cookie_name, session_secret, set_cookie, visitor_of

LARGEST_BODY = 512 * 1024
LARGEST_UPLOAD = 10 * 2**20
FORM_BYTES = 16 * 1024  # around a file
BODY_SECONDS = 30
UPLOAD_SECONDS = 120
UPLOAD_PATIENCE = 20  # seconds to wait until others have sent theirs
MOST_FIELDS = 50
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")  # what databases refuse, or no encoding can hold
_SAFE_SITES = ("same-origin", "none")


async def check_request(request: Request) -> None:
    """Refuse what another site made a browser send: by what the browser says, and by a token it cannot know.

    The fields of a form are in `request.state.fields` afterwards, an object sent as JSON likewise.
    """
    _check_origin(request)
    body = await read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        request.state.fields = _json(body)
        token = request.headers.get("x-form-token", "")
    elif kind == "application/x-www-form-urlencoded" or not body:
        request.state.fields = _form(body)
        token = request.state.fields.get("form_token", "")
    else:
        raise HTTPException(415, "Only forms and JSON are read here.")
    _check_token(request, token)


async def check_message(request: Request) -> None:
    """Read an object sent as JSON by a program that names itself by its token; no page can send one.

    It is in `request.state.fields` afterwards.
    """
    body = await read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise HTTPException(415, "Only JSON is read here.")
    request.state.fields = _json(body) if body else {}


async def check_upload(request: Request) -> AsyncIterator[None]:
    """Do the same for a form with one file: fields as above, the file in `request.state.upload`, or None.

    The file is spooled to the disk, and is gone when the request ends.
    """
    _check_origin(request)
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        raise HTTPException(415, "Only a form with a file is read here.")
    parser = MultiPartParser(
        request.headers, _up_to(request, LARGEST_UPLOAD), max_files=1, max_fields=MOST_FIELDS
    )
    uploads = request.app.state.workshop.uploads
    try:
        await asyncio.wait_for(uploads.acquire(), UPLOAD_PATIENCE)
    except TimeoutError:
        sentence = "Others are sending files just now; please try again in a moment."
        raise HTTPException(503, sentence, {"Retry-After": "5"}) from None
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            form = await parser.parse()
    except TimeoutError:
        raise HTTPException(408, f"The file did not arrive within {UPLOAD_SECONDS} seconds.") from None
    except _TooLargeError as error:
        raise HTTPException(413, error.message) from None
    except (MultiPartException, ValueError):
        raise HTTPException(400, "This form cannot be read.") from None
    finally:
        uploads.release()
    try:
        request.state.fields = {name: value for name, value in form.items() if isinstance(value, str)}
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        request.state.upload = files[0] if files and files[0].filename else None
        _check_token(request, request.state.fields.get("form_token", ""))
        yield
    finally:
        await form.close()


class _TooLargeError(MultiPartException):
    """A body is larger than it may be: the parser closes what it has spooled, as for one it cannot read."""


def _check_token(request: Request, token: str) -> None:
    secret = _token_secret(request)
    sent = token.encode(errors="replace")  # the charset that a form names may make what is no character
    if not secret or not hmac.compare_digest(sent, _token(secret).encode()):
        raise HTTPException(
            403,
            "This page was open too long, or cookies are off. Go back, load it again, and send it once more.",
        )


def field(request: Request, name: str, longest: int = 1000) -> str:
    """Return a field of the form, or "" if it is not there.

    Raises
    ------
    HTTPException
        If it is longer than a person would type, or holds what is no character.
    """
    value = request.state.fields.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise HTTPException(400, f"{name} is a text of at most {longest} characters.")
    if _NO_CHARACTER.search(value):
        raise HTTPException(400, f"{name} holds something that is no character; type it again.")
    return value


def texts(request: Request) -> dict[str, str]:
    """Return all fields of a form whose names the page knows best.

    Raises
    ------
    HTTPException
        If one is no text, as it may be in JSON, or holds what is no character.
    """
    fields: Mapping[str, object] = request.state.fields
    read = {name: value for name, value in fields.items() if isinstance(value, str)}
    if len(read) < len(fields) or any(map(_NO_CHARACTER.search, read.values())):
        raise HTTPException(400, "Each field of this form is a text.")
    return read


def form_token(request: Request) -> str:
    """Return the token for a form; a visitor who is not logged in gets a cookie with the page."""
    secret = _token_secret(request)
    if not secret:
        secret = request.state.new_form_secret = new_secret()
    request.state.has_form = True
    return _token(secret)


def finish_page(request: Request, response: Response) -> None:
    """Add to a page what its forms and its visitor need: the cookie, and that no cache keeps it."""
    if secret := getattr(request.state, "new_form_secret", ""):
        set_cookie(request, response, "form", secret)
    if getattr(request.state, "has_form", False) or visitor_of(request).is_signed_in:
        response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Cookie"


def _check_origin(request: Request) -> None:
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site is not None and site not in _SAFE_SITES
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        foreign = True
    if foreign:
        raise HTTPException(403, "This was sent by a page of another site, so nothing was done.")


async def _up_to(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """Yield a body in parts, as long as it is no larger than it may be."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most + FORM_BYTES:
            raise _TooLargeError(f"A file may have up to {most // 2**20} MiB.")
        yield part


async def read_body(request: Request) -> bytes:
    """Return what was sent, up to a limit and within a time."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > LARGEST_BODY:
                    raise HTTPException(413, f"At most {LARGEST_BODY // 1024} KiB can be sent at once.")
                parts.append(part)
    except TimeoutError:
        raise HTTPException(408, f"What you sent did not arrive within {BODY_SECONDS} seconds.") from None
    return b"".join(parts)


def _form(body: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "This form cannot be read.") from None


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "This is no JSON.") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "Send an object.")
    return value


def _token_secret(request: Request) -> str:
    if visitor_of(request).is_signed_in:
        return session_secret(request)
    name = cookie_name(request, "form")
    return request.cookies.get(name, "")[:100] or getattr(request.state, "new_form_secret", "")


def _token(secret: str) -> str:
    """Return a token that follows from a cookie, which no other site can read or set."""
    return hashlib.sha256(f"form {secret}".encode()).hexdigest()
