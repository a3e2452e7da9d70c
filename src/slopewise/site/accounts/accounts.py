"""What people do with an account: begin one, log in, change address or password, and say how they learn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.links import find_link, make_link, sweep_links, use_link, void_links
from slopewise.site.accounts.passwords import Passwords
from slopewise.site.accounts.sessions import close_sessions
from slopewise.site.storage.database import Database
from slopewise.site.storage.tables import Account, Learner

ROLLOVER_HOUR = 4
NEW_PER_DAY = 20
MOST_NEW_PER_DAY = 500
LONGEST_NAME = 60
_SPENT = "This link was used already, or is older than half an hour."


class LinkSpentError(DataError):
    """A link that was used, is too old, or never was."""


@dataclass(frozen=True)
class Letter:
    """A mail to send: which one, to whom, and the secret of its link, if it has one."""

    kind: str
    to: str
    secret: str = ""


def account_by_email(session: Session, email: str) -> Account | None:
    """Return the account of an address, or None."""
    return session.scalar(select(Account).where(Account.email_key == email_key(email)))


def begin_sign_up(session: Session, email: str, now: datetime) -> Letter:
    """Return the letter to somebody who wants an account: a link, or word that there is one already."""
    sweep_links(session, now)
    found = account_by_email(session, email)
    if found is not None:
        return Letter("sign-up-again", found.email)
    return Letter("sign-up", email, make_link(session, "sign-up", email, now))


def link_email(session: Session, purpose: str, secret: str, now: datetime) -> str:
    """Return the address that a link was sent to.

    Raises
    ------
    LinkSpentError
        If the link is no longer good.
    """
    link = find_link(session, purpose, secret, now)
    if link is None:
        raise LinkSpentError(_SPENT)
    return link.email


def finish_sign_up(
    session: Session, secret: str, password_hash: str, now: datetime, time_zone: str = "UTC"
) -> Account:
    """Make the account that a link was sent for.

    Raises
    ------
    LinkSpentError
        If the link is no longer good, or the address has an account by now.
    """
    link = find_link(session, "sign-up", secret, now)
    if link is None or not use_link(session, link) or account_by_email(session, link.email) is not None:
        raise LinkSpentError(_SPENT)
    account = add_account(session, link.email, now)
    account.password_hash = password_hash
    account.time_zone = time_zone if time_zone in time_zones() else "UTC"
    note(session, now, "sign-up", account.id)
    return account


def add_account(session: Session, email: str, now: datetime) -> Account:
    """Add an account without a password, and its learner."""
    learner = Learner(id=uuid.uuid4(), created_at=now)
    session.add(learner)
    session.flush()
    account = Account(
        id=uuid.uuid4(),
        learner_id=learner.id,
        email=email,
        email_key=email_key(email),
        password_hash=None,
        display_name=email.partition("@")[0][:LONGEST_NAME],
        time_zone="UTC",
        rollover_hour=ROLLOVER_HOUR,
        new_per_day=NEW_PER_DAY,
        is_owner=False,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def begin_reset(session: Session, email: str, now: datetime) -> Letter | None:
    """Return the letter to somebody who forgot the password; None if the address has no account."""
    sweep_links(session, now)
    account = account_by_email(session, email)
    if account is None:
        return None
    return Letter("reset", account.email, make_link(session, "reset", account.email, now, account.id))


def finish_reset(session: Session, secret: str, password_hash: str, now: datetime) -> Account:
    """Set the password that a link was sent for, and end all sessions.

    Raises
    ------
    LinkSpentError
        If the link is no longer good.
    """
    link = find_link(session, "reset", secret, now)
    account = session.get(Account, link.account_id) if link is not None else None
    if link is None or account is None or not use_link(session, link):
        raise LinkSpentError(_SPENT)
    set_password(session, account, password_hash)
    note(session, now, "reset", account.id)
    return account


def change_password(
    session: Session, account_id: uuid.UUID, old_hash: str, new_hash: str, now: datetime
) -> None:
    """Set another password, and end all sessions.

    Raises
    ------
    ArgumentError
        If the password was changed since it was confirmed.
    """
    account = session.get(Account, account_id)
    if account is None or account.password_hash != old_hash:
        raise ArgumentError("Your password was changed elsewhere a moment ago.")
    set_password(session, account, new_hash)
    note(session, now, "change-password", account.id)


def set_password(session: Session, account: Account, password_hash: str) -> None:
    """Set a password, end all sessions, and void all links."""
    account.password_hash = password_hash
    close_sessions(session, account.id)
    void_links(session, account.id)


def begin_email_change(session: Session, account_id: uuid.UUID, email: str, now: datetime) -> list[Letter]:
    """Return the letters that go out when somebody wants another address: to the new one and to the old."""
    account = session.get(Account, account_id)
    if account is None:  # deleted since it was asked for
        return []
    notice = Letter("email-notice", account.email)
    holder = account_by_email(session, email)
    if holder is not None and holder.id != account.id:
        return [notice, Letter("email-taken", holder.email)]
    return [notice, Letter("email", email, make_link(session, "email", email, now, account.id))]


def finish_email_change(session: Session, secret: str, now: datetime) -> Letter:
    """Set the address that a link was sent to; the old one is told.

    Raises
    ------
    LinkSpentError
        If the link is no longer good, or the address has an account by now.
    """
    link = find_link(session, "email", secret, now)
    account = session.get(Account, link.account_id) if link is not None else None
    if link is None or account is None:
        raise LinkSpentError(_SPENT)
    holder = account_by_email(session, link.email)
    if not use_link(session, link) or (holder is not None and holder.id != account.id):
        raise LinkSpentError(_SPENT)
    told = Letter("email-changed", account.email)
    account.email, account.email_key = link.email, email_key(link.email)
    void_links(session, account.id)  # those that went to the old mailbox, to choose a password among them
    note(session, now, "change-email", account.id)
    return told


def change_settings(
    account: Account, *, display_name: str, time_zone: str, rollover_hour: str, new_per_day: str
) -> None:
    """Set how somebody is called, and when their day begins.

    Raises
    ------
    ArgumentError
        If a value cannot be used; nothing is changed then.
    """
    name = _name(display_name)
    if time_zone not in time_zones():
        raise ArgumentError("Time zones are named like Europe/Berlin.")
    hour = _whole("The hour at which a day begins", rollover_hour, 23)
    new = _whole("The number of new cards a day", new_per_day, MOST_NEW_PER_DAY)
    account.display_name, account.time_zone = name, time_zone
    account.rollover_hour, account.new_per_day = hour, new


def change_name(account: Account, display_name: str) -> None:
    """Set how somebody is called.

    Raises
    ------
    ArgumentError
        If the name is empty or too long.
    """
    account.display_name = _name(display_name)


def confirmed_hash(database: Database, passwords: Passwords, account_id: uuid.UUID, password: str) -> str:
    """Return the stored hash of a password that was given again. Nobody waits while it is checked.

    Raises
    ------
    ArgumentError
        If the password is wrong.
    """
    with database.reading() as session:
        account = session.get(Account, account_id)
        stored = account.password_hash if account is not None else None
    if not passwords.matches(stored, password) or stored is None:
        raise ArgumentError("This is not your password.")
    return stored


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the names of all time zones; finding them reads hundreds of files."""
    return frozenset(available_timezones())


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ArgumentError(f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def _whole(what: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) > most:
        raise ArgumentError(f"{what} is a whole number from 0 to {most}.")
    return int(text)
