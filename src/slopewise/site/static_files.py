"""Files that the package ships. A page names them by addresses that change with them, so browsers keep them.

The version is a folder of the address, not a query: a script that imports ``./site.js`` asks for the very
address that the page named, and nothing is loaded twice.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # may be kept, but is asked for each time whether it is still the same
_VERSION = re.compile(r"v-[0-9a-f]{12}$")


def version_of(folder: Path) -> str:
    """Return the version of all files in a folder: the same if and only if they are."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"v-{digest.hexdigest()[:12]}"


class StaticAddresses:
    """Turns the name of a file into its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = version_of(folder)

    def __call__(self, name: str) -> str:
        """Return the address of a file.

        Raises
        ------
        FileNotFoundError
            If there is no such file: a page must not name it.
        """
        if not (self._folder / name).is_file():
            raise FileNotFoundError(self._folder / name)
        return f"/static/{self._version}/{name}"


class VersionedFiles(StaticFiles):
    """Serves a folder under the addresses of `StaticAddresses`, and under plain ones."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._version = version_of(folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file. A page of an older version, still open, gets the file as it is now."""
        version, _, rest = path.replace("\\", "/").partition("/")
        is_versioned = bool(rest and _VERSION.match(version))
        response = await super().get_response(rest if is_versioned else path, scope)
        is_kept = is_versioned and version == self._version and response.status_code in (200, 304)
        response.headers["Cache-Control"] = FOREVER if is_kept else ASK_AGAIN
        return response
