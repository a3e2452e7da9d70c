"""Membership: times in which an account may read the Pro decks, given by the owner or by a code."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.secrets import digest
from slopewise.site.storage.tables import Code, Grant

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 of them, none that reads like another
_GROUPS, _GROUP = 5, 5  # 125 bits
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # far from where dates end, so that days can be added


def member_until(session: Session, account_id: uuid.UUID, now: datetime) -> datetime | None:
    """Return when a membership that runs now ends; None if there is none.

    Grants that touch or overlap count as one.
    """
    query = (
        select(Grant.starts_at, Grant.ends_at)
        .where(Grant.account_id == account_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
        .order_by(Grant.starts_at)
    )
    until = None
    for starts_at, ends_at in session.execute(query):
        if starts_at <= (until or now):
            until = max(until or ends_at, ends_at)
    return until


def had_membership(session: Session, account_id: uuid.UUID) -> bool:
    """Whether there was ever a membership."""
    query = select(func.count()).select_from(Grant).where(Grant.account_id == account_id)
    return session.scalar(query) != 0


def grant(
    session: Session, account_id: uuid.UUID, until: datetime, now: datetime, by: uuid.UUID | None = None
) -> None:
    """Give a membership from now on; `by` is the owner's account, if it is not done by command.

    Raises
    ------
    ArgumentError
        If it would run too long.
    """
    if until > _LATEST:
        raise ArgumentError(f"A membership ends before {_LATEST.year}. Choose an earlier day.")
    session.add(Grant(id=uuid.uuid4(), account_id=account_id, source="owner", starts_at=now, ends_at=until))
    note(session, now, "grant-pro", account_id, actor="owner", actor_id=by)


def revoke(session: Session, account_id: uuid.UUID, now: datetime, by: uuid.UUID | None = None) -> int:
    """End all memberships of an account now, and return how many there were."""
    statement = (
        update(Grant)
        .where(Grant.account_id == account_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
        .values(revoked_at=now)
    )
    ended: int = session.connection().execute(statement).rowcount
    note(session, now, "revoke-pro", account_id, actor="owner", actor_id=by)
    return ended


def make_codes(
    session: Session,
    count: int,
    days: int,
    expires_at: datetime,
    now: datetime,
    by: uuid.UUID | None = None,
) -> list[str]:
    """Return new codes. They are shown once: only their digests are stored."""
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(count)
    ]
    for code in codes:
        session.add(
            Code(id=uuid.uuid4(), digest=_digest(code), days=days, created_at=now, expires_at=expires_at)
        )
    note(session, now, f"make-codes {count}", None, actor="owner", actor_id=by)
    return codes


def redeem(session: Session, account_id: uuid.UUID, text: str, now: datetime) -> datetime:
    """Turn a code into a membership, and return when it ends; days are added to a membership that runs.

    The code is taken by one statement that only one of several tries at once can win.

    Raises
    ------
    DataError
        If the code is unknown, used or past its time: which of them, nobody learns. If the membership would
        run too long; the caller's transaction then leaves the code as it was.
    """
    taken = session.connection().execute(
        update(Code)
        .where(Code.digest == _digest(text), Code.redeemed_at.is_(None), Code.expires_at > now)
        .values(redeemed_at=now)
    )
    if taken.rowcount != 1:
        raise DataError("This code is not known, was used already, or is past its time.")
    code = session.scalars(select(Code).where(Code.digest == _digest(text))).one()
    starts_at = member_until(session, account_id, now) or now
    if _LATEST - starts_at < timedelta(days=code.days):
        raise DataError("Your membership runs for very long already. The code was not used.")
    ends_at = starts_at + timedelta(days=code.days)
    session.add(
        Grant(
            id=uuid.uuid4(),
            account_id=account_id,
            source="code",
            code_id=code.id,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )
    note(session, now, "redeem", account_id)
    return ends_at


def _digest(code: str) -> bytes:
    """Return the digest of a code, however it was typed."""
    return digest("".join(letter for letter in code.upper() if letter in _LETTERS))
