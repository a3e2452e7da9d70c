"""The process that reads one package: ``python -m slopewise.site.anki.work`` in a folder of its own."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from slopewise.engine.errors import DataError
from slopewise.site.anki.archive import Archive, open_archive
from slopewise.site.anki.collection import read_collection
from slopewise.site.anki.media import is_video, kind_of
from slopewise.site.anki.rendering import sides
from slopewise.site.labs.alone import serve_one

PACKAGE, COLLECTION, MEDIA = "package.apkg", "collection.db", "media"
MOST_TEXT = 8 * 2**20  # characters of all cards
MOST_MEDIA = 40 * 2**20
LONGEST_GUID, LONGEST_DECK = 200, 200


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Read the package in this folder; media that its cards show are written beside it, under random names.

    Returns
    -------
    dict
        ``cards``, ``media`` (kind and digest by name), and how many were left out: ``empty`` cards, ``long``
        ones, ``lost`` media that are missing, too large, or neither raster images nor sound; of these
        ``videos``.
    """
    archive = open_archive(Path(PACKAGE))
    archive.write_collection(Path(COLLECTION))
    raw = read_collection(Path(COLLECTION))
    media = _Media(archive)
    cards: list[dict[str, Any]] = []
    empty = long = size = 0
    for card in raw:
        try:
            shown = sides(card, media.find)
        except DataError:
            long += 1
            continue
        if shown is None or not 1 <= len(card.guid) <= LONGEST_GUID:
            empty += 1
            continue
        size += len(shown[0]) + len(shown[1])
        if size > MOST_TEXT:
            raise DataError("the package holds more text than there is room for; export a smaller deck")
        cards.append(
            {
                "guid": card.guid,
                "ordinal": card.ordinal,
                "deck": " ".join(card.deck.split())[:LONGEST_DECK],
                "front": shown[0],
                "back": shown[1],
            }
        )
    left_out = {"empty": empty, "long": long, "lost": len(media.lost), "videos": media.videos}
    return {"cards": cards, "media": media.kept, **left_out}


class _Media:
    """The media of a package, each read when a card first shows it."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self._entries = archive, archive.media_names()
        self._known: dict[str, str | None] = {}
        self._size = 0
        self.kept: dict[str, dict[str, str]] = {}
        self.lost: set[str] = set()
        self.videos = 0
        Path(MEDIA).mkdir()

    def find(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = self._keep(name)
            if self._known[name] is None:
                self.lost.add(name)
        return self._known[name]

    def _keep(self, name: str) -> str | None:
        entry = self._entries.get(name) or self._entries.get(unquote(name))
        content = self._archive.medium(entry) if entry is not None else None
        kind = kind_of(content) if content else None
        if content is None or kind is None:
            self.videos += content is not None and is_video(content)
            return None
        self._size += len(content)
        if self._size > MOST_MEDIA:
            raise DataError(f"the package holds more than {MOST_MEDIA // 2**20} MiB of media")
        kept = str(uuid.uuid4())
        (Path(MEDIA) / kept).write_bytes(content)
        self.kept[kept] = {"kind": kind, "digest": hashlib.sha256(content).hexdigest()}
        return kept


if __name__ == "__main__":
    serve_one(lambda request, _: work(request))
