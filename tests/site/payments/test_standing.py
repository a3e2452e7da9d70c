"""Where subscriptions stand, whatever the order of their events; of old and new versions of Stripe's API."""

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe_events import DAY, Subscription, event, moment

from slopewise.site.payments.facts import KINDS, EventError, fact_of
from slopewise.site.payments.standing import FAILED, LATE, standings

START = 1_767_225_600  # the first of January 2026
LATE_SECONDS, FAILED_SECONDS = LATE.total_seconds(), FAILED.total_seconds()
MONTH = 30 * DAY


def begun(one):
    return [one.created(), one.updated("active", START), one.paid(), one.linked()]


def renewed(one):
    return [*begun(one), one.updated("active", START + MONTH, 1), one.paid(1), one.linked(1)]


def cancelled_later(one):
    changes = {"cancel_at_period_end": True, "canceled_at": START + 5 * DAY}
    return [*begun(one), one.updated("active", START + 5 * DAY, **changes)]


def failed(one):
    return [*begun(one), one.updated("past_due", START + MONTH, 1)]


LIVES = {
    "begins": (begun, START + MONTH + LATE_SECONDS),
    "is not paid": (lambda one: [one.created()], None),
    "is not paid and expires": (
        lambda one: [one.created(), one.updated("incomplete_expired", START + DAY)],
        None,
    ),
    "is tried": (lambda one: [one.created("trialing")], START + MONTH + LATE_SECONDS),
    "renews": (renewed, START + 2 * MONTH + LATE_SECONDS),
    "is cancelled at the end of the period": (cancelled_later, START + MONTH),
    "was cancelled at the end of the period": (
        lambda one: [*cancelled_later(one), one.deleted(START + MONTH)],
        START + MONTH,
    ),
    "is taken up again": (
        lambda one: [*cancelled_later(one), one.updated("active", START + 6 * DAY)],
        START + MONTH + LATE_SECONDS,
    ),
    "is cancelled now": (lambda one: [*begun(one), one.deleted(START + 9 * DAY)], START + 9 * DAY),
    "fails": (failed, START + MONTH + FAILED_SECONDS),
    "fails, then succeeds": (
        lambda one: [
            *failed(one),
            one.paid(1, START + MONTH + 3 * DAY),
            one.updated("active", START + MONTH + 3 * DAY, 1),
        ],
        START + 2 * MONTH + LATE_SECONDS,
    ),
    "fails until it ends": (
        lambda one: [*failed(one), one.deleted(START + MONTH + 21 * DAY, 1)],
        START + MONTH + FAILED_SECONDS,
    ),
    "fails and stays unpaid": (
        lambda one: [*failed(one), one.updated("unpaid", START + MONTH + 21 * DAY, 1)],
        START + MONTH,
    ),
    "is refunded": (lambda one: [*begun(one), one.refunded(START + 4 * DAY)], START + 4 * DAY),
    "is refunded in part": (
        lambda one: [*begun(one), one.refunded(START + 4 * DAY, whole=False)],
        START + MONTH + LATE_SECONDS,
    ),
    "is refunded and cancelled": (
        lambda one: [*begun(one), one.refunded(START + 4 * DAY), one.deleted(START + 4 * DAY + 9)],
        START + 4 * DAY,
    ),
    "gets back an earlier month": (
        lambda one: [*renewed(one), one.refunded(START + MONTH + DAY, 0)],
        START + 2 * MONTH + LATE_SECONDS,
    ),
    "is refunded after a renewal": (
        lambda one: [*renewed(one), one.refunded(START + MONTH + 2 * DAY, 1)],
        START + MONTH + 2 * DAY,
    ),
    "is disputed": (
        lambda one: [
            *begun(one),
            one.disputed("created", "needs_response", START + 8 * DAY),
            one.disputed("funds_withdrawn", "needs_response", START + 8 * DAY),
        ],
        START + 8 * DAY,
    ),
    "is disputed and won": (
        lambda one: [
            *begun(one),
            one.disputed("created", "needs_response", START + 8 * DAY),
            one.disputed("closed", "won", START + 20 * DAY),
        ],
        START + MONTH + LATE_SECONDS,
    ),
    "is disputed and lost": (
        lambda one: [
            *begun(one),
            one.disputed("created", "needs_response", START + 8 * DAY),
            one.disputed("closed", "lost", START + 20 * DAY),
        ],
        START + 8 * DAY,
    ),
    "is only asked about by a bank": (
        lambda one: [*begun(one), one.disputed("created", "warning_needs_response", START + 8 * DAY)],
        START + MONTH + LATE_SECONDS,
    ),
}


