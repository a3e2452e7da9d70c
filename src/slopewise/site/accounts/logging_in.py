"""Logging in: the same answer, after the same work, for an address with an account and one without."""

from __future__ import annotations

from datetime import datetime

from slopewise.site.accounts.accounts import account_by_email
from slopewise.site.accounts.passwords import Passwords
from slopewise.site.accounts.sessions import close_session, open_session
from slopewise.site.storage.database import Database
from slopewise.site.storage.tables import Account


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
