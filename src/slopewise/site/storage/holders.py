"""Who works on a database: one server a file of SQLite, and nobody while a backup is restored.

The lock on a file is the operating system's: it ends with its process, however that ends, so none is ever
left behind. The file beside the database only says who holds it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.database import Database
from slopewise.site.storage.engines import SQLITE, for_owner_only, read_address

SERVING, RESTORING = "slopewise site", "slopewise site restore"
_LEAVING_SECONDS = 3.0  # a session of a process that has just ended is still listed for a moment
_SESSIONS = text(
    "SELECT host(client_addr) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'slopewise' AND pid <> pg_backend_pid()"
)


@contextmanager
def held(url: str, doing: str) -> Iterator[None]:
    """Hold the file of SQLite alone for this process; a database of PostgreSQL is for many.

    Parameters
    ----------
    url : str
        Of the database.
    doing : str
        What others are told that we do: `SERVING` or `RESTORING`.

    Raises
    ------
    ArgumentError
        If another process holds it.
    DataError
        If the lock cannot be set.
    """
    address = read_address(url)
    if address.get_backend_name() != SQLITE:
        yield
        return
    database = Path(address.database or "").resolve()  # two links to one file are one file
    descriptor = _opened(Path(f"{database}.lock"))
    try:
        if not _lock(descriptor):
            holder = os.read(descriptor, 200).decode("utf-8", "replace").strip()
            raise ArgumentError(
                f"{holder or 'another process'} works on {database}: one process at a time serves or "
                "restores a file of SQLite; stop it, or name another with --database (PostgreSQL has room "
                "for several)"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{doing} (process {os.getpid()})\n".encode())
        yield
    finally:
        os.close(descriptor)


def refuse_sessions(database: Database) -> None:
    """Refuse to go on while other processes of ours are connected to a database of PostgreSQL.

    Raises
    ------
    ArgumentError
        If they are, and stay.
    """
    if not database.is_shared:
        return
    deadline = time.monotonic() + _LEAVING_SECONDS
    while sessions := _sessions(database):
        if time.monotonic() > deadline:
            places = sorted({place for place in sessions if place is not None})
            raise ArgumentError(
                f"sessions of slopewise are open on the database: {len(sessions)}"
                f"{', from ' if places else ''}{', '.join(places[:5])}; stop all servers on it first"
            )
        time.sleep(0.1)


def _sessions(database: Database) -> Sequence[str | None]:
    """Return from where others are connected; each look is a transaction: that sees one list to its end."""
    with database.engine.connect() as connection:
        return connection.scalars(_SESSIONS).all()


def _opened(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return for_owner_only(file, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise DataError(f"cannot make the lock {file}: {error.strerror}") from error


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # the byte that is locked lies behind what others read

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise DataError(f"cannot lock the database: {error.strerror}") from error
        return True
