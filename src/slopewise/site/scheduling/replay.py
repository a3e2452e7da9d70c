"""The state of a card, computed from the log of what a learner did with it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fsrs import Card as FsrsCard
from fsrs import Rating, Scheduler, State

from slopewise.engine.random import random_words

# Stored with each review. Another version, other weights or another retention get another name, and a
# migration that empties `card_states` and fills it from the log: `advance` goes on from what is there.
SCHEDULER = "fsrs-6 default weights 0.90"
LONGEST_DAYS = 3650
_scheduler = Scheduler(desired_retention=0.9, maximum_interval=LONGEST_DAYS, enable_fuzzing=False)

FUZZ_STREAM = 0x46555A5A
_FUZZ_FROM = 2.5  # days; as in Anki, longer intervals are spread so that cards learned together part
_FUZZ_RANGES = ((2.5, 7.0, 0.15), (7.0, 20.0, 0.10), (20.0, float("inf"), 0.05))

_PHASES = {State.Learning: "learning", State.Review: "review", State.Relearning: "relearning"}
_STATES = {phase: state for state, phase in _PHASES.items()}


class LoggedReview(NamedTuple):
    """A review, as much of it as counts for the schedule."""

    id: uuid.UUID
    grade: int
    reviewed_at: datetime


class LoggedEvent(NamedTuple):
    """An undo, which names a review, or a card's going to rest or waking."""

    id: uuid.UUID
    kind: str
    review_id: uuid.UUID | None
    happened_at: datetime


@dataclass(frozen=True)
class Standing:
    """Where a learner stands with a card.

    Attributes
    ----------
    phase : str
        new, learning (steps of minutes), review (days), or relearning.
    stability : float
        Days until recall is 90 percent likely.
    difficulty : float
        1 to 10.
    due_at, first_at, last_at : datetime
        In UTC.
    reviews, lapses : int
        Lapses are reviews that were graded again after the card had been learned.
    """

    phase: str = "new"
    stability: float | None = None
    difficulty: float | None = None
    due_at: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    reviews: int = 0
    lapses: int = 0
    is_suspended: bool = False


def replay(reviews: Sequence[LoggedReview], events: Sequence[LoggedEvent]) -> Standing:
    """Return where a learner stands with one card: what all rows of the log about it add up to.

    The order in which rows arrived does not matter, so that devices may send late.
    """
    counted = _counted(reviews, events)
    suspended = _is_suspended(events)
    if not counted:
        return Standing(is_suspended=suspended)
    card, lapses = FsrsCard(card_id=1), 0
    for review in counted:
        card, is_lapse = _review(card, review)
        lapses += is_lapse
    return _standing(card, counted[0].reviewed_at, counted[-1], len(counted), lapses, suspended)


def advance(standing: Standing, review: LoggedReview) -> Standing:
    """Return where a learner stands after one more review, which came later than all that count.

    It gives to the bit what a replay of all rows gives, and takes the same time however many there are.
    """
    assert standing.last_at is None or review.reviewed_at > standing.last_at
    card, is_lapse = _review(_card(standing), review)
    first_at = standing.first_at or review.reviewed_at
    lapses = standing.lapses + is_lapse
    return _standing(card, first_at, review, standing.reviews + 1, lapses, standing.is_suspended)


def _counted(reviews: Sequence[LoggedReview], events: Sequence[LoggedEvent]) -> list[LoggedReview]:
    """Return the reviews that were not taken back, in the order of their times."""
    undone = {event.review_id for event in events if event.kind == "undo"}
    counted = [review for review in reviews if review.id not in undone]
    return sorted(counted, key=lambda review: (review.reviewed_at, review.id))


def _review(card: FsrsCard, review: LoggedReview) -> tuple[FsrsCard, bool]:
    """Return a card after a review, and whether that was a lapse."""
    is_lapse = card.state == State.Review and review.grade == Rating.Again
    return _scheduler.review_card(card, Rating(review.grade), review.reviewed_at)[0], is_lapse


