"""How long answers took, by the kind of request, and what they were."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

NO_ANSWER = 0  # the status of a request whose connection ended


class Timings:
    """What clients found, in seconds and statuses."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)

    async def time(self, kind: str, ask: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response | None:
        """Return an answer, and note how long it took; None if none came."""
        began = time.perf_counter()
        try:
            answer = await ask()
        except httpx2.TransportError:
            answer = None
        self.add(kind, time.perf_counter() - began, NO_ANSWER if answer is None else answer.status_code)
        return answer

    def add(self, kind: str, seconds: float, status: int = 200) -> None:
        """Note an answer."""
        self.seconds[kind].append(seconds)
        self.statuses[kind][status] += 1

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return counts, percentiles in milliseconds and statuses by kind, and of all together."""
        every = [value for values in self.seconds.values() for value in values]
        statuses = sum(self.statuses.values(), Counter())
        kinds = {kind: _row(self.seconds[kind], self.statuses[kind]) for kind in self.seconds}
        return kinds | {"all": _row(every, statuses)} if len(kinds) > 1 else kinds


def percentile(seconds: list[float], part: float) -> float:
    """Return the smallest value that at least a part of the values does not exceed (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)]


def _row(seconds: list[float], statuses: Counter[int]) -> dict[str, Any]:
    values = {f"p{part}": 1000 * percentile(seconds, part / 100) for part in (50, 95, 99)}
    errors = {str(status): count for status, count in sorted(statuses.items()) if not 200 <= status < 400}
    return {"count": len(seconds), **values, "longest": 1000 * max(seconds), "errors": errors}
