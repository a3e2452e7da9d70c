"""Which routes that change something need no token of a form, and what they need instead."""

import re
import uuid
from datetime import UTC, datetime

import pytest

from slopewise.site.administration import Administration
from slopewise.site.policies import _ATTRIBUTE, FROM_STRIPE, undeclared_routes


def changing_routes(application):
    return [route for route in application.routes if "POST" in (getattr(route, "methods", None) or ())]


@pytest.fixture(scope="module")
def owner(shop):
    somebody = shop.browser().sign_up()
    Administration(shop.database, datetime.now(UTC)).create_admin(somebody.email)
    return somebody


def test_one_route_alone_is_let_in_by_a_signature(shop):
    proving = [
        route.path
        for route in changing_routes(shop.application)
        if getattr(route.endpoint, _ATTRIBUTE).proves_sender
    ]
    assert proving == ["/webhooks/stripe"]
    assert undeclared_routes(shop.application) == []


def test_nothing_is_changed_by_a_request_with_cookies_alone(shop, owner):
    """The owner's browser sends its cookies, as another site might make it."""
    for route in changing_routes(shop.application):
        path = re.sub(r"{\w+}", str(uuid.uuid4()), route.path)
        kind = {"content-type": "multipart/form-data; boundary=x"} if "file" in path else {}
        status = owner.client.post(path, headers=kind).status_code
        expected = {401, 403, 415} if path == route.path else {400, 401, 403, 404, 415}
        expected = {400} if getattr(route.endpoint, _ATTRIBUTE) is FROM_STRIPE else expected
        assert status in expected, (path, status)


def test_a_route_that_only_says_it_is_signed_does_not_start(shop):
    (route,) = [
        route for route in shop.application.routes if getattr(route, "path", "") == "/webhooks/stripe"
    ]
    kept = route.dependencies[:]
    route.dependencies.clear()
    try:
        assert undeclared_routes(shop.application) == ["/webhooks/stripe"]
    finally:
        route.dependencies.extend(kept)


def test_without_keys_nothing_of_it_is_there(site, browser):
    assert site.app.state.payments is None
    somebody = browser().sign_up()
    assert "Stripe" not in somebody.get("/membership").text + somebody.get("/account").text
    assert "Become a member" not in browser().get("/membership").text
    assert "Stripe" not in somebody.get("/account/delete").text
    for path in ("/membership/checkout", "/membership/portal", "/webhooks/stripe"):
        assert somebody.post(path).status_code == 404
