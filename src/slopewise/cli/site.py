"""`slopewise site`: checks that the extra is installed, says the address, serves."""

from __future__ import annotations

import socket
from importlib.util import find_spec

from slopewise.engine.errors import ArgumentError, MissingLibraryError

_NEEDED = (
    *("fastapi", "uvicorn", "sqlalchemy", "alembic", "argon2", "limits", "fsrs"),
    *("markdown_it", "mdit_py_plugins", "latex2mathml"),
)


def serve_site(host: str, port: int, database: str | None, public_url: str) -> int:
    """Serve until Ctrl-C, and return the exit status."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingLibraryError(
            f"the site needs {', '.join(missing)}; install them with: pip install 'slopewise[site]'"
        )
    from slopewise.site.app import serve
    from slopewise.site.configuration import Configuration, default_database

    configuration = Configuration(host, _free_port(host, port), database or default_database(), public_url)
    print(f"Slopewise is at {configuration.address} (Ctrl-C stops it)", flush=True)
    serve(configuration)
    return 0


def _free_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0; one that is taken is told before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ArgumentError(
                f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port, or 0"
            ) from None
        number: int = probe.getsockname()[1]
        return number
