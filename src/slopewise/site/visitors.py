"""Who sends a request: the cookie of a session, and what its account may do now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from slopewise.site.accounts.accounts import NEW_PER_DAY, ROLLOVER_HOUR
from slopewise.site.accounts.membership import member_until
from slopewise.site.accounts.sessions import ABSOLUTE, TOUCH, find_session, touch
from slopewise.site.accounts.tokens import LONGEST_TOKEN, find_token, touch_token
from slopewise.site.storage.tables import Account


@dataclass(frozen=True)
class Visitor:
    """Somebody who looks at a page; without an account, nothing is known of them."""

    account_id: uuid.UUID | None = None
    learner_id: uuid.UUID | None = None
    name: str = ""
    email: str = ""
    is_owner: bool = False
    member_until: datetime | None = None
    time_zone: str = "UTC"
    rollover_hour: int = ROLLOVER_HOUR
    new_per_day: int = NEW_PER_DAY

    @property
    def is_signed_in(self) -> bool:
        """Whether there is an account."""
        return self.account_id is not None

    @property
    def learner(self) -> uuid.UUID:
        """The learner of somebody whom a policy let in because they have an account."""
        assert self.learner_id is not None, "the policy lets nobody in without an account"
        return self.learner_id

    @property
    def reads_pro(self) -> bool:
        """Whether Pro content may be shown: to members as long as they are, and to the owner."""
        return self.is_owner or self.member_until is not None


NOBODY = Visitor()


def visitor_of(request: Request) -> Visitor:
    """Return who sent a request. The database is asked once a request, and only if there is a cookie."""
    if not hasattr(request.state, "visitor"):
        request.state.visitor = _find(request)
    visitor: Visitor = request.state.visitor
    return visitor


def _find(request: Request) -> Visitor:
    secret = session_secret(request)
    if not secret:
        return NOBODY
    database, now = request.app.state.database, request.app.state.clock()
    with database.reading() as session:
        found = find_session(session, secret, now)
        if found is None:
            return NOBODY
        login, account = found
        visitor = _visitor(session, account, now)
    if now - login.used_at > TOUCH:
        with database.writing(of=account.learner_id) as session:
            touch(session, login.id, now)
    return visitor


def let_in_by_token(request: Request) -> bool:
    """Let the token of a request say who sent it, and nothing else; return whether there is a good one.

    Cookies do not count beside it: a browser sends them without being asked, a token it never does.
    """
    request.state.visitor = NOBODY
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        return False
    database, now = request.app.state.database, request.app.state.clock()
    with database.reading() as session:
        found = find_token(session, token, now)
        if found is None:
            return False
        row, account = found
        request.state.visitor, request.state.token_id = _visitor(session, account, now), row.id
    if row.used_at is None or now - row.used_at > TOUCH:
        with database.writing(of=account.learner_id) as session:
            touch_token(session, row.id, now)
    return True


def _visitor(session: Session, account: Account, now: datetime) -> Visitor:
    return Visitor(
        account.id,
        account.learner_id,
        account.display_name,
        account.email,
        account.is_owner,
        member_until(session, account.id, now),
        account.time_zone,
        account.rollover_hour,
        account.new_per_day,
    )


def cookie_name(request: Request, name: str) -> str:
    """Return the name of a cookie. With https its prefix keeps other hosts of the domain from setting it."""
    return f"{'__Host-' if _is_https(request) else ''}slopewise-{name}"


def session_secret(request: Request) -> str:
    """Return the secret in the cookie of the session, or ""."""
    return request.cookies.get(cookie_name(request, "session"), "")[:100]


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, outlives_browser: bool = True
) -> None:
    """Set a cookie that script cannot read and other sites do not send."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=int(ABSOLUTE.total_seconds()) if outlives_browser else None,
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(
        cookie_name(request, name), secure=_is_https(request), httponly=True, samesite="lax"
    )


def _is_https(request: Request) -> bool:
    return bool(request.app.state.configuration.public_url)
