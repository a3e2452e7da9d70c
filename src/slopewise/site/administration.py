"""What the owner does from the command line. Secrets come out of here, none goes in as an argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.accounts.accounts import account_by_email, add_account, begin_reset
from slopewise.site.accounts.addresses import read_email
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.membership import grant, make_codes, revoke
from slopewise.site.content import load_course
from slopewise.site.content.archive import MOST_BYTES
from slopewise.site.content.library import load_pro_decks
from slopewise.site.loaded_content import Loading, load_archive
from slopewise.site.payments.ledger import Look, cancel_subscriptions, look_again
from slopewise.site.payments.stripe_gateway import KEY, stripe_from_environment
from slopewise.site.storage.database import Database, open_known
from slopewise.site.storage.tables import Account

MOST_CODES = 1000
MOST_DAYS = 3660


@dataclass(frozen=True)
class Administration:
    """The owner's commands on a database; `now` is the moment at which they act."""

    database: Database
    now: datetime

    def create_admin(self, email: str) -> str:
        """Make an account an owner's, a new one if there is none; return the path of a link to its password.

        Raises
        ------
        ArgumentError
            If that is no address.
        """
        address = read_email(email)
        with self.database.writing() as session:
            account = account_by_email(session, address) or add_account(session, address, self.now)
            account.is_owner = True
            note(session, self.now, "create-admin", account.id, actor="owner")
            session.flush()
            return self._link(session, address)

    def reset_password(self, email: str) -> str:
        """Return the path of a link, good for half an hour, by which somebody chooses a new password.

        Raises
        ------
        DataError
            If the address has no account.
        """
        with self.database.writing() as session:
            account = _account(session, email)
            note(session, self.now, "reset-password", account.id, actor="owner")
            return self._link(session, account.email)

    def grant_pro(self, email: str, until: datetime) -> None:
        """Give a membership.

        Raises
        ------
        ArgumentError
            If its end is past.
        DataError
            If the address has no account.
        """
        if until <= self.now:
            raise ArgumentError("--until is a day that is past; name a later one")
        with self.database.writing() as session:
            grant(session, _account(session, email).id, until, self.now)

    def revoke_pro(self, email: str) -> int:
        """End all memberships of an account, subscriptions too, and return how many ran.

        Raises
        ------
        DataError
            If the address has no account.
        """
        with self.database.writing() as session:
            account_id = _account(session, email).id
            cancel_subscriptions(session, account_id, self.now)
            return revoke(session, account_id, self.now)

    def check_payments(self) -> Look:
        """Ask Stripe for all subscriptions, and correct memberships by what it says.

        Raises
        ------
        ArgumentError
            If Stripe's keys are not in the environment.
        PaymentsError
            If Stripe does not answer; what was corrected until then stays.
        """
        gateway = stripe_from_environment()
        if gateway is None:
            raise ArgumentError(f"check-payments needs the keys of Stripe: set {KEY}, or {KEY}_FILE")
        return look_again(self.database, gateway, self.now)

    def make_codes(self, count: int, days: int, expires: datetime) -> list[str]:
        """Return new codes, each good for one membership of some days.

        Raises
        ------
        ArgumentError
            If there are too many, too few, or their last day is past.
        """
        if not 1 <= count <= MOST_CODES:
            raise ArgumentError(f"--count is a number from 1 to {MOST_CODES}")
        if not 1 <= days <= MOST_DAYS:
            raise ArgumentError(f"--days is a number from 1 to {MOST_DAYS}")
        if expires <= self.now:
            raise ArgumentError("--expires is a day that is past; name a later one")
        with self.database.writing() as session:
            return make_codes(session, count, days, expires, self.now)

    def import_content(self, file: Path, *, force: bool = False) -> Loading:
        """Load a content archive; a server that runs on the database shows its decks from then on.

        Raises
        ------
        DataError
            If it cannot be read, does not fit, or is older than what is loaded and `force` is not set. What
            was loaded before then stays.
        """
        try:
            with file.open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
            return load_archive(self.database, data, load_course(), load_pro_decks(), self.now, force=force)
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror}") from error
        except DataError as error:
            raise DataError(f"{file}: {error}") from error

    def _link(self, session: Session, email: str) -> str:
        letter = begin_reset(session, email, self.now)
        assert letter is not None, "the account was found above"
        return f"/reset/{letter.secret}"


@contextmanager
def administration(database: str, now: datetime, files: Path | None = None) -> Iterator[Administration]:
    """Open a database for the owner's commands; a server may run on it meanwhile.

    Raises
    ------
    ArgumentError
        If there is none: a slip would make a site that nobody serves.
    """
    opened = open_known(database, files)
    try:
        yield Administration(opened, now)
    finally:
        opened.close()


def _account(session: Session, email: str) -> Account:
    account = account_by_email(session, email)
    if account is None:
        raise DataError(f"no account has the address {email[:254]!r}")
    return account
