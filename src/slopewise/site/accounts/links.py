"""Links sent by mail: good once, for half an hour, and stored as digests."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from slopewise.site.accounts.secrets import digest, new_secret
from slopewise.site.storage.tables import MailToken

LIFETIME = timedelta(minutes=30)


def make_link(
    session: Session, purpose: str, email: str, now: datetime, account_id: uuid.UUID | None = None
) -> str:
    """Return the secret of a new link; an earlier one for the same purpose is void from now on."""
    session.execute(
        delete(MailToken).where(
            MailToken.purpose == purpose,
            MailToken.account_id == account_id if account_id else MailToken.email == email,
        )
    )
    secret = new_secret()
    session.add(
        MailToken(
            id=uuid.uuid4(),
            purpose=purpose,
            digest=digest(secret),
            account_id=account_id,
            email=email,
            expires_at=now + LIFETIME,
        )
    )
    return secret


def find_link(session: Session, purpose: str, secret: str, now: datetime) -> MailToken | None:
    """Return a link that is still good, or None."""
    query = select(MailToken).where(
        MailToken.purpose == purpose,
        MailToken.digest == digest(secret),
        MailToken.expires_at > now,
    )
    return session.scalar(query)


def use_link(session: Session, link: MailToken) -> bool:
    """Delete a link that is used, and return whether this was the first use."""
    statement = delete(MailToken).where(MailToken.id == link.id)
    return session.connection().execute(statement).rowcount == 1


def void_links(session: Session, account_id: uuid.UUID) -> None:
    """Delete all links of an account: who asked for one knew a password that is no longer good."""
    session.execute(delete(MailToken).where(MailToken.account_id == account_id))


def sweep_links(session: Session, now: datetime) -> None:
    """Delete links that are past their time: they hold addresses of people who may have no account."""
    session.execute(delete(MailToken).where(MailToken.expires_at < now))
