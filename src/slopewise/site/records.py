"""What the server writes down: a line of JSON for each request and each mishap, and numbers for Prometheus.

Neither holds anything of a person's: a route is named by its pattern, never by the address that was asked
for, for addresses hold what somebody learns, searches, or the secret of a link; an error by its kind and its
place in the code, never by its text, which may hold what somebody typed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi import FastAPI

requests_log = logging.getLogger("slopewise.site.requests")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
CLIENT_GONE = 499  # what proxies write for it

_FIELDS = ("method", "route", "status", "milliseconds")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        value: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            # Without its arguments, and without asyncio's further lines: they hold the error's text.
            value["message"] = str(record.msg).partition("\n")[0]
            value |= _place_of(record.exc_info[1])
        elif not fields:
            value["message"] = record.getMessage()
        return json.dumps(value | fields)


def _place_of(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return {
        "error": type(error).__name__,
        "frames": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


def write_json_lines() -> None:
    """Send all records to the standard error as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    requests_log.setLevel(logging.INFO)


class Metrics:
    """Numbers of one server process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("slopewise_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "slopewise_request_seconds",
            "Seconds until an answer began.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.running = Gauge("slopewise_requests_running", "Requests being answered.", registry=self.registry)

    def watch(self, application: FastAPI) -> None:
        """Add what is asked for at each scrape."""
        jobs = Gauge("slopewise_jobs", "Live trainings that are open.", registry=self.registry)
        jobs.set_function(lambda: len(application.state.jobs))
        waiting = Gauge("slopewise_places_waiting", "Work that waits for a place.", registry=self.registry)
        waiting.set_function(lambda: len(application.state.places))

    def serve(self, port: int) -> tuple[Any, int]:
        """Serve on a port of loopback, in a thread; return the server, and the port."""
        server, _ = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        return server, server.server_port


class Records:
    """Counts, times and notes each request."""

    def __init__(self, application: ASGIApp, metrics: Metrics) -> None:
        self.application, self.metrics = application, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and write down what became of it."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began, status, took = time.perf_counter(), 500, None

        async def watch(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], time.perf_counter() - began
            await send(message)

        self.metrics.running.inc()
        try:
            await self.application(scope, receive, watch)
        except asyncio.CancelledError:  # the client has gone, and its answer is not made to the end
            status = CLIENT_GONE if took is None else status
            raise
        finally:
            self.metrics.running.dec()
            self._note(scope, status, time.perf_counter() - began if took is None else took)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route_of(scope), _method_of(scope)
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
        }
        requests_log.info("request", extra=fields)


def _route_of(scope: Scope) -> str:
    """Return the pattern of the route, a mount's name, or "none": never the address."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    return "/static" if Request(scope).url.path.startswith("/static/") else "none"


def _method_of(scope: Scope) -> str:
    """Return the method; one that nobody knows is not made a label."""
    method = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
