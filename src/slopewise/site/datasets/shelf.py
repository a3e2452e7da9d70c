"""The files of data sets: a folder each, under a random name, in a folder beside the database.

What stands there is never served as it is, and the names that visitors gave are not among its names.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from slopewise.site.storage.dump import UNFINISHED
from slopewise.train.files import write_bytes

_NEW, _WORK = UNFINISHED
ORPHAN_SECONDS = 3600  # a folder without a row may be one that is just being made


class Shelf:
    """The folder of all data sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data_set: uuid.UUID, suffix: str, content: bytes, facts: Any, points: Any) -> int:
        """Keep a data set's files, whole or not at all, and return how many bytes they are."""
        self._make()
        unfinished = self.folder / f"{_NEW}{data_set.hex}"
        unfinished.mkdir(mode=0o700)
        try:
            write_bytes(unfinished / f"table{suffix}", content)
            write_bytes(unfinished / "facts.json", json.dumps(facts).encode())
            write_bytes(unfinished / "points.json", json.dumps(points).encode())
            unfinished.rename(self._of(data_set))
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return self.size(data_set)

    def size(self, data_set: uuid.UUID) -> int:
        """Return how many bytes a data set's files are, reports included."""
        return sum(file.stat().st_size for file in self._of(data_set).glob("*"))

    def holds(self, data_set: uuid.UUID) -> bool:
        """Whether the files of a data set are there; after a restore they may not be."""
        return (self._of(data_set) / "facts.json").exists()

    def table(self, data_set: uuid.UUID) -> Path:
        """Return the file that the visitor gave."""
        return next(self._of(data_set).glob("table.*"))

    def facts(self, data_set: uuid.UUID) -> dict[str, Any]:
        """Return what the table holds; see `facts_of`."""
        return self._json(data_set, "facts.json")

    def points(self, data_set: uuid.UUID) -> dict[str, Any]:
        """Return columns as plain lists; see `points_of`."""
        return self._json(data_set, "points.json")

    def put_report(self, data_set: uuid.UUID, run: uuid.UUID, report: str) -> None:
        """Keep the report of a training."""
        write_bytes(self._of(data_set) / f"{run.hex}.html", report.encode())

    def report_file(self, data_set: uuid.UUID, run: uuid.UUID) -> Path | None:
        """Return the file of the report of a training, or None if there is none."""
        file = self._of(data_set) / f"{run.hex}.html"
        return file if file.exists() else None

    def report(self, data_set: uuid.UUID, run: uuid.UUID) -> str | None:
        """Return the report of a training, or None if there is none."""
        try:
            return (self._of(data_set) / f"{run.hex}.html").read_text("utf-8")
        except FileNotFoundError:
            return None

    def remove_report(self, data_set: uuid.UUID, run: uuid.UUID) -> None:
        """Delete the report of a training."""
        (self._of(data_set) / f"{run.hex}.html").unlink(missing_ok=True)

    def remove(self, data_set: uuid.UUID) -> None:
        """Delete all files of a data set."""
        shutil.rmtree(self._of(data_set), ignore_errors=True)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Yield a folder for a process to work in; it is deleted at the end."""
        self._make()
        folder = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def scratch(self) -> IO[bytes]:
        """Return a file without a name, on the disk of the data sets; it is gone when it is closed."""
        self._make()
        return cast(IO[bytes], tempfile.TemporaryFile(dir=self.folder))

    def sweep(self, known: Collection[uuid.UUID], seconds: float = ORPHAN_SECONDS) -> int:
        """Delete folders that belong to no data set and are older than some seconds; return how many."""
        if not self.folder.exists():
            return 0
        names = {data_set.hex for data_set in known}
        gone = 0
        for folder in self.folder.iterdir():
            if folder.name in names or time.time() - folder.stat().st_mtime < seconds:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
        return gone

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _of(self, data_set: uuid.UUID) -> Path:
        return self.folder / data_set.hex

    def _json(self, data_set: uuid.UUID, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self._of(data_set) / name).read_text("utf-8"))
        return value
