"""Membership by subscription: the way to the payment service and back, and what it tells."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slopewise.site.accounts.audit import note
from slopewise.site.pages.account import account_id
from slopewise.site.pages.answers import limit, visitors_network
from slopewise.site.pages.subscriptions import offer_of
from slopewise.site.payments.desk import Desk
from slopewise.site.payments.facts import EventError, fact_of
from slopewise.site.payments.gateway import Gateway, PaymentsError, UnknownTargetError
from slopewise.site.payments.ledger import NOT_OURS, receive
from slopewise.site.policies import FROM_STRIPE, SIGNED_IN, route
from slopewise.site.storage.payment_rows import add_errand, customers_of
from slopewise.site.storage.payment_tables import PaymentCustomer
from slopewise.site.storage.tables import Learner
from slopewise.site.templating import render
from slopewise.site.visitors import visitor_of

router = APIRouter()


@route(router, "POST", "/webhooks/stripe", FROM_STRIPE, include_in_schema=False)
def hear(request: Request) -> Response:
    """Keep what Stripe tells; what it told before, and what is not ours, is answered alike."""
    state = request.app.state
    try:
        fact = fact_of(request.state.event)
    except EventError as error:
        raise HTTPException(422, f"Stripe's event cannot be read: {error}") from None
    outcome = NOT_OURS
    if fact is not None and fact.is_live == state.payments.is_live:
        now: datetime = state.clock()
        outcome = state.database.write(lambda session: receive(session, fact, now))
        if outcome == NOT_OURS:
            state.desk.wake()  # it may be of somebody who was erased
    return JSONResponse({"received": outcome})


@route(router, "POST", "/membership/checkout", SIGNED_IN)
def check_out(request: Request) -> Response:
    """Send a visitor to Stripe to subscribe. Nothing is granted here: only Stripe's word counts."""
    gateway = _gateway(request)
    _limit(request)
    offer = offer_of(request)
    assert offer is not None
    if offer.standings:
        raise HTTPException(409, "Your subscription runs already. You find it on the page of your account.")
    base = request.app.state.configuration.address
    done, left = f"{base}/membership?paid=1", f"{base}/membership"
    learner_id = visitor_of(request).learner
    try:
        try:
            address = gateway.checkout(_customer(request, gateway), learner_id, done, left)
        except UnknownTargetError:  # the customer was deleted at Stripe
            address = gateway.checkout(_new_customer(request, gateway), learner_id, done, left)
    except PaymentsError as error:
        raise HTTPException(503, f"{error} Nothing was charged.") from None
    return render(request, "to_stripe.html", address=address, purpose="pay")


@route(router, "POST", "/membership/portal", SIGNED_IN)
def open_portal(request: Request) -> Response:
    """Send a visitor to Stripe to change or end a subscription."""
    gateway = _gateway(request)
    _limit(request)
    customer = _known_customer(request, gateway)
    if customer is None:
        raise HTTPException(409, "You have no subscription here.")
    base = request.app.state.configuration.address
    try:
        address = gateway.portal(customer, f"{base}/account#membership")
    except PaymentsError as error:
        raise HTTPException(503, str(error)) from None
    return render(request, "to_stripe.html", address=address, purpose="manage")


def _gateway(request: Request) -> Gateway:
    gateway: Gateway | None = request.app.state.payments
    if gateway is None:
        raise HTTPException(404)
    return gateway


def _limit(request: Request) -> None:
    limit(request, "payment of an account", str(account_id(request)))
    limit(request, "payment from a network", visitors_network(request))


def _customer(request: Request, gateway: Gateway) -> str:
    return _known_customer(request, gateway) or _new_customer(request, gateway)


def _known_customer(request: Request, gateway: Gateway) -> str | None:
    learner_id = visitor_of(request).learner
    with request.app.state.database.reading() as session:
        found = [one.id for one in customers_of(session, learner_id) if one.is_live == gateway.is_live]
    return found[0] if found else None


def _new_customer(request: Request, gateway: Gateway) -> str:
    """Make a customer. It is kept before anybody can pay, so that no event of it is unknown."""
    state, visitor = request.app.state, visitor_of(request)
    learner_id, now = visitor.learner, state.clock()
    made = gateway.make_customer(learner_id, visitor.email)

    def keep(session: Session) -> bool:
        if session.get(Learner, learner_id) is None:  # the account was deleted meanwhile
            add_errand(session, "forget", made, gateway.is_live, now)
            return False
        if session.get(PaymentCustomer, made) is None:
            session.add(
                PaymentCustomer(id=made, learner_id=learner_id, is_live=gateway.is_live, created_at=now)
            )
            note(session, now, "become a customer", account_id(request))
        return True

    if not state.database.write(keep):
        desk: Desk = state.desk
        desk.wake()
        raise HTTPException(409, "This account is being deleted. Nothing was charged.")
    return made
