"""Events as Stripe sends them, signed by the tests themselves, and a payment service without a network."""

import hashlib
import hmac
import itertools
import json
import time
from datetime import UTC, datetime

from slopewise.site.payments.gateway import PaymentsError, UnknownTargetError
from slopewise.site.payments.stripe_gateway import StripeGateway

SECRET = "whsec_of_the_tests"
DAY = 86400
_numbers = itertools.count(1)


class FakeStripe(StripeGateway):
    """Verifies events as the real one does, and keeps what it is asked in place of asking."""

    def __init__(self):
        super().__init__("sk_test_none", SECRET, "price_none")
        self.asked, self.answers, self.is_down, self.unknown = [], {}, False, set()

    def price(self):
        return "9.00 EUR a month"

    def _ask(self, what, *about):
        if self.is_down:
            raise PaymentsError("Stripe does not answer just now. Try again in a moment.", "down")
        self.asked.append((what, *about))
        if about[0] in self.unknown:
            raise UnknownTargetError("Stripe does not know this any more.", "resource_missing")

    def make_customer(self, learner_id, email):
        self._ask("customer", learner_id, email)
        return f"cus_{learner_id.hex}{len(self.unknown) or ''}"

    def checkout(self, customer, learner_id, done, left):
        self._ask("checkout", customer, learner_id, done, left)
        return "https://checkout.stripe.com/c/pay/cs_test_1#fid"

    def portal(self, customer, back):
        self._ask("portal", customer, back)
        return "https://billing.stripe.com/p/session/1"

    def subscriptions(self, customer):
        self._ask("subscriptions", customer)
        return self.answers[customer]

    def cancel(self, subscription):
        self._ask("cancel", subscription)

    def forget(self, customer):
        self._ask("forget", customer)


def signed(event, *, secret=SECRET, at=None):
    """Return the body and the headers of an event."""
    body = event if isinstance(event, bytes) else json.dumps(event, indent=2).encode()
    at = int(time.time()) if at is None else at
    signature = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={at},v1={signature}", "content-type": "application/json"}
    return body, headers


def event(kind, found, at, *, is_live=False):
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "type": kind,
        "created": at,
        "livemode": is_live,
        "api_version": "2026-10-28.endive",
        "data": {"object": found, "previous_attributes": {}},
    }


def seconds(moment):
    return int(moment.timestamp())


def moment(at):
    return datetime.fromtimestamp(at, UTC)


class Subscription:
    """A subscription by the month: its events, with what Stripe puts into them."""

    def __init__(self, customer, start, learner=None, *, is_old_version=False):
        number = next(_numbers)
        self.customer, self.start, self.id = customer, start, f"sub_{number}"
        self.metadata = {"slopewise_learner": learner.hex} if learner else {}
        self.is_old_version = is_old_version

    def period(self, month):
        return self.start + 30 * DAY * month, self.start + 30 * DAY * (month + 1)

    def state(self, status, month=0, **changes):
        start, end = self.period(month)
        found = {
            "id": self.id,
            "object": "subscription",
            "customer": self.customer,
            "status": status,
            "start_date": self.start,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "ended_at": None,
            "livemode": False,
            "metadata": self.metadata,
        }
        periods = {"current_period_start": start, "current_period_end": end}
        if self.is_old_version:
            return {**found, **periods, "items": {"data": [{"id": "si_1"}]}, **changes}
        return {**found, "items": {"data": [{"id": "si_1", **periods}]}, **changes}

    def created(self, status="incomplete", at=None):
        return event("customer.subscription.created", self.state(status), at or self.start)

    def updated(self, status, at, month=0, **changes):
        return event("customer.subscription.updated", self.state(status, month, **changes), at)

    def deleted(self, at, month=0):
        ended = self.state("canceled", month, ended_at=at, canceled_at=at)
        return event("customer.subscription.deleted", ended, at)

    def invoice(self, month):
        return f"in_{self.id}_{month}"

    def payment(self, month):
        return f"pi_{self.id}_{month}"

    def paid(self, month=0, at=None):
        start, end = self.period(month)
        found = {
            "id": self.invoice(month),
            "object": "invoice",
            "customer": {"id": self.customer, "object": "customer", "email": "secret@example.org"},
            "customer_email": "secret@example.org",
            "lines": {"data": [{"period": {"start": start, "end": end}}]},
        }
        details = {"subscription": self.id, "metadata": self.metadata}
        if self.is_old_version:
            found |= {"subscription": self.id, "payment_intent": self.payment(month), "charge": "ch_1"}
            found["subscription_details"] = {"metadata": self.metadata}
        else:
            found["parent"] = {"type": "subscription_details", "subscription_details": details}
        return event("invoice.paid", found, at or start)

    def linked(self, month=0):
        """Which payment paid an invoice: in older versions the invoice itself says it."""
        payment = {"type": "payment_intent", "payment_intent": self.payment(month)}
        found = {"id": f"inpay_{month}", "invoice": self.invoice(month), "payment": payment, "status": "paid"}
        return event("invoice_payment.paid", found, self.period(month)[0])

    def refunded(self, at, month=0, *, whole=True):
        found = {"id": "ch_1", "customer": self.customer, "payment_intent": self.payment(month)}
        return event("charge.refunded", {**found, "refunded": whole, "amount_refunded": 900}, at)

    def disputed(self, what, status, at, month=0):
        found = {"id": f"du_{self.id}_{month}", "charge": "ch_1", "payment_intent": self.payment(month)}
        return event(f"charge.dispute.{what}", {**found, "status": status}, at)
