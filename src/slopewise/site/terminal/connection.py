"""Speaking to a site: JSON over https with a token, by the standard library."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from slopewise._version import __version__
from slopewise.engine.errors import ArgumentError, SlopewiseError

_HOST = re.compile(r"[A-Za-z0-9.:_-]+")
SECONDS = 15  # to wait for an answer
LARGEST_ANSWER = 32 * 2**20
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
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if address.startswith("http://"):
            handlers.append(urllib.request.ProxyHandler({}))  # to this machine, so through no other
        self._opener = urllib.request.build_opener(*handlers)

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
            return UnreachableError(f"{self.address} is busy ({status})")
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

    def _unreachable(self, reason: object) -> SlopewiseError:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return SiteError(
                f"the certificate of {self.address} is not to be trusted: {reason.verify_message}"
            )
        if isinstance(reason, TimeoutError):
            return UnreachableError(f"{self.address} does not answer")
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        return UnreachableError(f"{self.address} cannot be reached ({' '.join(str(said).split())})")
