"""Who is logged in: rows in the database, so that a session can be ended from anywhere."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from slopewise.site.accounts.secrets import digest, new_secret
from slopewise.site.storage.tables import Account, LoginSession
from slopewise.site.storage.token_tables import CardToken

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=180)
TOUCH = timedelta(hours=1)  # how old the time of last use may be before it is written again


def open_session(session: Session, account_id: uuid.UUID, now: datetime) -> str:
    """Return the secret for the cookie of a new session; sessions past their time are deleted on the way."""
    session.execute(
        delete(LoginSession).where(
            (LoginSession.expires_at <= now) | (LoginSession.used_at <= now - IDLE),
        )
    )
    secret = new_secret()
    session.add(
        LoginSession(
            id=uuid.uuid4(),
            account_id=account_id,
            digest=digest(secret),
            created_at=now,
            used_at=now,
            expires_at=now + ABSOLUTE,
        )
    )
    return secret


def find_session(session: Session, secret: str, now: datetime) -> tuple[LoginSession, Account] | None:
    """Return the session of a cookie, and its account; None if it has ended."""
    row = session.execute(
        select(LoginSession, Account)
        .join(Account, Account.id == LoginSession.account_id)
        .where(
            LoginSession.digest == digest(secret),
            LoginSession.expires_at > now,
            LoginSession.used_at > now - IDLE,
        )
    ).first()
    return None if row is None else (row[0], row[1])


def touch(session: Session, session_id: uuid.UUID, now: datetime) -> None:
    """Note that a session is in use."""
    found = session.get(LoginSession, session_id)
    if found is not None:
        found.used_at = now


def close_session(session: Session, secret: str) -> None:
    """End one session."""
    session.execute(delete(LoginSession).where(LoginSession.digest == digest(secret)))


def close_sessions(session: Session, account_id: uuid.UUID) -> None:
    """End all sessions of an account, and its tokens: nothing stays that could go on without a password."""
    session.execute(delete(LoginSession).where(LoginSession.account_id == account_id))
    session.execute(delete(CardToken).where(CardToken.account_id == account_id))
