"""Who may call a route. Each declares a policy, and an application with one that does not will not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from slopewise.site.accounts.limits import in_words, network
from slopewise.site.forms import check_message, check_request, check_upload, read_body
from slopewise.site.payments.gateway import SignatureError
from slopewise.site.static_files import VersionedFiles
from slopewise.site.visitors import let_in_by_token, visitor_of

_ATTRIBUTE = "slopewise_policy"


class RefusedError(HTTPException):
    """A refusal that names the page which helps: `way_out` is its address and what its link says."""

    def __init__(self, status: int, sentence: str, way_out: tuple[str, str]) -> None:
        super().__init__(status, sentence)
        self.way_out = way_out


@dataclass(frozen=True)
class Policy:
    """A rule on who may call a route.

    Attributes
    ----------
    name : str
    check : callable
        A FastAPI dependency that raises an HTTPException for whom the rule keeps out.
    proves_sender : bool
        Whether the check itself shows who sent a request, so that no token of a form is needed.
    """

    name: str
    check: Callable[..., Any]
    proves_sender: bool = False


def _let_in(request: Request) -> None:
    """Everybody may; who it is, is found here, where waiting for the database holds up nobody else."""
    visitor_of(request)


def _signed_in(request: Request) -> None:
    if not visitor_of(request).is_signed_in:
        raise RefusedError(401, "Log in to see this.", ("/log-in", "Log in"))


def _unasked() -> None:
    """Everybody may, and nobody is asked who they are."""


def _teaches(request: Request) -> None:
    _signed_in(request)
    if not visitor_of(request).reads_pro:
        raise RefusedError(
            403,
            "Class tools are for Pro members. Your classes are kept until you are one.",
            ("/membership", "About Pro membership"),
        )


def _owns(request: Request) -> None:
    _signed_in(request)
    if not visitor_of(request).is_owner:
        raise HTTPException(404)


def _has_token(request: Request) -> None:
    if let_in_by_token(request):
        return
    who = network(request.client.host if request.client else "")
    tries, rule = request.app.state.tries, "wrong token from a network"
    if not tries.allow(rule, who):
        raise too_often("Wrong tokens came too often.", tries.seconds_left(rule, who))
    raise HTTPException(
        401, "This needs a token that works: make one on your account's page.", {"WWW-Authenticate": "Bearer"}
    )


async def _signed_by_stripe(request: Request) -> None:
    """Let in what Stripe signed; who has no keys of Stripe has no such address."""
    gateway = request.app.state.payments
    if gateway is None:
        raise HTTPException(404)
    body = await read_body(request)
    try:
        request.state.event = gateway.read_event(body, request.headers.get("stripe-signature", ""))
    except SignatureError as error:
        raise HTTPException(400, str(error)) from None


ANYONE = Policy("anyone", _let_in)
SIGNED_IN = Policy("signed in", _signed_in)
TEACHER = Policy("Pro member", _teaches)  # whose class it is, `classes.teaching.class_of_teacher` asks
OWNER = Policy("owner", _owns)  # to others the page is not there
TOKEN = Policy("token", _has_token)  # a cookie opens none of it, and the token nothing else
FROM_STRIPE = Policy("signed by Stripe", _signed_by_stripe, proves_sender=True)
UNASKED = Policy("anyone, unasked", _unasked)  # for machines: it works without a database
SAFE_METHODS = ("GET", "HEAD")

PUBLIC_MOUNTS = {"/static": VersionedFiles}  # what the package ships; nothing of a user's is ever among it


def route(
    router: APIRouter, method: str, path: str, policy: Policy, *, takes_file: bool = False, **options: Any
) -> Callable[..., Any]:
    """Return a decorator that adds a route with its policy, which is checked before the route runs.

    A route that changes something also checks that one of our own pages sent the request. What only a token
    opens needs no such check: no browser sends a token by itself.
    """
    checks = [Depends(policy.check)]
    options.setdefault("responses", documented_refusals(policy, method))
    if method not in SAFE_METHODS and not policy.proves_sender:
        read = check_message if policy is TOKEN else check_upload if takes_file else check_request
        checks.append(Depends(read))

    def add(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        setattr(endpoint, _ATTRIBUTE, policy)
        router.add_api_route(path, endpoint, methods=[method], dependencies=checks, **options)
        return endpoint

    return add


class Refusal(BaseModel):
    """What is answered instead of what was asked for, as JSON; pages say the same sentence."""

    error: str


def too_often(sentence: str, seconds: int) -> HTTPException:
    """Return the refusal of what a limit does not let through yet: people and programs read when it will."""
    return HTTPException(429, f"{sentence} Try again {in_words(seconds)}.", {"Retry-After": str(seconds)})


def documented_refusals(policy: Policy, method: str) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of a route for the OpenAPI description, by status."""
    if policy is UNASKED:
        return {503: {"description": "not ready"}}
    refusals = {400: "what was sent cannot be read", 404: "there is no such thing", 503: "busy; come back"}
    if policy is not ANYONE:
        refusals[401] = "log in first"
    if policy is TEACHER:
        refusals[403] = "for Pro members"
    if method not in SAFE_METHODS:
        refusals |= {
            403: "not sent by a page of this site",
            408: "did not arrive in time",
            413: "too large",
            415: "neither a form nor JSON",
            429: "tried too often",
        }
    return {status: {"model": Refusal, "description": why} for status, why in sorted(refusals.items())}


def undeclared_routes(application: FastAPI) -> list[str]:
    """Return the paths of all routes that declare no policy."""
    return [getattr(found, "path", repr(found)) for found in application.routes if not _declares(found)]


def _declares(found: BaseRoute) -> bool:
    if isinstance(found, Mount):
        return isinstance(found.app, PUBLIC_MOUNTS.get(found.path, ()))
    policy = getattr(getattr(found, "endpoint", None), _ATTRIBUTE, None)
    if policy is None:
        return False
    checks = [dependency.dependency for dependency in getattr(found, "dependencies", [])]
    changes = set(getattr(found, "methods", ())) - set(SAFE_METHODS)
    is_ours = not changes or policy.proves_sender or check_request in checks or check_upload in checks
    is_ours = is_ours or (policy is TOKEN and check_message in checks)
    return policy.check in checks and is_ours
