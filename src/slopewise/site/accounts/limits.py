"""Limits on how often something is tried: by account, and by address of the network."""

from __future__ import annotations

import hashlib
import ipaddress
import itertools
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import delete, func, select

from slopewise.site.storage.database import Database
from slopewise.site.storage.service_tables import Try

# Thirty pupils behind one address must get in: what is tried by one account is narrow, by one network wide.
RULES = {
    "log-in of an account": "10 per 15 minutes",
    "log-in of an account from elsewhere": "100 per day",
    "log-in from a network": "300 per 15 minutes",
    "mail to an address": "4 per hour",
    "mail from a network": "100 per hour",
    "password again": "10 per 15 minutes",
    "code of an account": "10 per hour",
    "code from a network": "100 per hour",
    "package of an account": "20 per hour",
    "package from a network": "300 per hour",
    "class code of an account": "30 per hour",
    "class code from a network": "1000 per hour",
    # Each leaves a line in the audit log. What takes it back has no limit: it can be done once for each.
    "new class": "60 per day",
    "new class code": "200 per day",
    "sharing of progress": "100 per day",
    "new token": "50 per day",
    "payment of an account": "20 per hour",
    "payment from a network": "300 per hour",
    "export": "20 per hour",
    "data of a visitor": "120 per hour",
    "data from a network": "2000 per hour",
    "guest's data set from a network": "400 per hour",
    "log of an account": "240 per minute",
    "queue of an account": "120 per minute",
    "wrong token from a network": "300 per 15 minutes",
    "log-in that succeeded": "1 per 30 days",  # no limit: `logging_in.remember` notes them as tries
}


_SWEEP_EVERY, _SWEEP_ROWS = 100, 500


class Tries(Protocol):
    """Counts tries in a window of time that moves along."""

    def allow(self, rule: str, who: str) -> bool:
        """Count a try, and tell whether it was within the limit. One that was not does not count."""

    def seconds_left(self, rule: str, who: str) -> int:
        """Return in how many seconds the oldest try counts no longer: at least one."""

    def has_any(self, rule: str, who: str) -> bool:
        """Tell whether there is a try that still counts."""

    def forget(self, rule: str, who: str) -> None:
        """Forget the tries of somebody who succeeded."""


def tries_of(database: Database) -> Tries:
    """Return what counts the tries: all server processes together, where there may be several."""
    return SharedTries(database) if database.is_shared else TryLimits()


class TryLimits:
    """Counts tries in memory, since one process serves an SQLite file; a restart forgets them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rules = _rules()

    def allow(self, rule: str, who: str) -> bool:
        """Count a try, and tell whether it was within the limit."""
        return self._limiter.hit(self._rules[rule], rule, _key(who))

    def seconds_left(self, rule: str, who: str) -> int:
        """Return in how many seconds the oldest try counts no longer: at least one."""
        found = self._limiter.get_window_stats(self._rules[rule], rule, _key(who))
        return max(1, math.ceil(found.reset_time - time.time()))

    def has_any(self, rule: str, who: str) -> bool:
        """Tell whether there is a try that still counts."""
        item = self._rules[rule]
        return self._limiter.get_window_stats(item, rule, _key(who)).remaining < item.amount

    def forget(self, rule: str, who: str) -> None:
        """Forget the tries of somebody who succeeded."""
        self._limiter.clear(self._rules[rule], rule, _key(who))


class SharedTries:
    """Counts tries in the database, for all server processes. `limits` has no storage for PostgreSQL."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._clock = database, clock
        self._rules = _rules()
        self._calls = itertools.count(1)

    def allow(self, rule: str, who: str) -> bool:
        """Count a try, and tell whether it was within the limit. One that was not does not count."""
        key, item, now = _key(f"{rule} {who}"), self._rules[rule], self._clock()
        if next(self._calls) % _SWEEP_EVERY == 0:
            self._sweep(now)
        with self._database.writing(of=f"tries {key}") as session:
            counting = select(func.count()).where(Try.key == key, Try.expires_at > now)
            if (session.scalar(counting) or 0) >= item.amount:
                return False
            session.add(Try(key=key, expires_at=now + timedelta(seconds=item.get_expiry())))
            return True

    def seconds_left(self, rule: str, who: str) -> int:
        """Return in how many seconds the oldest try counts no longer: at least one."""
        now, key = self._clock(), _key(f"{rule} {who}")
        with self._database.reading() as session:
            oldest = session.scalar(
                select(func.min(Try.expires_at)).where(Try.key == key, Try.expires_at > now)
            )
        return 1 if oldest is None else max(1, math.ceil((oldest - now).total_seconds()))

    def has_any(self, rule: str, who: str) -> bool:
        """Tell whether there is a try that still counts."""
        with self._database.reading() as session:
            query = select(Try.id).where(Try.key == _key(f"{rule} {who}"), Try.expires_at > self._clock())
            return session.scalar(query.limit(1)) is not None

    def forget(self, rule: str, who: str) -> None:
        """Forget the tries of somebody who succeeded."""
        key = _key(f"{rule} {who}")
        with self._database.writing(of=f"tries {key}") as session:
            session.execute(delete(Try).where(Try.key == key))

    def _sweep(self, now: datetime) -> None:
        """Delete some rows that no longer count, those apart which another process deletes just now."""
        with self._database.writing(of="sweep of tries") as session:
            past = select(Try.id).where(Try.expires_at <= now).limit(_SWEEP_ROWS)
            session.execute(delete(Try).where(Try.id.in_(past.with_for_update(skip_locked=True))))


def _rules() -> dict[str, RateLimitItem]:
    return {name: parse(rule) for name, rule in RULES.items()}


def in_words(seconds: float) -> str:
    """Return how long it is until something, rounded up: who comes back then is not sent away again.

    Examples
    --------
    >>> in_words(1), in_words(90), in_words(91), in_words(3601), in_words(86400)
    ('in 1 second', 'in 90 seconds', 'in 2 minutes', 'in 61 minutes', 'in 24 hours')
    """
    count, unit = math.ceil(seconds), "second"
    for most, size, name in ((90, 60, "minute"), (90 * 60, 3600, "hour")):
        if seconds > most:
            count, unit = math.ceil(seconds / size), name
    return f"in {count} {unit}{'s' if count != 1 else ''}"


def network(host: str) -> str:
    """Return the network that counts as one visitor: an IPv4 address, or an IPv6 network of 64 bits.

    Examples
    --------
    >>> network("192.0.2.7"), network("2001:db8:1:2:3::4")
    ('192.0.2.7', '2001:db8:1:2::/64')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:100]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _key(who: str) -> str:
    """Keep no address as it is."""
    return hashlib.sha256(who.encode()).hexdigest()[:32]
