"""The server process: what it prints and writes down, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import uvicorn
from fastapi import FastAPI

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.first_owner import has_owner
from slopewise.site.accounts.secrets import digest, new_secret
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.connections import LONGEST_HEAD, MOST_CONNECTIONS, PatientConnection
from slopewise.site.records import Metrics, write_json_lines
from slopewise.site.storage.backups import delete_old_copies
from slopewise.site.storage.database import open_database
from slopewise.site.storage.holders import SERVING, held

DRAIN_SECONDS = 10  # for requests that are being answered when the server is told to stop


class _Server(uvicorn.Server):
    """Ends live trainings first when it stops: their streams would hold it up."""

    to_open = ""  # the address that a browser opens at the start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and show the site to whoever sits here."""
        await super().startup(sockets)
        if self.to_open and self.started:
            threading.Thread(target=webbrowser.open, args=(self.to_open,), daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: no new connection, trainings end, requests that came are answered."""
        await self.config.app.state.jobs.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def serve(configuration: Configuration, *, opens: bool = False) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    configuration : Configuration
    opens : bool
        Whether the site is opened in a browser, where there is a desktop.

    Raises
    ------
    ArgumentError
        If another process serves the same file of SQLite.
    """
    with held(configuration.database, SERVING):
        _serve(configuration, opens and _has_desktop())


def _has_desktop() -> bool:
    """Whether a browser has a window to open; without one, Python may start a browser in this terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _need_folder(folder: Path) -> None:
    """Say at the start what learners would see as a mistake of ours: that nothing can be kept in files."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ArgumentError(
            f"cannot keep files in {folder}: {error.strerror}; name another folder with --files"
        ) from error


def _serve(configuration: Configuration, opens: bool) -> None:
    application = create_app(configuration, reads_ahead=True)
    with _served_metrics(configuration, application.state.metrics) as metrics:
        _prepare(application, configuration)
        if metrics:
            print(f"Metrics are at {metrics}", flush=True)
        server = _server_of(application, configuration)
        if opens:
            server.to_open = configuration.address
        write_json_lines()
        with _ended_in_order():
            server.run()


def _prepare(application: FastAPI, configuration: Configuration) -> None:
    """Look whether all is there that serving needs, and say where the site is and what it lacks."""
    with closing(open_database(configuration.database, configuration.files)) as database:
        _need_folder(database.base.parent)
        print(f"Slopewise is at {configuration.address} (Ctrl-C stops it)", flush=True)
        delete_old_copies(database, application.state.clock())
        with database.reading() as session:
            needs_owner = not configuration.public_url and not has_owner(session)
    if needs_owner:
        secret = new_secret()
        application.state.first_owner_digest = digest(secret)
        print(
            "No account is the owner's yet. This link makes one, once, while the server runs:\n"
            f"{configuration.address}/owner/first/{secret}",
            flush=True,
        )
    if configuration.public_url and not application.state.owner_pages:
        print("There are no pages on privacy, terms and contact: see --pages", file=sys.stderr, flush=True)


@contextmanager
def _served_metrics(configuration: Configuration, metrics: Metrics) -> Iterator[str]:
    """Serve metrics on loopback while the context lasts, if a port is named; yield their address, or ""."""
    if configuration.metrics_port is None:
        yield ""
        return
    try:
        server, port = metrics.serve(configuration.metrics_port)
    except OSError as error:
        raise ArgumentError(
            f"cannot serve metrics on port {configuration.metrics_port}: {error.strerror}"
        ) from None
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        server.shutdown()
        server.server_close()


def _server_of(application: FastAPI, configuration: Configuration) -> _Server:
    return _Server(
        uvicorn.Config(
            application,
            host=configuration.host,
            port=configuration.port,
            log_config=None,  # all goes through one formatter
            access_log=False,  # addresses hold what a learner does
            server_header=False,
            http=PatientConnection,
            h11_max_incomplete_event_size=LONGEST_HEAD,
            limit_concurrency=MOST_CONNECTIONS + 100,  # all of them at work: the next are told to come back
            proxy_headers=True,
            forwarded_allow_ips=list(configuration.trusted_proxies),
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end this with `SystemExit`: uvicorn stops at it, then raises it again.

    By default that would end the process on the spot, with nothing given back and a status other than 0.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread alone
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
