"""Memory that is no longer used goes back to the system between the stages of a job on a large table.

The C library keeps what was freed for later. With a table of hundreds of megabytes, what one stage left
behind would otherwise stand beside what the next one needs.
"""

from __future__ import annotations

import ctypes
import gc
import sys

from slopewise.data import Table

_LARGE = 1 << 26  # bytes; for less it is not worth a few milliseconds


def release_freed_memory(table: Table) -> None:
    """Give back what is free, if a table is large; only glibc has a way to ask for it."""
    if table.frame.estimated_size() < _LARGE:
        return
    gc.collect()  # networks and traces refer to one another
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
