"""SQLite and PostgreSQL: how each is opened, and how its writers keep out of each other's way."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as UrlError

from slopewise.engine.errors import ArgumentError, DataError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
WAIT_SECONDS = 10  # for other writers
_IDLE_SECONDS = 60  # a transaction that does nothing for so long was forgotten: it may hold locks
_SAFE_WAL = (3, 51, 3)  # before, SQLite's write-ahead log could lose a commit
_POOL = {"pool_size": 10, "max_overflow": 30}  # so a process never has more threads than connections
_ALL_WRITERS = 0x510BE  # the lock that every writer takes; any number does, it only has to be ours


def read_address(url: str) -> URL:
    """Return the address of a database.

    Raises
    ------
    ArgumentError
        If it is neither an SQLite file nor a PostgreSQL database.
    """
    try:
        address = make_url(url)
    except (UrlError, ValueError):  # a port that is no number, and its text may be part of a password
        raise ArgumentError(f"--database is a URL such as sqlite:///site.db, not {_start(url)!r}") from None
    if address.get_backend_name() == SQLITE and address.database and address.database != ":memory:":
        return address
    if address.drivername == "postgresql+psycopg" and address.database:
        return address
    raise ArgumentError(
        "--database is the URL of an SQLite file, such as sqlite:///site.db, or of a PostgreSQL database, "
        f"such as postgresql+psycopg://user@host/name, not {address.render_as_string(hide_password=True)!r}"
    )


def make_engine(address: URL) -> sqlalchemy.Engine:
    """Return the engine of a database; a folder that an SQLite file lacks is made.

    Errors of the engine do not show what was to be stored: they end up in logs.

    Raises
    ------
    DataError
        If the folder cannot be made.
    """
    if address.get_backend_name() == SQLITE:
        _make_folder(address)
        engine = sqlalchemy.create_engine(
            address,
            module=sqlite_driver(),
            connect_args={"timeout": WAIT_SECONDS},
            hide_parameters=True,
            **_POOL,
        )
        event.listen(engine, "do_connect", _make_file)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_on_sqlite)
        return engine
    settings = {
        "lock_timeout": WAIT_SECONDS * 1000,
        "idle_in_transaction_session_timeout": _IDLE_SECONDS * 1000,
        "timezone": "UTC",
    }
    engine = sqlalchemy.create_engine(
        address,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "connect_timeout": WAIT_SECONDS,
            "application_name": "slopewise",
        },
        pool_pre_ping=True,  # the server may have been started again
        hide_parameters=True,
        **_POOL,
    )
    event.listen(engine, "begin", _begin_on_postgresql)
    return engine


def for_reading(engine: sqlalchemy.Engine) -> sqlalchemy.Engine:
    """Return the engine for transactions that see one state of the database, and cannot write."""
    if engine.dialect.name == POSTGRESQL:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


def for_writing(engine: sqlalchemy.Engine, of: object = None) -> sqlalchemy.Engine:
    """Return the engine for transactions that write: all of the database, or only what belongs to `of`."""
    return engine.execution_options(slopewise_writes=True, slopewise_of=of)


def sqlite_driver() -> ModuleType:
    """Return the driver of SQLite: one that brings a new SQLite along, or Python's own, which may be old."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ModuleNotFoundError:  # there is none for this machine
        return import_module("sqlite3.dbapi2")


def has_safe_wal() -> bool:
    """Tell whether SQLite's write-ahead log loses nothing."""
    version: tuple[int, ...] = sqlite_driver().sqlite_version_info
    return version >= _SAFE_WAL


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set what SQLite does not by itself.

    With a write-ahead log readers and writers do not wait for each other, and a commit is one `fsync` where
    a rollback journal needs four. What is deleted is overwritten, as Debian's SQLite does by itself.
    """
    connection.isolation_level = None  # sqlite3 would begin transactions late, and after what was read
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute(f"PRAGMA journal_mode = {'WAL' if has_safe_wal() else 'DELETE'}")
    cursor.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlives a loss of power
    cursor.close()


def _begin_on_sqlite(connection: sqlalchemy.Connection) -> None:
    """Begin a transaction: one that writes takes its place in the queue of writers at once."""
    writes = connection.get_execution_options().get("slopewise_writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_on_postgresql(connection: sqlalchemy.Connection) -> None:
    """Let a transaction that writes wait for those that write the same; the locks end with it.

    Who writes all of the database waits for everybody; who writes what belongs to somebody waits for
    those who write all, and for those who write what belongs to the same. Since no other transaction can
    change what this one may change, PostgreSQL's usual isolation is enough, and none fails for having
    come second.
    """
    options = connection.get_execution_options()
    if not options.get("slopewise_writes", False):
        return
    of = options.get("slopewise_of")
    if of is None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_ALL_WRITERS,))
    else:
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s)", (_ALL_WRITERS, _lock_of(of))
        )


def _lock_of(of: object) -> int:
    """Return the number of somebody's lock; two with the same number wait for each other needlessly."""
    return int.from_bytes(hashlib.sha256(str(of).encode()).digest()[:8], "big", signed=True)


def for_owner_only(path: str | Path, flags: int) -> int:
    """Open a file that nobody else may read: it holds addresses of people. An opener for `open`."""
    return os.open(path, flags, 0o600)


def _make_file(dialect: Any, record: Any, arguments: Any, keywords: Any) -> None:
    """Make the file of a connection, for its owner alone.

    SQLite would let others read it, and it gives its journals the mode of the file.
    """
    with suppress(OSError):  # SQLite says what is wrong with it
        os.close(for_owner_only(arguments[0], os.O_RDWR | os.O_CREAT))


def _make_folder(address: URL) -> None:
    assert address.database is not None
    folder = Path(address.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}") from error


def _start(url: str) -> str:
    """Return as much of a URL as shows what is wrong, without a password in it."""
    return url.rpartition("@")[2][:80]
