"""Retention, forecast and days of practice, against the fsrs package and a calendar."""

import uuid
from datetime import UTC, datetime, timedelta

from fsrs import Card, Rating, Scheduler

from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.outlook import forecast, practised, retention
from slopewise.site.scheduling.replay import LoggedEvent, LoggedReview, Standing, recall

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = uuid.UUID(int=1)


def reviews(*steps):
    return [LoggedReview(uuid.uuid4(), grade, START + timedelta(days=days)) for days, grade in steps]


def test_the_prediction_is_what_fsrs_said_before_the_review():
    rows = reviews((0, Rating.Easy), (10, Rating.Good), (10.5, Rating.Good), (30, Rating.Again))
    found = retention({CARD: rows}, {})
    scheduler = Scheduler(desired_retention=0.9, enable_fuzzing=False)
    card, said = Card(card_id=1), []
    for row in rows:
        said.append(scheduler.get_card_retrievability(card, row.reviewed_at))
        card, _ = scheduler.review_card(card, Rating(row.grade), row.reviewed_at)
    assert found.tried == 2  # the third came half a day after the second
    assert found.recalled == 0.5
    assert found.predicted == (said[1] + said[3]) / 2


def test_what_was_taken_back_and_what_is_too_old_does_not_count():
    rows = reviews((0, Rating.Easy), (10, Rating.Good))
    undo = LoggedEvent(uuid.uuid4(), "undo", rows[1].id, START)
    assert retention({CARD: rows}, {CARD: [undo]}).tried == 0
    assert retention({CARD: rows}, {}, START + timedelta(days=11)).tried == 0
    assert retention({CARD: rows}, {}).tried == 1
    assert retention({}, {}).recalled is None


def test_a_forecast_counts_the_overdue_for_today_and_leaves_out_what_rests():
    calendar = Calendar("Europe/Berlin", 4)
    due = [START - timedelta(days=9), START, START + timedelta(days=2), START + timedelta(days=99)]
    standings = [Standing(phase="review", due_at=at) for at in due]
    standings += [Standing(phase="review", due_at=START, is_suspended=True), Standing()]
    counts = [count for _, count in forecast(standings, calendar, START)]
    assert counts == [2, 0, 1] + [0] * 11


def test_days_of_practice_follow_the_learners_own_days():
    moments = [datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 2, 27, 12, tzinfo=UTC)]
    assert practised(moments, Calendar("UTC", 4), START, 3) == [True, True, False]
    assert practised(moments, Calendar("Asia/Tokyo", 4), START, 3) == [True, False, True]


def test_recall_falls_with_time_and_is_none_of_what_is_new():
    standing = Standing(phase="review", stability=10.0, last_at=START)
    likely = [recall(standing, START + timedelta(days=days)) for days in (0, 10, 100)]
    assert likely[0] == 1.0
    assert abs(likely[1] - 0.9) < 1e-9
    assert likely[2] < likely[1]
    assert recall(Standing(), START) is None
    assert recall(Standing(phase="relearning"), START) == 0.0
