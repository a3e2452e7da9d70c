"""`slopewise site`: checks that the extra is installed, says the address, serves."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slopewise.engine.errors import ArgumentError, MissingLibraryError

if TYPE_CHECKING:
    from slopewise.site.loaded_content import Loading

_NEEDED = (  # what the extra brings; Python's own SQLite serves without pysqlite3
    *("fastapi", "uvicorn", "sqlalchemy", "alembic", "argon2", "limits", "fsrs"),
    *("markdown_it", "mdit_py_plugins", "latex2mathml", "pygments", "contourpy", "platformdirs"),
    *("psycopg", "prometheus_client", "python_multipart", "genanki", "nh3", "zstandard", "stripe"),
)


def serve_site(
    host: str,
    port: int,
    database: str | None,
    public_url: str,
    *,
    trusted_proxies: tuple[str, ...] = (),
    opens: bool = False,
    **given: Any,
) -> int:
    """Serve until Ctrl-C, and return the exit status."""
    require_libraries()
    from slopewise.site.configuration import LOOPBACK, Configuration, database_from
    from slopewise.site.server import serve

    serve(
        Configuration(
            host,
            _free_port(host, port),
            database_from(database),
            public_url,
            trusted_proxies=trusted_proxies or LOOPBACK,
            **given,
        ),
        opens=opens,
    )
    return 0


def administer(
    command: str,
    database: str | None,
    *,
    files: Path | None = None,
    public_url: str = "",
    email: str = "",
    **given: Any,
) -> int:
    """Run one of the owner's commands, print what it says, and return the exit status."""
    require_libraries()
    from slopewise.site.administration import administration
    from slopewise.site.configuration import Configuration, database_from

    address = Configuration(public_url=public_url).address
    with administration(database_from(database), datetime.now(UTC), files) as owner:
        if command in ("create-admin", "reset-password"):
            make = owner.create_admin if command == "create-admin" else owner.reset_password
            path = make(email)
            print(f"Open within half an hour to choose the password of {email}:\n{address}{path}")
        elif command == "grant-pro":
            owner.grant_pro(email, _last_day("--until", given["until"]))
            print(f"{email} is a Pro member through {given['until']} (UTC)")
        elif command == "revoke-pro":
            ended = owner.revoke_pro(email)
            print(f"{email} is no Pro member any more" if ended else f"{email} was no Pro member")
        elif command == "check-payments":
            look = owner.check_payments()
            gone = f"; {look.unknown} no longer known there" if look.unknown else ""
            print(
                f"customers looked at: {look.customers}; subscriptions that had changed: {look.changed}{gone}"
            )
        elif command == "import-content":
            print(_said_of(owner.import_content(given["file"], force=given["force"])))
        else:
            codes = owner.make_codes(given["count"], given["days"], _last_day("--expires", given["expires"]))
            print("\n".join(codes))
    return 0


def _said_of(loading: Loading) -> str:
    """Return what there is to say of an archive that was loaded."""
    archive = loading.archive
    name = f"{archive.name} {archive.version.text}"
    if loading.was_there:
        return f"{name} is loaded already; nothing was changed"
    decks = "\n".join(f"  {deck.title}: {len(deck.cards)} cards" for deck in archive.decks)
    before = f", in the place of {loading.replaced}" if loading.replaced else ""
    return f"{name} is loaded{before}:\n{decks}"


def _last_day(option: str, text: str) -> datetime:
    """Return the moment after a day in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ArgumentError(f"{option} is a day such as 2027-12-31, not {text[:40]!r}") from None


def require_libraries() -> None:
    """Refuse to go on without the extra."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingLibraryError(
            f"the site needs {', '.join(missing)}; install them with: pip install 'slopewise[site]'"
        )


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
