"""Backups: made while the site serves, read back in one transaction, deleted when their time is over."""

from __future__ import annotations

import glob
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.storage.database import (
    BEFORE,
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
from slopewise.site.storage.erasure import erase_again
from slopewise.site.storage.erasure_lists import (
    BESIDE,
    BESIDE_BACKUPS,
    Erased,
    keep,
    keep_beside_backups,
    read_list,
)
from slopewise.site.storage.holders import RESTORING, held, refuse_sessions
from slopewise.site.storage.service_tables import BackupMade
from slopewise.site.storage.tables import Base, Erasure

KEEP_DAYS = 30
_BACKING_UP, _RESTORING = "backup-", "restore-"  # folders to work in, beside the database
_LEFT_BEHIND = timedelta(days=1)  # no backup and no restore takes so long: its process was killed
_NAME, _ANY_NAME = "slopewise-{:%Y%m%dT%H%M%SZ}.zip", "*.zip"


@dataclass(frozen=True)
class Backup:
    """A backup that lies in a folder."""

    file: Path
    manifest: Manifest


@dataclass(frozen=True)
class Restoration:
    """What a restore did.

    Attributes
    ----------
    manifest : Manifest
    erased : int
        How many were in the backup, and were erased after it.
    known_until : datetime
        The moment up to which it is known who was erased; None if nothing is known.
    """

    manifest: Manifest
    erased: int
    known_until: datetime | None

    @property
    def may_bring_back(self) -> bool:
        """Whether nothing tells who was erased after the backup."""
        return self.known_until is None or self.known_until <= self.manifest.made


def make_backup(database: Database, target: Path, now: datetime, keep_days: int = KEEP_DAYS) -> Backup:
    """Write a backup, and delete those in its folder whose time is over. The site may serve meanwhile.

    The list of those who were erased is written beside it, and from now on at each erasure.

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
    ArgumentError
        If the file is there already and is no backup, or would not be found among others by its name.
    DataError
        If it cannot be written.
    """
    file = target / _NAME.format(now) if target.is_dir() else target
    _refuse_another_file(file)
    expires = now + timedelta(days=keep_days)
    with _as_it_is(database) as connection:
        manifest = dump(connection, database.beside(DATA), file, now, expires)
    with database.reading() as session:
        erased = set(session.scalars(select(Erasure.learner_id)))
    _record(database, file, manifest)
    keep_beside_backups(database, file.parent, erased, now)
    for old in backups_in(file.parent):
        if old.manifest.expires is not None and old.manifest.expires <= now:
            old.file.unlink(missing_ok=True)
    delete_old_copies(database, now, keep_days)
    return Backup(file, manifest)


def _refuse_another_file(file: Path) -> None:
    """Replace a backup, and nothing else: the argument may be a slip, such as the database itself."""
    if file.exists():
        try:
            read_manifest(file)
        except DataError:
            raise ArgumentError(
                f"{file} is there already and is no backup; name a new file, or a folder"
            ) from None
    elif not file.match(_ANY_NAME):
        raise ArgumentError(
            f"there is no folder {file}; make it first, or name a file that ends in .zip: only those are "
            "listed, and deleted when their time is over"
        )


def _record(database: Database, file: Path, manifest: Manifest) -> None:
    with database.writing() as session:
        if session.scalar(select(BackupMade.id).where(BackupMade.made_at == manifest.made)) is None:
            session.add(
                BackupMade(
                    id=uuid.uuid4(),
                    made_at=manifest.made,
                    expires_at=manifest.expires,
                    revision=manifest.revision,
                    size=file.stat().st_size,
                )
            )


def delete_old_copies(database: Database, now: datetime, keep_days: int = KEEP_DAYS) -> None:
    """Delete copies that were made before updates and are past their days, and what killed commands left."""
    folder, name = database.base.parent, database.base.name
    for copy in folder.glob(f"{glob.escape(name)}.{BEFORE}*"):
        if copy.is_file() and _age(copy, now) >= timedelta(days=keep_days):
            copy.unlink(missing_ok=True)
    for kind in (_BACKING_UP, _RESTORING):
        for left in folder.glob(f"{glob.escape(name)}.{kind}*"):
            if left.is_dir() and _age(left, now) >= _LEFT_BEHIND:
                shutil.rmtree(left, ignore_errors=True)


def _age(file: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(file.stat().st_mtime, UTC)


def backups_in(folder: Path) -> list[Backup]:
    """Return the backups in a folder, the oldest first; other files are passed over."""
    found = []
    for file in folder.glob(_ANY_NAME):
        try:
            found.append(Backup(file, read_manifest(file)))
        except DataError:
            continue
    return sorted(found, key=lambda backup: backup.manifest.made)


def last_backup(database: Database) -> datetime | None:
    """Return when the last backup was made."""
    with database.reading() as session:
        return session.scalar(select(BackupMade.made_at).order_by(BackupMade.made_at.desc()).limit(1))


def restore(
    url: str,
    folder: Path | None,
    file: Path,
    now: datetime,
    *,
    replace: bool = False,
    erasures: Path | None = None,
    without_erasures: bool = False,
) -> Restoration:
    """Bring a database to the state of a backup, whole or not at all, and up to date.

    Whoever was erased since is erased again: known from the lists beside the backup and beside the database,
    from one that is named, and from the database that is replaced.

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
    erasures : Path
        Another list of those who were erased.
    without_erasures : bool
        Whether to restore even if there is no list at all.

    Raises
    ------
    ArgumentError
        If the database is not empty and is not to be replaced, a process works on it, or nothing tells who
        was erased.
    DataError
        If the backup or a list is damaged or from a later version, or the database cannot be used.
    """
    manifest = check(file)
    if manifest.revision not in {*older_revisions(), newest_revision()}:
        raise DataError(f"{file} is of revision {manifest.revision}, which this version does not know")
    with held(url, RESTORING):
        database = connect(url, folder)
        try:
            known = _known_erasures(database, file, erasures)
            known = _put_in_place(
                database, file, manifest, known, now, replace=replace, without_erasures=without_erasures
            )
        except OperationalError as error:
            raise DataError(f"cannot use the database: {' '.join(str(error.orig).split())}") from error
        except SQLAlchemyError as error:
            raise DataError(f"{file} does not fit the database: {type(error).__name__}") from error
        finally:
            database.close()
        opened = open_database(url, folder)
        try:
            _record(opened, file, manifest)  # what follows on this backup can be told from another database
            return Restoration(manifest, erase_again(opened, now), known.until)
        finally:
            opened.close()


def _known_erasures(database: Database, file: Path, named: Path | None) -> Erased:
    """Return what lists say of who was erased; it is empty and up to no moment if there are none."""
    if named is not None and not named.exists():
        raise ArgumentError(f"--erasures {named}: there is no such file")
    known = Erased()
    for place in (named, file.parent / BESIDE_BACKUPS, database.beside(BESIDE)):
        known |= (read_list(place) if place is not None else None) or Erased()
    return known


def _put_in_place(
    database: Database,
    file: Path,
    manifest: Manifest,
    known: Erased,
    now: datetime,
    *,
    replace: bool,
    without_erasures: bool,
) -> Erased:
    """Load a backup, files and all, in one transaction; return who was erased, so far as anything tells."""
    refuse_sessions(database)
    with _workplace(database, _RESTORING) as work:
        extract_files(file, manifest, work / DATA)
        with for_writing(database.engine).begin() as connection:
            known |= _clear(connection, manifest, now, replace=replace)
            if known == Erased() and not without_erasures:
                raise ArgumentError(
                    f"no list tells who deleted their account after {file} was made, and they would be "
                    f"back; name one by --erasures: {BESIDE_BACKUPS} in the folder of backups, or "
                    f"DATABASE.{BESIDE} beside the old database; or add --without-erasures"
                )
            listed = read_list(database.beside(BESIDE)) or Erased()
            keep(database, known.learners - listed.learners, None)
            migrate_on(connection, manifest.revision)
            load(connection, file, manifest)
            migrate_on(connection)
        _swap(work / DATA, database.beside(DATA), work / "before")
    return known


@contextmanager
def _as_it_is(database: Database) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database, and holds up nobody who writes.

    A reader of SQLite would; so its file is copied first, by SQLite's own backup.
    """
    if database.is_shared:
        with for_reading(database.engine).connect() as connection, connection.begin():
            yield connection
        return
    with _workplace(database, _BACKING_UP) as work:
        copy = work / "copy.db"
        back_up(database, copy)
        engine = sqlalchemy.create_engine(f"sqlite:///{copy}")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


@contextmanager
def _workplace(database: Database, kind: str) -> Iterator[Path]:
    """Yield a folder beside the database, for what is not to be seen before it is done."""
    base = database.base
    base.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=base.parent, prefix=f"{base.name}.{kind}") as work:
        yield Path(work)


def _clear(connection: Connection, manifest: Manifest, now: datetime, *, replace: bool) -> Erased:
    """Drop our tables, and return who was erased according to them.

    If the backup was made of this database, that is all who were erased until now. Another database, such as
    one that was just begun on a new machine, knows nobody.
    """
    found = sqlalchemy.MetaData()
    found.reflect(connection)
    ours = {*Base.metadata.tables, *UNKEPT, VERSION_TABLE}
    if foreign := sorted(set(found.tables) - ours):
        raise ArgumentError(f"the database holds a table {foreign[0]!r} of others; name an empty database")
    if not found.tables:
        return Erased()
    if not replace:
        raise ArgumentError(
            "the database is not empty; stop the site and add --replace to put the backup in its place"
        )
    erased: frozenset[uuid.UUID] = frozenset()
    until = None
    if Erasure.__tablename__ in found.tables:
        erased = frozenset(connection.scalars(select(Erasure.learner_id)))
    if BackupMade.__tablename__ in found.tables:
        query = select(BackupMade.id).where(BackupMade.made_at == manifest.made)
        until = now if connection.scalar(query) is not None else None
    found.drop_all(connection)
    return Erased(erased, until)


def _swap(new: Path, place: Path, aside: Path) -> None:
    """Put a folder in another's place."""
    if place.exists():
        place.rename(aside)
    if new.exists():
        new.rename(place)
