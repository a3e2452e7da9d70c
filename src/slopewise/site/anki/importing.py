"""Taking in a package: a process reads it, and what it found is looked at once more before it is kept."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slopewise.site.accounts.arriving_cards import Medium
from slopewise.site.anki.media import kind_of
from slopewise.site.anki.work import MEDIA, PACKAGE
from slopewise.site.labs.alone import AloneLimits, run_alone
from slopewise.site.labs.places import SITE, Asker, Places

LIMITS = AloneLimits(seconds=30, memory=512 * 2**20, file=64 * 2**20, output=24 * 2**20)
READERS = 1  # packages whose reading has begun; so many hold memory
PATIENCE = 30.0  # seconds until who brings one is told to come back
_WORK = "slopewise.site.anki.work"


@dataclass(frozen=True)
class Contents:
    """What is in a package: its cards, their media by name, and how much of it was left out."""

    cards: list[dict[str, Any]]
    media: dict[str, Medium]
    empty: int
    long: int
    lost: int
    videos: int


class Importer:
    """Reads packages, one at a time, at the places that labs have too."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def read(self, package: bytes, asker: Asker = SITE) -> Contents:
        """Return what is in a package.

        Raises
        ------
        ArgumentError
            If it is none, or goes past a limit; the message says which.
        LabBusyError
            If too many wait already, or it has waited too long.
        LabFailedError
            If reading it took too long or too much memory.
        """
        with self._places.enter(asker, kind="package", most=READERS) as ticket:
            await ticket.wait(PATIENCE)
            with tempfile.TemporaryDirectory(prefix="slopewise-anki-") as folder:
                (Path(folder) / PACKAGE).write_bytes(package)
                found = await run_alone(_WORK, {}, Path(folder), LIMITS, ticket)
                return await asyncio.to_thread(_contents, found, Path(folder) / MEDIA)


def _contents(found: dict[str, Any], folder: Path) -> Contents:
    media = {}
    for name in found["media"]:
        file = folder / str(uuid.UUID(name))  # a random name, and nothing else
        if file.is_symlink():
            raise RuntimeError("the process that reads packages left a link")
        content = file.read_bytes()
        kind = kind_of(content)
        if kind is None:
            raise RuntimeError("the process that reads packages left a file that is no image and no sound")
        media[name] = Medium(kind, hashlib.sha256(content).digest(), content)
    return Contents(found["cards"], media, found["empty"], found["long"], found["lost"], found["videos"])
