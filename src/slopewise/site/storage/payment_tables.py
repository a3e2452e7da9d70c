"""The tables of payments: who is which customer of the payment service, what it told, what to tell it."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from slopewise.site.storage.tables import Base, UtcDateTime

LONGEST_ID = 255  # what Stripe promises of its ids


class PaymentCustomer(Base):
    """Whom the payment service knows a learner as. There may be several; the newest is used."""

    __tablename__ = "payment_customers"

    id: Mapped[str] = mapped_column(String(LONGEST_ID), primary_key=True)
    learner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("learners.id"), index=True)
    is_live: Mapped[bool]  # real money, or a test
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaymentEvent(Base):
    """What the payment service told, once each: its ids, and the few facts that a membership follows from.

    Names, addresses and cards in an event are not kept. An event that names no customer, such as a
    dispute, is found by its payment or invoice.
    """

    __tablename__ = "payment_events"

    id: Mapped[str] = mapped_column(String(LONGEST_ID), primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    customer_id: Mapped[str | None] = mapped_column(
        ForeignKey("payment_customers.id", ondelete="CASCADE"), index=True
    )
    subscription: Mapped[str | None] = mapped_column(String(LONGEST_ID))
    invoice: Mapped[str | None] = mapped_column(String(LONGEST_ID), index=True)
    payment: Mapped[str | None] = mapped_column(String(LONGEST_ID), index=True)
    details: Mapped[dict[str, object]] = mapped_column(JSON)


class PaymentErrand(Base):
    """Something that the payment service has yet to be told; deleted once it has answered.

    `forget` ends all subscriptions of a customer and deletes it there, `cancel` ends one subscription. It
    names no account: it outlives them.
    """

    __tablename__ = "payment_errands"
    __table_args__ = (CheckConstraint("kind IN ('forget', 'cancel')", name="kind"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    target: Mapped[str] = mapped_column(String(LONGEST_ID), index=True)
    is_live: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(SmallInteger)
    problem: Mapped[str] = mapped_column(String(200))  # why the last try failed
