"""Opening a database: the engine of SQLAlchemy, and the migrations that bring its tables up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as UrlError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 10


@dataclass(frozen=True)
class Database:
    """An open database."""

    engine: sqlalchemy.Engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that sees one state of the database, and cannot write."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session in one transaction: committed at the end, rolled back by an error.

        It waits for other writers at its start, so that what it reads stays true until it commits.
        """
        options = {"slopewise_writes": True}
        with (
            Session(self.engine.execution_options(**options), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def revision(self) -> str | None:
        """Return the migration that the tables are at."""
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def is_ready(self) -> bool:
        """Whether the database answers and its tables are up to date."""
        return self.revision() == newest_revision()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database; a new one gets its tables, an older one is backed up and brought up to date.

    Raises
    ------
    ArgumentError
        If the URL cannot be used.
    DataError
        If the file cannot be opened, or was made by another version.
    """
    address = _address(url)
    _make_folder(address)
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    database = Database(engine)
    try:
        revision = database.revision()
        if revision is None and not sqlalchemy.inspect(engine).get_table_names():
            migrate(database)
            Path(str(address.database)).chmod(0o600)  # it will hold addresses of people
        elif revision in _older_revisions():
            back_up(database, Path(f"{address.database}.before-{newest_revision()}"))
            migrate(database)
    except OperationalError as error:
        raise DataError(f"cannot open the database {address.database}: {error.orig}") from error
    if not database.is_ready():
        raise DataError(
            f"the database {address.database} is at revision {revision or 'none'}, and this version needs "
            f"{newest_revision()}; use the version that made it, or name another file with --database"
        )
    return database


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction."""
    with database.engine.execution_options(slopewise_writes=True).begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def back_up(database: Database, file: Path) -> None:
    """Copy a database to a file while others may use it; the file appears whole or not at all."""
    unfinished = file.with_name(file.name + ".unfinished")
    with (
        closing(database.engine.raw_connection()) as source,
        closing(sqlite3.connect(unfinished)) as target,
    ):
        source.driver_connection.backup(target)  # type: ignore[union-attr]
    unfinished.chmod(0o600)
    unfinished.replace(file)


def newest_revision() -> str | None:
    """Return the newest migration that this version ships."""
    return _scripts().get_current_head()


def _older_revisions() -> set[str]:
    """Return the revisions from which this version knows the way."""
    return {found.revision for found in _scripts().walk_revisions()} - {newest_revision()}


@cache
def _scripts() -> ScriptDirectory:
    """Return the migrations that this version ships, read once and not at each look at health."""
    return ScriptDirectory.from_config(_alembic())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except UrlError:
        raise ArgumentError(f"--database is a URL such as sqlite:///site.db, not {url[:80]!r}") from None
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        raise ArgumentError(
            f"--database is the URL of an SQLite file, such as sqlite:///site.db, not "
            f"{address.render_as_string(hide_password=True)!r}"
        )
    return address


def _make_folder(address: URL) -> None:
    assert address.database is not None
    folder = Path(address.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}") from error


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set what SQLite does not by itself.

    The journal stays a rollback journal: before 3.51.3 the write-ahead log could lose a commit.
    """
    connection.isolation_level = None  # sqlite3 would begin transactions late, and after what was read
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.close()


def _begin(connection: sqlalchemy.Connection) -> None:
    """Begin a transaction: one that writes takes its place in the queue of writers at once."""
    writes = connection.get_execution_options().get("slopewise_writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
