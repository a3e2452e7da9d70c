"""What the pages of accounts share: letters after the answer, limits, slow work, and where to go next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from slopewise.site.accounts.accounts import Letter, LinkSpentError
from slopewise.site.accounts.addresses import email_key
from slopewise.site.accounts.limits import network
from slopewise.site.accounts.mail import send_letter
from slopewise.site.forms import form_token
from slopewise.site.labs.places import Asker
from slopewise.site.policies import too_often
from slopewise.site.templating import render
from slopewise.site.visitors import cookie_name, visitor_of

Result = TypeVar("Result")


async def slowly(request: Request, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do work that hashes passwords: few at once, in threads of their own."""
    return await to_thread.run_sync(partial(work, *arguments), limiter=request.app.state.hashing)


def visitors_network(request: Request) -> str:
    """Return the network that a request comes from."""
    return network(request.client.host if request.client else "")


def asker_of(request: Request) -> Asker:
    """Return who asks for work: an account, the browser that holds the cookie of our forms, or an address.

    Browsers are made up in no time, so their network bounds them; accounts are not.
    """
    visitor, network_of_it = visitor_of(request), visitors_network(request)
    if visitor.account_id is not None:
        return Asker(f"account {visitor.account_id}")
    if request.cookies.get(cookie_name(request, "form")):
        token = hashlib.sha256(form_token(request).encode()).hexdigest()
        return Asker(f"browser {token}", network_of_it)
    return Asker(f"address {network_of_it}", network_of_it)


def link_spent(request: Request, error: LinkSpentError, again: str) -> Response:
    """Say that a link is no longer good, and where there is another."""
    return render(request, "link_spent.html", status=410, problem=str(error), again=again)


def limit(request: Request, rule: str, who: str) -> None:
    """Count a try.

    Raises
    ------
    HTTPException
        If there were too many; it says when the next one is let through.
    """
    tries = request.app.state.tries
    if not tries.allow(rule, who):
        raise too_often("That was tried too often.", tries.seconds_left(rule, who))


async def limit_in_thread(request: Request, rule: str, who: str) -> None:
    """Count a try from a route that must not wait: tries may be counted in a database.

    Raises
    ------
    HTTPException
        If there were too many.
    """
    await to_thread.run_sync(limit, request, rule, who)


def link_afterwards(request: Request, email: str, begin: Callable[[Session], list[Letter]]) -> BackgroundTask:
    """Return the task that begins something with a mailbox, and sends its letters, once the answer is out.

    So the time of the answer does not tell whether the address has an account. A mailbox that was told often
    enough is told nothing more, and the page says nothing else than before.

    Raises
    ------
    HTTPException
        If too many letters were asked for from the visitor's network.
    """
    limit(request, "mail from a network", visitors_network(request))
    state = request.app.state

    def work() -> None:
        if not state.tries.allow("mail to an address", email_key(email)):
            return
        with state.database.writing() as session:
            letters = begin(session)
        send_letters(request, letters)

    return BackgroundTask(work)


def send_letters(request: Request, letters: list[Letter]) -> None:
    """Send letters whose links lead to the site's own address."""
    state = request.app.state
    for letter in letters:
        send_letter(state.mailer, letter, state.configuration.address)


def go_to(address: str) -> Response:
    """Return the answer that sends a browser to a page after a form."""
    return RedirectResponse(address, status_code=303)


def own_page(address: str) -> str:
    """Return an address if it is a page of this site, else the page of the account.

    Examples
    --------
    >>> own_page("/cards?x=1"), own_page("//evil.example"), own_page("https://evil.example")
    ('/cards?x=1', '/account', '/account')
    """
    is_ours = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if is_ours and "\\" not in address and len(address) < 500 else "/account"
