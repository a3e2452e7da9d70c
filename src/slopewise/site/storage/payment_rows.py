"""Reading what the payment service told of a customer, and erasing it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from slopewise.site.storage.payment_tables import PaymentCustomer, PaymentErrand, PaymentEvent


def customers_of(session: Session, learner_id: uuid.UUID) -> Sequence[PaymentCustomer]:
    """Return whom the payment service knows a learner as, the newest first."""
    query = select(PaymentCustomer).where(PaymentCustomer.learner_id == learner_id)
    return session.scalars(query.order_by(PaymentCustomer.created_at.desc(), PaymentCustomer.id)).all()


def events_of(session: Session, customer_id: str) -> list[PaymentEvent]:
    """Return all events of a customer, those too that name only a payment or an invoice of theirs."""
    own = session.scalars(select(PaymentEvent).where(PaymentEvent.customer_id == customer_id)).all()
    invoices = _known(event.invoice for event in own)
    links = _nameless(session, PaymentEvent.invoice.in_(invoices)) if invoices else []
    payments = _known(event.payment for event in [*own, *links])
    rest = _nameless(session, PaymentEvent.payment.in_(payments)) if payments else []
    return list({event.id: event for event in [*own, *links, *rest]}.values())


def customers_by_payment(session: Session, invoice: str | None, payment: str | None) -> set[str]:
    """Return the customers whom an event belongs to that names only an invoice or a payment."""
    invoices = {invoice} - {None}
    if payment is not None:
        links = select(PaymentEvent.invoice).where(
            PaymentEvent.payment == payment, PaymentEvent.invoice.is_not(None)
        )
        invoices |= set(session.scalars(links))
    query = select(PaymentEvent.customer_id).where(
        PaymentEvent.customer_id.is_not(None),
        or_(PaymentEvent.invoice.in_(invoices), PaymentEvent.payment == payment),
    )
    return {customer for customer in session.scalars(query) if customer is not None}


def add_errand(session: Session, kind: str, target: str, is_live: bool, now: datetime) -> None:
    """Note something that the payment service has to be told, once; if it is being told just now, again."""
    query = select(PaymentErrand).where(PaymentErrand.kind == kind, PaymentErrand.target == target)
    noted = session.scalar(query)
    if noted is not None:
        noted.next_at = now
    else:
        session.add(
            PaymentErrand(
                id=uuid.uuid4(),
                kind=kind,
                target=target,
                is_live=is_live,
                created_at=now,
                next_at=now,
                tries=0,
                problem="",
            )
        )
        session.flush()


def erase_payments(session: Session, learner_id: uuid.UUID, now: datetime) -> None:
    """Delete what payments are known of a learner; the payment service is to forget them, too."""
    for customer in customers_of(session, learner_id):
        events = [event.id for event in events_of(session, customer.id)]
        session.execute(delete(PaymentEvent).where(PaymentEvent.id.in_(events)))
        add_errand(session, "forget", customer.id, customer.is_live, now)
    session.execute(delete(PaymentCustomer).where(PaymentCustomer.learner_id == learner_id))


def _nameless(session: Session, rule: object) -> Sequence[PaymentEvent]:
    query = select(PaymentEvent).where(PaymentEvent.customer_id.is_(None), rule)  # type: ignore[arg-type]
    return session.scalars(query).all()


def _known(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}
