"""The owner's pages: accounts, what they were given, codes, and the audit log. All that is done is noted."""

from __future__ import annotations

import hmac
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.accounts import LinkSpentError
from slopewise.site.accounts.addresses import read_email
from slopewise.site.accounts.audit import note
from slopewise.site.accounts.first_owner import has_owner, make_first_owner
from slopewise.site.accounts.membership import grant, make_codes, revoke
from slopewise.site.accounts.overview import (
    PAGE,
    actions,
    audit_lines,
    find_accounts,
    grants_of,
    open_codes,
    row_of,
)
from slopewise.site.accounts.passwords import check_new_password
from slopewise.site.accounts.secrets import digest
from slopewise.site.accounts.sessions import close_sessions, open_session
from slopewise.site.administration import MOST_CODES, MOST_DAYS
from slopewise.site.forms import field
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import go_to, limit_in_thread, link_spent, slowly, visitors_network
from slopewise.site.pages.subscriptions import service_of
from slopewise.site.payments.ledger import cancel_subscriptions
from slopewise.site.policies import ANYONE, OWNER, route
from slopewise.site.storage.backups import last_backup
from slopewise.site.storage.tables import Account
from slopewise.site.templating import render
from slopewise.site.visitors import set_cookie

router = APIRouter()
MOST_PAGES = 10_000
LONGEST_SEARCH = 100

_DONE = {
    "granted": "The membership is given.",
    "revoked": "The membership has ended.",
    "sessions": "All devices of this account are logged out.",
}


@route(router, "GET", "/owner", OWNER)
def accounts_page(request: Request, q: str = "", page: int = 0) -> Response:
    """List accounts, and show what else the owner does."""
    return _accounts(request, q, page)


@route(router, "POST", "/owner/codes", OWNER)
def new_codes(request: Request) -> Response:
    """Make codes, and show them this once."""
    now = request.app.state.clock()
    try:
        count = _number(request, "count", MOST_CODES)
        days = _number(request, "days", MOST_DAYS)
        expires = _day_after(request, "expires", now)
        with request.app.state.database.writing() as session:
            codes = make_codes(session, count, days, expires, now, by=account_id(request))
    except ArgumentError as error:
        return _accounts(request, problem=str(error))
    return _accounts(request, codes=codes)


@route(router, "GET", "/owner/accounts/{which}", OWNER)
def account_page(request: Request, which: uuid.UUID, done: str = "") -> Response:
    """Show one account."""
    return _account(request, which, done=_DONE.get(done, ""))


@route(router, "POST", "/owner/accounts/{which}/grant", OWNER)
def grant_pro(request: Request, which: uuid.UUID) -> Response:
    """Give a membership."""
    now = request.app.state.clock()
    try:
        until = _day_after(request, "until", now)
        with request.app.state.database.writing() as session:
            grant(session, _found(session, which).id, until, now, by=account_id(request))
    except ArgumentError as error:
        return _account(request, which, problem=str(error))
    return go_to(f"/owner/accounts/{which}?done=granted")


@route(router, "POST", "/owner/accounts/{which}/revoke", OWNER)
def revoke_pro(request: Request, which: uuid.UUID) -> Response:
    """End all memberships of an account; who subscribed does not go on paying."""
    now = request.app.state.clock()
    with request.app.state.database.writing() as session:
        found = _found(session, which).id
        cancel_subscriptions(session, found, now)
        revoke(session, found, now, by=account_id(request))
    if request.app.state.desk is not None:
        request.app.state.desk.wake()
    return go_to(f"/owner/accounts/{which}?done=revoked")


@route(router, "POST", "/owner/accounts/{which}/sessions", OWNER)
def end_sessions(request: Request, which: uuid.UUID) -> Response:
    """Log an account out everywhere."""
    with request.app.state.database.writing() as session:
        found = _found(session, which)
        close_sessions(session, found.id)
        note(
            session,
            request.app.state.clock(),
            "end-sessions",
            found.id,
            actor="owner",
            actor_id=account_id(request),
        )
    return go_to(f"/owner/accounts/{which}?done=sessions")


