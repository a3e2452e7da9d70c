"""Stripe, by its own library. It is large, and imported only where keys are set."""

from __future__ import annotations

import json
import logging
import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.mail import secret_from_environment
from slopewise.site.payments.facts import LEARNER
from slopewise.site.payments.gateway import PaymentsError, SignatureError, UnknownTargetError

KEY, WEBHOOK_SECRET = "SLOPEWISE_STRIPE_KEY", "SLOPEWISE_STRIPE_WEBHOOK_SECRET"
PRICE, PRICE_TEXT = "SLOPEWISE_STRIPE_PRICE", "SLOPEWISE_STRIPE_PRICE_TEXT"
TOLERANCE = 300  # seconds: who replays an event later is refused
_TIMEOUT, _RETRIES = 15, 2
_NO_CENTS = [
    "bif",
    "clp",
    "djf",
    "gnf",
    "jpy",
    "kmf",
    "krw",
    "mga",
    "pyg",
    "rwf",
    "vnd",
    "vuv",
    "xaf",
    "xof",
    "xpf",
]
_MILLS = ["bhd", "jod", "kwd", "omr", "tnd"]

log = logging.getLogger(__name__)


class StripeGateway:
    """Stripe.

    Parameters
    ----------
    key : str
        A secret or a restricted key.
    webhook_secret : str
        Of the webhook endpoint.
    price_id : str
        What is sold: a recurring price.
    price_text : str
        What it costs, in words; by default Stripe is asked.
    http_client : stripe.HTTPClient
        How requests go; by default by `requests`.
    """

    def __init__(
        self, key: str, webhook_secret: str, price_id: str, price_text: str = "", http_client: Any = None
    ) -> None:
        import stripe

        stripe.enable_telemetry = False  # times of earlier requests are nobody's business
        logging.getLogger("stripe").setLevel(logging.WARNING)  # below, it writes down ids of customers
        self.is_live = "_live_" in key
        self._secret, self._price_id, self._price_text = webhook_secret, price_id, price_text
        self._errors = stripe
        self._client = stripe.StripeClient(
            key,
            http_client=http_client or stripe.RequestsClient(timeout=_TIMEOUT),
            max_network_retries=_RETRIES,
        ).v1

    def read_event(self, body: bytes, signature: str) -> Mapping[str, Any]:
        """Return an event whose signature is right and new.

        Raises
        ------
        SignatureError
            If it is not.
        """
        wrong = "This was not signed by Stripe with this site's secret within the last five minutes."
        try:
            text = body.decode()
            self._errors.WebhookSignature.verify_header(text, signature, self._secret, TOLERANCE)
            event = json.loads(text)
        except (ValueError, TypeError, RecursionError, self._errors.SignatureVerificationError):
            raise SignatureError(wrong) from None
        if not isinstance(event, dict):
            raise SignatureError(wrong)
        return event

    def price(self) -> str:
        """Return what a membership costs, in words."""
        if self._price_text:
            return self._price_text
        with self._asking():
            found = self._client.prices.retrieve(self._price_id)
        if found.recurring is None or found.unit_amount is None:
            raise PaymentsError(
                f"{PRICE} names a price that is not one amount at regular times", "price_not_recurring"
            )
        return price_in_words(
            found.unit_amount, found.currency, found.recurring.interval, found.recurring.interval_count
        )

    def make_customer(self, learner_id: uuid.UUID, email: str) -> str:
        """Return the id of a new customer; the same one to two tries at the same time."""
        key = f"customer-{uuid.uuid5(learner_id, email)}"
        with self._asking():
            made = self._client.customers.create(
                {"email": email, "metadata": {LEARNER: learner_id.hex}}, {"idempotency_key": key}
            )
        return str(made.id)

    def checkout(self, customer: str, learner_id: uuid.UUID, done: str, left: str) -> str:
        """Return the address of a page where a customer subscribes."""
        with self._asking():
            made = self._client.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": customer,
                    "client_reference_id": learner_id.hex,
                    "line_items": [{"price": self._price_id, "quantity": 1}],
                    "subscription_data": {"metadata": {LEARNER: learner_id.hex}},
                    "success_url": done,
                    "cancel_url": left,
                }
            )
        return _address(made.url)

    def portal(self, customer: str, back: str) -> str:
        """Return the address of Stripe's customer portal."""
        with self._asking():
            made = self._client.billing_portal.sessions.create({"customer": customer, "return_url": back})
        return _address(made.url)

    def subscriptions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """Return all subscriptions of a customer as they are now."""
        with self._asking():
            found = self._client.subscriptions.list({"customer": customer, "status": "all", "limit": 100})
            return [one.to_dict() for one in found.auto_paging_iter()]

    def cancel(self, subscription: str) -> None:
        """End a subscription now."""
        with self._asking():
            self._client.subscriptions.cancel(subscription)

    def forget(self, customer: str) -> None:
        """Delete a customer, which ends all its subscriptions now."""
        with self._asking():
            self._client.customers.delete(customer)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Say in our words what went wrong; Stripe's may hold what a person typed."""
        try:
            yield
        except self._errors.InvalidRequestError as error:
            code = error.code or "invalid_request"
            if code == "resource_missing":
                raise UnknownTargetError("Stripe does not know this any more.", code) from None
            log.error("Stripe refused a request: %s", code)
            raise PaymentsError("Stripe refused this. The owner of this site can see why.", code) from None
        except self._errors.StripeError as error:
            code = error.code or type(error).__name__
            log.error("Stripe did not do what it was asked: %s", code)
            raise PaymentsError("Stripe does not answer just now. Try again in a moment.", code) from None


def price_in_words(amount: int, currency: str, interval: str, count: int) -> str:
    """Return an amount in the smallest unit of a currency, and how often it is asked for, in words.

    Examples
    --------
    >>> price_in_words(900, "eur", "month", 1), price_in_words(1200, "jpy", "month", 3)
    ('9.00 EUR a month', '1200 JPY every 3 months')
    """
    digits = 0 if currency in _NO_CENTS else 3 if currency in _MILLS else 2
    often = f"a {interval}" if count == 1 else f"every {count} {interval}s"
    return f"{amount / 10**digits:.{digits}f} {currency.upper()} {often}"


def stripe_from_environment() -> StripeGateway | None:
    """Return Stripe as the environment sets it up, or None if it does not.

    Raises
    ------
    ArgumentError
        If something is missing, or is not what its name says.
    """
    values = {name: secret_from_environment(name) for name in (KEY, WEBHOOK_SECRET, PRICE)}
    if not any(values.values()):
        return None
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ArgumentError(f"memberships by Stripe need {' and '.join(missing)}, or _FILE after the name")
    shapes = {
        KEY: (r"(sk|rk)_(live|test)_\w+", "a secret or restricted key, sk_… or rk_…"),
        WEBHOOK_SECRET: (r"whsec_\S+", "the signing secret of the webhook endpoint, whsec_…"),
        PRICE: (r"price_\w+", "the id of a recurring price, price_…"),
    }
    for name, (shape, meaning) in shapes.items():
        if not re.fullmatch(shape, values[name]):
            raise ArgumentError(f"{name} is {meaning}")
    return StripeGateway(
        values[KEY], values[WEBHOOK_SECRET], values[PRICE], os.environ.get(PRICE_TEXT, "")[:100]
    )


def _address(url: str | None) -> str:
    if url is None or not url.startswith("https://"):
        raise PaymentsError("Stripe did not say where to go. Try again in a moment.", "no_url")
    return url
