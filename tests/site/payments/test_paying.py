"""Subscribing over HTTP: what Stripe tells counts, signed, once, in any order; nothing else does."""

import json
import random
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from site_visitors import PASSWORD
from stripe_events import DAY, SECRET, Subscription, event, moment, signed

from slopewise.site.administration import Administration
from slopewise.site.content.library import LOCKED, load_pro_decks
from slopewise.site.forms import LARGEST_BODY
from slopewise.site.payments.standing import LATE
from slopewise.site.storage.erasure import erase_again
from slopewise.site.storage.payment_rows import add_errand
from slopewise.site.storage.payment_tables import PaymentCustomer, PaymentErrand, PaymentEvent
from slopewise.site.storage.tables import Account, AuditEntry, Grant, Learner

MONTH = 30 * DAY
DECK = f"/cards/{load_pro_decks()[0].slug}"


@pytest.fixture
def start():
    """The second at which subscriptions of a test begin."""
    return int(time.time()) - DAY


@pytest.fixture
def clock(shop):
    yield shop.application.state.clock
    shop.application.state.clock.ahead = timedelta()


@pytest.fixture(autouse=True)
def stripe_answers(shop):
    shop.stripe.is_down, shop.stripe.unknown = False, set()
    yield
    shop.stripe.is_down, shop.stripe.unknown = False, set()


def begun(one, start):
    return [one.created(), one.updated("active", start), one.paid(), one.linked()]


def subscribed(shop, start):
    """Return somebody whose subscription runs, and the subscription."""
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    assert shop.tell(*begun(one, start)) == ["kept"] * 4
    return somebody, one


def reads_pro(somebody):
    return LOCKED not in somebody.get(DECK).text


def count(shop, table, **fields):
    with shop.database.reading() as session:
        return session.query(table).filter_by(**fields).count()


def grants(shop, somebody):
    with shop.database.reading() as session:
        account = session.query(Account).filter_by(email=somebody.email).one()
        query = session.query(Grant).filter_by(account_id=account.id).order_by(Grant.starts_at)
        return [(grant.source, grant.starts_at, grant.ends_at, grant.revoked_at) for grant in query]


def test_whoever_pays_becomes_a_member_and_coming_back_alone_opens_nothing(shop, start):
    somebody = shop.browser().sign_up()
    assert "9.00 EUR a month" in somebody.get("/membership").text
    sent = somebody.post("/membership/checkout", page="/membership")
    assert 'href="https://checkout.stripe.com/c/pay/cs_test_1#fid"' in sent.text
    what, customer, learner, done, left = shop.stripe.asked[-1]
    assert (what, learner) == ("checkout", shop.learner_of(somebody))
    assert (done, left) == ("http://127.0.0.1:8000/membership?paid=1", "http://127.0.0.1:8000/membership")
    back = somebody.get("/membership?paid=1").text
    assert "The decks open as soon as Stripe has told us" in back
    assert not reads_pro(somebody)
    one = Subscription(customer, start, learner)
    shop.tell(*begun(one, start))
    assert reads_pro(somebody)
    page = somebody.get("/membership?paid=1").text
    assert "The decks open as soon as" not in page
    assert f"renews on {moment(start + MONTH):%-d %B %Y}" in page
    assert "Become a member" not in page
    assert grants(shop, somebody) == [("stripe", moment(start), moment(start + MONTH) + LATE, None)]


def test_a_second_checkout_is_refused_while_a_subscription_runs(shop, start):
    somebody, _ = subscribed(shop, start)
    answer = somebody.post("/membership/checkout", page="/membership")
    assert answer.status_code == 409
    assert "runs already" in answer.text


