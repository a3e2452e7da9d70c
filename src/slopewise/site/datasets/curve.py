"""The curve of a training while it is made: points that come in, and streams that wait for more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

Point = Sequence[float | None]  # epoch, loss on training rows, loss on validation rows


@dataclass
class Curve:
    """Points in their order; who holds the first `n` of them asks for what comes after.

    Attributes
    ----------
    streams : int
        How many pages listen.
    is_closed : bool
        Whether the training has ended, so that no more points come.
    """

    points: list[Point] = field(default_factory=list)
    streams: int = 0
    is_closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, points: Sequence[Point]) -> None:
        """Take points that came in."""
        self.points += points
        self._tell()

    def close(self) -> None:
        """Say that the training has ended."""
        self.is_closed = True
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, after: int, seconds: float) -> None:
        """Wait until there are more points than so many, or none will come; not longer than some seconds."""
        if len(self.points) <= after and not self.is_closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
