"""What is asked of Stripe, through its own library and down to the request; and what the environment says."""

import json
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

import pytest
import stripe
from stripe_events import Subscription, moment, signed

from slopewise.engine.errors import ArgumentError
from slopewise.site.payments.facts import LEARNER, snapshot
from slopewise.site.payments.gateway import PaymentsError, SignatureError, UnknownTargetError
from slopewise.site.payments.stripe_gateway import StripeGateway, price_in_words, stripe_from_environment

LEARNER_ID = uuid.UUID(int=7)
NAMES = ("SLOPEWISE_STRIPE_KEY", "SLOPEWISE_STRIPE_WEBHOOK_SECRET", "SLOPEWISE_STRIPE_PRICE")
VALUES = ("sk_test_abc", "whsec_abc", "price_abc")


class Wire(stripe.HTTPClient):
    """Answers requests without a network, and keeps them."""

    name = "wire"

    def __init__(self):
        super().__init__()
        self.requests, self.answers = [], []

    def request(self, method, url, headers, post_data=None, **_):
        parts = urlsplit(url)
        fields = dict(parse_qsl(post_data or parts.query))
        self.requests.append((method, parts.netloc + parts.path, fields, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, value = answer
        return json.dumps(value), status, {"request-id": "req_1"}

    def close(self):
        pass


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def gateway(wire, monkeypatch):
    monkeypatch.setattr(stripe.HTTPClient, "_sleep_time_seconds", lambda *_, **__: 0)
    return StripeGateway("sk_test_abc", "whsec_abc", "price_abc", http_client=wire)


def test_a_checkout_names_learner_customer_price_and_ways_back(gateway, wire):
    wire.answers = [(200, {"object": "checkout.session", "url": "https://checkout.stripe.com/c/1"})]
    address = gateway.checkout("cus_1", LEARNER_ID, "https://site/done", "https://site/left")
    assert address == "https://checkout.stripe.com/c/1"
    method, path, fields, headers = wire.requests[0]
    assert (method, path) == ("post", "api.stripe.com/v1/checkout/sessions")
    assert fields == {
        "mode": "subscription",
        "customer": "cus_1",
        "client_reference_id": LEARNER_ID.hex,
        "line_items[0][price]": "price_abc",
        "line_items[0][quantity]": "1",
        f"subscription_data[metadata][{LEARNER}]": LEARNER_ID.hex,
        "success_url": "https://site/done",
        "cancel_url": "https://site/left",
    }
    assert headers["Authorization"] == "Bearer sk_test_abc"


def test_two_tries_to_make_a_customer_are_one_to_stripe(gateway, wire):
    wire.answers = [(200, {"object": "customer", "id": "cus_9"})] * 3
    emails = ("ada@example.org", "ada@example.org", "grace@example.org")
    assert [gateway.make_customer(LEARNER_ID, email) for email in emails] == ["cus_9"] * 3
    keys = [headers["Idempotency-Key"] for _, _, _, headers in wire.requests]
    assert keys[0] == keys[1] != keys[2]
    fields = wire.requests[0][2]
    assert fields == {"email": "ada@example.org", f"metadata[{LEARNER}]": LEARNER_ID.hex}


def test_portal_cancellation_and_deletion(gateway, wire):
    wire.answers = [
        (200, {"object": "billing_portal.session", "url": "https://billing.stripe.com/p/1"}),
        (200, {"object": "subscription", "id": "sub_1"}),
        (200, {"object": "customer", "id": "cus_1", "deleted": True}),
    ]
    assert gateway.portal("cus_1", "https://site/account") == "https://billing.stripe.com/p/1"
    gateway.cancel("sub_1")
    gateway.forget("cus_1")
    assert [request[:3] for request in wire.requests] == [
        (
            "post",
            "api.stripe.com/v1/billing_portal/sessions",
            {"customer": "cus_1", "return_url": "https://site/account"},
        ),
        ("delete", "api.stripe.com/v1/subscriptions/sub_1", {}),
        ("delete", "api.stripe.com/v1/customers/cus_1", {}),
    ]


def test_all_subscriptions_of_a_customer_are_read_page_by_page(gateway, wire):
    states = [Subscription("cus_1", 1_767_225_600).state("active") for _ in range(2)]
    page = {"object": "list", "url": "/v1/subscriptions"}
    wire.answers = [
        (200, {**page, "data": [states[0]], "has_more": True}),
        (200, {**page, "data": [states[1]], "has_more": False}),
    ]
    found = gateway.subscriptions("cus_1")
    assert [one["id"] for one in found] == [state["id"] for state in states]
    assert wire.requests[0][2]["status"] == "all"
    seen = snapshot(found[0], moment(1_767_225_700))
    assert (seen.subscription, seen.customer) == (states[0]["id"], "cus_1")


def test_the_price_is_asked_for_unless_it_was_told(gateway, wire):
    price = {"object": "price", "unit_amount": 4900, "currency": "eur"}
    wire.answers = [
        (200, {**price, "recurring": {"interval": "year", "interval_count": 1}}),
        (200, {**price, "recurring": None}),
    ]
    assert gateway.price() == "49.00 EUR a year"
    assert wire.requests[0][:2] == ("get", "api.stripe.com/v1/prices/price_abc")
    with pytest.raises(PaymentsError, match="SLOPEWISE_STRIPE_PRICE"):
        gateway.price()
    told = StripeGateway(*VALUES, price_text="9 € a month", http_client=wire)
    assert told.price() == "9 € a month"
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ((900, "eur", "month", 1), "9.00 EUR a month"),
        ((5, "usd", "week", 2), "0.05 USD every 2 weeks"),
        ((1200, "jpy", "year", 1), "1200 JPY a year"),
        ((1500, "kwd", "month", 6), "1.500 KWD every 6 months"),
    ],
)
def test_a_price_is_said_in_the_digits_of_its_currency(price, words):
    assert price_in_words(*price) == words


