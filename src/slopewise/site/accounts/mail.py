"""Letters to users, and the ways they go: SMTP, the console of a loopback server, or not at all."""

from __future__ import annotations

import logging
import os
import smtplib
import ssl
import sys
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import Letter

_log = logging.getLogger(__name__)
_SECONDS = 20

_LETTERS = {
    "sign-up": (
        "Your account at Slopewise",
        "Somebody, we hope you, wants an account at Slopewise with this address.\n\n"
        "Choose a password here within half an hour:\n{address}/sign-up/{secret}\n\n"
        "If it was not you, do nothing: there is no account then.",
    ),
    "sign-up-again": (
        "You have an account at Slopewise",
        "Somebody, perhaps you, asked for an account at Slopewise with this address. There is one "
        "already.\n\n"
        "Log in at {address}/log-in\nA forgotten password is replaced at {address}/reset",
    ),
    "reset": (
        "A new password for Slopewise",
        "Choose a new password here within half an hour:\n{address}/reset/{secret}\n\n"
        "All your devices are logged out then. If you did not ask for it, do nothing.",
    ),
    "email": (
        "Your new address at Slopewise",
        "Confirm here within half an hour that this is your address:\n{address}/account/email/{secret}",
    ),
    "email-taken": (
        "Your address at Slopewise",
        "Somebody, perhaps you, wants to use this address for another account. It has this account "
        "already, so "
        "nothing was changed.",
    ),
    "email-notice": (
        "A change of your address at Slopewise",
        "Somebody who knows your password asked to change the address of your account. Nothing changes "
        "until the new "
        "address is confirmed.\n\nIf it was not you, replace your password now: {address}/reset",
    ),
    "email-changed": (
        "Your address at Slopewise was changed",
        "Your account at Slopewise now has another address.\n\nIf it was not you, write to the owner of "
        "{address}",
    ),
}


class Mailer(Protocol):
    """Sends mail."""

    reaches_users: bool

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail; what goes wrong is logged without the address."""


def send_letter(mailer: Mailer, letter: Letter, address: str) -> None:
    """Send a letter whose links lead to the site's own address, whatever a request called it."""
    subject, text = _LETTERS[letter.kind]
    mailer.send(letter.to, subject, text.format(address=address, secret=letter.secret))


class Console:
    """Prints mails where the server runs: for a server that only this machine reaches."""

    reaches_users = True

    def send(self, to: str, subject: str, text: str) -> None:
        """Print a mail."""
        print(f"\nMail to {to}: {subject}\n{text}\n", file=sys.stderr, flush=True)


class NoMail:
    """Sends nothing: the server has no way to."""

    reaches_users = False

    def send(self, to: str, subject: str, text: str) -> None:
        """Say in the log that a mail was not sent."""
        _log.warning(
            "a mail was not sent: set SLOPEWISE_SMTP_URL, or make a link with slopewise site reset-password"
        )


@dataclass(frozen=True)
class Smtp:
    """Sends mails through a server, always encrypted."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    is_tls_from_the_start: bool
    reaches_users = True

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail."""
        message = EmailMessage()
        message["From"], message["Subject"] = self.sender, subject
        try:
            message["To"] = Address(addr_spec=to)
            message.set_content(text)
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _log.error("a mail was not sent: %s", type(error).__name__)  # its text may hold the address

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.is_tls_from_the_start:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        server.starttls(context=context)
        return server


def mailer_from_environment(is_loopback: bool) -> Mailer:
    """Return the way mails go: SLOPEWISE_SMTP_URL, or the file that SLOPEWISE_SMTP_URL_FILE names, says it.

    Raises
    ------
    ArgumentError
        If that is not the address of a mail server.
    """
    url = secret_from_environment("SLOPEWISE_SMTP_URL")
    if not url:
        return Console() if is_loopback else NoMail()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may hold a part of the password
        host = port = None
    if not host or parts.scheme not in ("smtp", "smtps"):
        raise ArgumentError(
            "SLOPEWISE_SMTP_URL is like smtp://user:password@mail.example.org:587; in a password, characters "
            "such as / and @ are written as %2F and %40"
        )
    user = unquote(parts.username or "")
    sender = os.environ.get("SLOPEWISE_MAIL_FROM", user)
    if "@" not in sender:
        raise ArgumentError(
            "SLOPEWISE_MAIL_FROM is the address that mails come from, such as learn@example.org"
        )
    is_tls = parts.scheme == "smtps"
    port = port or (465 if is_tls else 587)
    return Smtp(host, port, user, unquote(parts.password or ""), sender, is_tls)


def secret_from_environment(name: str) -> str:
    """Return a secret from the environment, or from the file that `name`_FILE names; "" if there is neither.

    Raises
    ------
    ArgumentError
        If the file cannot be read, or is empty: without its secret a site would start as another. If both
        are set: one of them is not what was meant.
    """
    value, file = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if value and file:
        raise ArgumentError(f"{name} and {name}_FILE are both set; leave one of them out")
    if file:
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ArgumentError(f"{name}_FILE: cannot read {file}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ArgumentError(f"{name}_FILE: {file} is no text in UTF-8") from None
        if not secret:
            raise ArgumentError(f"{name}_FILE: {file} is empty")
        return secret
    return value
