"""Content that the owner loads: stored in the database, so that every server of a site shows it at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request

from slopewise.engine.errors import DataError
from slopewise.site.accounts.audit import note
from slopewise.site.content.archive import Archive, Version, unpack
from slopewise.site.content.course import Course
from slopewise.site.content.library import Library, ProDeck
from slopewise.site.storage.content_tables import LoadedArchive
from slopewise.site.storage.database import Database

log = logging.getLogger(__name__)

State = tuple[tuple[str, str], ...]  # name and digest of each archive that is loaded


@dataclass(frozen=True)
class Loading:
    """What loading an archive did."""

    archive: Archive
    replaced: str  # the version that was there before, or ""
    was_there: bool  # whether the very same file was loaded already


@dataclass(frozen=True)
class Loaded:
    """An archive that is loaded; it has no decks if this version of slopewise cannot read it."""

    name: str
    version: str
    loaded_at: datetime
    decks: tuple[ProDeck, ...]

    @property
    def cards(self) -> int:
        """How many cards it brings."""
        return sum(len(deck.cards) for deck in self.decks)


def load_archive(
    database: Database,
    data: bytes,
    course: Course,
    shipped: Sequence[ProDeck],
    now: datetime,
    *,
    force: bool = False,
) -> Loading:
    """Put an archive in the place of the one of its name: all of it, or nothing if anything does not fit.

    Raises
    ------
    DataError
        If the archive does not fit, is older than the one that is loaded and `force` is not set, or has a
        deck whose name is taken.
    """
    archive = unpack(data)
    with database.reading() as session:
        others = [row for row in _rows(session) if row.name != archive.name]
    # Decks are read and compared before others have to wait: that takes seconds where they are large.
    decks = [deck for row in others for deck in unpack(row.file).decks]
    Library(course, [*shipped, *decks, *archive.decks])  # refuses two decks of one name
    with database.writing() as session:
        there = session.get(LoadedArchive, archive.name)
        if there is not None and there.digest == archive.digest:
            return Loading(archive, there.version, True)
        if there is not None and not force:
            _refuse_older(archive, there)
        if _state(session, but=archive.name) != tuple((row.name, row.digest) for row in others):
            raise DataError("another archive was loaded at the same time: load this one again")
        replaced = there.version if there is not None else ""
        if there is None:
            there = LoadedArchive(name=archive.name)
            session.add(there)
        there.version, there.digest, there.loaded_at = archive.version.text, archive.digest, now
        there.file = data
        note(session, now, f"import-content {archive.version.text}", None, actor="owner")
    return Loading(archive, replaced, False)


def _state(session: Session, but: str = "") -> State:
    """Return which archives are loaded now, one apart."""
    query = select(LoadedArchive.name, LoadedArchive.digest).where(LoadedArchive.name != but)
    return tuple((name, digest) for name, digest in session.execute(query.order_by(LoadedArchive.name)))


def _refuse_older(archive: Archive, there: LoadedArchive) -> None:
    found, loaded = archive.version, Version(there.version)
    if found < loaded:
        raise DataError(
            f"version {loaded.text} of {archive.name} is loaded, and this is {found.text}, an older one; "
            "load it all the same with --force"
        )
    if found == loaded:
        raise DataError(
            f"another build of version {loaded.text} of {archive.name} is loaded; give this one a "
            "new version, or load it all the same with --force"
        )


def _rows(session: Session) -> Sequence[LoadedArchive]:
    return session.scalars(select(LoadedArchive).order_by(LoadedArchive.name)).all()


class Libraries:
    """The library as it is now: lessons, the decks that the package ships, those that are loaded.

    Each look asks the database which archives there are; only when that has changed is a library made anew.
    """

    def __init__(self, course: Course, shipped: Sequence[ProDeck]) -> None:
        self._course = course
        self._shipped = tuple(shipped)
        self._making = Lock()
        self._made: tuple[State, Library, list[Loaded]] = ((), Library(course, shipped), [])

    def loaded(self, database: Database) -> list[Loaded]:
        """Return the archives that are loaded now, by name."""
        return self._now(database)[2]

    def now(self, database: Database) -> Library:
        """Return the library as it is now. Who keeps it sees the same cards until the end."""
        return self._now(database)[1]

    def _now(self, database: Database) -> tuple[State, Library, list[Loaded]]:
        with database.reading() as session:
            state = _state(session)
        made = self._made
        return made if made[0] == state else self._make(database, state)

    def _make(self, database: Database, state: State) -> tuple[State, Library, list[Loaded]]:
        with self._making:
            if self._made[0] == state:  # another thread was first
                return self._made
            with database.reading() as session:
                rows = _rows(session)
            state = tuple((row.name, row.digest) for row in rows)
            loaded = [Loaded(row.name, row.version, row.loaded_at, _decks(row)) for row in rows]
            decks = [deck for archive in loaded for deck in archive.decks]
            self._made = state, Library(self._course, [*self._shipped, *decks]), loaded
            return self._made


def _decks(row: LoadedArchive) -> tuple[ProDeck, ...]:
    """Return the decks of an archive; of one that cannot be read none, and it is in the log."""
    try:
        return unpack(row.file).decks
    except DataError as error:  # checked when it was loaded: another version of slopewise did that
        log.error("the archive %s cannot be shown; load it again: %s", row.name, error)
        return ()


def library_of(request: Request) -> Library:
    """Return the library that a request sees: the same from its start to its end."""
    if not hasattr(request.state, "library"):
        state = request.app.state
        request.state.library = state.libraries.now(state.database)
    library: Library = request.state.library
    return library
