"""What the site asks of a payment service. `stripe_gateway` is the one that there is; tests have another."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from slopewise.engine.errors import DataError


class PaymentsError(DataError):
    """The payment service did not answer, or refused; `code` says why and holds nothing of a person."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class UnknownTargetError(PaymentsError):
    """What was asked about is not there, or no longer."""


class SignatureError(DataError):
    """Something was not sent by the payment service, or too long ago."""


class Gateway(Protocol):
    """The payment service. All but `read_event` wait for the network, and raise PaymentsError."""

    is_live: bool

    def read_event(self, body: bytes, signature: str) -> Mapping[str, Any]:
        """Return an event whose signature is right and new, or raise SignatureError."""

    def price(self) -> str:
        """Return what a membership costs, in words."""

    def make_customer(self, learner_id: uuid.UUID, email: str) -> str:
        """Return the id of a new customer."""

    def checkout(self, customer: str, learner_id: uuid.UUID, done: str, left: str) -> str:
        """Return the address of a page where a customer subscribes; from there they come back."""

    def portal(self, customer: str, back: str) -> str:
        """Return the address of a page where a customer changes or ends what they subscribed."""

    def subscriptions(self, customer: str) -> Sequence[Mapping[str, Any]]:
        """Return all subscriptions of a customer as they are now."""

    def cancel(self, subscription: str) -> None:
        """End a subscription now."""

    def forget(self, customer: str) -> None:
        """End all subscriptions of a customer now, and delete it."""
