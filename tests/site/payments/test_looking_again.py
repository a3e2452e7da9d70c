"""The owner's look at all subscriptions, for when word from Stripe was lost."""

import time

import pytest
from stripe_events import DAY, Subscription

from slopewise.cli.app import run
from slopewise.site.payments.stripe_gateway import KEY, PRICE, WEBHOOK_SECRET
from slopewise.site.storage.payment_tables import PaymentCustomer, PaymentEvent

START = int(time.time()) - DAY


@pytest.fixture
def look(shop, monkeypatch, capsys):
    """Run the command with the shop's Stripe; return what it prints."""
    monkeypatch.setattr("slopewise.site.administration.stripe_from_environment", lambda: shop.stripe)

    def command():
        address = shop.application.state.configuration.database
        status = run(["site", "check-payments", "--database", address])
        printed = capsys.readouterr()
        return status, printed.out or printed.err

    return command


@pytest.fixture
def customers(shop):
    """Three who went to the checkout, and no word of whom ever came."""
    with shop.database.writing() as session:
        session.query(PaymentEvent).delete()
        session.query(PaymentCustomer).delete()
    people = [shop.browser().sign_up() for _ in range(3)]
    found = [(one, Subscription(shop.customer(one), START, shop.learner_of(one))) for one in people]
    yield found
    shop.stripe.unknown, shop.stripe.is_down, shop.stripe.answers = set(), False, {}


def test_what_was_lost_is_made_up_for_and_a_second_look_changes_nothing(shop, look, customers):
    (paid, first), (cancelled, second), (gone, third) = customers
    shop.tell(second.updated("active", START))
    shop.stripe.answers = {
        first.customer: [first.state("active")],
        second.customer: [second.state("canceled", ended_at=START + 60)],
    }
    shop.stripe.unknown.add(third.customer)
    said = "customers looked at: 3; subscriptions that had changed: {}; 1 no longer known there\n"
    assert look() == (0, said.format(2))
    assert "subscription renews" in paid.get("/account").text
    assert "Your membership has ended" in cancelled.get("/account").text
    assert "Free." in gone.get("/account").text
    with shop.database.reading() as session:
        before = session.query(PaymentEvent).count()
    assert look() == (0, said.format(0))
    with shop.database.reading() as session:
        assert session.query(PaymentEvent).count() == before


def test_later_word_counts_more_than_an_earlier_look(shop, look, customers):
    (somebody, one), (_, two), (_, three) = customers
    shop.stripe.answers = {
        one.customer: [one.state("active")],
        two.customer: [],
        three.customer: [],
    }
    look()
    shop.tell(one.deleted(int(time.time()) + 1))
    assert "subscription renews" not in somebody.get("/account").text


def test_if_stripe_does_not_answer_it_says_so(shop, look, customers):
    shop.stripe.is_down = True
    status, text = look()
    assert status == 2
    assert text == "slopewise: error: Stripe does not answer just now. Try again in a moment.\n"


def test_without_keys_it_says_what_is_missing(shop, monkeypatch, capsys):
    for name in (KEY, WEBHOOK_SECRET, PRICE):
        monkeypatch.delenv(name, raising=False)
    assert run(["site", "check-payments", "--database", shop.application.state.configuration.database]) == 2
    assert "set SLOPEWISE_STRIPE_KEY" in capsys.readouterr().err
