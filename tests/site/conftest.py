"""One running application for all tests over HTTP, and browsers to visit it with."""

import contextlib
import itertools
import time
from datetime import timedelta

import pytest
from site_databases import cluster, database, new_database, ready_database
from site_visitors import Browser, Clock, Mailbox
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.content import load_course
from slopewise.site.labs.places import Asker

__all__ = ["cluster", "database", "new_database", "ready_database"]  # fixtures

CHEAP = PasswordCost(passes=1, memory=8, lanes=1)  # the tests hash some hundred passwords


@pytest.fixture(scope="session")
def course():
    return load_course()


@pytest.fixture(scope="session")
def application(new_database, tmp_path_factory):
    """The application, with a new database; whoever serves it first starts its worker process."""
    files = tmp_path_factory.mktemp("files")
    configuration = Configuration(database=new_database(), files=files, password_cost=CHEAP)
    return create_app(configuration, mailer=Mailbox(), clock=Clock())


@pytest.fixture(scope="session")
def site(application):
    """A client of the site, in whose event loop it runs."""
    with TestClient(application, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def clock(site):
    """The clock of the site; it is right again after the test."""
    yield site.app.state.clock
    site.app.state.clock.ahead = timedelta()


@pytest.fixture
def take_all_places(site):
    """A context in which nobody else gets a place to work."""
    places = site.app.state.places

    def take():
        return [places.enter(Asker(f"somebody {number}")) for number in range(places.count)]

    @contextlib.contextmanager
    def taken():
        until = time.monotonic() + 20
        while places.working or len(places):  # what tests before have left to be done
            assert time.monotonic() < until, "the places do not get free"
            time.sleep(0.02)
        tickets = site.portal.call(take)
        yield
        for ticket in tickets:
            site.portal.call(ticket.leave)

    return taken


@pytest.fixture
def mailbox(site):
    return site.app.state.mailer


@pytest.fixture(scope="session")
def browser(site):
    """Makes browsers, each at an address of its own."""
    addresses = itertools.count(1)

    def make(address=None):
        number = next(addresses)
        host = address or f"10.{next(Browser.numbers) % 250}.{number // 250}.{number % 250}"
        client = TestClient(
            site.app, base_url="http://127.0.0.1", client=(host, 50000), follow_redirects=False
        )
        client.portal = site.portal  # the event loop in which the application was started
        return Browser(client, site.app.state.mailer)

    return make
