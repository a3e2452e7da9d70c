"""E-mail addresses: what is accepted, and which two are the same."""

from __future__ import annotations

import re
import unicodedata

from slopewise.engine.errors import ArgumentError
from slopewise.site.storage.tables import LONGEST_EMAIL

_NO_SIGN = r"\s@<>()\[\],;:\\\"\x00-\x1f\x7f"
_SHAPE = re.compile(rf"[^{_NO_SIGN}]{{1,64}}@[^{_NO_SIGN}]+\.[^{_NO_SIGN}.\d][^{_NO_SIGN}.]*")


def read_email(text: str) -> str:
    """Return an address as it was typed, without spaces around it.

    Raises
    ------
    ArgumentError
        If no mail could reach it. Whether it exists only a mail can tell.

    Examples
    --------
    >>> read_email(" Ada@Example.org ")
    'Ada@Example.org'
    """
    email = unicodedata.normalize("NFC", text.strip())
    is_one = _SHAPE.fullmatch(email) and email.isprintable() and ".." not in email
    longest = max(len(email), len(email_key(email)))  # what is one sign as typed may be compared as many
    if not is_one or longest > LONGEST_EMAIL:
        raise ArgumentError("This is no e-mail address. It looks like ada@example.org.")
    return email


def email_key(email: str) -> str:
    """Return an address as it is compared: in practice no provider minds capitals.

    Examples
    --------
    >>> email_key("Ada@Example.org")
    'ada@example.org'
    """
    return unicodedata.normalize("NFKC", email).casefold()
