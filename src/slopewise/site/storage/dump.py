"""A database as a file: a zip of tables as JSON lines and of the files beside it, with checksums of all.

The form is our own, and the same for both databases, for three reasons: a site can grow from SQLite into
PostgreSQL by it; it needs no program of PostgreSQL's on the machine of the server, in the version of its
server; and a dump of an older version is read by way of the migrations, so that none becomes unreadable.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import UUID

import sqlalchemy
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Column, Connection, Table, TypeDecorator, func, select

from slopewise.engine.errors import DataError
from slopewise.site.storage.engines import for_owner_only
from slopewise.site.storage.tables import Base

FORMAT = 1
VERSION_TABLE = "alembic_version"
UNKEPT = (
    VERSION_TABLE,  # the manifest has it
    "tries",  # count for minutes
    "live_jobs",  # end with the servers
    "curve_pieces",  # as do the trainings that they belong to
    "login_sessions",  # these three let somebody in: what was ended since must not come back by a restore
    "mail_tokens",
    "card_tokens",
)
_ROWS_AT_ONCE = 1000
UNFINISHED = ("new-", "work-")  # what is just being made or worked at in the folder of files, and goes away
_CHUNK = 1 << 20
_MANIFEST = "manifest.json"


@dataclass
class Manifest:
    """What a dump holds: the digest of each of its parts, and how many rows a table has."""

    made_at: str
    expires_at: str | None
    revision: str
    rows: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def made(self) -> datetime:
        """The moment at which it was made."""
        return datetime.fromisoformat(self.made_at)

    @property
    def expires(self) -> datetime | None:
        """When it should be deleted."""
        return datetime.fromisoformat(self.expires_at) if self.expires_at else None

    @property
    def files(self) -> list[str]:
        """The names of the parts that are files."""
        return [name for name in self.digests if name.startswith("files/")]


def dump(
    connection: Connection, files: Path, target: Path, now: datetime, expires: datetime | None = None
) -> Manifest:
    """Write what a connection sees, and the files of a folder; the target appears whole or not at all.

    Raises
    ------
    DataError
        If the target cannot be written.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    assert revision is not None, "a database that was opened has tables"
    manifest = Manifest(now.isoformat(), expires.isoformat() if expires else None, revision)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with open(unfinished, "wb", opener=for_owner_only) as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
                for table in tables_of(connection):
                    _write(
                        archive, f"tables/{table.name}.jsonl", _lines(connection, table, manifest), manifest
                    )
                for name, file in _files_in(files):
                    _write(archive, f"files/{name}", _chunks(file), manifest)
                archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise DataError(f"cannot write the backup {target}: {error.strerror}") from error
    return manifest


def read_manifest(file: Path) -> Manifest:
    """Return what a dump says of itself.

    Raises
    ------
    DataError
        If the file is none, or a later version made it.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            value = json.loads(archive.read(_MANIFEST))
        if value.get("format") != FORMAT:
            raise DataError(f"{file}: this backup has format {value.get('format')}, not {FORMAT}")
        manifest = Manifest(**value)
        assert isinstance(manifest.made, datetime)
        return manifest
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is no backup of slopewise site backup, or a damaged one") from error


def check(file: Path) -> Manifest:
    """Return what a dump says of itself, after every part of it was compared with its digest.

    Raises
    ------
    DataError
        If a part is missing, damaged, or more than there should be.
    """
    manifest = read_manifest(file)
    with zipfile.ZipFile(file) as archive:
        names = {info.filename for info in archive.infolist()} - {_MANIFEST}
        if names != set(manifest.digests):
            raise DataError(f"{file}: the parts of this backup are not those that it names; it is damaged")
        for name, expected in manifest.digests.items():
            if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
                raise DataError(f"{file}: a part of this backup has the name {name[:80]!r}")
            try:
                with archive.open(name) as part:
                    found = _digest_of(part)
            except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
                raise DataError(f"{file}: {name} is damaged") from error
            if found != expected:
                raise DataError(f"{file}: {name} is damaged: its checksum is another")
    return manifest


def load(connection: Connection, file: Path, manifest: Manifest) -> None:
    """Add the rows of a dump to tables that are empty, and at the dump's revision.

    Raises
    ------
    DataError
        If a row does not fit.
    """
    with zipfile.ZipFile(file) as archive:
        for table in tables_of(connection):
            name = f"tables/{table.name}.jsonl"
            if name not in manifest.digests:
                continue
            with archive.open(name) as part:
                count = 0
                for rows in _batches(part, table, file):
                    connection.execute(table.insert(), rows)
                    count += len(rows)
            if count != manifest.rows[table.name]:
                raise DataError(f"{file}: {table.name} has {count} rows, not {manifest.rows[table.name]}")
            _count_on(connection, table)


def extract_files(file: Path, manifest: Manifest, folder: Path) -> None:
    """Write the files of a dump that was checked into a new folder, which is its owner's alone."""
    if manifest.files:
        folder.mkdir(mode=0o700)
    with zipfile.ZipFile(file) as archive:
        for name in manifest.files:
            target = folder / name.removeprefix("files/")
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with archive.open(name) as part, open(target, "wb", opener=for_owner_only) as out:
                while chunk := part.read(_CHUNK):
                    out.write(chunk)


