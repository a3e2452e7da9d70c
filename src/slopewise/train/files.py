"""Files that are never half-written: a reader sees the old content or the new, whatever happens."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import RunError

Tensors = dict[str, NDArray[Any]]

_WAYS_OUT = {
    errno.EACCES: "you may not write there: choose another folder",
    errno.EPERM: "you may not write there: choose another folder",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.ENOSPC: "the disk is full: free some space, or choose another folder",
    errno.EDQUOT: "your disk quota is used up: free some space, or choose another folder",
    errno.EFBIG: "the file would be larger than allowed here: choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder: choose another folder",
    errno.EEXIST: "a file of that name is in the way: choose another folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def write_error(path: Path, error: OSError) -> RunError:
    """Return the RunError, in one line, for a file that could not be written."""
    reason = _WAYS_OUT.get(error.errno or 0, error.strerror or type(error).__name__)
    return RunError(f"cannot write {path}: {reason}")


def write_bytes(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all: aside, to the disk, renamed.

    Raises
    ------
    RunError
        If the folder cannot be written or the disk is full; an older file then stays as it was.
    """
    aside = path.with_name(path.name + ".part")
    try:
        try:
            with open(aside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can (Windows cannot open a folder)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, record: Any) -> None:
    """Write a record as indented JSON, whole or not at all; see `to_json`."""
    write_bytes(path, (to_json(record, indent=2) + "\n").encode())


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Return strict JSON, with NumPy scalars as numbers, paths as text, and NaN and infinities as null.

    Examples
    --------
    >>> to_json({"loss": np.float64("nan"), "rows": np.int64(3)})
    '{"loss": null, "rows": 3}'
    """
    return json.dumps(_plain(record), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "biu" else _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return Path(value).as_posix()
    return value


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    RunError
        If it is missing, not readable or not JSON; the message names the file.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing: this folder does not hold a whole run") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path} is damaged, it is not JSON ({error}): fit again") from None


def tensors_to_bytes(tensors: Tensors) -> bytes:
    """Return named arrays in the safetensors format, 0-d and non-contiguous ones included."""
    from safetensors.numpy import save

    native = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    native = {name: value.astype(value.dtype.newbyteorder("="), copy=False) for name, value in native.items()}
    return save(native)


def tensors_from_bytes(content: bytes) -> Tensors:
    """Return the named arrays of a safetensors file; they are read-only."""
    from safetensors.numpy import load

    return load(content)


def checksum(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
