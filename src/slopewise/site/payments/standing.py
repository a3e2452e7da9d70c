"""Where subscriptions stand: a pure function of the set of events, so that their order does not matter.

Stripe delivers events late, twice, and in any order. Nothing is updated when one comes; all that came of a
customer is looked at again. Of two states of a subscription the one that happened later counts; in the same
second, the one that comes later in a subscription's life.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slopewise.site.payments.facts import Fact

LATE = timedelta(days=3)  # so long does Stripe try to deliver word of a renewal
FAILED = timedelta(days=7)  # so long may a payment fail before the membership ends

_GOOD = ("trialing", "active", "past_due")
_ENDED = ("canceled", "incomplete_expired")
# A later one wins a tie within a second; a subscription never leaves the last two.
_LIFE = ("incomplete", "paused", "past_due", "trialing", "active", "unpaid", *reversed(_ENDED))
_STEPS = (
    *("created", "funds_withdrawn", "updated", "paused", "resumed"),
    *("funds_reinstated", "deleted", "closed"),
)
_HARMLESS = ("won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented")


@dataclass(frozen=True)
class Standing:
    """Where a subscription stands.

    Attributes
    ----------
    subscription : str
    status : str
        Stripe's word for it; "" if only a payment is known yet.
    starts_at, ends_at : datetime or None
        The membership that it gives; none if nothing was ever paid.
    renews_at : datetime or None
        When Stripe will ask for the next payment.
    cancels_at : datetime or None
        When it ends, if that is settled.
    """

    subscription: str
    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    renews_at: datetime | None
    cancels_at: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether Stripe may ask for payments: of one that never got its first, it will not."""
        return self.status not in ("", "incomplete", *_ENDED)

    @property
    def has_failed(self) -> bool:
        """Whether the last payment failed."""
        return self.status in ("past_due", "unpaid")


@dataclass(frozen=True)
class _Time:
    """Time that was paid for; what was taken back ends when it was."""

    start: datetime
    end: datetime
    was_to_end: datetime

    @property
    def is_cut(self) -> bool:
        return self.end < self.was_to_end


def standings(events: Iterable[Fact]) -> list[Standing]:
    """Return where the subscriptions of one customer stand, the newest first."""
    found = list(events)
    taken = _taken_back(found)
    states: dict[str, list[Fact]] = defaultdict(list)
    paid: dict[str, list[_Time]] = defaultdict(list)
    for event in found:
        if event.subscription is None:
            continue
        if event.kind == "invoice.paid":
            paid[event.subscription].append(_time(event, taken.get(event.invoice or "")))
        else:
            states[event.subscription].append(event)
    subscriptions = {*states, *paid}
    all_of_them = [_standing(one, states[one], paid[one]) for one in subscriptions]
    return sorted(
        all_of_them, key=lambda one: (one.starts_at or datetime.min.replace(tzinfo=UTC), one.subscription)
    )[::-1]


def _standing(subscription: str, states: list[Fact], paid: list[_Time]) -> Standing:
    state = max(states, key=_place) if states else None
    starts = [time.start for time in paid] + [_moment(event, "start") for event in states]
    if state is None:
        ends_at = max((time.end for time in paid), default=None)
    else:
        was_good = any(event.details["status"] in _GOOD for event in states)
        ends_at = _end(state, paid, was_good=was_good)
    status = str(state.details["status"]) if state is not None else ""
    cancels_at = _moment_if(state, "cancel_at") if state is not None and status not in _ENDED else None
    renews_at = None
    if state is not None and status in ("active", "trialing") and cancels_at is None:
        renews_at = _moment(state, "period_end")
    starts_at = min(starts) if ends_at is not None else None
    if starts_at is not None and ends_at is not None:
        ends_at = max(starts_at, ends_at)
    return Standing(subscription, status, starts_at, ends_at, renews_at, cancels_at)


def _end(state: Fact, paid: list[_Time], *, was_good: bool) -> datetime | None:
    """Return when the membership ends that a subscription gives in this state."""
    status = state.details["status"]
    last = max(paid, key=lambda time: time.end, default=None)
    if status in ("active", "trialing"):
        end, is_cut = _covered(state, paid)
        settled = _moment_if(state, "cancel_at")
        end = end if is_cut else end + LATE
        return end if settled is None else min(end, settled)
    if status == "past_due":
        if last is not None and last.is_cut:
            return last.end
        asked = _moment(state, "period_start")
        return (asked if last is None else max(asked, last.end)) + FAILED
    if status == "canceled":
        over = _moment_if(state, "ended_at") or _moment_if(state, "canceled_at") or state.at
        if last is None:
            return over if was_good else None
        return min(over, last.end if last.is_cut else last.end + FAILED)
    return last.end if last is not None else None


def _covered(state: Fact, paid: list[_Time]) -> tuple[datetime, bool]:
    """Return until when a state says that all is paid, and whether that time was taken back."""
    start, end = _moment(state, "period_start"), _moment(state, "period_end")
    whole = [time.end for time in paid if not time.is_cut]
    cut = [time.end for time in paid if time.is_cut and time.start <= start < time.was_to_end]
    if cut and max(whole, default=start) < end:
        return max([*cut, *whole]), True
    return max([end, *whole]), False


def _taken_back(events: list[Fact]) -> dict[str, datetime]:
    """Return the invoices whose payments were refunded wholly, or are disputed, and since when."""
    invoices = {event.payment: event.invoice for event in events if event.payment and event.invoice}
    refunds = [event for event in events if event.kind == "charge.refunded" and event.details["whole"]]
    disputes: dict[object, list[Fact]] = defaultdict(list)
    for event in events:
        if event.kind.startswith("charge.dispute."):
            disputes[event.details["dispute"]].append(event)
    lost = [
        min(of_one, key=lambda event: event.at)
        for of_one in disputes.values()
        if max(of_one, key=_place).details["status"] not in _HARMLESS
    ]
    taken: dict[str, datetime] = {}
    for event in (*refunds, *lost):
        invoice = event.invoice or invoices.get(event.payment or "")
        if invoice is not None:
            taken[invoice] = min(taken.get(invoice, event.at), event.at)
    return taken


def _time(event: Fact, taken_at: datetime | None) -> _Time:
    start, end = _moment(event, "period_start"), _moment(event, "period_end")
    return _Time(start, end if taken_at is None else max(start, min(end, taken_at)), end)


def _place(event: Fact) -> tuple[object, ...]:
    """Return what puts the states of one subscription, or of one dispute, in order."""
    status = event.details["status"]
    life = _LIFE.index(status) if status in _LIFE else -1
    step = _STEPS.index(event.kind.rpartition(".")[2])
    end = event.details.get("period_end", 0)
    return (status in _ENDED, event.at, step, life, end, event.id)


def _moment(event: Fact, name: str) -> datetime:
    return datetime.fromtimestamp(int(str(event.details[name])), UTC)


def _moment_if(event: Fact, name: str) -> datetime | None:
    return _moment(event, name) if name in event.details else None
