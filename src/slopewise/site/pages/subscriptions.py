"""What pages say of subscriptions: to those who have one or may want one, and to the owner."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.requests import Request

from slopewise.site.payments.desk import errands_waiting
from slopewise.site.payments.ledger import learners_standings
from slopewise.site.payments.standing import Standing
from slopewise.site.storage.payment_rows import customers_of
from slopewise.site.storage.payment_tables import PaymentCustomer
from slopewise.site.visitors import visitor_of


@dataclass(frozen=True)
class Offer:
    """What the pages say of subscriptions to a visitor.

    Attributes
    ----------
    price : str
        In words, or "" as long as it is not known.
    standings : list of Standing
        The visitor's subscriptions that run.
    """

    price: str
    standings: list[Standing]


@dataclass(frozen=True)
class Service:
    """What the owner sees of the payment service, and of an account's subscriptions."""

    is_configured: bool
    is_live: bool
    errands: int
    problem: str
    customers: list[PaymentCustomer]
    standings: list[Standing]


def offer_of(request: Request) -> Offer | None:
    """Return what there is to say of subscriptions; None on a site that sells none."""
    gateway, visitor = request.app.state.payments, visitor_of(request)
    if gateway is None:
        return None
    running: list[Standing] = []
    if visitor.learner_id is not None:
        with request.app.state.database.reading() as session:
            found = learners_standings(session, visitor.learner_id, gateway.is_live)
        running = [standing for standing in found if standing.is_running]
    return Offer(request.app.state.desk.price, running)


def service_of(request: Request, session: Session, learner_id: uuid.UUID | None = None) -> Service | None:
    """Return what the owner is told; None on a site that sells nothing and has nothing to tell Stripe."""
    gateway = request.app.state.payments
    count, problem = errands_waiting(session)
    customers = list(customers_of(session, learner_id)) if learner_id is not None else []
    if gateway is None and not count and not customers:
        return None
    standings = [
        standing
        for is_live in (True, False)
        if learner_id is not None
        for standing in learners_standings(session, learner_id, is_live)
    ]
    return Service(
        gateway is not None, gateway is not None and gateway.is_live, count, problem, customers, standings
    )