def refusal(code, kind="invalid_request_error", message="No such customer: 'cus_1' of ada@example.org"):
    return {"error": {"type": kind, "code": code, "message": message}}


@pytest.mark.parametrize(
    ("answers", "error", "code"),
    [
        ([(404, refusal("resource_missing"))], UnknownTargetError, "resource_missing"),
        ([(400, refusal("parameter_invalid"))], PaymentsError, "parameter_invalid"),
        ([(401, refusal(None, message="Invalid API Key"))], PaymentsError, "AuthenticationError"),
        ([(500, refusal(None, "api_error"))] * 3, PaymentsError, "APIError"),
        ([stripe.APIConnectionError("no way", should_retry=True)] * 3, PaymentsError, "APIConnectionError"),
    ],
)
def test_what_goes_wrong_at_stripe_is_said_in_our_words(gateway, wire, caplog, answers, error, code):
    wire.answers = list(answers)
    with pytest.raises(error) as raised:
        gateway.forget("cus_1")
    assert raised.value.code == code
    assert "ada@" not in str(raised.value) + caplog.text
    assert wire.answers == []  # it was tried as often as that


def test_an_answer_without_an_address_is_refused(gateway, wire):
    wire.answers = [(200, {"object": "checkout.session", "url": None})]
    with pytest.raises(PaymentsError, match="where to go"):
        gateway.checkout("cus_1", LEARNER_ID, "https://site/done", "https://site/left")


def test_a_signature_counts_for_its_body_alone(gateway):
    body, headers = signed({"object": "event", "id": "evt_1"}, secret="whsec_abc")
    assert gateway.read_event(body, headers["stripe-signature"])["id"] == "evt_1"
    with pytest.raises(SignatureError):
        gateway.read_event(body + b" ", headers["stripe-signature"])
    old = signed({"id": "evt_1"}, secret="whsec_abc", at=int(time.time()) - 302)
    with pytest.raises(SignatureError, match="five minutes"):
        gateway.read_event(old[0], old[1]["stripe-signature"])


@pytest.fixture
def environment(monkeypatch):
    for name in (*NAMES, "SLOPEWISE_STRIPE_PRICE_TEXT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    return monkeypatch


def test_without_keys_there_is_no_stripe(environment):
    assert stripe_from_environment() is None


def test_keys_come_from_the_environment_or_from_files(environment, tmp_path):
    for name, value in zip(NAMES, VALUES):
        file = tmp_path / name
        file.write_text(f"{value}\n")
        environment.setenv(f"{name}_FILE", str(file))
    environment.setenv("SLOPEWISE_STRIPE_PRICE_TEXT", "9 € a month")
    made = stripe_from_environment()
    assert made.price() == "9 € a month"
    assert not made.is_live
    environment.setenv("SLOPEWISE_STRIPE_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ArgumentError, match="SLOPEWISE_STRIPE_KEY_FILE: cannot read"):
        stripe_from_environment()


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc"])
def test_a_live_key_moves_money(environment, key):
    for name, value in zip(NAMES, (key, *VALUES[1:])):
        environment.setenv(name, value)
    assert stripe_from_environment().is_live


@pytest.mark.parametrize("missing", NAMES)
def test_what_is_missing_is_named(environment, missing):
    for name, value in zip(NAMES, VALUES):
        if name != missing:
            environment.setenv(name, value)
    with pytest.raises(ArgumentError, match=f"need {missing}, or _FILE"):
        stripe_from_environment()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLOPEWISE_STRIPE_KEY", "pk_live_secret", "a secret or restricted key"),
        ("SLOPEWISE_STRIPE_WEBHOOK_SECRET", "sk_test_secret", "signing secret"),
        ("SLOPEWISE_STRIPE_PRICE", "prod_secret", "id of a recurring price"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(environment, name, value, says):
    for each, good in zip(NAMES, VALUES):
        environment.setenv(each, value if each == name else good)
    with pytest.raises(ArgumentError, match=says) as raised:
        stripe_from_environment()
    assert "secret" not in str(raised.value).replace("secret or restricted", "").replace("signing secret", "")
