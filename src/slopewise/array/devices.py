"""The one device there is for now."""

from __future__ import annotations

from slopewise.engine.errors import ArgumentError

CPU = "cpu"


def check_device(device: str | None) -> None:
    """Raise ArgumentError unless the device is "cpu", or None for the default."""
    if device is not None and device != CPU:
        raise ArgumentError(f"device must be 'cpu' or None, not {device!r}")
