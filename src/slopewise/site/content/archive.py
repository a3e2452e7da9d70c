"""Content archives: decks as finished text in one file, checked wholly before any of it is used.

An archive is a zip file: `manifest.json` names the archive, its version, and each deck's file with its
SHA-256; a deck is JSON. Nothing in it could be executed: numbers were computed when it was built.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.content import markup
from slopewise.site.content.lesson import TAGS, Card, card_identity
from slopewise.site.content.library import ProDeck

FORMAT = 1
MANIFEST = "manifest.json"
MOST_BYTES = 8_000_000  # of an archive, and of all that is in it
MOST_DECKS, MOST_CARDS = 20, 500
MOST_LETTERS = 4000  # of a text
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip file: the same content gives the same bytes
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SLUG = re.compile(r"pro-[a-z0-9-]{1,56}")  # so that no address of the site can be taken
_VERSION = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})(?:\.(0|[1-9][0-9]{0,3}))?")


@total_ordering
@dataclass(frozen=True)
class Version:
    """The version of an archive, ordered by its numbers.

    Examples
    --------
    >>> Version("1.10") > Version("1.9"), Version("1.0.1") > Version("1.0")
    (True, True)
    """

    text: str

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.text):
            raise DataError(f"a version looks like 1.2 or 1.2.3, not {self.text[:20]!r}")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Three numbers."""
        numbers = tuple(int(number) for number in self.text.split("."))
        return numbers + (0,) * (3 - len(numbers))

    def __lt__(self, other: Version) -> bool:
        return self.numbers < other.numbers


@dataclass(frozen=True)
class Archive:
    """An archive that was read and checked."""

    name: str
    version: Version
    decks: tuple[ProDeck, ...]
    digest: str  # of the file, SHA-256 in hexadecimal letters


