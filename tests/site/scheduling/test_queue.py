"""What the queue counts besides the cards that it shows."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.queue import day_queue
from slopewise.site.storage.tables import CardState, Learner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def queue(database):
    """Give a learner cards, by minutes until they are due or as ``rest``; return the queue of some."""
    learner = uuid.uuid4()
    with database.writing() as session:
        session.add(Learner(id=learner, created_at=NOW))

    def queue_of(cards, readable):
        ids = {name: uuid.uuid4() for name in {*cards, *readable}}
        with database.writing() as session:
            for name, due in cards.items():
                session.add(
                    CardState(
                        learner_id=learner,
                        card_id=ids[name],
                        phase="new" if due == "rest" else "learning",
                        due_at=None if due == "rest" else NOW + timedelta(minutes=due),
                        first_at=None if due == "rest" else NOW,
                        reviews=0 if due == "rest" else 1,
                        lapses=0,
                        is_suspended=due == "rest",
                    )
                )
        with database.reading() as session:
            found = day_queue(session, learner, [ids[name] for name in readable], Calendar(), 20, NOW)
        names = {card_id: name for name, card_id in ids.items()}
        return [names[card] for card in found.cards], found

    return queue_of


def test_a_card_that_is_shown_early_is_not_counted_as_one_of_later(queue):
    shown, found = queue({"early": 5, "hour": 60}, ["early", "hour"])
    assert (shown, found.due, found.later) == (["early"], 1, 1)
    assert found.next_at == NOW + timedelta(hours=1)


def test_a_card_that_waits_behind_others_is_counted_as_one_of_later(queue):
    shown, found = queue({"now": -1, "early": 5, "hour": 60}, ["now", "early", "hour"])
    assert (shown, found.due, found.later) == (["now"], 1, 2)


def test_cards_that_may_not_be_read_any_more_are_counted_nowhere(queue):
    shown, found = queue({"mine": "rest", "lapsed": "rest", "lapsed step": 60}, ["mine"])
    assert (shown, found.resting, found.later, found.next_at) == ([], 1, 0, None)
