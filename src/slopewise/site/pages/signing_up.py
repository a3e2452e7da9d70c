"""Signing up, and choosing a new password, each by a link in a mail.

Whether an address has an account is told to its mailbox alone: every answer is the same for all.
"""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import (
    Letter,
    LinkSpentError,
    begin_reset,
    begin_sign_up,
    finish_reset,
    finish_sign_up,
    link_email,
)
from slopewise.site.accounts.addresses import read_email
from slopewise.site.accounts.logging_in import remember
from slopewise.site.accounts.passwords import check_new_password
from slopewise.site.accounts.sessions import open_session
from slopewise.site.forms import field
from slopewise.site.pages.answers import (
    go_to,
    limit_in_thread,
    link_afterwards,
    link_spent,
    slowly,
    visitors_network,
)
from slopewise.site.policies import ANYONE, route
from slopewise.site.templating import render
from slopewise.site.visitors import set_cookie, visitor_of

router = APIRouter()


@route(router, "GET", "/sign-up", ANYONE)
def sign_up(request: Request) -> Response:
    """Ask for the address of a new account."""
    if visitor_of(request).is_signed_in:
        return go_to("/account")
    return _ask(request, "sign-up")


@route(router, "POST", "/sign-up", ANYONE)
def send_sign_up_link(request: Request) -> Response:
    """Send a link to the address."""
    return _send_link(request, "sign-up")


@route(router, "GET", "/reset", ANYONE)
def reset(request: Request) -> Response:
    """Ask for the address of an account whose password is forgotten."""
    return _ask(request, "reset")


@route(router, "POST", "/reset", ANYONE)
def send_reset_link(request: Request) -> Response:
    """Send a link to the address."""
    return _send_link(request, "reset")


@route(router, "GET", "/sign-up/{secret}", ANYONE)
def choose_first_password(request: Request, secret: str) -> Response:
    """Ask for the password of a new account."""
    return _choose(request, "sign-up", secret)


@route(router, "POST", "/sign-up/{secret}", ANYONE)
async def make_account(request: Request, secret: str) -> Response:
    """Make the account and log in."""
    return await _set_password(request, "sign-up", secret)


@route(router, "GET", "/reset/{secret}", ANYONE)
def choose_new_password(request: Request, secret: str) -> Response:
    """Ask for a new password."""
    return _choose(request, "reset", secret)


@route(router, "POST", "/reset/{secret}", ANYONE)
async def set_new_password(request: Request, secret: str) -> Response:
    """Set the new password, log out everywhere, and log in here."""
    return await _set_password(request, "reset", secret)


def _ask(request: Request, purpose: str, problem: str = "", email: str = "") -> Response:
    return render(
        request,
        "ask_address.html",
        status=400 if problem else 200,
        purpose=purpose,
        problem=problem,
        email=email,
        sends_mail=request.app.state.mailer.reaches_users,
    )


def _send_link(request: Request, purpose: str) -> Response:
    typed = field(request, "email")
    try:
        email = read_email(typed)
    except ArgumentError as error:
        return _ask(request, purpose, str(error), typed)
    now = request.app.state.clock()

    def begin(session: Session) -> list[Letter]:
        letter = (begin_sign_up if purpose == "sign-up" else begin_reset)(session, email, now)
        return [letter] if letter else []

    sending = link_afterwards(request, email, begin)
    page = render(request, "link_sent.html", purpose=purpose, email=email)
    page.background = sending
    return page


def _choose(request: Request, purpose: str, secret: str, problem: str = "") -> Response:
    with request.app.state.database.reading() as session:
        try:
            email = link_email(session, purpose, secret, request.app.state.clock())
        except LinkSpentError as error:
            return link_spent(request, error, f"/{purpose}")
    return render(
        request,
        "choose_password.html",
        status=400 if problem else 200,
        purpose=purpose,
        email=email,
        problem=problem,
    )


async def _set_password(request: Request, purpose: str, secret: str) -> Response:
    await limit_in_thread(request, "log-in from a network", visitors_network(request))
    try:
        session_secret = await slowly(request, _finish, request, purpose, secret)
    except ArgumentError as error:
        return await to_thread.run_sync(_choose, request, purpose, secret, str(error))
    except LinkSpentError as error:
        return link_spent(request, error, f"/{purpose}")
    answer = go_to("/account?new=1" if purpose == "sign-up" else "/account")
    set_cookie(request, answer, "session", session_secret)
    return answer


def _finish(request: Request, purpose: str, secret: str) -> str:
    """Set the password, and return the secret of the new session."""
    state, now, password = request.app.state, request.app.state.clock(), field(request, "password")
    with state.database.reading() as session:
        email = link_email(session, purpose, secret, now)
    check_new_password(password, email)
    hashed = state.passwords.hash(password)  # takes long, so before the database is locked for writing
    with state.database.writing() as session:
        if purpose == "sign-up":
            account = finish_sign_up(session, secret, hashed, now, field(request, "time_zone"))
        else:
            account = finish_reset(session, secret, hashed, now)
        session.flush()
        opened = open_session(session, account.id, now)
    remember(state.tries, email, visitors_network(request))
    return opened
