"""Days as learners live them: in their time zone, and beginning some hours after midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Calendar:
    """Which day a moment belongs to.

    Attributes
    ----------
    time_zone : str
        An IANA name.
    rollover_hour : int
        The hour of the wall clock at which a day begins, 0 to 23.

    Examples
    --------
    >>> calendar = Calendar("Europe/Berlin", 4)
    >>> calendar.day_of(datetime(2026, 3, 2, 2, 30, tzinfo=UTC))
    datetime.date(2026, 3, 1)
    >>> calendar.start_of(date(2026, 7, 1))
    datetime.datetime(2026, 7, 1, 2, 0, tzinfo=datetime.timezone.utc)
    """

    time_zone: str = "UTC"
    rollover_hour: int = 4

    def day_of(self, moment: datetime) -> date:
        """Return the day of a moment. By the wall clock: a day with a change of clocks has 23 or 25 hours."""
        wall = moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)
        day = (wall - timedelta(hours=self.rollover_hour)).date()
        if moment < self.start_of(day):  # the clock has skipped past the hour at which the day begins
            return day - timedelta(days=1)
        if moment >= self.end_of(day):  # it was put back to before that hour
            return day + timedelta(days=1)
        return day

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a day, in UTC.

        Where clocks skip the hour at which days begin, that is when they would have shown it, had they gone
        on; where they show it twice, the first time.
        """
        wall = datetime(day.year, day.month, day.day, self.rollover_hour, tzinfo=ZoneInfo(self.time_zone))
        return wall.astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """Return the first moment after a day, in UTC."""
        return self.start_of(day + timedelta(days=1))