def ends(events):
    """Return when the membership of one subscription ends, in seconds."""
    facts = [fact for fact in map(fact_of, events) if fact is not None]
    (one,) = standings(facts)
    return one.ends_at and one.ends_at.timestamp()


@pytest.mark.parametrize("is_old_version", [False, True])
@pytest.mark.parametrize("life", LIVES)
def test_a_subscription_that(life, is_old_version):
    events, expected = LIVES[life]
    one = Subscription("cus_1", START, is_old_version=is_old_version)
    found = [told for told in events(one) if not (is_old_version and told["type"] == "invoice_payment.paid")]
    assert ends(found) == expected


@given(st.data())
def test_the_order_of_events_does_not_matter_and_nor_do_repetitions(data):
    one = Subscription("cus_1", START)
    events, expected = LIVES[data.draw(st.sampled_from(sorted(LIVES)))]
    found = events(one)
    again = data.draw(st.lists(st.sampled_from(found), max_size=3))
    shuffled = data.draw(st.permutations([*found, *again]))
    assert ends({told["id"]: told for told in shuffled}.values()) == expected


@given(st.data())
def test_two_subscriptions_of_one_customer_do_not_disturb_each_other(data):
    lives = [data.draw(st.sampled_from(sorted(LIVES))) for _ in range(2)]
    ones = [Subscription("cus_1", START), Subscription("cus_1", START)]
    events = [told for one, life in zip(ones, lives) for told in LIVES[life][0](one)]
    facts = [fact_of(told) for told in data.draw(st.permutations(events))]
    found = {one.subscription: one.ends_at for one in standings(facts)}
    for one, life in zip(ones, lives):
        expected = LIVES[life][1]
        assert found[one.id] == (None if expected is None else moment(expected))


def test_what_a_subscription_does_next():
    one = Subscription("cus_1", START)
    (running,) = standings([fact_of(told) for told in begun(one)])
    assert running.renews_at == moment(START + MONTH)
    assert (running.cancels_at, running.is_running, running.has_failed) == (None, True, False)
    (cancelled,) = standings([fact_of(told) for told in cancelled_later(one)])
    assert (cancelled.renews_at, cancelled.cancels_at) == (None, moment(START + MONTH))
    (late,) = standings([fact_of(told) for told in failed(one)])
    assert late.has_failed
    (over,) = standings([fact_of(one.deleted(START + DAY))])
    assert not over.is_running
    (unpaid,) = standings([fact_of(one.created())])
    assert not unpaid.is_running


def test_whose_a_subscription_is_stands_in_its_metadata_and_in_those_of_its_invoices():
    learner = uuid.uuid4()
    for is_old in (False, True):
        one = Subscription("cus_1", START, learner, is_old_version=is_old)
        assert fact_of(one.created()).learner == learner
        assert fact_of(one.paid()).learner == learner
    forged = Subscription("cus_1", START)
    forged.metadata = {"slopewise_learner": "nobody"}
    assert fact_of(forged.created()).learner is None


def test_nothing_of_a_person_is_kept():
    fact = fact_of(Subscription("cus_1", START).paid())
    assert "secret@example.org" not in repr(fact)


def test_other_kinds_of_events_are_none_of_ours():
    assert fact_of(event("customer.updated", {"id": "cus_1"}, START)) is None
    assert fact_of({"type": ["invoice.paid"]}) is None
    assert fact_of({}) is None


WRONG = [
    {"status": None},
    {"status": ""},
    {"id": "x" * 256},
    {"id": "a\0b"},
    {"customer": 7},
    {"customer": {}},
    {"start_date": "today"},
    {"start_date": -1},
    {"start_date": 10**30},
    {"start_date": True},
    {"items": {"data": []}},
    {"items": 3},
    {"items": {"data": [3]}},
    {"cancel_at": "x"},
]


@pytest.mark.parametrize("change", WRONG)
def test_an_event_without_what_it_needs_is_refused_in_one_line(change):
    state = Subscription("cus_1", START).state("active") | change
    with pytest.raises(EventError, match=r"^an event of the kind customer.subscription.updated lacks .*$"):
        fact_of(event("customer.subscription.updated", state, START))


NAMES = ["id", "object", "data", "customer", "status", "lines", "period", "payment", "parent", "items"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
)


@given(ANYTHING, st.sampled_from(KINDS))
def test_no_event_however_wrong_is_more_than_refused(found, kind):
    told = {"id": "evt_1", "type": kind, "created": START, "data": {"object": found}}
    with contextlib.suppress(EventError):
        fact_of(told)
