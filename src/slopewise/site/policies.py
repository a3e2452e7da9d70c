"""Who may call a route. Each declares a policy, and an application with one that does not will not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Mount

_ATTRIBUTE = "slopewise_policy"


@dataclass(frozen=True)
class Policy:
    """A rule on who may call a route.

    Attributes
    ----------
    name : str
    check : callable
        A FastAPI dependency that raises an HTTPException for whom the rule keeps out.
    """

    name: str
    check: Callable[..., None]


def _let_in() -> None:
    """Everybody may."""


ANYONE = Policy("anyone", _let_in)

PUBLIC_MOUNTS = ("static",)  # files that the package ships; nothing of a user's is ever among them


def route(router: APIRouter, method: str, path: str, policy: Policy, **options: Any) -> Callable[..., Any]:
    """Return a decorator that adds a route with its policy, which is checked before the route runs."""
    from fastapi import Depends

    def add(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        setattr(endpoint, _ATTRIBUTE, policy)
        router.add_api_route(
            path, endpoint, methods=[method], dependencies=[Depends(policy.check)], **options
        )
        return endpoint

    return add


def undeclared_routes(application: FastAPI) -> list[str]:
    """Return the paths of all routes that declare no policy."""
    return [getattr(found, "path", repr(found)) for found in application.routes if not _declares(found)]


def _declares(found: BaseRoute) -> bool:
    if isinstance(found, Mount):
        return found.name in PUBLIC_MOUNTS
    policy = getattr(getattr(found, "endpoint", None), _ATTRIBUTE, None)
    if policy is None:
        return False
    dependencies = getattr(found, "dependencies", [])
    return any(dependency.dependency is policy.check for dependency in dependencies)
