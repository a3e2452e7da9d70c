"""Events of the payment service as they come in, and the memberships that follow from all of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from slopewise.site.accounts.audit import note
from slopewise.site.payments.facts import Fact, snapshot
from slopewise.site.payments.gateway import Gateway, UnknownTargetError
from slopewise.site.payments.standing import Standing, standings
from slopewise.site.storage.database import Database
from slopewise.site.storage.payment_rows import (
    add_errand,
    customers_by_payment,
    customers_of,
    events_of,
)
from slopewise.site.storage.payment_tables import PaymentCustomer, PaymentEvent
from slopewise.site.storage.tables import Account, Erasure, Grant, Learner

_GRANTS = uuid.UUID("b6b3d0f5-6f0e-4f0b-9d9e-1f6d1c2a7c11")  # a grant's id follows from its subscription's
KEPT, KNOWN, NOT_OURS = "kept", "known already", "not ours"


@dataclass(frozen=True)
class Look:
    """What a look at all subscriptions found: customers, subscriptions with news, customers who are gone."""

    customers: int
    changed: int
    unknown: int


def receive(session: Session, fact: Fact, now: datetime) -> str:
    """Keep an event and what follows from it, in one transaction; one that is known changes nothing.

    Returns
    -------
    str
        `KEPT`, `KNOWN`, or `NOT_OURS`: of a customer whom this site does not know.
    """
    if session.get(PaymentEvent, fact.id) is not None:
        return KNOWN
    customer = None
    if fact.customer is not None:
        customer = session.get(PaymentCustomer, fact.customer) or _adopted(session, fact, now)
        if customer is None:
            return NOT_OURS
    session.add(
        PaymentEvent(
            id=fact.id,
            kind=fact.kind,
            happened_at=fact.at,
            received_at=now,
            customer_id=None if customer is None else customer.id,
            subscription=fact.subscription,
            invoice=fact.invoice,
            payment=fact.payment,
            details=dict(fact.details),
        )
    )
    session.flush()
    affected = {customer.id} if customer else customers_by_payment(session, fact.invoice, fact.payment)
    for customer_id in sorted(affected):
        _settle(session, session.get_one(PaymentCustomer, customer_id), now)
    return KEPT


def learners_standings(session: Session, learner_id: uuid.UUID, is_live: bool) -> list[Standing]:
    """Return where a learner's subscriptions stand."""
    return [
        standing
        for customer in customers_of(session, learner_id)
        if customer.is_live == is_live
        for standing in _standings(session, customer.id)
    ]


def cancel_subscriptions(session: Session, account_id: uuid.UUID, now: datetime) -> int:
    """Have the payment service told to end what an account has subscribed; return how many those are.

    Whose membership the owner ends is not to go on paying.
    """
    account = session.get_one(Account, account_id)
    ended = 0
    for customer in customers_of(session, account.learner_id):
        for standing in _standings(session, customer.id):
            if standing.is_running:
                add_errand(session, "cancel", standing.subscription, customer.is_live, now)
                ended += 1
    return ended


def look_again(database: Database, gateway: Gateway, now: datetime) -> Look:
    """Ask the payment service for all subscriptions: word of a change may have been lost for good."""
    with database.reading() as session:
        query = select(PaymentCustomer.id).where(PaymentCustomer.is_live == gateway.is_live)
        customers = session.scalars(query.order_by(PaymentCustomer.id)).all()
    changed = unknown = 0
    for customer in customers:
        try:
            found = [snapshot(subscription, now) for subscription in gateway.subscriptions(customer)]
        except UnknownTargetError:
            unknown += 1
            continue
        changed += database.write(partial(_keep_news, customer_id=customer, found=found, now=now))
    return Look(len(customers), changed, unknown)


def payments_as_export(session: Session, learner_id: uuid.UUID) -> list[dict[str, object]]:
    """Return all that is kept of a learner's payments."""
    names = ("id", "kind", "happened_at", "subscription", "invoice", "payment", "details")
    return [
        {
            "customer": customer.id,
            "created_at": customer.created_at,
            "events": [
                {name: getattr(event, name) for name in names}
                for event in sorted(events_of(session, customer.id), key=lambda event: event.happened_at)
            ],
        }
        for customer in customers_of(session, learner_id)
    ]


def _adopted(session: Session, fact: Fact, now: datetime) -> PaymentCustomer | None:
    """Return the customer of a subscription that names a learner of ours.

    So it is after a restore of a backup that is older than the customer. Of somebody who was erased, the
    payment service is told to forget the customer: they may have subscribed in another window just then.
    """
    if fact.learner is None or fact.customer is None:
        return None
    if session.get(Learner, fact.learner) is None:
        if session.get(Erasure, fact.learner) is not None:
            add_errand(session, "forget", fact.customer, fact.is_live, now)
        return None
    customer = PaymentCustomer(
        id=fact.customer, learner_id=fact.learner, is_live=fact.is_live, created_at=now
    )
    session.add(customer)
    session.flush()
    return customer


def _keep_news(session: Session, customer_id: str, found: list[Fact], now: datetime) -> int:
    """Keep those of the subscriptions seen that say something new; return how many did."""
    news = 0
    for fact in found:
        known = [_fact(row) for row in events_of(session, customer_id)]
        if standings([*known, fact]) != standings(known):
            receive(session, fact, now)
            news += 1
    return news


def _standings(session: Session, customer_id: str) -> list[Standing]:
    return standings(_fact(row) for row in events_of(session, customer_id))


def _fact(row: PaymentEvent) -> Fact:
    return Fact(
        row.id,
        row.kind,
        row.happened_at,
        customer=row.customer_id,
        subscription=row.subscription,
        invoice=row.invoice,
        payment=row.payment,
        details=row.details,
    )


def _settle(session: Session, customer: PaymentCustomer, now: datetime) -> None:
    """Make the grants of a customer what its events say."""
    account_id = session.scalar(select(Account.id).where(Account.learner_id == customer.learner_id))
    if account_id is None:
        return
    for standing in _standings(session, customer.id):
        _grant(session, standing, account_id, now)


def _grant(session: Session, standing: Standing, account_id: uuid.UUID, now: datetime) -> None:
    grant_id = uuid.uuid5(_GRANTS, standing.subscription)
    grant = session.get(Grant, grant_id)
    if standing.starts_at is None or standing.ends_at is None:
        if grant is not None:
            session.delete(grant)
            note(session, now, "subscription void", account_id, actor="stripe")
        return
    if grant is None:
        what = "subscription begins"
        grant = Grant(id=grant_id, account_id=account_id, source="stripe", ends_at=standing.ends_at)
        grant.starts_at = standing.starts_at
        session.add(grant)
    elif grant.ends_at != standing.ends_at:
        what = "subscription goes on" if grant.ends_at < standing.ends_at else "subscription ends earlier"
    else:
        what = ""
    grant.starts_at, grant.ends_at = standing.starts_at, standing.ends_at
    session.flush()
    if what:
        note(session, now, what, account_id, actor="stripe")
