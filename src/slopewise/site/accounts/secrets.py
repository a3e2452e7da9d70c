"""Secrets that are given out once: 256 random bits, of which only the digest is stored."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    """Return 256 random bits as 43 letters that fit into an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Return what is stored of a secret. It has 256 bits already, so one pass of SHA-256 is enough.

    Examples
    --------
    >>> len(digest("secret"))
    32
    """
    return hashlib.sha256(secret.encode()).digest()
