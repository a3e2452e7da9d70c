"""Tokens for reviewing outside of a browser: named, shown once, stored as digests, and revoked at once.

A token opens the day's cards and the log of reviews, and nothing else of an account.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.secrets import digest, new_secret
from slopewise.site.storage.tables import Account
from slopewise.site.storage.token_tables import LONGEST_TOKEN_NAME, CardToken

PREFIX = "slopewise-cards-"  # says what it is, to people and to programs that look for secrets gone astray
LONGEST_TOKEN = 100
MOST_TOKENS = 10
IDLE = timedelta(days=180)  # a token that was not used for so long has ended


def make_token(session: Session, account_id: uuid.UUID, name: str, now: datetime) -> str:
    """Return a new token, which is shown once; tokens past their time are deleted on the way.

    Raises
    ------
    ArgumentError
        If the name is empty or too long, or there are too many tokens.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_TOKEN_NAME or not name.isprintable():
        raise ArgumentError(f"Name the device, in 1 to {LONGEST_TOKEN_NAME} characters.")
    session.execute(delete(CardToken).where(CardToken.account_id == account_id, ~_is_alive(now)))
    count = select(func.count()).select_from(CardToken).where(CardToken.account_id == account_id)
    if (session.scalar(count) or 0) >= MOST_TOKENS:
        raise ArgumentError(f"There are {MOST_TOKENS} tokens already. Revoke one that you no longer use.")
    token = PREFIX + new_secret()
    session.add(
        CardToken(
            id=uuid.uuid4(),
            account_id=account_id,
            name=name,
            digest=digest(token),
            created_at=now,
            used_at=None,
        )
    )
    note(session, now, "make-token", account_id)
    return token


def find_token(session: Session, token: str, now: datetime) -> tuple[CardToken, Account] | None:
    """Return a token's row and its account; None if it is unknown, was revoked, or has ended."""
    row = session.execute(
        select(CardToken, Account)
        .join(Account, Account.id == CardToken.account_id)
        .where(CardToken.digest == digest(token), _is_alive(now))
    ).first()
    return None if row is None else (row[0], row[1])


def touch_token(session: Session, token_id: uuid.UUID, now: datetime) -> None:
    """Note that a token is in use."""
    found = session.get(CardToken, token_id)
    if found is not None:
        found.used_at = now


def tokens_of(session: Session, account_id: uuid.UUID, now: datetime) -> Sequence[CardToken]:
    """Return the tokens of an account that work, in the order in which they were made."""
    query = select(CardToken).where(CardToken.account_id == account_id, _is_alive(now))
    return session.scalars(query.order_by(CardToken.created_at, CardToken.id)).all()


def revoke_token(session: Session, account_id: uuid.UUID, token_id: uuid.UUID, now: datetime) -> None:
    """Delete a token; its next use is refused.

    Raises
    ------
    DataError
        If the account has no such token.
    """
    found = session.get(CardToken, token_id)
    if found is None or found.account_id != account_id:
        raise DataError("You have no such token.")
    session.delete(found)
    note(session, now, "revoke-token", account_id)


def _is_alive(now: datetime) -> ColumnElement[bool]:
    """Say whether a token is in use, or was made not long ago."""
    return or_(CardToken.used_at > now - IDLE, CardToken.created_at > now - IDLE)
