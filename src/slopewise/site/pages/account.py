"""The page of one's account: settings, password, address, and what follows from them."""

from __future__ import annotations

import uuid

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import (
    LinkSpentError,
    begin_email_change,
    change_password,
    change_settings,
    confirmed_hash,
    finish_email_change,
    link_email,
    time_zones,
)
from slopewise.site.accounts.addresses import read_email
from slopewise.site.accounts.membership import had_membership
from slopewise.site.accounts.passwords import check_new_password
from slopewise.site.accounts.sessions import open_session
from slopewise.site.accounts.tokens import tokens_of
from slopewise.site.forms import field
from slopewise.site.pages.answers import (
    go_to,
    limit_in_thread,
    link_afterwards,
    link_spent,
    send_letters,
    slowly,
)
from slopewise.site.pages.progress import overview_of
from slopewise.site.pages.subscriptions import offer_of
from slopewise.site.policies import ANYONE, SIGNED_IN, route
from slopewise.site.storage.tables import Account
from slopewise.site.templating import render
from slopewise.site.visitors import set_cookie, visitor_of

router = APIRouter()

_DONE = {
    "settings": "Your settings are kept.",
    "password": "Your password is changed, and all other devices are logged out. Tokens are revoked.",
    "email": "Your address is changed.",
    "asked": "A mail is on its way to the new address. Nothing changes until its link is opened.",
    "revoked": "The token is revoked. Whoever holds it is refused from now on.",
    "redeemed": "Your membership runs. The Pro decks are open.",
}


@route(router, "GET", "/account", SIGNED_IN)
def account_page(request: Request, done: str = "", new: str = "") -> Response:
    """Show the account."""
    return show_account(request, done=_DONE.get(done, ""), is_new=bool(new))


@route(router, "POST", "/account/settings", SIGNED_IN)
def save_settings(request: Request) -> Response:
    """Keep name, time zone, the hour at which a day begins, and how many new cards a day brings."""
    names = ("display_name", "time_zone", "rollover_hour", "new_per_day")
    values = {name: field(request, name) for name in names}
    try:
        with request.app.state.database.writing(of=visitor_of(request).learner_id) as session:
            change_settings(session.get(Account, account_id(request)), **values)
    except ArgumentError as error:
        return show_account(request, problem=str(error))
    return go_to("/account?done=settings")


@route(router, "POST", "/account/password", SIGNED_IN)
async def save_password(request: Request) -> Response:
    """Change the password; this device gets a new session, all others are logged out."""
    await limit_in_thread(request, "password again", str(account_id(request)))
    try:
        secret = await slowly(request, _change_password, request)
    except ArgumentError as error:
        return show_account(request, problem=str(error))
    answer = go_to("/account?done=password")
    set_cookie(request, answer, "session", secret)
    return answer


@route(router, "POST", "/account/email", SIGNED_IN)
async def ask_for_email(request: Request) -> Response:
    """Send a link to the new address, and word to the old one."""
    await limit_in_thread(request, "password again", str(account_id(request)))
    try:
        sending = await slowly(request, _begin_email_change, request)
    except ArgumentError as error:
        return show_account(request, problem=str(error))
    answer = go_to("/account?done=asked")
    answer.background = sending
    return answer


@route(router, "GET", "/account/email/{secret}", ANYONE)
def confirm_email(request: Request, secret: str) -> Response:
    """Ask for a click: programs that look through mails open links, and must not confirm anything."""
    with request.app.state.database.reading() as session:
        try:
            email = link_email(session, "email", secret, request.app.state.clock())
        except LinkSpentError as error:
            return link_spent(request, error, "/account")
    return render(request, "confirm_address.html", email=email)


@route(router, "POST", "/account/email/{secret}", ANYONE)
def change_email(request: Request, secret: str) -> Response:
    """Change the address."""
    try:
        with request.app.state.database.writing() as session:
            told = finish_email_change(session, secret, request.app.state.clock())
    except LinkSpentError as error:
        return link_spent(request, error, "/account")
    answer = go_to("/account?done=email")
    answer.background = BackgroundTask(send_letters, request, [told])
    return answer


def account_id(request: Request) -> uuid.UUID:
    """Return the account of a visitor whom the policy let in."""
    found = visitor_of(request).account_id
    assert found is not None
    return found


def show_account(
    request: Request, *, problem: str = "", done: str = "", is_new: bool = False, new_token: str = ""
) -> Response:
    """Return the page, with what went wrong or was done; a new token is shown by no other answer."""
    with request.app.state.database.reading() as session:
        was_member = had_membership(session, account_id(request))
        tokens = tokens_of(session, account_id(request), request.app.state.clock())
    return render(
        request,
        "account.html",
        status=400 if problem else 200,
        problem=problem,
        done=done,
        is_new=is_new,
        was_member=was_member,
        offer=offer_of(request),
        tokens=tokens,
        new_token=new_token,
        address=request.app.state.configuration.address,
        overview=overview_of(request),
        zones=sorted(zone for zone in time_zones() if "/" in zone or zone == "UTC"),
    )


def _change_password(request: Request) -> str:
    state, now, who = request.app.state, request.app.state.clock(), account_id(request)
    new = field(request, "new_password")
    old_hash = confirmed_hash(state.database, state.passwords, who, field(request, "password"))
    check_new_password(new, visitor_of(request).email)
    new_hash = state.passwords.hash(new)
    with state.database.writing() as session:
        change_password(session, who, old_hash, new_hash, now)
        return open_session(session, who, now)


def _begin_email_change(request: Request) -> BackgroundTask:
    """Check address and password; what follows from the address waits until the answer is out."""
    state, who = request.app.state, account_id(request)
    email, now = read_email(field(request, "email")), state.clock()
    confirmed_hash(state.database, state.passwords, who, field(request, "password"))
    return link_afterwards(request, email, lambda session: begin_email_change(session, who, email, now))
