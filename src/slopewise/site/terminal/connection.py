"""Speaking to a site: JSON over https with a token, by the standard library."""

from __future__ import annotations

import http.client
import ipaddress
import json
import math
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from slopewise._version import __version__
from slopewise.engine.errors import ArgumentError, SlopewiseError

_HOST = re.compile(r"[A-Za-z0-9.:_-]+")
SECONDS = 15  # to wait for an answer
LARGEST_ANSWER = 32 * 2**20
LONGEST_PAUSE = 15 * 60.0  # seconds; a site that asks to be left alone for longer is asked again all the same
FORMAT = 1


class UnreachableError(SlopewiseError):
    """The site cannot be reached or is busy; the same may work later."""


class RefusedTokenError(SlopewiseError):
    """The site does not know the token, or no longer."""


class SiteError(SlopewiseError):
    """What answered is no site that this version can speak with."""


def site_address(text: str) -> str:
    """Return the address of a site without a slash at its end.

    Raises
    ------
    ArgumentError
        If it is none, or others could read what is sent there.

    Examples
    --------
    >>> site_address("https://learn.example.org/"), site_address("http://127.0.0.1:8000")
    ('https://learn.example.org', 'http://127.0.0.1:8000')
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or has_more:
        raise ArgumentError(f"--site is an address such as https://learn.example.org, not {text[:100]!r}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ArgumentError(f"--site {text[:100]} needs https: over http others could read your token")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: the token would go along."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class Connection:
    """A site and a token. Each call raises `UnreachableError`, `RefusedTokenError` or `SiteError`.

    A site that is busy says when to come back (``Retry-After``): it is not asked before.

    Parameters
    ----------
    address : str
        As `site_address` returns it.
    token : str
    seconds : float
        How long an answer may take.
    """

    def __init__(self, address: str, token: str, seconds: float = SECONDS) -> None:
        self.address, self._token, self._seconds = address, token, seconds
        self._busy_until, self._refused = 0.0, ""
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if address.startswith("http://"):
            handlers.append(urllib.request.ProxyHandler({}))  # to this machine, so through no other
        self._opener = urllib.request.build_opener(*handlers)

    def patience(self) -> float:
        """Return for how many seconds the site has asked to be left alone."""
        return max(0.0, self._busy_until - time.monotonic())

    def queue(self) -> dict[str, Any]:
        """Return the day's cards."""
        answer = self._call("GET", "/api/terminal/queue")
        if answer.get("format") != FORMAT:
            raise SiteError(f"{self.address} speaks another version of cards: update slopewise")
        return answer

    def send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Add entries to the log, and return what became of each."""
        return self._call("POST", "/api/terminal/log", message)

    def revoke(self) -> None:
        """Revoke the token."""
        self._call("POST", "/api/terminal/log-out", {})

    def _call(self, method: str, path: str, value: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if self.patience():
            raise self._busy()
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if value is None else json.dumps(value).encode(),
            headers={
                "Accept": "application/json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "User-Agent": f"slopewise/{__version__}",
            },
        )
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                text = answer.read(LARGEST_ANSWER + 1)
                if answer.length:  # so much was promised, and did not come
                    raise UnreachableError(f"the answer of {self.address} was cut off")
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        return self._object(text)

    def _object(self, text: bytes) -> dict[str, Any]:
        try:
            value = json.loads(text) if len(text) <= LARGEST_ANSWER else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise SiteError(f"what answers at {self.address} is no site of Slopewise: check --site")
        return value

    def _refusal(self, error: urllib.error.HTTPError) -> SlopewiseError:
        status = error.code
        if status == 401:
            return RefusedTokenError(
                f"{self.address} does not know this token, or no longer; make one at "
                f"{self.address}/account#terminal, then run: "
                f"slopewise cards log-in --site {self.address}"
            )
        if status in (408, 429) or status >= 500:
            self._busy_until = time.monotonic() + seconds_of(error.headers.get("Retry-After", ""))
            self._refused = f"{self.address} is busy ({status})"
            return self._busy()
        if 300 <= status < 400:
            elsewhere = error.headers.get("Location", "")[:100]
            return SiteError(f"{self.address} points elsewhere, to {elsewhere!r}: check --site")
        try:
            said = self._object(error.read(10_000)).get("error")
        except (SlopewiseError, OSError, http.client.HTTPException):
            said = None
        if status in (404, 405) or not isinstance(said, str):
            return SiteError(f"what answers at {self.address} serves no cards ({status}): check --site")
        return SiteError(f"{self.address} says: {said}")

    def _busy(self) -> UnreachableError:
        seconds = self.patience()
        when = f"{math.ceil(seconds / 60)} minutes" if seconds > 90 else f"{math.ceil(seconds)} seconds"
        return UnreachableError(f"{self._refused}; come back in {when}" if seconds > 1 else self._refused)

    def _unreachable(self, reason: object) -> SlopewiseError:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return SiteError(
                f"the certificate of {self.address} is not to be trusted: {reason.verify_message}"
            )
        if isinstance(reason, TimeoutError):
            return UnreachableError(f"{self.address} does not answer")
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        return UnreachableError(f"{self.address} cannot be reached ({' '.join(str(said).split())})")


def seconds_of(header: str) -> float:
    """Return how long a ``Retry-After`` asks for, as seconds or as a date; 0 if it says nothing.

    Examples
    --------
    >>> seconds_of("40"), seconds_of("86400"), seconds_of("Thu, 01 Jan 1970 00:00:00 GMT"), seconds_of("soon")
    (40.0, 900.0, 0.0, 0.0)
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        asked = float(header[:10])
    else:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        asked = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(asked, 0.0), LONGEST_PAUSE)