def tables_of(connection: Connection) -> list[Table]:
    """Return the tables that are kept, as they are in the database, those first to which others refer.

    A column has the type that the code knows, else that of the database: an older version is read as well.
    """
    found = sqlalchemy.MetaData()
    found.reflect(connection)
    tables = []
    for table in found.sorted_tables:
        if table.name not in UNKEPT:
            columns = [_column(table.name, column) for column in table.columns]
            tables.append(Table(table.name, sqlalchemy.MetaData(), *columns))
    return tables


def _column(table: str, found: Column[Any]) -> Column[Any]:
    known = Base.metadata.tables.get(table)
    column = known.columns.get(found.name) if known is not None else None
    kind = found.type if column is None else column.type
    if isinstance(kind, JSON) and found.nullable:
        kind = JSON(none_as_null=True)
    return Column(found.name, kind, primary_key=found.primary_key)


def _lines(connection: Connection, table: Table, manifest: Manifest) -> Iterator[bytes]:
    order = list(table.primary_key.columns)
    query, count = table.select().order_by(*order), 0
    with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
        for row in rows.mappings():
            count += 1
            yield json.dumps({name: _plain(value) for name, value in row.items()}).encode() + b"\n"
    manifest.rows[table.name] = count


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; the type of its column tells the way back."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


_FROM_TEXT: dict[type, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    UUID: UUID,
    bytes: base64.b64decode,
}


def _batches(part: IO[bytes], table: Table, file: Path) -> Iterator[list[dict[str, Any]]]:
    readers = {
        column.name: _FROM_TEXT[_python_type(column)]
        for column in table.columns
        if _python_type(column) in _FROM_TEXT
    }
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(part, 1):
        try:
            row = json.loads(line)
            for name, reader in readers.items():
                if row[name] is not None:
                    row[name] = reader(row[name])
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{file}: {table.name} row {number} cannot be read") from error
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _python_type(column: Column[Any]) -> type:
    kind = column.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind.python_type


def _count_on(connection: Connection, table: Table) -> None:
    """Let PostgreSQL go on counting after the highest number that was loaded."""
    keys = list(table.primary_key.columns)
    if connection.dialect.name != "postgresql" or len(keys) != 1 or _python_type(keys[0]) is not int:
        return
    highest = connection.scalar(select(func.max(keys[0])))
    sequence = func.pg_get_serial_sequence(table.name, keys[0].name)
    connection.execute(select(func.setval(sequence, (highest or 0) + 1, False)))


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Return the files below a folder by name; one that is deleted meanwhile is left out by who reads it."""
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not file.is_symlink() and not name.startswith(UNFINISHED):
            yield name, file


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _write(archive: zipfile.ZipFile, name: str, parts: Iterator[bytes], manifest: Manifest) -> None:
    try:
        first = next(parts, b"")
    except FileNotFoundError:
        return  # its owner deleted it just now
    digest = hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as member:
        for part in chain([first], parts):
            digest.update(part)
            member.write(part)
    manifest.digests[name] = digest.hexdigest()


def _digest_of(part: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := part.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
