"""Days in time zones whose clocks change, with any hour at which a day begins."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.site.scheduling.days import Calendar

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Tokyo", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "Atlantic/Azores"),
    *("Pacific/Chatham", "Antarctica/Troll", "Antarctica/Casey"),  # at 02:45, by two hours, by three
)
calendars = st.builds(Calendar, st.sampled_from(ZONES), st.integers(0, 23))
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("zone", "hour", "moment", "day"),
    [
        ("UTC", 4, "2026-03-02T03:59:59+00:00", "2026-03-01"),
        ("UTC", 4, "2026-03-02T04:00:00+00:00", "2026-03-02"),
        ("Asia/Tokyo", 4, "2026-03-01T18:59:00+00:00", "2026-03-01"),
        ("Asia/Tokyo", 4, "2026-03-01T19:00:00+00:00", "2026-03-02"),
        # Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC. Days that begin at 2 begin at the skip.
        ("Europe/Berlin", 2, "2026-03-29T00:59:59+00:00", "2026-03-28"),
        ("Europe/Berlin", 2, "2026-03-29T01:00:00+00:00", "2026-03-29"),
        # Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC. The hour from 2 to 3 comes twice.
        ("Europe/Berlin", 2, "2026-10-24T23:59:59+00:00", "2026-10-24"),
        ("Europe/Berlin", 2, "2026-10-25T00:00:00+00:00", "2026-10-25"),
        ("Europe/Berlin", 2, "2026-10-25T01:30:00+00:00", "2026-10-25"),
        ("Europe/Berlin", 3, "2026-10-25T01:59:59+00:00", "2026-10-24"),
        ("Europe/Berlin", 3, "2026-10-25T02:00:00+00:00", "2026-10-25"),
        # New York, 1 November 2026: the hour from 1 to 2 comes twice.
        ("America/New_York", 1, "2026-11-01T05:00:00+00:00", "2026-11-01"),
        ("America/New_York", 2, "2026-11-01T06:59:59+00:00", "2026-10-31"),
        ("America/New_York", 2, "2026-11-01T07:00:00+00:00", "2026-11-01"),
        # Chatham, 27 September 2026: 02:45 becomes 03:45 at 14:00 UTC; the old clock shows 3 at 14:15.
        ("Pacific/Chatham", 3, "2026-09-26T14:14:59+00:00", "2026-09-26"),
        ("Pacific/Chatham", 3, "2026-09-26T14:15:00+00:00", "2026-09-27"),
        # Troll, 29 March 2026: 01:00 becomes 03:00 at 01:00 UTC; without that it were 2 at 02:00 UTC.
        ("Antarctica/Troll", 2, "2026-03-29T01:59:59+00:00", "2026-03-28"),
        ("Antarctica/Troll", 2, "2026-03-29T02:00:00+00:00", "2026-03-29"),
        # 25 October 2026: 03:00 becomes 01:00 at 01:00 UTC. A day that has begun does not end again.
        ("Antarctica/Troll", 2, "2026-10-25T00:00:00+00:00", "2026-10-25"),
        ("Antarctica/Troll", 2, "2026-10-25T01:30:00+00:00", "2026-10-25"),
    ],
)
def test_the_day_of_a_moment(zone, hour, moment, day):
    assert Calendar(zone, hour).day_of(datetime.fromisoformat(moment)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 23), ("2026-03-29", 24), ("2026-10-24", 25), ("2026-10-25", 24)]
)
def test_a_day_with_a_change_of_clocks_is_an_hour_shorter_or_longer(day, hours):
    calendar = Calendar("Europe/Berlin", 4)
    start = date.fromisoformat(day)
    assert calendar.end_of(start) - calendar.start_of(start) == timedelta(hours=hours)


@given(calendars, days)
def test_a_day_begins_where_the_day_before_ends(calendar, day):
    start = calendar.start_of(day)
    assert start.tzinfo is UTC
    assert calendar.day_of(start) == day
    assert calendar.day_of(start - timedelta(microseconds=1)) == day - timedelta(days=1)


@given(calendars, st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)), st.integers(0, 200_000))
def test_days_never_run_backwards(calendar, moment, seconds):
    moment = moment.replace(tzinfo=UTC)
    assert calendar.day_of(moment) <= calendar.day_of(moment + timedelta(seconds=seconds))