def pack(name: str, version: str, decks: Sequence[ProDeck]) -> bytes:
    """Return decks as an archive; the same decks give the same bytes.

    Raises
    ------
    DataError
        If an import would refuse it.
    """
    files = {f"decks/{deck.slug}.json": _json(_as_rows(deck)) for deck in decks}
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "decks": [
            {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
            for file, content in files.items()  # pages show decks in this order
        ],
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as target:  # deflate differs between zlib versions
        for file, content in [(MANIFEST, _json(manifest)), *sorted(files.items())]:
            target.writestr(zipfile.ZipInfo(file, _EPOCH), content)
    unpack(made.getvalue())
    return made.getvalue()


def _as_rows(deck: ProDeck) -> dict[str, Any]:
    return {
        "slug": deck.slug,
        "title": deck.title,
        "summary": deck.summary,
        "skills": [{"id": skill, "name": name} for skill, name in deck.skills.items()],
        "cards": [
            {"id": card.id, "skill": card.skill, "front": card.front, "back": card.back, "tags": [*card.tags]}
            for card in deck.cards
        ],
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def unpack(data: bytes) -> Archive:
    """Read an archive and check all of it: sizes, checksums, keys, skills, tags, that texts can be set.

    Raises
    ------
    DataError
        If anything does not fit; the message names file and card.
    """
    files = _files(data)
    manifest = _Row(_parsed(files.pop(MANIFEST), MANIFEST), MANIFEST)
    if (found := manifest.value("format", int)) != FORMAT:
        raise DataError(f"{MANIFEST}: format {found} is not known; this version of slopewise reads {FORMAT}")
    name = manifest.matching("name", _NAME)
    version = Version(manifest.text("version"))
    listed = [_Row(row, MANIFEST) for row in manifest.value("decks", list)]
    manifest.done()
    if not 1 <= len(listed) <= MOST_DECKS:
        raise DataError(f"{MANIFEST}: an archive holds 1 to {MOST_DECKS} decks, not {len(listed)}")
    decks = []
    for row in listed:
        file, checksum = row.text("file"), row.text("sha256")
        row.done()
        if file not in files:
            raise DataError(f"{MANIFEST}: names {file[:80]!r}, which is not in the archive")
        content = files.pop(file)
        if hashlib.sha256(content).hexdigest() != checksum:
            raise DataError(
                f"{file}: its checksum differs from the manifest's; build or copy the archive again"
            )
        decks.append(_deck(_Row(_parsed(content, file), file)))
    if files:
        raise DataError(f"{min(files)[:80]}: is in the archive, and the manifest does not name it")
    if len({deck.slug for deck in decks}) < len(decks):
        raise DataError(f"{MANIFEST}: two decks have the same slug")
    return Archive(name, version, tuple(decks), hashlib.sha256(data).hexdigest())


def _files(data: bytes) -> dict[str, bytes]:
    """Return what is in a zip file, read within limits."""
    if len(data) > MOST_BYTES:
        raise DataError(f"the file is larger than {MOST_BYTES // 1_000_000} MB, which no content archive is")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            entries = source.infolist()
            names = [entry.filename for entry in entries]
            if MANIFEST not in names:
                raise DataError(f"the file is no content archive: it holds no {MANIFEST}")
            if len(set(names)) < len(names) or len(names) > MOST_DECKS + 1:
                raise DataError("the file is no content archive: it holds too many files, or one twice")
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise DataError(f"what the archive holds is larger than {MOST_BYTES // 1_000_000} MB")
            return {entry.filename: _read(source, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise DataError(f"the file is no content archive: {error}") from error


def _read(source: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with source.open(entry) as opened:
        content = opened.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise DataError(f"{entry.filename[:80]}: is not as long as the archive says")
    return content


def _parsed(content: bytes, file: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: is not JSON: {error}") from error


class _Row:
    """An object of JSON, whose keys are taken one by one; what is missing or left over is named."""

    def __init__(self, row: Any, where: str) -> None:
        if not isinstance(row, dict):
            raise DataError(f"{where}: holds {type(row).__name__} where an object is expected")
        self.where = where
        self._row = dict(row)

    def value(self, key: str, kind: type) -> Any:
        """Return a value of a kind."""
        if key not in self._row:
            raise DataError(f"{self.where}: lacks {key!r}")
        value = self._row.pop(key)
        if not isinstance(value, kind):
            raise DataError(f"{self.where}: {key!r} is not of the kind {kind.__name__}")
        return value

    def text(self, key: str) -> str:
        """Return a text that is there and not too long."""
        text: str = self.value(key, str)
        if not text.strip() or len(text) > MOST_LETTERS:
            raise DataError(f"{self.where}: {key!r} has 1 to {MOST_LETTERS} letters, not {len(text)}")
        if any((letter < " " and letter != "\n") or "\ud800" <= letter <= "\udfff" for letter in text):
            raise DataError(f"{self.where}: {key!r} holds a control letter")
        return text

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        """Return a text that has a form."""
        text = self.text(key)
        if not pattern.fullmatch(text):
            raise DataError(f"{self.where}: {key!r} is {text[:60]!r}, which does not match {pattern.pattern}")
        return text

    def done(self) -> None:
        """Refuse keys that nobody took."""
        if self._row:
            raise DataError(f"{self.where}: has the unknown key {min(self._row)[:60]!r}")


def _deck(row: _Row) -> ProDeck:
    slug, title, summary = row.matching("slug", _SLUG), row.text("title"), row.text("summary")
    skills: dict[str, str] = {}
    for item in row.value("skills", list):
        skill = _Row(item, f"{row.where}: a skill")
        skill_id, name = skill.matching("id", _NAME), skill.text("name")
        skill.done()
        _check_markup(name, f"{skill.where}, {skill_id}")
        skills[skill_id] = name
    rows = row.value("cards", list)
    row.done()
    if not 1 <= len(rows) <= MOST_CARDS:
        raise DataError(f"{row.where}: a deck holds 1 to {MOST_CARDS} cards, not {len(rows)}")
    cards = tuple(
        _card(_Row(item, f"{row.where}: card {number}"), slug, skills)
        for number, item in enumerate(rows, start=1)
    )
    if len({card.id for card in cards}) < len(cards):
        raise DataError(f"{row.where}: two cards have the same id")
    return ProDeck(slug, title, summary, skills, cards)


def _card(row: _Row, slug: str, skills: Mapping[str, str]) -> Card:
    card_id = row.matching("id", _NAME)
    row.where = f"{row.where}, {card_id}"
    skill = row.text("skill")
    tags = row.value("tags", list)
    card = Card(
        card_id, card_identity(slug, {"id": card_id}), skill, row.text("front"), row.text("back"), tuple(tags)
    )
    row.done()
    if skill not in skills:
        raise DataError(f"{row.where}: the deck has no skill {skill[:60]!r}")
    if not all(tag in TAGS for tag in tags):
        raise DataError(f"{row.where}: tags are {', '.join(TAGS)}")
    for text in (card.front, card.back):
        _check_markup(text, row.where)
    return card


def _check_markup(text: str, where: str) -> None:
    """Refuse a text that a page could not show."""
    try:
        markup.block(text)
    except ArgumentError as error:
        raise DataError(f"{where}: {error}") from error
