"""The file of a package: a zip archive, whose entries are read by number and never written where they say."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import zstandard

from slopewise.engine.errors import DataError
from slopewise.site.anki import protobuf

MOST_ENTRIES = 5000
LARGEST_COLLECTION = 48 * 2**20
LARGEST_MEDIUM = 5 * 2**20
LARGEST_LIST = 2 * 2**20
MOST_BYTES = 96 * 2**20  # of all entries, unpacked
MOST_RATIO = 200  # text and databases shrink to a twentieth; a bomb to a thousandth
_SMALL = 2**20  # below it, no ratio is a bomb
COLLECTIONS = ("collection.anki21b", "collection.anki21", "collection.anki2")  # the newest first
_PART = 2**16
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, zstandard.ZstdError),
    *(EOFError, NotImplementedError, RuntimeError, OSError),
)


@dataclass(frozen=True)
class Archive:
    """An open package."""

    entries: zipfile.ZipFile

    @cached_property
    def names(self) -> frozenset[str]:
        """What it holds."""
        return frozenset(self.entries.namelist())

    @property
    def collection(self) -> str:
        """The name of the newest collection: older ones beside it hold a note that says to update Anki."""
        for name in COLLECTIONS:
            if name in self.names:
                return name
        raise DataError("this is no package of Anki: it holds no collection")

    @property
    def is_packed(self) -> bool:
        """Whether entries are compressed once more, as since Anki 2.1.50."""
        return self.collection == COLLECTIONS[0]

    def write_collection(self, file: Path) -> None:
        """Write the collection to a file."""
        with file.open("wb") as out:
            for part in self._parts(self.collection, LARGEST_COLLECTION):
                out.write(part)

    def media_names(self) -> Mapping[str, str]:
        """Return the entry of each medium by the name that notes call it."""
        if "media" not in self.names:
            return {}
        listed = b"".join(self._parts("media", LARGEST_LIST))
        return _packed_list(listed) if self.is_packed else _plain_list(listed)

    def medium(self, entry: str) -> bytes | None:
        """Return the bytes of a medium; None if it is not there or too large."""
        if entry not in self.names or not entry.isascii() or not entry.isdigit():
            return None
        try:
            return b"".join(self._parts(entry, LARGEST_MEDIUM))
        except DataError:
            return None

    def _parts(self, name: str, most: int) -> Iterator[bytes]:
        """Yield an entry, unpacked as far as it may be: sizes that the archive names are not believed."""
        size = 0
        try:
            with self.entries.open(name) as stream:
                source: Any = stream
                if self.is_packed:
                    source = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(stream)
                while part := source.read(_PART):
                    size += len(part)
                    if size > most:
                        raise DataError(f"{name!r} in the package is larger than {most // 2**20} MiB")
                    yield part
        except _UNREADABLE as error:
            raise DataError(f"{name!r} in the package cannot be unpacked") from error


def open_archive(file: Path) -> Archive:
    """Open a package, and refuse one that no Anki writes.

    Raises
    ------
    DataError
        If it is no zip archive, or its entries are too many, too large, packed too densely, or named like
        places outside of it.
    """
    try:
        entries = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise DataError("this is no package of Anki: it is no zip archive") from error
    infos = entries.infolist()
    if len(infos) > MOST_ENTRIES:
        raise DataError(f"the package holds {len(infos)} files; {MOST_ENTRIES} are the most")
    for info in infos:
        _check(info)
    if sum(info.file_size for info in infos) > MOST_BYTES:
        raise DataError(f"the package is larger than {MOST_BYTES // 2**20} MiB when unpacked")
    return Archive(entries)


def _check(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if "/" in name or "\\" in name or name in ("", ".", "..") or not name.isprintable():
        raise DataError(f"the package holds a file {name[:60]!r}, which leads out of it; no Anki writes that")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(f"the package holds a link, {name[:60]!r}; no Anki writes that")
    if info.flag_bits & 1:
        raise DataError("the package is encrypted")
    if info.file_size > _SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
        raise DataError(f"{name[:60]!r} in the package is packed more densely than cards ever are")


def _plain_list(listed: bytes) -> Mapping[str, str]:
    try:
        value = json.loads(listed)
    except (ValueError, RecursionError) as error:
        raise DataError("the list of media in the package cannot be read") from error
    if not isinstance(value, dict):
        raise DataError("the list of media in the package cannot be read")
    return {name: entry for entry, name in value.items() if isinstance(name, str)}


def _packed_list(listed: bytes) -> Mapping[str, str]:
    """Read MediaEntries: a message for each medium, whose first field is its name."""
    found = {}
    for number, entry in enumerate(protobuf.messages(listed, 1)):
        name = next(protobuf.messages(entry, 1), b"")
        found[name.decode("utf-8", "replace")] = str(number)
    return found
