"""Connections that keep the server waiting are ended, so that those who want an answer get one.

uvicorn waits without end for the rest of a head or a body, and for a client that does not read its answer. A
proxy in front takes such clients away; a site that is served without one has only this.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_HEAD = 16 * 1024  # bytes of a request's first line and headers
HEAD_SECONDS = 10.0  # from the first moment of a connection, or from the answer before
BODY_SECONDS = 150.0  # of an upload; what is read of a form has a limit of its own
REST_SECONDS = 2.0  # for a body that nobody reads, as the answer is out already
UNREAD_SECONDS = 30.0  # an answer that the client does not take
MOST_CONNECTIONS = 500  # beyond, whoever has kept us waiting longest goes; fewer than files may be open


class PatientConnection(H11Protocol):
    """A connection with limits on how long it may keep the server waiting."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._served, self.app = self.app, self._answer
        self._task: asyncio.Task[Any] | None = None
        self.waits_for = ""
        self.since = 0.0
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._look()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks, and the work for an answer that nobody waits for: what others wait for is first.

        What changes something is finished all the same.
        """
        for clock in (self._patience, self._unread):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)
        if self._task is None or not self.cycle.disconnected:
            return  # the answer is out: what is done after it goes on
        if self.scope["method"] in ("GET", "HEAD"):
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what came, and look what is waited for now."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Look what is waited for once an answer is out."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._task = asyncio.current_task()
        try:
            await self._served(scope, receive, send)
        except asyncio.CancelledError:
            if not self.cycle.disconnected:
                raise
        finally:
            self._task = None

    def _look(self) -> None:
        """Start the clock of what is waited for, unless it runs already: single bytes win no time."""
        waits_for, seconds = self._awaited()
        if waits_for == self.waits_for:
            return
        self.waits_for, self.since = waits_for, self.loop.time()
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(seconds, self.transport.abort) if waits_for else None

    def _awaited(self) -> tuple[str, float]:
        theirs: Any = self.conn.their_state
        if theirs is h11.IDLE:
            return "head", HEAD_SECONDS
        if theirs is h11.SEND_BODY:
            is_answered = self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
            return ("rest", REST_SECONDS) if is_answered else ("body", BODY_SECONDS)
        return "", 0.0

    def _make_room(self) -> None:
        """End the connection that has kept the server waiting longest."""
        waiting = [
            other
            for other in self.connections
            if isinstance(other, PatientConnection) and other.waits_for and not other.transport.is_closing()
        ]
        if waiting:
            min(waiting, key=lambda other: other.since).transport.abort()