@route(router, "GET", "/owner/audit", OWNER)
def audit_page(request: Request, action: str = "", page: int = 0) -> Response:
    """Show the audit log."""
    page, action = _page_number(page), _searched(action)
    with request.app.state.database.reading() as session:
        lines, count = audit_lines(session, action=action, page=page)
        kinds = actions(session)
    return render(
        request,
        "owner_audit.html",
        lines=lines,
        count=count,
        action=action,
        kinds=kinds,
        page=page,
        pages=-(-count // PAGE),
    )


@route(router, "GET", "/owner/first/{secret}", ANYONE)
def first_owner(request: Request, secret: str) -> Response:
    """Ask whoever started the server for address and password."""
    return _first(request, secret)


@route(router, "POST", "/owner/first/{secret}", ANYONE)
async def become_owner(request: Request, secret: str) -> Response:
    """Make the first owner's account, and log in."""
    await limit_in_thread(request, "log-in from a network", visitors_network(request))
    try:
        session_secret = await slowly(request, _become_owner, request, secret)
    except ArgumentError as error:
        return await slowly(request, _first, request, secret, str(error))
    except LinkSpentError as error:
        return link_spent(request, error, "/log-in")
    answer = go_to("/owner")
    set_cookie(request, answer, "session", session_secret)
    return answer


def _become_owner(request: Request, secret: str) -> str:
    state, now = request.app.state, request.app.state.clock()
    _check_first(request, secret)
    email, password = read_email(field(request, "email")), field(request, "password")
    check_new_password(password, email)
    hashed = state.passwords.hash(password)
    with state.database.writing() as session:
        account = make_first_owner(session, email, hashed, now)
        session.flush()
        return open_session(session, account.id, now)


def _first(request: Request, secret: str, problem: str = "") -> Response:
    try:
        _check_first(request, secret)
    except LinkSpentError as error:
        return link_spent(request, error, "/log-in")
    return render(request, "owner_first.html", status=400 if problem else 200, problem=problem)


def _check_first(request: Request, secret: str) -> None:
    expected = request.app.state.first_owner_digest
    with request.app.state.database.reading() as session:
        is_spent = expected is None or has_owner(session)
    if is_spent or not hmac.compare_digest(digest(secret), expected):
        raise LinkSpentError("This link was used already, or belongs to another start of the server.")


def _accounts(
    request: Request, q: str = "", page: int = 0, *, problem: str = "", codes: list[str] | None = None
) -> Response:
    now, page, q = request.app.state.clock(), _page_number(page), _searched(q)
    with request.app.state.database.reading() as session:
        rows, count = find_accounts(session, q, page, now)
        unused = open_codes(session, now)
        service = service_of(request, session)
    return render(
        request,
        "owner.html",
        status=400 if problem else 200,
        rows=rows,
        count=count,
        search=q,
        page=page,
        pages=-(-count // PAGE),
        problem=problem,
        codes=codes or [],
        unused=unused,
        service=service,
        backup=last_backup(request.app.state.database),
        archives=request.app.state.libraries.loaded(request.app.state.database),
        next_year=(now + timedelta(days=365)).date(),
        most={"codes": MOST_CODES, "days": MOST_DAYS},
    )


def _account(request: Request, which: uuid.UUID, *, problem: str = "", done: str = "") -> Response:
    now = request.app.state.clock()
    with request.app.state.database.reading() as session:
        found = _found(session, which)
        values: dict[str, Any] = {
            "row": row_of(session, found, now),
            "grants": grants_of(session, found.id),
            "lines": audit_lines(session, account_id=found.id)[0],
            "service": service_of(request, session, found.learner_id),
        }
    return render(
        request,
        "owner_account.html",
        status=400 if problem else 200,
        problem=problem,
        done=done,
        now=now,
        next_year=(now + timedelta(days=365)).date(),
        **values,
    )


def _found(session: Session, which: uuid.UUID) -> Account:
    account = session.get(Account, which)
    if account is None:
        raise HTTPException(404)
    return account


def _page_number(page: int) -> int:
    return min(max(page, 0), MOST_PAGES)


def _searched(text: str) -> str:
    """Return what is searched for; PostgreSQL knows no text that holds the character 0."""
    text = text.strip()
    if len(text) > LONGEST_SEARCH or not text.isprintable():
        raise HTTPException(400, f"A search has at most {LONGEST_SEARCH} characters, all of them printable.")
    return text


def _number(request: Request, name: str, most: int) -> int:
    text = field(request, name, 10)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ArgumentError(f"{name.capitalize()} is a whole number from 1 to {most}.")
    return int(text)


def _day_after(request: Request, name: str, now: datetime) -> datetime:
    """Return the moment after the last day that a form names, in UTC."""
    try:
        moment = datetime.combine(date.fromisoformat(field(request, name, 20)), time(), UTC)
        moment += timedelta(days=1)
    except (ValueError, OverflowError):
        raise ArgumentError("A day is written like 2027-12-31.") from None
    if moment <= now:
        raise ArgumentError("This day is past. Choose a later one.")
    return moment
