"""HEAD, by which monitors and previews of links ask: what GET answers, without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STREAMS = "/events"  # they have no end, and to open one is to take a training


class AnswerHead:
    """Lets every address that answers GET answer HEAD; a policy is asked as for GET."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, a HEAD as a GET whose answer ends after its headers."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].endswith(_STREAMS):
            await self.application(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b""})

        await self.application({**scope, "method": "GET"}, receive, send_headers)
