"""What an event of Stripe says that a membership follows from. All else in it is not kept.

Stripe sends events in the version of its API that the webhook endpoint was made with. Where fields moved
(in March 2025: periods to the items of a subscription, an invoice's subscription to its parent, and from
charges to payments of invoices), both places are read.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from slopewise.engine.errors import DataError

LEARNER = "slopewise_learner"  # in the metadata of subscriptions that begin here: whose it is
_SUBSCRIPTION = tuple(
    f"customer.subscription.{what}" for what in ("created", "updated", "paused", "resumed", "deleted")
)
_DISPUTE = tuple(
    f"charge.dispute.{what}"
    for what in ("created", "funds_withdrawn", "updated", "funds_reinstated", "closed")
)
KINDS = (*_SUBSCRIPTION, "invoice.paid", "invoice_payment.paid", "charge.refunded", *_DISPUTE)


class EventError(DataError):
    """An event without what its kind must have."""


@dataclass(frozen=True)
class Fact:
    """An event, read.

    Attributes
    ----------
    id, kind : str
        As Stripe names them.
    at : datetime
        When it happened.
    is_live : bool
        Whether it is about real money.
    customer, subscription, invoice, payment : str or None
        Whom and what it is about. A payment is a payment intent, or a charge that has none.
    learner : uuid.UUID or None
        Whose subscription it is by its metadata.
    details : dict
        What is stored besides; moments as seconds since 1970.
    """

    id: str
    kind: str
    at: datetime
    is_live: bool = False
    customer: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    payment: str | None = None
    learner: uuid.UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def fact_of(event: Mapping[str, Any]) -> Fact | None:
    """Return what an event says, or None if memberships do not depend on its kind.

    Raises
    ------
    EventError
        If something is missing that events of its kind have.
    """
    kind = event.get("type")
    if kind not in KINDS:
        return None
    try:
        found: Mapping[str, Any] = event["data"]["object"]
        if kind in _SUBSCRIPTION:
            said = _of_subscription(kind, found)
        elif kind == "invoice.paid":
            said = _of_invoice(found)
        elif kind == "invoice_payment.paid":
            said = {"invoice": _id(found["invoice"]), "payment": _payment(found["payment"])}
        elif kind == "charge.refunded":
            said = _of_refund(found)
        else:
            details = {"dispute": _text(found["id"]), "status": _text(found["status"])}
            said = {"payment": _payment(found), "details": details}
        at = datetime.fromtimestamp(_seconds(event["created"]), UTC)
        return Fact(_text(event["id"]), kind, at, event.get("livemode") is True, **said)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise EventError(
            f"an event of the kind {kind} lacks what it needs: {str(error)[:100]}; "
            "its API version may be unknown to this version of Slopewise"
        ) from error


def snapshot(subscription: Mapping[str, Any], at: datetime) -> Fact:
    """Return what a subscription says that was asked for, and not sent as an event.

    Raises
    ------
    EventError
        If something is missing.
    """
    event = {
        "id": f"seen-{uuid.uuid4()}",
        "type": "customer.subscription.updated",
        "created": int(at.timestamp()),
        "livemode": subscription.get("livemode"),
        "data": {"object": subscription},
    }
    found = fact_of(event)
    assert found is not None
    return found


def _of_subscription(kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    items = (found.get("items") or {}).get("data") or []
    details = {
        "status": _text(found["status"]),
        "start": _seconds(found["start_date"]),
        "period_start": _seconds(_first(found, items, "current_period_start", min)),
        "period_end": _seconds(_first(found, items, "current_period_end", max)),
    }
    for name in ("cancel_at", "ended_at", "canceled_at"):
        if found.get(name) is not None:
            details[name] = _seconds(found[name])
    if kind.endswith(".deleted") and details["status"] != "incomplete_expired":
        details["status"] = "canceled"
    if found.get("cancel_at_period_end") is True:
        details.setdefault("cancel_at", details["period_end"])
    return {
        "customer": _id(found["customer"]),
        "subscription": _text(found["id"]),
        "learner": _learner(found.get("metadata")),
        "details": details,
    }


def _of_invoice(found: Mapping[str, Any]) -> dict[str, Any]:
    parent = (found.get("parent") or {}).get("subscription_details") or {}
    subscription = _id(parent.get("subscription") or found.get("subscription"))
    said: dict[str, Any] = {
        "customer": _id(found["customer"]),
        "subscription": subscription,
        "invoice": _text(found["id"]),
        "payment": _id(found.get("payment_intent") or found.get("charge")),
    }
    if subscription is None:  # something else was bought: nothing follows from it
        return said
    periods = [line["period"] for line in found["lines"]["data"]]
    metadata = parent.get("metadata") or (found.get("subscription_details") or {}).get("metadata")
    details = {
        "period_start": min(_seconds(period["start"]) for period in periods),
        "period_end": max(_seconds(period["end"]) for period in periods),
    }
    return {**said, "learner": _learner(metadata), "details": details}


def _of_refund(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "customer": _id(found.get("customer")),
        "invoice": _id(found.get("invoice")),
        "payment": _id(found.get("payment_intent")) or _text(found["id"]),
        "details": {"whole": found["refunded"] is True},
    }


def _payment(found: Mapping[str, Any]) -> str:
    return _text(_id(found.get("payment_intent")) or _id(found.get("charge")))


def _first(found: Mapping[str, Any], items: list[Any], name: str, choose: Any) -> Any:
    if found.get(name) is not None:
        return found[name]
    return choose(item[name] for item in items)


def _id(value: Any) -> str | None:
    """Return an id, also of something that was sent whole in its place."""
    if isinstance(value, Mapping):
        value = value["id"]
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255 or "\0" in value:
        raise ValueError("an id or a status is a text of 1 to 255 characters")
    return value


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 32503680000:  # the year 3000
        raise ValueError("a moment is a number of seconds since 1970")
    return value


def _learner(metadata: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(metadata[LEARNER])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