def test_every_order_of_a_subscriptions_life_leads_to_the_same_membership(shop, start):
    """The life of one that is renewed, fails, is paid, disputed, won, and cancelled at its end."""
    orders, rng, found = 5, random.Random(4), []
    for turn in range(orders):
        somebody = shop.browser().sign_up()
        one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
        life = [
            *begun(one, start),
            one.updated("past_due", start + MONTH, 1),
            one.paid(1, start + MONTH + 2 * DAY),
            one.linked(1),
            one.updated("active", start + MONTH + 2 * DAY, 1),
            one.disputed("created", "needs_response", start + MONTH + 3 * DAY, 1),
            one.disputed("closed", "won", start + MONTH + 4 * DAY, 1),
            one.refunded(start + MONTH + 4 * DAY, 0, whole=False),
            one.updated("active", start + MONTH + 5 * DAY, 1, cancel_at_period_end=True),
            one.deleted(start + 2 * MONTH, 1),
        ]
        events = life if turn == 0 else life[::-1] if turn == 1 else rng.sample(life, len(life))
        for told in events:
            shop.tell(*rng.sample([told, told], rng.randint(1, 2)))
        found.append(grants(shop, somebody))
    assert found == [[("stripe", moment(start), moment(start + 2 * MONTH), None)]] * orders


