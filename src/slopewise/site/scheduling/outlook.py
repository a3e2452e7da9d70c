"""What the log says of the past and the days to come: retention, due cards, days of practice."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.replay import LoggedEvent, LoggedReview, Standing, tried_recalls


@dataclass(frozen=True)
class Retention:
    """How many of so many cards were recalled, and how many FSRS had predicted. None of no card."""

    tried: int
    recalled: float | None
    predicted: float | None


def retention(
    reviews: Mapping[uuid.UUID, Sequence[LoggedReview]],
    events: Mapping[uuid.UUID, Sequence[LoggedEvent]],
    since: datetime | None = None,
) -> Retention:
    """Return the true retention and the predicted one, of reviews since a moment or of all."""
    tried = [
        (likely, came)
        for card_id, rows in reviews.items()
        for at, likely, came in tried_recalls(rows, events.get(card_id, ()))
        if since is None or at >= since
    ]
    if not tried:
        return Retention(0, None, None)
    count = len(tried)
    return Retention(
        count, sum(came for _, came in tried) / count, sum(likely for likely, _ in tried) / count
    )


def forecast(
    standings: Iterable[Standing], calendar: Calendar, now: datetime, days: int = 14
) -> list[tuple[date, int]]:
    """Return how many known cards come back on each of the next days; what is overdue counts for today."""
    today = calendar.day_of(now)
    counts = {today + timedelta(days=number): 0 for number in range(days)}
    for standing in standings:
        if standing.due_at is not None and not standing.is_suspended:
            day = max(today, calendar.day_of(standing.due_at))
            if day in counts:
                counts[day] += 1
    return list(counts.items())


def practised(moments: Iterable[datetime], calendar: Calendar, now: datetime, days: int = 28) -> list[bool]:
    """Return for each of the last days, today last, whether something was done on it."""
    found = {calendar.day_of(moment) for moment in moments}
    today = calendar.day_of(now)
    return [today - timedelta(days=days - 1 - number) in found for number in range(days)]
