"""What a device keeps of a site: the token, the day's cards, and an outbox of what was not sent yet.

Files are readable by their user alone, and each is whole at any moment. An entry of the outbox is a file of
its own, so that several terminals write at once without undoing each other's work.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slopewise.engine.errors import DataError

_OWNER_ONLY = 0o600
_OTHERS = 0o077


class Device:
    """The folder of a site.

    Parameters
    ----------
    root : Path
        The folder of all sites.
    address : str
        Of the site, as `site_address` returns it.
    """

    def __init__(self, root: Path, address: str) -> None:
        self.path = root / re.sub(r"[^A-Za-z0-9.-]+", "-", address)
        self._token, self._learners = self.path / "token", self.path / "learners.json"

    def token(self) -> str | None:
        """Return the token that was kept, or None.

        Raises
        ------
        DataError
            If others can read it.
        """
        try:
            text = self._token.read_text(encoding="utf-8").strip()
            mode = self._token.stat().st_mode
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _cannot("read", self._token, error) from error
        if os.name == "posix" and mode & _OTHERS:
            raise DataError(
                f"others can read {self._token}: revoke this token, and run: slopewise cards log-in"
            )
        return text

    def keep_token(self, token: str) -> None:
        """Keep a token."""
        write_whole(self._token, f"{token}\n")

    def forget_token(self) -> None:
        """Delete the token."""
        _delete(self._token)

    def learner_of(self, token: str) -> str | None:
        """Return whose token it is, as the site once said; None if it was never used here."""
        known = _read(self._learners)
        learner = known.get(_digest(token)) if isinstance(known, dict) else None
        return learner if isinstance(learner, str) else None

    def keep_learner(self, token: str, learner: str) -> None:
        """Remember whose token it is: without a connection, nobody else can tell."""
        if self.learner_of(token) != learner:
            known = _read(self._learners)
            before = known if isinstance(known, dict) else {}
            write_whole(self._learners, json.dumps({**before, _digest(token): learner}))

    def shelf(self, learner: str) -> Shelf:
        """Return what is kept for one learner."""
        return Shelf(self.path / str(_identity(learner)))

    def left_by_others(self, learner: str) -> int:
        """Return how many entries wait of learners other than this one."""
        outboxes = self.path.glob("*/outbox") if self.path.is_dir() else ()
        return sum(len(list(box.glob("*.json"))) for box in outboxes if box.parent.name != learner)


class Shelf:
    """What is kept for one learner: the day's cards, and the outbox."""

    def __init__(self, path: Path) -> None:
        self.outbox = Outbox(path / "outbox")
        self._cards = path / "cards.json"

    def cards(self) -> dict[str, Any] | None:
        """Return the day's cards as they were last kept; None if there are none that can be read."""
        value = _read(self._cards)
        return value if isinstance(value, dict) else None

    def keep_cards(self, value: Mapping[str, Any]) -> None:
        """Keep the day's cards, for a time without a connection."""
        write_whole(self._cards, json.dumps(value))

    def forget_cards(self) -> None:
        """Delete the day's cards."""
        _delete(self._cards)


class Outbox:
    """Entries of the log that the site has not confirmed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry; it is on the disk when this returns."""
        write_whole(self.path / f"{_moment(entry)}-{_identity(entry['id'])}.json", json.dumps(dict(entry)))

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries in the order in which they were made.

        Raises
        ------
        DataError
            If a file is no entry.
        """
        found = []
        for file in self._files():
            entry = _read(file)
            if entry is None:
                continue  # another terminal has sent it just now
            if not isinstance(entry, dict) or not {"id", "kind", "at"} <= entry.keys():
                raise DataError(f"{file} is damaged: see what it holds, then move it elsewhere")
            found.append(entry)
        return found

    def forget(self, ids: Iterable[str]) -> None:
        """Delete entries."""
        named = tuple(f"-{one}.json" for one in ids)
        for file in self._files():
            if file.name.endswith(named):
                _delete(file)

    def __len__(self) -> int:
        return len(self._files())

    def _files(self) -> list[Path]:
        return sorted(self.path.glob("*.json")) if self.path.is_dir() else []


def write_whole(file: Path, text: str) -> None:
    """Write a file that only its user can read; it appears whole or not at all, and survives a loss of power.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with open(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(unfinished, file)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise _cannot("write", file, error) from error


def _read(file: Path) -> Any:
    """Return what a file of JSON holds; None if it is not there, and "" if it is damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot("read", file, error) from error
    except (ValueError, RecursionError):
        return ""


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot("delete", file, error) from error


def _cannot(what: str, file: Path, error: Exception) -> DataError:
    return DataError(f"cannot {what} {file}: {getattr(error, 'strerror', None) or error}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _identity(text: str) -> uuid.UUID:
    """Return an id, which names a file or a folder, if it is one."""
    try:
        return uuid.UUID(text)
    except (ValueError, TypeError, AttributeError):
        raise DataError(f"the site names something {str(text)[:40]!r}, which is no id") from None


def _moment(entry: Mapping[str, Any]) -> str:
    return re.sub(r"[^0-9T]", "", str(entry["at"]))[:21]
