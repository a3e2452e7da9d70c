"""Opening a database: the engine of SQLAlchemy, and the migrations that bring its tables up to date."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.dump import dump
from slopewise.site.storage.engines import (
    POSTGRESQL,
    SQLITE,
    WAIT_SECONDS,
    for_owner_only,
    for_reading,
    for_writing,
    make_engine,
    read_address,
    sqlite_driver,
)

_MIGRATIONS = Path(__file__).parent / "migrations"

DATA = "data"  # the folder of learners' files, beside the database
BEFORE = "before-"  # what the names of copies begin with that were made before an update
_TRIES = 4
_CAME_BETWEEN = ("40001", "40P01", "23505")  # serialization failure, deadlock, a key that is there already
Result = TypeVar("Result")


@dataclass(frozen=True)
class Database:
    """An open database.

    Attributes
    ----------
    engine : Engine
    base : Path
        What the names of files that belong to it begin with: the file of SQLite, or a name in a folder.
    """

    engine: sqlalchemy.Engine
    base: Path
    _writer: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def beside(self, what: str) -> Path:
        """Return the path of a file or folder that belongs to the database and is not in it."""
        return Path(f"{self.base}.{what}")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that sees one state of the database, and cannot write."""
        engine = for_reading(self.engine)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self, of: object = None) -> Iterator[Session]:
        """Yield a session in one transaction: committed at the end, rolled back by an error.

        It waits for other writers at its start, so that what it reads stays true until it commits.

        Parameters
        ----------
        of : object
            Whose rows alone are read and written, such as the id of a learner. On PostgreSQL it then waits
            only for those who write the same rows, or all; SQLite has one writer at a time in any case.
        """
        engine = for_writing(self.engine, of)
        with self._turn(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until this thread may write to SQLite, with no connection in hand.

        SQLite itself makes writers look again and again, with ever longer pauses: who came first may wait
        longest, and all connections wait with them. Other processes are kept apart by it all the same.
        """
        if self.is_shared:
            yield
            return
        if not self._writer.acquire(timeout=WAIT_SECONDS):
            raise TimeoutError("others write for too long")
        try:
            yield
        finally:
            self._writer.release()

    def empty_journal(self) -> None:
        """Empty SQLite's write-ahead log into the file: it may hold what has been deleted."""
        if not self.is_shared:
            with self._turn(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def write(self, work: Callable[[Session], Result], of: object = None) -> Result:
        """Do work in a session for writing, and again if PostgreSQL says that another one came between.

        Only for work that may be done twice. Locks keep writers of the same rows apart; what is left is two
        that add the same key for different owners, or a deadlock with somebody who uses the database
        besides us.
        """
        for _ in range(_TRIES - 1):
            try:
                with self.writing(of) as session:
                    return work(session)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _CAME_BETWEEN:
                    raise
        with self.writing(of) as session:
            return work(session)

    @property
    def name(self) -> str:
        """The file of SQLite, or the name of the database."""
        return str(self.engine.url.database)

    @property
    def is_shared(self) -> bool:
        """Whether several server processes may serve it."""
        return self.engine.dialect.name == POSTGRESQL

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


def open_database(url: str, folder: Path | None = None) -> Database:
    """Open a database; a new one gets its tables, an older one is backed up and brought up to date.

    Parameters
    ----------
    url : str
        Of SQLAlchemy.
    folder : Path
        Where files that belong to it are kept; by default beside the file of SQLite, and for PostgreSQL in
        the user's data folder.

    Raises
    ------
    ArgumentError
        If the URL cannot be used.
    DataError
        If the file cannot be opened, or was made by another version.
    """
    database = connect(url, folder)
    try:
        revision = _bring_up_to_date(database)
    except DatabaseError as error:
        database.close()
        if type(error) not in (DatabaseError, OperationalError):
            raise  # a mistake of ours: the others say that the database does not work, or is none
        reason = " ".join(str(error.orig).split())  # PostgreSQL says it in several lines
        raise DataError(f"cannot open the database {database.name}: {reason}") from error
    except BaseException:
        database.close()
        raise
    if not database.is_ready():
        database.close()
        raise DataError(
            f"the database {database.name} is at revision {revision or 'none'}, and this version needs "
            f"{newest_revision()}; use the version that made it, or name another one with --database"
        )
    return database


def open_known(url: str, folder: Path | None = None) -> Database:
    """Open a database as `open_database` does, and begin none: the name of a file may be a slip.

    Raises
    ------
    ArgumentError
        If there is no such file, or the URL cannot be used.
    DataError
        If the file cannot be opened, or was made by another version.
    """
    address = read_address(url)
    file = Path(address.database or "")
    if address.get_backend_name() == SQLITE and not file.exists():
        raise ArgumentError(
            f"there is no database {file}; name another with --database, or let slopewise site make this one"
        )
    return open_database(url, folder)


def connect(url: str, folder: Path | None = None) -> Database:
    """Return a database as it is; see `open_database`."""
    address = read_address(url)
    return Database(make_engine(address), _base(address, folder))


def _base(address: URL, folder: Path | None) -> Path:
    file = Path(address.database or "")
    if address.get_backend_name() == SQLITE:
        return file if folder is None else folder / file.name
    if folder is None:
        import platformdirs

        folder = Path(platformdirs.user_data_dir("slopewise"))
    return folder / file.name


def _bring_up_to_date(database: Database) -> str | None:
    """Make the tables, or back up and change older ones; return the revision that was found.

    An older database is never changed without a backup made just then: if that fails, so does the start.
    """
    revision = database.revision()
    if revision is None and not sqlalchemy.inspect(database.engine).get_table_names():
        migrate(database)
    elif revision in older_revisions() and database.is_shared:
        _migrate_shared(database)
    elif revision in older_revisions():
        back_up(database, database.beside(f"{BEFORE}{newest_revision()}"))
        migrate(database)
    return revision


def _migrate_shared(database: Database) -> None:
    """Back up and migrate, while nobody writes; another process may have done it already."""
    target = database.beside(f"{BEFORE}{newest_revision()}.zip")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataError(f"cannot write the backup {target}: {error.strerror}") from error
    with for_writing(database.engine).begin() as connection:
        if MigrationContext.configure(connection).get_current_revision() in older_revisions():
            dump(connection, database.beside(DATA), target, datetime.now(UTC))
            migrate_on(connection)


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction."""
    with for_writing(database.engine).begin() as connection:
        migrate_on(connection, revision)


def migrate_on(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, in the transaction of a connection."""
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def back_up(database: Database, file: Path) -> None:
    """Copy a database to a file while others may use it; the file appears whole or not at all.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    unfinished = file.with_name(file.name + ".unfinished")
    driver = sqlite_driver()
    try:
        open(unfinished, "ab", opener=for_owner_only).close()
        with (
            closing(database.engine.raw_connection()) as source,
            closing(driver.connect(unfinished)) as target,
        ):
            source.driver_connection.backup(target)  # type: ignore[union-attr]
        unfinished.replace(file)
    except (OSError, driver.Error) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise DataError(f"cannot write the backup {file}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what went wrong, in a line without the path that is told beside it."""
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def newest_revision() -> str | None:
    """Return the newest migration that this version ships."""
    return _scripts().get_current_head()


def older_revisions() -> set[str]:
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
