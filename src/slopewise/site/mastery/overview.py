"""All that the page of progress shows of a learner, computed from what is kept of them."""

from __future__ import annotations

import uuid
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from slopewise.site.mastery.evidence import Record
from slopewise.site.mastery.guide import Guide, LessonRow
from slopewise.site.mastery.next_step import NextStep
from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.outlook import Retention, forecast, practised, retention
from slopewise.site.scheduling.replay import LoggedEvent, LoggedReview, Standing, replay

RECENT = timedelta(days=30)


@dataclass(frozen=True)
class History:
    """What is kept of a learner: records with their times, and the log of cards.

    `askable` are the cards that can come back; by default all. A card that was deleted, or is locked since a
    membership ended, is in the log all the same.
    """

    records: Sequence[Record]
    moments: Sequence[datetime]  # of the records
    reviews: Mapping[uuid.UUID, Sequence[LoggedReview]]
    events: Mapping[uuid.UUID, Sequence[LoggedEvent]]
    askable: Container[uuid.UUID] | None = None

    def standings(self) -> dict[uuid.UUID, Standing]:
        """Return where the learner stands with each card."""
        cards = sorted({*self.reviews, *self.events})
        return {card: replay(self.reviews.get(card, ()), self.events.get(card, ())) for card in cards}


@dataclass(frozen=True)
class Overview:
    """What the page shows. Of `days`, today is the last."""

    next: NextStep | None
    lessons: Sequence[LessonRow]
    cards: int
    due: int
    forecast: Sequence[tuple[date, int]]
    recent: Retention
    all_time: Retention
    days: Sequence[bool]

    @property
    def done(self) -> int:
        """How many lessons are done."""
        return sum(lesson.is_done for lesson in self.lessons)

    @property
    def run(self) -> int:
        """How many days of practice stand in a row up to today, or to yesterday if today is still to come."""
        days = list(self.days) if self.days[-1] else list(self.days[:-1])
        return next((number for number, day in enumerate(reversed(days)) if not day), len(days))


def overview(guide: Guide, history: History, calendar: Calendar, now: datetime) -> Overview:
    """Return what the page of progress shows."""
    standings = history.standings()
    evidence = guide.evidence(history.records, standings, now)
    askable = history.askable
    coming = [standing for card, standing in standings.items() if askable is None or card in askable]
    ahead = forecast(coming, calendar, now)
    reviewed = [row.reviewed_at for rows in history.reviews.values() for row in rows]
    return Overview(
        next=guide.next_step(history.records, evidence),
        lessons=guide.lessons(history.records, evidence),
        cards=sum(standing.reviews > 0 for standing in standings.values()),
        due=ahead[0][1],
        forecast=ahead,
        recent=retention(history.reviews, history.events, now - RECENT),
        all_time=retention(history.reviews, history.events),
        days=practised([*history.moments, *reviewed], calendar, now),
    )
