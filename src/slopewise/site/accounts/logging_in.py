"""Logging in: the same answer, after the same work, for an address with an account and one without.

Passwords are tried from many networks at once, so an account has a limit over all of them, too. It must not
let others lock its owner out: a network from which somebody logged in to the account has its own limit alone.
"""

from __future__ import annotations

from datetime import datetime

from slopewise.site.accounts.accounts import account_by_email
from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.limits import Tries
from slopewise.site.accounts.passwords import Passwords
from slopewise.site.accounts.sessions import close_session, open_session
from slopewise.site.storage.database import Database
from slopewise.site.storage.tables import Account

_FROM_ELSEWHERE = "log-in of an account from elsewhere"


def seconds_to_wait(tries: Tries, email: str, network: str) -> int:
    """Count a try to log in over all networks, those apart from which it has succeeded before.

    Returns 0 if it may be tried, else in how many seconds.
    """
    if tries.has_any("log-in that succeeded", f"{email_key(email)} {network}"):
        return 0
    if tries.allow(_FROM_ELSEWHERE, email_key(email)):
        return 0
    return tries.seconds_left(_FROM_ELSEWHERE, email_key(email))


def remember(tries: Tries, email: str, network: str) -> None:
    """Note that somebody logged in to an account from a network, or chose its password by a link."""
    who = f"{email_key(email)} {network}"
    tries.forget("log-in of an account", who)
    tries.forget("log-in that succeeded", who)
    tries.allow("log-in that succeeded", who)


def log_in(
    database: Database, passwords: Passwords, email: str, password: str, now: datetime, old_secret: str = ""
) -> str | None:
    """Return the secret for the cookie of a new session; None if address or password are wrong.

    The session that the browser had before is ended. A password hashed at another cost is hashed again.
    """
    with database.reading() as session:
        account = account_by_email(session, email)
        account_id = account.id if account else None
        stored = account.password_hash if account else None
    if not passwords.matches(stored, password) or stored is None:
        return None
    renewed = passwords.hash(password) if passwords.is_outdated(stored) else stored
    with database.writing() as session:
        account = session.get(Account, account_id)
        if account is None or account.password_hash != stored:
            return None  # changed or deleted in the meantime
        account.password_hash = renewed
        if old_secret:
            close_session(session, old_secret)
        return open_session(session, account.id, now)
