"""Backups: made while the site serves, read back in one transaction, deleted when their time is over."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.database import (
    DATA,
    Database,
    back_up,
    connect,
    migrate_on,
    newest_revision,
    older_revisions,
    open_database,
)
from slopewise.site.storage.dump import (
    UNKEPT,
    VERSION_TABLE,
    Manifest,
    check,
    dump,
    extract_files,
    load,
    read_manifest,
)
from slopewise.site.storage.engines import for_reading, for_writing
from slopewise.site.storage.erasure import erase_again, keep_list
from slopewise.site.storage.service_tables import BackupMade
from slopewise.site.storage.tables import Base, Erasure

KEEP_DAYS = 30
_NAME = "slopewise-{:%Y%m%dT%H%M%SZ}.zip"


@dataclass(frozen=True)
class Backup:
    """A backup that lies in a folder."""

    file: Path
    manifest: Manifest


def make_backup(database: Database, target: Path, now: datetime, keep_days: int = KEEP_DAYS) -> Backup:
    """Write a backup, and delete those in its folder whose time is over. The site may serve meanwhile.

    Parameters
    ----------
    database : Database
    target : Path
        A file, or a folder, in which the file is then named by the moment.
    now : datetime
    keep_days : int
        After how many days the backup is to be deleted: what people erased must not live on in it.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    file = target / _NAME.format(now) if target.is_dir() else target
    expires = now + timedelta(days=keep_days)
    with _as_it_is(database) as connection:
        manifest = dump(connection, database.beside(DATA), file, now, expires)
    with database.writing() as session:
        session.add(
            BackupMade(
                id=uuid.uuid4(),
                made_at=now,
                expires_at=expires,
                revision=manifest.revision,
                size=file.stat().st_size,
            )
        )
    for old in backups_in(file.parent):
        if old.manifest.expires is not None and old.manifest.expires <= now:
            old.file.unlink(missing_ok=True)
    return Backup(file, manifest)


def backups_in(folder: Path) -> list[Backup]:
    """Return the backups in a folder, the oldest first; other files are passed over."""
    found = []
    for file in folder.glob("*.zip"):
        try:
            found.append(Backup(file, read_manifest(file)))
        except DataError:
            continue
    return sorted(found, key=lambda backup: backup.manifest.made)


def last_backup(database: Database) -> datetime | None:
    """Return when the last backup was made."""
    with database.reading() as session:
        return session.scalar(select(BackupMade.made_at).order_by(BackupMade.made_at.desc()).limit(1))


def restore(url: str, folder: Path | None, file: Path, now: datetime, *, replace: bool = False) -> Manifest:
    """Bring a database to the state of a backup, whole or not at all, and up to date.

    Whoever was erased since is erased again: known from the list beside the database, and from the
    database that is replaced.

    Parameters
    ----------
    url : str
        Of the database.
    folder : Path
        Where its files are, as in `open_database`.
    file : Path
    now : datetime
    replace : bool
        Whether what is in the database may go.

    Raises
    ------
    ArgumentError
        If the database is not empty and is not to be replaced.
    DataError
        If the backup is damaged or from a later version, or the database cannot be used.
    """
    manifest = check(file)
    if manifest.revision not in {*older_revisions(), newest_revision()}:
        raise DataError(f"{file} is of revision {manifest.revision}, which this version does not know")
    database = connect(url, folder)
    try:
        with TemporaryDirectory(dir=_made(database.base.parent), prefix="restore-") as work:
            extract_files(file, manifest, Path(work) / DATA)
            with for_writing(database.engine).begin() as connection:
                keep_list(database, _clear(connection, replace))
                migrate_on(connection, manifest.revision)
                load(connection, file, manifest)
                migrate_on(connection)
            if not database.is_shared:
                Path(database.name).chmod(0o600)
            _swap(Path(work) / DATA, database.beside(DATA), Path(work) / "before")
    except OperationalError as error:
        raise DataError(f"cannot use the database: {' '.join(str(error.orig).split())}") from error
    except SQLAlchemyError as error:
        raise DataError(f"{file} does not fit the database: {type(error).__name__}") from error
    finally:
        database.close()
    opened = open_database(url, folder)
    try:
        erase_again(opened, now)
    finally:
        opened.close()
    return manifest


@contextmanager
def _as_it_is(database: Database) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database, and holds up nobody who writes.

    A reader of SQLite would; so its file is copied first, by SQLite's own backup.
    """
    if database.is_shared:
        with for_reading(database.engine).connect() as connection, connection.begin():
            yield connection
        return
    with TemporaryDirectory(dir=database.base.parent, prefix="backup-") as work:
        copy = Path(work) / "copy.db"
        back_up(database, copy)
        engine = sqlalchemy.create_engine(f"sqlite:///{copy}")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def _clear(connection: Connection, replace: bool) -> set[uuid.UUID]:
    """Drop our tables, and return who was erased according to them."""
    found = sqlalchemy.MetaData()
    found.reflect(connection)
    ours = {*Base.metadata.tables, *UNKEPT, VERSION_TABLE}
    if foreign := sorted(set(found.tables) - ours):
        raise ArgumentError(f"the database holds a table {foreign[0]!r} of others; name an empty database")
    if not found.tables:
        return set()
    if not replace:
        raise ArgumentError(
            "the database is not empty; stop the site and add --replace to put the backup in its place"
        )
    erased: set[uuid.UUID] = set()
    if Erasure.__tablename__ in found.tables:
        erased = set(connection.scalars(select(Erasure.learner_id)))
    found.drop_all(connection)
    return erased


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _swap(new: Path, place: Path, aside: Path) -> None:
    """Put a folder in another's place."""
    if place.exists():
        place.rename(aside)
    if new.exists():
        new.rename(place)