def _card(standing: Standing) -> FsrsCard:
    """Return the card of a standing, as FSRS knows it.

    Its step among those of minutes follows from its wait: a wait that is no step is that after "hard" in
    the first. When a card of days is due, FSRS does not ask.
    """
    if standing.last_at is None or standing.due_at is None:
        return FsrsCard(card_id=1)
    state, step = _STATES[standing.phase], None
    if state != State.Review:
        steps = _scheduler.learning_steps if state == State.Learning else _scheduler.relearning_steps
        wait = standing.due_at - standing.last_at
        step = steps.index(wait) if wait in steps else 0
    return FsrsCard(
        card_id=1,
        state=state,
        step=step,
        stability=standing.stability,
        difficulty=standing.difficulty,
        due=standing.due_at,
        last_review=standing.last_at,
    )


def _standing(
    card: FsrsCard, first_at: datetime, last: LoggedReview, reviews: int, lapses: int, is_suspended: bool
) -> Standing:
    return Standing(
        phase=_PHASES[card.state],
        stability=card.stability,
        difficulty=card.difficulty,
        due_at=_due(card, last),
        first_at=first_at,
        last_at=last.reviewed_at,
        reviews=reviews,
        lapses=lapses,
        is_suspended=is_suspended,
    )


def tried_recalls(
    reviews: Sequence[LoggedReview], events: Sequence[LoggedEvent]
) -> list[tuple[datetime, float, bool]]:
    """Return the reviews of a learned card: when, how likely FSRS held a recall, and whether it came.

    Only those count that came a day or more after the one before: of shorter times FSRS says nothing.
    """
    card, found = FsrsCard(card_id=1), []
    for review in _counted(reviews, events):
        waited = review.reviewed_at - card.last_review if card.last_review is not None else timedelta()
        if card.state == State.Review and waited >= timedelta(days=1):
            likely = float(_scheduler.get_card_retrievability(card, review.reviewed_at))
            found.append((review.reviewed_at, likely, review.grade > Rating.Again))
        card, _ = _review(card, review)
    return found


def recall(standing: Standing, now: datetime) -> float | None:
    """Return how likely a card would be recalled now, as FSRS says.

    None while it is in its first steps of minutes, of which nothing can be said; 0 after a lapse, until the
    card is learned again: FSRS counts from that review on, in which the answer was shown.
    """
    if standing.phase == "relearning":
        return 0.0
    if standing.phase != "review":
        return None
    card = FsrsCard(card_id=1, state=State.Review, stability=standing.stability, last_review=standing.last_at)
    return float(_scheduler.get_card_retrievability(card, now))


def _is_suspended(events: Sequence[LoggedEvent]) -> bool:
    switches = [event for event in events if event.kind != "undo"]
    if not switches:
        return False
    return max(switches, key=lambda event: (event.happened_at, event.id)).kind == "suspend"


def _due(card: FsrsCard, last: LoggedReview) -> datetime:
    if card.state != State.Review:
        return card.due
    return last.reviewed_at + timedelta(days=spread((card.due - last.reviewed_at).days, last.id))


def spread(days: int, review_id: uuid.UUID) -> int:
    """Return an interval made a little shorter or longer, always alike for the same review.

    The ranges are those of the `fsrs` package, whose own draw cannot be repeated.

    Examples
    --------
    >>> spread(1, uuid.UUID(int=7)), 17 <= spread(20, uuid.UUID(int=7)) <= 23
    (1, True)
    """
    if days < _FUZZ_FROM:
        return days
    reach = 1.0 + sum(rate * max(min(days, end) - start, 0.0) for start, end, rate in _FUZZ_RANGES)
    low, high = max(2, round(days - reach)), min(round(days + reach), LONGEST_DAYS)
    low = min(low, high)
    word = int(random_words(1, seed=review_id.int & (2**64 - 1), stream=FUZZ_STREAM)[0])
    return low + (word * (high - low + 1) >> 32)
