"""What the site tells the payment service by itself until it is done, and what it asks: the price."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from slopewise.site.payments.gateway import Gateway, PaymentsError, UnknownTargetError
from slopewise.site.storage.database import Database
from slopewise.site.storage.payment_tables import PaymentErrand, PaymentEvent

log = logging.getLogger(__name__)

LOOK = 60.0  # seconds between two looks at what is to be told; a deletion is told at once
PRICE_KEPT = timedelta(hours=1)
_TAKEN = timedelta(minutes=5)  # for which one of several servers has an errand to itself
_LONGEST_WAIT = timedelta(hours=6)
_STRAYS = timedelta(days=30)  # so long may it take until it is known whose a payment was


class Desk:
    """Runs the errands of one server process."""

    def __init__(self, gateway: Gateway, database: Database, clock: Callable[[], datetime]) -> None:
        self.gateway, self.database, self.clock = gateway, database, clock
        self.price = ""
        self._price_at: datetime | None = None
        self._swept_at: datetime | None = None
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._working = asyncio.create_task(self._keep_going())

    def wake(self) -> None:
        """Have errands run now; from any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    def run_errands(self) -> int:
        """Run all errands that are due, and return how many were done."""
        done = 0
        while (errand := self._take()) is not None:
            done += self._run(errand)
        return done

    def look_at_price(self) -> None:
        """Ask what a membership costs, once an hour; until it is known, the page says none."""
        now = self.clock()
        if self._price_at is None or now - self._price_at >= PRICE_KEPT:
            try:
                self.price, self._price_at = self.gateway.price(), now
            except PaymentsError as error:
                log.warning("the price of a membership is not known: %s", error.code)

    async def close(self) -> None:
        """Stop; errands wait in the database, one that was cut off too: all can be run twice."""
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def _keep_going(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.run_errands)
                await asyncio.to_thread(self.look_at_price)
                await asyncio.to_thread(self._sweep)
            except Exception:
                log.exception("errands to the payment service could not be run")
            try:
                await asyncio.wait_for(self._woken.wait(), LOOK)
            except TimeoutError:
                continue
            self._woken.clear()

    def _take(self) -> PaymentErrand | None:
        """Take an errand that is due, so that no other server runs it meanwhile."""
        now = self.clock()
        query = select(PaymentErrand).where(
            PaymentErrand.next_at <= now, PaymentErrand.is_live == self.gateway.is_live
        )
        query = query.order_by(PaymentErrand.next_at).limit(1)
        with self.database.reading() as session:
            if session.scalars(query).first() is None:
                return None  # mostly there is none, and no writer has to wait for that
        with self.database.writing() as session:
            errand = session.scalars(query).first()
            if errand is not None:
                errand.next_at, errand.tries = now + _TAKEN, min(errand.tries + 1, 1000)
            return errand

    def _run(self, errand: PaymentErrand) -> bool:
        try:
            if errand.kind == "forget":
                self.gateway.forget(errand.target)
            else:
                self.gateway.cancel(errand.target)
        except UnknownTargetError:
            pass  # it was done before, and the answer lost
        except PaymentsError as error:
            wait = min(timedelta(minutes=2 ** min(errand.tries, 10)), _LONGEST_WAIT)
            self._put_back(errand.id, wait, error.code)
            log.error("an errand to the payment service failed, and is tried again: %s", error.code)
            return False
        with self.database.writing() as session:
            done = (PaymentErrand.id == errand.id) & (PaymentErrand.next_at == errand.next_at)
            session.execute(delete(PaymentErrand).where(done))  # unless it was noted again meanwhile
        return True

    def _put_back(self, errand_id: uuid.UUID, wait: timedelta, problem: str) -> None:
        with self.database.writing() as session:
            session.execute(
                update(PaymentErrand)
                .where(PaymentErrand.id == errand_id)
                .values(next_at=self.clock() + wait, problem=problem[:200])
            )

    def _sweep(self) -> None:
        """Delete events that named only a payment, which turned out to be none of ours; once a day."""
        now = self.clock()
        if self._swept_at is not None and now - self._swept_at < timedelta(days=1):
            return
        self._swept_at = now
        ours, link = aliased(PaymentEvent), aliased(PaymentEvent)
        of_customer = ours.customer_id.is_not(None)
        by_link = (link.payment == PaymentEvent.payment) & (link.invoice == ours.invoice)
        with self.database.writing() as session:
            session.execute(
                delete(PaymentEvent).where(
                    PaymentEvent.customer_id.is_(None),
                    PaymentEvent.received_at < now - _STRAYS,
                    ~exists().where(of_customer, ours.invoice == PaymentEvent.invoice),
                    ~exists().where(of_customer, ours.payment == PaymentEvent.payment),
                    ~exists().where(of_customer, by_link),
                ),
                execution_options={"synchronize_session": False},
            )


def errands_waiting(session: Session) -> tuple[int, str]:
    """Return how many errands wait, and what the last problem was."""
    count = session.scalar(select(func.count()).select_from(PaymentErrand)) or 0
    query = (
        select(PaymentErrand.problem)
        .where(PaymentErrand.problem != "")
        .order_by(PaymentErrand.next_at.desc())
    )
    return count, session.scalars(query.limit(1)).first() or ""
