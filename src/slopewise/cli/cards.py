"""`slopewise cards`: the cards of the day in the terminal. What it stands on is `slopewise.site.terminal`."""

from __future__ import annotations

import getpass
import json as json_format
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slopewise.engine.errors import ArgumentError
from slopewise.site.terminal.connection import Connection, RefusedTokenError, UnreachableError, site_address
from slopewise.site.terminal.device import Device, write_whole
from slopewise.site.terminal.reviewing import Review, begin, flush, read_day

if TYPE_CHECKING:
    from slopewise.cli.cards_screen import Screen

DEFAULT_SITE = "http://127.0.0.1:8000"  # where `slopewise site` serves
TOKEN_VARIABLE, SITE_VARIABLE = "SLOPEWISE_CARDS_TOKEN", "SLOPEWISE_SITE"
LAST_SECONDS = 5  # to send what waits before the command ends
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")


def show_cards(site: str | None, *, due: bool, json: bool) -> int:
    """Review the cards of the day, or print how many there are; return the exit status."""
    address = _address(site)
    device = Device(_folder(), address)
    token = _token(device, address)
    try:
        review = begin(device, Connection(address, token), token)
    except KeyboardInterrupt:
        return 130
    if due or json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _print_counts(review, address, json)
        return 0
    from slopewise.cli.cards_screen import Screen, review_at

    screen = Screen(address)
    if others := device.left_by_others(review.day.learner):
        screen.say(f"{_wait(others)} in {device.path}, of another account.")
    try:
        review_at(screen, review)
        review.sender.settle(LAST_SECONDS)
    except KeyboardInterrupt:
        print()
        _take_leave(screen, review)
        return 130
    _take_leave(screen, review)
    return 0


def _take_leave(screen: Screen, review: Review) -> None:
    """Say what was done, and what of it has not come to the site."""
    sender, done = review.sender, review.done
    sender.close()
    if done:
        screen.say(f"{done} card{'s' if done > 1 else ''} reviewed.")
    for because in sorted(set(sender.refused)):
        screen.say(f"The site refused {_answers(sender.refused.count(because))}: {because}.")
    if waiting := len(sender.outbox):
        why = f" ({sender.problem})" if sender.problem else ""
        screen.say(f"{_wait(waiting)} on this device, and will be sent the next time{why}.")


def log_in(site: str | None) -> int:
    """Ask for a token, try it, and keep it."""
    address = _address(site)
    if sys.stdin.isatty():
        print(f"Make a token at {address}/account#terminal, and paste it here (it is not shown).")
        try:
            typed = getpass.getpass("Token: ")
        except (KeyboardInterrupt, EOFError):
            print()
            return 130
        token = _checked(typed, "this")
    else:
        token = _checked(sys.stdin.readline(), "standard input")
    device = Device(_folder(), address)
    value = Connection(address, token).queue()
    day = read_day(value)
    device.keep_token(token)
    device.keep_learner(token, day.learner)
    write_whole(_folder() / "site", f"{address}\n")
    from slopewise.evaluate.display import visible

    print(f"Logged in as {visible(value.get('name', ''))}: {_counts(day.due, day.new)}.")
    print("Review with: slopewise cards")
    return 0


def log_out(site: str | None) -> int:
    """Send what waits, revoke the token, and delete what was fetched."""
    address = _address(site)
    device = Device(_folder(), address)
    token = device.token()
    if token is None:
        print(f"There is no token for {address} on this device.")
        return 0
    connection, learner = Connection(address, token), device.learner_of(token)
    shelf = device.shelf(learner) if learner else None
    try:
        if shelf is not None:
            flush(connection, shelf.outbox)
        connection.revoke()
        said = "Logged out; the token is revoked."
    except RefusedTokenError:
        said = "Logged out; the token was revoked before."
    except UnreachableError as error:
        said = f"Logged out here, but {error}: revoke the token on your account's page."
    device.forget_token()
    if shelf is not None:
        shelf.forget_cards()
        if waiting := len(shelf.outbox):
            said += f" {_wait(waiting)} in {shelf.outbox.path} until you log in again."
    print(said)
    return 0


def _address(site: str | None) -> str:
    """Return the site that is meant: given, of the environment, of the last log-in, or the default."""
    last = _folder() / "site"
    site = site or os.environ.get(SITE_VARIABLE)
    if not site and last.is_file():
        site = last.read_text(encoding="utf-8")
    return site_address(site or DEFAULT_SITE)


def _folder() -> Path:
    return Path(typer.get_app_dir("slopewise")) / "cards"


def _token(device: Device, address: str) -> str:
    given = os.environ.get(TOKEN_VARIABLE, "")
    token = _checked(given, TOKEN_VARIABLE) if given else device.token()
    if token is None:
        raise ArgumentError(
            f"there is no token for {address}; make one at {address}/account#terminal, then run: "
            f"slopewise cards log-in --site {address}"
        )
    return token


def _checked(text: str, where: str) -> str:
    text = text.strip()
    if not _TOKEN.fullmatch(text):
        raise ArgumentError(f"{where} is no token: make one on your account's page, and copy all of it")
    return text


def _print_counts(review: Review, address: str, json: bool) -> None:
    day = review.day
    if json:
        record = {
            "site": address,
            **{name: getattr(day, name) for name in ("due", "new", "later", "resting")},
            "next_at": day.next_at.isoformat() if day.next_at else None,
            "waiting": len(review.sender.outbox),
            "offline": bool(review.offline),
        }
        print(json_format.dumps(record))
        return
    print(_counts(day.due, day.new))
    if review.offline:
        fetched = f"{day.now.astimezone():%Y-%m-%d %H:%M}"
        print(f"{review.offline}; this was so on {fetched}", file=sys.stderr)


def _counts(due: int, new: int) -> str:
    return f"{due} to repeat, {new} new"


def _answers(count: int) -> str:
    return "one answer" if count == 1 else f"{count} answers"


def _wait(count: int) -> str:
    return "One answer waits" if count == 1 else f"{count} answers wait"
