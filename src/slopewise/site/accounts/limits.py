"""Limits on how often something is tried: by account, and by address of the network."""

from __future__ import annotations

import hashlib
import ipaddress

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

# Thirty pupils behind one address must get in: what is tried by one account is narrow, by one network wide.
RULES = {
    "log-in of an account": "10 per 15 minutes",
    "log-in from a network": "300 per 15 minutes",
    "mail to an address": "4 per hour",
    "mail from a network": "100 per hour",
    "password again": "10 per 15 minutes",
    "code of an account": "10 per hour",
    "code from a network": "100 per hour",
    "export": "20 per hour",
    "log of an account": "240 per minute",
}


class TryLimits:
    """Counts tries. In memory, since one process serves an SQLite file; a restart forgets them."""

    "class code of an account": "30 per hour",
    "class code from a network": "1000 per hour",
    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rules: dict[str, RateLimitItem] = {name: parse(rule) for name, rule in RULES.items()}

    def allow(self, rule: str, who: str) -> bool:
        """Count a try, and tell whether it was within the limit."""
        return self._limiter.hit(self._rules[rule], rule, _key(who))

    def forget(self, rule: str, who: str) -> None:
        """Forget the tries of somebody who succeeded."""
        self._limiter.clear(self._rules[rule], rule, _key(who))


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
    """Keep no address in memory as it is."""
    return hashlib.sha256(who.encode()).hexdigest()[:32]
