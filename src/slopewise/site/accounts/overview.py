"""What the owner sees of accounts: who there is, what they were given, and what was done to them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.membership import member_until
from slopewise.site.accounts.sessions import IDLE
from slopewise.site.storage.tables import Account, AuditEntry, Code, Grant, LoginSession

PAGE = 50


@dataclass(frozen=True)
class Row:
    """An account in the list."""

    account: Account
    member_until: datetime | None
    sessions: int


@dataclass(frozen=True)
class Line:
    """A line of the audit log, with the addresses of accounts that there still are."""

    entry: AuditEntry
    email: str | None
    by: str | None


def find_accounts(session: Session, text: str, page: int, now: datetime) -> tuple[list[Row], int]:
    """Return a page of the accounts whose address or name holds a text, and how many match."""
    query = select(Account)
    if text:
        query = query.where(
            or_(
                Account.email_key.contains(email_key(text), autoescape=True),
                func.lower(Account.display_name).contains(text.lower(), autoescape=True),
            )
        )
    count = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    found = session.scalars(
        query.order_by(Account.created_at.desc(), Account.id).offset(PAGE * page).limit(PAGE)
    )
    return [row_of(session, account, now) for account in found], count


def row_of(session: Session, account: Account, now: datetime) -> Row:
    """Return an account with what the list says of it."""
    sessions = select(func.count()).where(
        LoginSession.account_id == account.id,
        LoginSession.expires_at > now,
        LoginSession.used_at > now - IDLE,
    )
    return Row(account, member_until(session, account.id, now), session.scalar(sessions) or 0)


def grants_of(session: Session, account_id: uuid.UUID) -> Sequence[Grant]:
    """Return all memberships that an account ever had, the newest first."""
    return session.scalars(
        select(Grant).where(Grant.account_id == account_id).order_by(Grant.starts_at.desc())
    ).all()


def audit_lines(
    session: Session, *, account_id: uuid.UUID | None = None, action: str = "", page: int = 0
) -> tuple[list[Line], int]:
    """Return a page of the audit log, the newest first, and how many lines match."""
    rules: list[ColumnElement[bool]] = []
    if account_id is not None:
        rules.append(AuditEntry.account_id == account_id)
    if action:
        rules.append(AuditEntry.action.startswith(action, autoescape=True))
    count = session.scalar(select(func.count()).select_from(AuditEntry).where(*rules)) or 0
    actor = aliased(Account)
    query = (
        select(AuditEntry, Account.email, actor.email)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .outerjoin(actor, actor.id == AuditEntry.actor_id)
        .where(*rules)
        .order_by(AuditEntry.id.desc())
        .offset(PAGE * page)
        .limit(PAGE)
    )
    return [Line(*row) for row in session.execute(query)], count


def actions(session: Session) -> list[str]:
    """Return the kinds of lines in the audit log."""
    found = session.scalars(select(AuditEntry.action).distinct())
    return sorted({action.split()[0] for action in found})


def open_codes(session: Session, now: datetime) -> int:
    """Return how many codes can still be redeemed."""
    query = select(func.count()).where(Code.redeemed_at.is_(None), Code.expires_at > now)
    return session.scalar(query) or 0
