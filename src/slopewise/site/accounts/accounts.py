"""What people do with an account: begin one, log in, change address or password, and say how they learn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.links import find_link, make_link, sweep_links, use_link, void_links
from slopewise.site.accounts.passwords import Passwords, check_new_password
from slopewise.site.accounts.sessions import close_sessions
from slopewise.site.storage.tables import Account, Learner

ROLLOVER_HOUR = 4
NEW_PER_DAY = 20
MOST_NEW_PER_DAY = 500
LONGEST_NAME = 60


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
        raise LinkSpentError("This link was used already, or is older than half an hour.")
    return link.email


def finish_sign_up(
    session: Session, passwords: Passwords, secret: str, password: str, now: datetime, time_zone: str = "UTC"
) -> Account:
    """Make the account that a link was sent for.

    Raises
    ------
    LinkSpentError
        If the link is no longer good.
    ArgumentError
        If the password is refused; the link stays good.
    """
    email = link_email(session, "sign-up", secret, now)
    check_new_password(password, email)
    link = find_link(session, "sign-up", secret, now)
    if link is None or not use_link(session, link) or account_by_email(session, email) is not None:
        raise LinkSpentError("This link was used already, or is older than half an hour.")
    account = add_account(session, email, now)
    account.password_hash = passwords.hash(password)
    account.time_zone = time_zone if time_zone in available_timezones() else "UTC"
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


def finish_reset(
    session: Session, passwords: Passwords, secret: str, password: str, now: datetime
) -> Account:
    """Set the password that a link was sent for, and end all sessions.

    Raises
    ------
    LinkSpentError
        If the link is no longer good.
    ArgumentError
        If the password is refused; the link stays good.
    """
    email = link_email(session, "reset", secret, now)
    check_new_password(password, email)
    link = find_link(session, "reset", secret, now)
    account = session.get(Account, link.account_id) if link is not None else None
    if link is None or account is None or not use_link(session, link):
        raise LinkSpentError("This link was used already, or is older than half an hour.")
    account.password_hash = passwords.hash(password)
    close_sessions(session, account.id)
    void_links(session, account.id)
    note(session, now, "reset", account.id)
    return account


def change_password(
    session: Session, passwords: Passwords, account_id: uuid.UUID, old: str, new: str, now: datetime
) -> None:
    """Set another password, and end all sessions.

    Raises
    ------
    ArgumentError
        If the old password is wrong or the new one refused.
    """
    account = confirmed(session, passwords, account_id, old)
    check_new_password(new, account.email)
    account.password_hash = passwords.hash(new)
    close_sessions(session, account.id)
    void_links(session, account.id)
    note(session, now, "change-password", account.id)


def begin_email_change(
    session: Session, passwords: Passwords, account_id: uuid.UUID, password: str, email: str, now: datetime
) -> list[Letter]:
    """Return the letters that go out when somebody wants another address: to the new one and to the old.

    Raises
    ------
    ArgumentError
        If the password is wrong.
    """
    account = confirmed(session, passwords, account_id, password)
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
        raise LinkSpentError("This link was used already, or is older than half an hour.")
    holder = account_by_email(session, link.email)
    if not use_link(session, link) or (holder is not None and holder.id != account.id):
        raise LinkSpentError("This link was used already, or is older than half an hour.")
    told = Letter("email-changed", account.email)
    account.email, account.email_key = link.email, email_key(link.email)
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
    name = " ".join(display_name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ArgumentError(f"A name has 1 to {LONGEST_NAME} characters.")
    if time_zone not in available_timezones():
        raise ArgumentError("Time zones are named like Europe/Berlin.")
    hour = _whole("The hour at which a day begins", rollover_hour, 23)
    new = _whole("The number of new cards a day", new_per_day, MOST_NEW_PER_DAY)
    account.display_name, account.time_zone = name, time_zone
    account.rollover_hour, account.new_per_day = hour, new


def confirmed(session: Session, passwords: Passwords, account_id: uuid.UUID, password: str) -> Account:
    """Return an account whose password was given again.

    Raises
    ------
    ArgumentError
        If the password is wrong.
    """
    account = session.get(Account, account_id)
    if account is None or not passwords.matches(account.password_hash, password):
        raise ArgumentError("This is not your password.")
    return account


def _whole(what: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) > most:
        raise ArgumentError(f"{what} is a whole number from 0 to {most}.")
    return int(text)
