"""How much memory a process holds, and has held at most: resident pages, in bytes, on Linux."""

from __future__ import annotations

from pathlib import Path


def resident() -> int:
    """Return what this process holds now."""
    return _status("VmRSS")


def peak() -> int:
    """Return the most that this process has held since `reset_peak`, or since it began."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Let `peak` begin anew from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")
