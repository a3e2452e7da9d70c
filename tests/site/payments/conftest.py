"""A site that sells memberships, with a payment service that the tests play."""

import itertools
import time

import pytest
from site_visitors import Browser, Clock, Mailbox
from starlette.testclient import TestClient
from stripe_events import FakeStripe, signed

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.storage.tables import Account


class Shop:
    """The site, its Stripe, and what the tests do with both."""

    def __init__(self, client):
        self.client, self.application = client, client.app
        self.database = client.app.state.database
        self.stripe = client.app.state.payments
        self._addresses = itertools.count(1)

    def browser(self):
        number = next(self._addresses)
        host = f"10.9.{number // 250}.{number % 250}"
        client = TestClient(
            self.application, base_url="http://127.0.0.1", client=(host, 50000), follow_redirects=False
        )
        client.portal = self.client.portal
        return Browser(client, self.application.state.mailer)

    def customer(self, somebody):
        """Let somebody go to Stripe's checkout, and return which customer they are there."""
        answer = somebody.post("/membership/checkout", page="/membership")
        assert answer.status_code == 200, answer.text
        return next(asked for asked in reversed(self.stripe.asked) if asked[0] == "checkout")[1]

    def learner_of(self, somebody):
        with self.database.reading() as session:
            return session.query(Account).filter_by(email=somebody.email).one().learner_id

    def tell(self, *events):
        """Send events as Stripe does, and return what was answered to each."""
        answers = []
        for event in events:
            body, headers = signed(event)
            answer = self.client.post("/webhooks/stripe", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            answers.append(answer.json()["received"])
        return answers

    def until(self, condition):
        deadline = time.monotonic() + 60  # on a machine that does much else
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="module")
def shop(new_database, tmp_path_factory):
    configuration = Configuration(
        database=new_database(), files=tmp_path_factory.mktemp("files"), password_cost=PasswordCost(1, 8, 1)
    )
    application = create_app(configuration, mailer=Mailbox(), clock=Clock(), payments=FakeStripe())
    with TestClient(application, base_url="http://127.0.0.1") as client:
        yield Shop(client)
