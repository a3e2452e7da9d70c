"""Logging in and out."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.logging_in import log_in, remember, seconds_to_wait
from slopewise.site.accounts.sessions import close_session, close_sessions
from slopewise.site.forms import field
from slopewise.site.pages.answers import go_to, limit_in_thread, own_page, slowly, visitors_network
from slopewise.site.policies import ANYONE, SIGNED_IN, route, too_often
from slopewise.site.templating import render
from slopewise.site.visitors import drop_cookie, session_secret, set_cookie, visitor_of

router = APIRouter()


@route(router, "GET", "/log-in", ANYONE)
def ask(request: Request, next: str = "/account") -> Response:
    """Ask for address and password."""
    if visitor_of(request).is_signed_in:
        return go_to(own_page(next))
    return render(request, "log_in.html", next=own_page(next), problem="", email="")


@route(router, "POST", "/log-in", ANYONE)
async def enter(request: Request) -> Response:
    """Log in: the same words, after the same work, whether the address or the password is wrong."""
    email, password = field(request, "email").strip(), field(request, "password")
    state, onward = request.app.state, own_page(field(request, "next"))
    network = visitors_network(request)
    await limit_in_thread(request, "log-in from a network", network)
    await limit_in_thread(request, "log-in of an account", f"{email_key(email)} {network}")
    if seconds := await to_thread.run_sync(seconds_to_wait, state.tries, email, network):
        raise too_often(
            "Too many passwords were tried for this address today, from many places. Log in from where you "
            "did before, or choose a new password by a link in a mail.",
            seconds,
        )
    secret = await slowly(
        request,
        log_in,
        state.database,
        state.passwords,
        email,
        password,
        state.clock(),
        session_secret(request),
    )
    if secret is None:
        problem = "Address or password is wrong."
        return render(request, "log_in.html", status=400, next=onward, problem=problem, email=email)
    await to_thread.run_sync(remember, state.tries, email, network)
    answer = go_to(onward)
    set_cookie(request, answer, "session", secret)
    return answer


@route(router, "POST", "/log-out", ANYONE)
def leave(request: Request) -> Response:
    """Log out here."""
    with request.app.state.database.writing() as session:
        close_session(session, session_secret(request))
    return _left(request)


@route(router, "POST", "/log-out-everywhere", SIGNED_IN)
def leave_everywhere(request: Request) -> Response:
    """Log out on all devices."""
    account_id = visitor_of(request).account_id
    assert account_id is not None
    with request.app.state.database.writing() as session:
        close_sessions(session, account_id)
    return _left(request)


def _left(request: Request) -> Response:
    answer = go_to("/")
    drop_cookie(request, answer, "session")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
