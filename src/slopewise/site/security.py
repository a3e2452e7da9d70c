"""The headers of every answer: a strict content security policy, and what goes with it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slopewise.site.configuration import Configuration

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def headers_of(configuration: Configuration) -> dict[str, str]:
    """Return the headers of every answer; those for https only where it is spoken."""
    https = {"Strict-Transport-Security": "max-age=31536000"} if configuration.public_url else {}
    return HEADERS | https


class SecurityHeaders:
    """Adds the headers to every answer, errors included."""

    def __init__(self, application: ASGIApp, configuration: Configuration) -> None:
        self.application = application
        self.headers = headers_of(configuration)
        self.is_https = bool(configuration.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; the answer's first message gets the headers."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if self.is_https:
            scope["scheme"] = "https"  # between users and the proxy; redirects must not lead to http

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.application(scope, receive, send_with_headers)
