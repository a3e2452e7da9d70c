"""Tables that commands write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slopewise.train.files import write_bytes, write_error

if TYPE_CHECKING:
    import polars as pl

_STREAM_FOLDERS = (Path("/dev"), Path("/dev/fd"))


def write_table(frame: pl.DataFrame, out: Path | None) -> int:
    """Write a frame as CSV, to a file whole or not at all, or to standard output; return the exit status."""
    content = frame.write_csv().encode()  # UTF-8, whatever the terminal's encoding
    if out is None:
        _print(content)
        return 0
    _write(out, content)
    print(f"{out}: {frame.height:,} rows", file=sys.stderr if _is_stream(out) else sys.stdout)
    return 0


def _print(content: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # the reader has had enough: the caller knows
    except OSError as error:
        raise write_error(Path("standard output"), error) from error


def _write(out: Path, content: bytes) -> None:
    if not _is_stream(out):
        write_bytes(out.resolve() if out.is_symlink() else out, content)  # a link goes on to point there
        return
    try:
        with open(out, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise write_error(out, error) from error


def _is_stream(out: Path) -> bool:
    """Whether it is a device or a pipe, such as /dev/stdout: to be written to, not replaced by a file."""
    return out.is_char_device() or out.is_fifo() or out.absolute().parent in _STREAM_FOLDERS