def test_a_cancelled_subscription_runs_to_its_end_and_no_longer(shop, start, clock):
    somebody, one = subscribed(shop, start)
    shop.tell(one.updated("active", start + DAY // 2, cancel_at_period_end=True))
    assert "Your subscription is cancelled" in somebody.get("/account").text
    clock.ahead = timedelta(days=28)
    assert reads_pro(somebody)
    clock.ahead = timedelta(days=29, minutes=5)
    assert not reads_pro(somebody)
    assert "Your membership has ended" in somebody.get("/account").text


def test_a_failed_payment_leaves_a_week(shop, start, clock):
    somebody, one = subscribed(shop, start)
    clock.ahead = timedelta(days=29, hours=1)
    shop.tell(one.updated("past_due", start + MONTH, 1))
    text = somebody.get("/account").text
    assert "Your last payment failed" in text
    assert f"ends on {moment(start + MONTH + 7 * DAY):%-d %B %Y}" in text
    assert reads_pro(somebody)
    clock.ahead = timedelta(days=36, hours=1)
    assert not reads_pro(somebody)
    shop.tell(one.paid(1, start + MONTH + 7 * DAY))
    assert reads_pro(somebody)


def test_a_refund_ends_it_at_once(shop, start):
    somebody, one = subscribed(shop, start)
    shop.tell(one.refunded(start + DAY // 2))
    assert not reads_pro(somebody)


def test_a_dispute_that_came_before_all_else_is_not_forgotten(shop, start):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    dispute = one.disputed("created", "needs_response", start + 60)
    shop.tell(dispute, one.linked(), one.created(), one.updated("active", start), one.paid())
    assert not reads_pro(somebody)
    shop.tell(one.disputed("closed", "won", start + 90))
    assert reads_pro(somebody)


def test_an_event_counts_once_however_often_it_comes(shop, start):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    told = one.updated("active", start)
    assert shop.tell(told, told, told) == ["kept", "known already", "known already"]
    assert count(shop, PaymentEvent, id=told["id"]) == 1
    changed = one.updated("active", start, 5) | {"id": told["id"]}
    assert shop.tell(changed) == ["known already"]
    assert grants(shop, somebody)[0][2] == moment(start + MONTH) + LATE


def test_an_event_that_comes_many_times_at_once_counts_once(shop, start):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    told = one.updated("active", start)
    answers, barrier = [], threading.Barrier(8)

    def send():
        barrier.wait()
        answers.extend(shop.tell(told))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["kept"] + ["known already"] * 7
    assert len(grants(shop, somebody)) == 1
    assert count(shop, PaymentEvent, id=told["id"]) == 1
    with shop.database.reading() as session:
        account = session.query(Account).filter_by(email=somebody.email).one()
        noted = session.query(AuditEntry).filter_by(account_id=account.id, action="subscription begins")
        assert [entry.actor for entry in noted] == ["stripe"]


def test_if_the_effect_fails_the_event_is_not_kept_either(shop, start, monkeypatch):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    told = one.updated("active", start)
    body, headers = signed(told)
    with monkeypatch.context() as patch:
        patch.setattr("slopewise.site.payments.ledger._grant", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shop.client.post("/webhooks/stripe", content=body, headers=headers)
    assert count(shop, PaymentEvent, id=told["id"]) == 0
    assert shop.tell(told) == ["kept"]
    assert reads_pro(somebody)


def body_of(shop, start):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    return somebody, one.updated("active", start)


def test_what_is_not_signed_with_the_secret_within_five_minutes_is_refused(shop, start):
    somebody, told = body_of(shop, start)
    now = int(time.time())
    body, good = signed(told)
    right = good["stripe-signature"]
    wrong = {
        "another secret": signed(told, secret="whsec_another")[1]["stripe-signature"],
        "an old time": signed(told, at=now - 301)[1]["stripe-signature"],
        "a time changed": right.replace(f"t={now}", f"t={now - 5}").replace(f"t={now - 1}", f"t={now - 5}"),
        "another body": signed({**told, "created": 1})[1]["stripe-signature"],
        "an older scheme": right.replace("v1=", "v0="),
        "no time": right.partition(",")[2],
        "no signature": right.partition(",")[0],
        "nothing": "",
        "no text": "t=,v1=",
        "letters": f"t={now},v1=é",
        "a long number": f"t={'9' * 5000},v1=0",
    }
    for what, signature in wrong.items():
        headers = {"stripe-signature": signature.encode("latin-1")}
        answer = shop.client.post("/webhooks/stripe", content=body, headers=headers)
        assert (what, answer.status_code) == (what, 400)
    tampered = body.replace(b'"active"', b'"trialing"')
    assert tampered != body
    assert shop.client.post("/webhooks/stripe", content=tampered, headers=good).status_code == 400
    assert shop.client.post("/webhooks/stripe", content=body).status_code == 400
    assert not reads_pro(somebody)
    almost = signed(told, at=now - 290)
    assert shop.client.post("/webhooks/stripe", content=almost[0], headers=almost[1]).status_code == 200
    assert reads_pro(somebody)


def test_one_of_several_signatures_is_enough_as_while_a_secret_is_renewed(shop, start):
    somebody, told = body_of(shop, start)
    body, headers = signed(told)
    old = signed(told, secret="whsec_old")[1]["stripe-signature"].partition(",")[2]
    headers["stripe-signature"] = headers["stripe-signature"].replace(",", f",{old},", 1)
    assert shop.client.post("/webhooks/stripe", content=body, headers=headers).status_code == 200
    assert reads_pro(somebody)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b"3", b"{", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(shop, body):
    at = int(time.time())
    headers = signed(body, at=at)[1]
    assert shop.client.post("/webhooks/stripe", content=body, headers=headers).status_code == 400


def test_an_event_that_lacks_what_it_needs_is_refused_so_that_stripe_sends_it_again(shop, start):
    told = event("customer.subscription.updated", {"id": "sub_x"}, start)
    body, headers = signed(told)
    answer = shop.client.post(
        "/webhooks/stripe", content=body, headers=headers | {"accept": "application/json"}
    )
    assert answer.status_code == 422
    assert "cannot be read" in answer.json()["error"]
    assert count(shop, PaymentEvent, id=told["id"]) == 0


def test_a_body_may_not_be_endless(shop):
    body, headers = signed(b"{" + b" " * LARGEST_BODY + b"}")
    assert shop.client.post("/webhooks/stripe", content=body, headers=headers).status_code == 413


def test_events_of_unknown_customers_test_money_and_other_kinds_change_nothing(shop, start):
    stranger = Subscription("cus_of_somebody_else", start)
    assert shop.tell(*begun(stranger, start)[:3]) == ["not ours"] * 3
    assert count(shop, PaymentEvent, subscription=stranger.id) == 0
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    live = one.updated("active", start) | {"livemode": True}
    assert shop.tell(live, event("customer.updated", {"id": one.customer}, start)) == ["not ours"] * 2
    assert not reads_pro(somebody)


def test_a_customer_that_a_restore_forgot_is_known_by_the_subscription(shop, start):
    """A backup may be older than the customer: the subscription says whose it is."""
    somebody = shop.browser().sign_up()
    one = Subscription("cus_forgotten", start, shop.learner_of(somebody))
    assert shop.tell(one.updated("active", start)) == ["kept"]
    assert reads_pro(somebody)


def test_the_way_to_the_portal_is_there_for_those_who_are_customers(shop, start):
    somebody, one = subscribed(shop, start)
    assert 'action="/membership/portal"' in somebody.get("/account").text
    answer = somebody.post("/membership/portal")
    assert "https://billing.stripe.com/p/session/1" in answer.text
    assert shop.stripe.asked[-1] == ("portal", one.customer, "http://127.0.0.1:8000/account#membership")
    other = shop.browser().sign_up()
    assert 'action="/membership/portal"' not in other.get("/account").text
    assert other.post("/membership/portal").status_code == 409


def test_if_stripe_does_not_answer_the_page_says_so_and_nothing_is_lost(shop):
    somebody = shop.browser().sign_up()
    shop.stripe.is_down = True
    answer = somebody.post("/membership/checkout", page="/membership")
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.text
    shop.stripe.is_down = False
    assert somebody.post("/membership/checkout", page="/membership").status_code == 200


def test_a_customer_that_was_deleted_at_stripe_is_made_anew(shop):
    somebody = shop.browser().sign_up()
    first = shop.customer(somebody)
    shop.stripe.unknown.add(first)
    second = shop.customer(somebody)
    assert second != first
    shop.stripe.unknown.clear()
    assert shop.customer(somebody) == second


def test_who_deletes_the_account_pays_no_more_even_if_stripe_does_not_answer(shop, start, clock):
    somebody, one = subscribed(shop, start)
    assert "ends at Stripe at once" in somebody.get("/account/delete").text
    shop.stripe.is_down = True
    answer = somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    assert answer.status_code == 303
    assert count(shop, PaymentCustomer, id=one.customer) == 0
    assert count(shop, PaymentEvent, subscription=one.id) == 0
    assert count(shop, PaymentEvent, invoice=one.invoice(0)) == 0
    shop.until(lambda: count(shop, PaymentErrand, target=one.customer, problem="down") == 1)
    shop.stripe.is_down = False
    desk = shop.application.state.desk
    assert desk.run_errands() == 0  # not yet: it waits longer after each failure
    clock.ahead = timedelta(minutes=3)
    assert desk.run_errands() == 1
    assert shop.stripe.asked[-1] == ("forget", one.customer)
    assert count(shop, PaymentErrand, target=one.customer) == 0
    assert shop.tell(one.deleted(start + DAY)) == ["not ours"]
    shop.until(lambda: count(shop, PaymentErrand) == 0)  # told once more, while the clock is ahead


def test_what_is_noted_while_it_is_told_is_told_again(shop, start):
    somebody, one = subscribed(shop, start)
    noted = []

    def forget(customer):
        asked = len(noted)
        if asked < 2:
            noted.append(customer)
            with shop.database.writing() as session:
                add_errand(session, "forget", customer, False, datetime.now(UTC))

    shop.stripe.forget, told = forget, shop.stripe.forget
    try:
        somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
        shop.until(lambda: len(noted) == 2 and count(shop, PaymentErrand, target=one.customer) == 0)
    finally:
        shop.stripe.forget = told


def test_who_is_back_by_a_restore_is_deleted_at_stripe_again(shop, start):
    somebody, one = subscribed(shop, start)
    learner = shop.learner_of(somebody)
    somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    shop.until(lambda: count(shop, PaymentErrand, target=one.customer) == 0)
    now = datetime.now(UTC)
    with shop.database.writing() as session:  # as in a backup from before
        session.add(Learner(id=learner, created_at=now))
        session.flush()
        session.add(PaymentCustomer(id=one.customer, learner_id=learner, is_live=False, created_at=now))
    assert erase_again(shop.database, now) == 1
    assert count(shop, PaymentCustomer, id=one.customer) == 0
    assert count(shop, PaymentErrand, target=one.customer, kind="forget") == 1


def test_an_errand_that_was_done_before_is_done(shop, start):
    somebody, one = subscribed(shop, start)
    shop.stripe.unknown.add(one.customer)
    somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    shop.until(lambda: count(shop, PaymentErrand, target=one.customer) == 0)


def test_who_subscribes_in_another_window_after_the_deletion_pays_nothing_for_long(shop, start):
    somebody = shop.browser().sign_up()
    one = Subscription(shop.customer(somebody), start, shop.learner_of(somebody))
    somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    shop.until(lambda: ("forget", one.customer) in shop.stripe.asked)
    shop.stripe.asked.clear()
    assert shop.tell(one.updated("active", start)) == ["not ours"]
    shop.until(lambda: ("forget", one.customer) in shop.stripe.asked)
    shop.until(lambda: count(shop, PaymentErrand) == 0)


@pytest.fixture
def owner(shop):
    somebody = shop.browser().sign_up()
    Administration(shop.database, datetime.now(UTC)).create_admin(somebody.email)
    return somebody


def test_the_owner_sees_where_a_membership_comes_from_and_ends_it_with_what_is_paid(shop, owner, start):
    somebody, one = subscribed(shop, start)
    assert "Nothing waits to be told" in owner.get("/owner").text
    with shop.database.reading() as session:
        account = session.query(Account).filter_by(email=somebody.email).one()
    page = f"/owner/accounts/{account.id}"
    text = owner.get(page).text
    assert "<td>subscription</td>" in text
    assert one.id in text
    assert f"https://dashboard.stripe.com/test/customers/{one.customer}" in text
    assert '<td>subscription begins</td><td class="address">Stripe</td>' in text
    assert owner.post(f"{page}/revoke").status_code == 303
    assert not reads_pro(somebody)
    shop.until(lambda: ("cancel", one.id) in shop.stripe.asked)
    shop.tell(one.deleted(int(time.time())), one.updated("active", start + 5))
    assert not reads_pro(somebody)


def test_the_command_ends_what_is_paid_too(shop, start):
    somebody, one = subscribed(shop, start)
    assert Administration(shop.database, datetime.now(UTC)).revoke_pro(somebody.email) == 1
    shop.application.state.desk.run_errands()
    assert ("cancel", one.id) in shop.stripe.asked


def test_an_export_holds_what_is_kept_of_payments_and_a_stranger_s_does_not(shop, start):
    somebody, one = subscribed(shop, start)
    (kept,) = somebody.get("/account/export.json").json()["payments"]
    assert kept["customer"] == one.customer
    assert sorted(told["kind"] for told in kept["events"]) == [
        "customer.subscription.created",
        "customer.subscription.updated",
        "invoice.paid",
        "invoice_payment.paid",
    ]
    other = shop.browser().sign_up()
    assert other.get("/account/export.json").json()["payments"] == []
    with shop.database.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM payment_events").fetchall())
    assert "@example.org" not in rows


def test_events_that_named_only_a_payment_of_somebody_else_are_swept(shop, start, clock):
    stranger = Subscription("cus_stranger", start)
    _, one = subscribed(shop, start)
    shop.tell(stranger.linked(), stranger.disputed("created", "needs_response", start))
    shop.tell(one.disputed("created", "warning_needs_response", start))
    clock.ahead = timedelta(days=31)
    desk = shop.application.state.desk
    desk._swept_at = None
    desk._sweep()
    assert count(shop, PaymentEvent, payment=stranger.payment(0)) == 0
    assert count(shop, PaymentEvent, payment=one.payment(0)) == 2


def test_only_the_webhook_needs_no_form_token(shop):
    somebody = shop.browser().sign_up()
    for path in ("/membership/checkout", "/membership/portal"):
        assert somebody.client.post(path).status_code == 403
        assert shop.browser().post(path).status_code == 401
        foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert somebody.post(path, headers=foreign).status_code == 403


def test_a_form_of_a_page_is_no_signature(shop, owner):
    for somebody in (shop.browser(), shop.browser().sign_up(), owner):
        assert somebody.post("/webhooks/stripe").status_code == 400
        value = json.loads(json.dumps(event("invoice.paid", {}, 1)))
        assert somebody.send("/webhooks/stripe", value).status_code == 400


def test_going_to_stripe_is_limited(shop):
    somebody = shop.browser().sign_up()
    answers = [somebody.post("/membership/checkout", page="/membership").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
    assert uuid.UUID(shop.learner_of(somebody).hex)
    assert SECRET not in somebody.get("/membership").text
