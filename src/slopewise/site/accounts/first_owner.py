"""The first owner: whoever starts the server on their own machine is shown a link, good once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.site.accounts.accounts import LinkSpentError, account_by_email, add_account, set_password
from slopewise.site.accounts.audit import note
from slopewise.site.storage.tables import Account


def has_owner(session: Session) -> bool:
    """Whether some account is an owner's."""
    return session.scalar(select(Account.id).where(Account.is_owner).limit(1)) is not None


def make_first_owner(session: Session, email: str, password_hash: str, now: datetime) -> Account:
    """Make an account the first owner's; one that there is gets the new password, and is logged out.

    Raises
    ------
    LinkSpentError
        If there is an owner by now.
    """
    if has_owner(session):
        raise LinkSpentError("There is an owner already, so this link has done its work.")
    account = account_by_email(session, email) or add_account(session, email, now)
    set_password(session, account, password_hash)
    account.is_owner = True
    note(session, now, "first-owner", account.id, actor="owner", actor_id=account.id)
    return account
