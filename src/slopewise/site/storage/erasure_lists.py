"""Lists of who was erased, as files: they outlive the database, so that no backup brings anybody back.

One is beside the database, and one in each folder of its backups, which are copied elsewhere together. A
line is the random id of a learner who is no more, and the moment of the erasure if it is known; or a moment
alone, at which all were on the list.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slopewise.engine.errors import DataError
from slopewise.site.storage.database import Database
from slopewise.site.storage.engines import for_owner_only

BESIDE = "erased"  # the name of the list beside the database, after that of the database
BESIDE_BACKUPS = "slopewise.erased"
_FOLDERS = "backup-folders"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erased:
    """Who was erased, and the moment up to which nobody is missing; None if that is not known."""

    learners: frozenset[uuid.UUID] = frozenset()
    until: datetime | None = None

    def __or__(self, other: Erased) -> Erased:
        moments = [moment for moment in (self.until, other.until) if moment is not None]
        return Erased(self.learners | other.learners, max(moments, default=None))


def read_list(file: Path) -> Erased | None:
    """Return what a list says, None if there is none.

    Raises
    ------
    DataError
        If it cannot be read, or is damaged.
    """
    try:
        text = file.read_text(encoding="utf-8")
        lines = [_parsed(line.split()) for line in text.splitlines() if line.strip()]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except ValueError:  # text that is no text, too
        raise DataError(f"{file}: each line is the id of a learner who was erased, or a moment") from None
    learners = frozenset(learner for learner, _ in lines if learner is not None)
    return Erased(learners, max((moment for _, moment in lines if moment is not None), default=None))


def _parsed(parts: list[str]) -> tuple[uuid.UUID | None, datetime | None]:
    """Return the learner and the moment of a line."""
    learner = uuid.UUID(parts[0]) if len(parts) == 2 or len(parts[0]) == 36 else None
    moment = datetime.fromisoformat(parts[-1]) if len(parts) == 2 or learner is None else None
    if len(parts) > 2 or (moment is not None and moment.tzinfo is None):
        raise ValueError("a line has an id and a moment with its zone")
    return learner, moment


def keep(database: Database, learners: Iterable[uuid.UUID], erased_at: datetime | None) -> None:
    """Add learners to the list beside the database, and to those in the folders of its backups.

    A folder that cannot be written now, such as one on a disk that is elsewhere, gets them with the next
    backup.
    """
    moment = f" {erased_at.isoformat()}" if erased_at is not None else ""
    lines = [f"{learner}{moment}" for learner in sorted(learners)]
    if not lines:
        return
    beside = database.beside(BESIDE)
    beside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _append(beside, lines)
    for folder in _folders_of(database):
        try:
            _append(folder / BESIDE_BACKUPS, lines)
        except OSError as error:
            log.warning(
                "the list of erasures in %s cannot be written (%s); the next backup there does it",
                folder,
                error.strerror,
            )


def keep_beside_backups(
    database: Database, folder: Path, learners: Iterable[uuid.UUID], now: datetime
) -> None:
    """Write all who were erased until now into a folder of backups, and let erasures go there from now on.

    Raises
    ------
    DataError
        If that cannot be written.
    """
    try:
        _remember(database, folder.resolve())  # first: an erasure that comes meanwhile writes there itself
        known = read_list(database.beside(BESIDE)) or Erased()
        there = read_list(folder / BESIDE_BACKUPS) or Erased()
        new = sorted({*learners, *known.learners} - there.learners)
        moment = now.isoformat()
        _append(folder / BESIDE_BACKUPS, [*(f"{learner} {moment}" for learner in new), moment])
    except OSError as error:
        raise DataError(f"cannot write the list of erasures in {folder}: {error.strerror}") from error


def _folders_of(database: Database) -> list[Path]:
    """Return the folders into which the database was backed up and which are there."""
    file = database.beside(_FOLDERS)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [folder for folder in map(Path, lines) if folder.is_dir()]


def _remember(database: Database, folder: Path) -> None:
    file = database.beside(_FOLDERS)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if str(folder) not in lines:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _append(file, [str(folder)])


def _append(file: Path, lines: list[str]) -> None:
    with open(file, "a", encoding="utf-8", opener=for_owner_only) as opened:
        opened.write("".join(f"{line}\n" for line in lines))
        opened.flush()
        os.fsync(opened.fileno())
