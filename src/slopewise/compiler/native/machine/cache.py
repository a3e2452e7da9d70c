"""Compiled objects on disk, so that a program is made once per machine and version.

An object is executable code: it is read only from a folder, and a file, that belong to this user and that no
one else can write. Each file names the key it was stored under and the checksum of its object; what does not
fit is ignored. The cache only saves time: whatever goes wrong with it, code is made anew.

The folder is `objects` in the user's cache folder for slopewise; SLOPEWISE_CACHE names another one instead,
and SLOPEWISE_CACHE=off turns the cache off.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import time
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from slopewise._version import __version__
from slopewise.compiler.native.machine import toolchain
from slopewise.compiler.native.machine.toolchain import DEFAULT_PIPELINE, Code, Pipeline, compile_ir

_VARIABLE = "SLOPEWISE_CACHE"
_MAGIC = b"slopewise object 1\n"
_SUFFIX = ".object"
_UNFINISHED = "unfinished-"
_ABANDONED_AFTER = 3600.0  # seconds after which an unfinished file is nobody's

SIZE_LIMIT = 256 * 2**20
"""Bytes of all objects together; when they grow beyond, those not used for longest go."""


def key_of(*parts: bytes | str) -> str:
    """Return the key of a compiled object that depends on `parts`, on this machine and on this version.

    A caller that can describe a program more cheaply than by its IR makes the key of that description, and
    builds no IR at all when the object is there. The compiler's own source files are part of every key.

    Parameters
    ----------
    parts : str or bytes; ("ab", "c") and ("a", "bc") differ

    Examples
    --------
    >>> key_of("graph", "float32") == key_of("graph", "float32")
    True
    >>> key_of("ab", "c") == key_of("a", "bc")
    False
    """
    digest = sha256(_surroundings())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


@cache
def _surroundings() -> bytes:
    """Return what all code of this process depends on: machine, libraries, version, sources.

    The sources are the compiler's, and those of the primitives, which say what is elementwise. They count by
    size and time of change, so that whoever works on them never meets old code.
    """
    package = Path(__file__).parents[3]
    paths = [*(package / "compiler").rglob("*.py"), *(package / "engine" / "primitives").rglob("*.py")]
    sources = [
        (str(path.relative_to(package)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(paths)
    ]
    facts = (tuple(toolchain.host()), toolchain.version(), sys.platform, __version__, sources)
    return sha256(repr(facts).encode()).digest()


def compile_cached(text: str, pipeline: Pipeline = DEFAULT_PIPELINE) -> Code:
    """Compile a module of LLVM IR, or link the object that was made of the same text before.

    Raises
    ------
    ToolchainError
        As `compile_ir` does.
    """
    key = key_of("ir", repr(tuple(pipeline)), text)
    image = load(key)
    if image is not None:
        return Code(image)
    code = compile_ir(text, pipeline)
    store(key, code.image)
    return code


def load(key: str) -> bytes | None:
    """Return the object stored under a key, or None. A file that is torn or of another key is removed."""
    folder = open_folder().path
    if folder is None:
        return None
    path = folder / f"{key}{_SUFFIX}"
    content = _read_own_file(path)
    if content is None:
        return None
    head = _head(key, content[_HEAD_SIZE:])
    if content[:_HEAD_SIZE] != head:
        with contextlib.suppress(OSError):  # the next store replaces it
            path.unlink()
        return None
    with contextlib.suppress(OSError):  # a disk that is only read keeps no times
        os.utime(path)  # used now: see _make_room
    return content[_HEAD_SIZE:]


def store(key: str, image: bytes) -> None:
    """Keep an object under a key, if there is a folder for it and room on the disk."""
    folder = open_folder().path
    if folder is None:
        return
    with contextlib.suppress(OSError):  # a full or read-only disk: the code is made anew next time
        _write_aside(folder / f"{key}{_SUFFIX}", _head(key, image) + image)
        _make_room(folder)


_HEAD_SIZE = len(_MAGIC) + 64 + 32


def _head(key: str, image: bytes) -> bytes:
    return _MAGIC + key.encode() + sha256(image).digest()


def _write_aside(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, under another name until it is whole."""
    descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _make_room(folder: Path) -> None:
    """Remove what writers left unfinished and, beyond the limit, what was not used for longest.

    Down to three quarters of the limit, so that it is not done at every store.
    """
    entries = []
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # another process made room
            status = entry.stat(follow_symlinks=False)
            if entry.name.startswith(_UNFINISHED) and status.st_mtime < time.time() - _ABANDONED_AFTER:
                os.unlink(entry.path)
            elif entry.name.endswith(_SUFFIX):
                entries.append((status.st_mtime, status.st_size, entry.path))
    excess = sum(size for _, size, _ in entries) - SIZE_LIMIT
    if excess <= 0:
        return
    excess += SIZE_LIMIT // 4
    for _, size, path in sorted(entries):
        if excess <= 0:
            break
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        excess -= size


def _read_own_file(path: Path) -> bytes | None:
    """Return the content of a regular file that is this user's alone, or None.

    It is looked at after it was opened: what was checked is what is read, even if the folder is exchanged.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and _is_private(status):
                return file.read()
    except OSError:
        return None  # not there, or not to be read
    return None


def _is_private(status: os.stat_result) -> bool:
    """Tell whether something belongs to this user and nobody else can write it."""
    if not hasattr(os, "geteuid"):
        return True  # Windows: the user's own folders are private by their access lists
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


class Folder(NamedTuple):
    """Where objects are kept, or why they are not: one of the two is None."""

    path: Path | None
    refusal: str | None


def open_folder() -> Folder:
    """Return the folder of objects, made if need be and checked, or why there is none."""
    setting = os.environ.get(_VARIABLE, "")
    if setting.lower() == "off":
        return Folder(None, f"{_VARIABLE} is off")
    root = Path(setting) if setting else _user_folder()
    if root is None or not root.is_absolute():
        return Folder(None, f"there is no home folder for it; set {_VARIABLE} to an absolute path")
    path = root / "objects"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        status = path.lstat()
    except OSError as error:
        return Folder(None, f"{path} cannot be made: {error.strerror}")
    if not stat.S_ISDIR(status.st_mode):
        return Folder(None, f"{path} is not a folder")
    if not _is_private(status):
        return Folder(None, f"{path} belongs to another user, or others can write it")
    return Folder(path, None)


def _user_folder() -> Path | None:
    """Return the user's cache folder for slopewise, by the custom of the system; None without a home."""
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA", "")
            return (Path(local) if local else Path.home() / "AppData" / "Local") / "slopewise" / "cache"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "slopewise"
        stated = Path(
            os.environ.get("XDG_CACHE_HOME", "")
        )  # only absolute ones count, says the specification
        return (stated if stated.is_absolute() else Path.home() / ".cache") / "slopewise"
    except RuntimeError:  # no home
        return None
