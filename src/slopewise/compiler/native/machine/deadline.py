"""When machine code is to return, on the clock that it looks at; see `clock`."""

from __future__ import annotations

import sys
import time


def deadline_after(seconds: float) -> int:
    """Return the time so many seconds from now, as `clock.emit_now` tells it; never 0, which is no deadline.

    Examples
    --------
    >>> 0 < deadline_after(0.0) < deadline_after(1.0)
    True
    """
    if sys.platform == "win32":
        return int((time.perf_counter() + seconds) * _ticks_per_second())
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(seconds * 1e9)


def _ticks_per_second() -> int:
    import ctypes

    frequency = ctypes.c_int64()
    ctypes.windll.kernel32.QueryPerformanceFrequency(ctypes.byref(frequency))  # type: ignore[attr-defined]
    return frequency.value
