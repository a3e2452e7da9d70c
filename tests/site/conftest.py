"""One running application for all tests over HTTP, and browsers to visit it with."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from site_databases import cluster, new_database
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.content import load_course

__all__ = ["cluster", "new_database"]  # fixtures

PASSWORD = "correct horse battery staple"
CHEAP = PasswordCost(passes=1, memory=8, lanes=1)  # the tests hash some hundred passwords


class Mailbox:
    """Keeps mails instead of sending them."""

    reaches_users = True

    def __init__(self):
        self.mails = []

    def send(self, to, subject, text):
        self.mails.append((to, subject, text))

    def to(self, email):
        return [(subject, text) for address, subject, text in self.mails if address == email]

    def link(self, email):
        """Return the path of the link in the last mail to somebody."""
        return re.search(r"http://[^/]+(/\S+)", self.to(email)[-1][1])[1]


class Clock:
    """A clock that can be set ahead."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


class Browser:
    """Visits the site with cookies of its own; forms are sent with the token of the page they stand on."""

    numbers = itertools.count(1)

    def __init__(self, site, address):
        self.client = TestClient(
            site.app, base_url="http://127.0.0.1", client=(address, 50000), follow_redirects=False
        )
        self.client.portal = site.portal  # the event loop in which the application was started
        self.mailbox = site.app.state.mailer
        self.email = ""

    def get(self, path, **options):
        return self.client.get(path, **options)

    def token(self, page="/log-in"):
        """Return the token of a page's form."""
        text = self.client.get(page).text
        found = re.search(r'name="form_token" value="(\w+)"', text) or re.search(
            r'data-form-token="(\w+)"', text
        )
        return found[1] if found else ""

    def post(self, path, fields=None, page=None, **options):
        page = page or ("/account" if self.email else "/log-in")
        return self.client.post(path, data={"form_token": self.token(page), **(fields or {})}, **options)

    def send(self, path, value, page="/account", **options):
        """Send JSON as the scripts do."""
        headers = {"x-form-token": self.token(page), "accept": "application/json"}
        return self.client.post(path, json=value, headers=headers, **options)

    def sign_up(self, email=None, password=PASSWORD, time_zone="UTC"):
        """Make an account and be logged in."""
        email = email or f"learner{next(self.numbers)}@example.org"
        assert self.post("/sign-up", {"email": email}).status_code == 200
        link = self.mailbox.link(email)
        answer = self.post(link, {"password": password, "time_zone": time_zone}, page=link)
        assert answer.status_code == 303, answer.text
        self.email = email
        return self

    def log_in(self, email, password=PASSWORD):
        answer = self.post("/log-in", {"email": email, "password": password}, page="/log-in")
        if answer.status_code == 303:
            self.email = email
        return answer

    @property
    def is_signed_in(self):
        return self.get("/account").status_code == 200


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
def mailbox(site):
    return site.app.state.mailer


@pytest.fixture(scope="session")
def browser(site):
    """Makes browsers, each at an address of its own."""
    addresses = itertools.count(1)

    def make(address=None):
        number = next(addresses)
        return Browser(site, address or f"10.{next(Browser.numbers) % 250}.{number // 250}.{number % 250}")

    return make
