"""Passwords: Argon2id, and which ones are refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import argon2

from slopewise.engine.errors import ArgumentError

SHORTEST, LONGEST = 10, 200
_COMMON = Path(__file__).parent / "common_passwords.txt"
_ROWS = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
)
_LEET = str.maketrans("@4301!5$7", "aaeoiisst")


@dataclass(frozen=True)
class PasswordCost:
    """How much work a guess is: passes, memory in KiB, lanes.

    RFC 9106, section 4, where memory is short; but one lane for its four, as the cores serve others, too.
    """

    passes: int = 3
    memory: int = 65536
    lanes: int = 1


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = argon2.PasswordHasher(cost.passes, cost.memory, cost.lanes)
        self._nobodys = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        return self._hasher.hash(_normal(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether a password is the stored one. Where none is stored, that takes just as long."""
        try:
            return self._hasher.verify(stored or self._nobodys, _normal(password)) and stored is not None
        except argon2.exceptions.VerifyMismatchError:
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a password was hashed at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)


def check_new_password(password: str, email: str) -> None:
    """Refuse a password that is among the first that somebody would try.

    Raises
    ------
    ArgumentError
        With one sentence that says what to change.
    """
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise ArgumentError(
            f"A password has {SHORTEST} to {LONGEST} characters. Several words are a good one."
        )
    folded = plain.casefold()
    name = email.partition("@")[0].casefold()
    if len(name) >= 3 and name in folded and len(folded) - len(name) < SHORTEST - 2:
        raise ArgumentError("This password is little more than your address. Take several words.")
    if _is_common(folded):
        raise ArgumentError("This password is among the first that are tried. Take several words.")


def _is_common(password: str) -> bool:
    """Whether nothing is left of a password but common ones, a run of keys, or a few letters repeated."""
    if len(set(password)) < 5:
        return True
    plain = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    for candidate in (password, password.translate(_LEET), plain.translate(_LEET)):
        stem = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", candidate)
        if candidate in _common() or stem in _common() or len(stem) < 3:
            return True
        if re.sub("|".join(map(re.escape, _longest_first())), "", stem) == "":
            return True
    return any(password in (row + row) or password in (row + row)[::-1] for row in _ROWS)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


@lru_cache(maxsize=1)
def _longest_first() -> tuple[str, ...]:
    return tuple(sorted(_common(), key=len, reverse=True))


def _normal(password: str) -> str:
    """Return a password as one string of characters, however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password)
