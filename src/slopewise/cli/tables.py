"""Tables that commands write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slopewise.train.files import write_bytes

if TYPE_CHECKING:
    import polars as pl


def write_table(frame: pl.DataFrame, out: Path | None) -> int:
    """Write a frame as CSV, to a file whole or not at all, or to standard output; return the exit status."""
    text = frame.write_csv()
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())  # CSV is UTF-8, whatever the terminal's encoding
        return 0
    write_bytes(out, text.encode())
    print(f"{out}: {frame.height:,} rows", flush=True)
    return 0
