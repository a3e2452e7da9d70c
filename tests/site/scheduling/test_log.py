"""The log and what is computed from it: nothing twice, nothing lost, and a replay gives the cache again."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from slopewise.site.scheduling.days import Calendar
from slopewise.site.scheduling.log import DayFullError, Entry, append, last_review
from slopewise.site.scheduling.queue import day_queue
from slopewise.site.scheduling.replay import LoggedReview, Standing, advance, replay, spread
from slopewise.site.scheduling.states import refresh, standings
from slopewise.site.storage.tables import GRADES, CardEvent, CardState, Learner, Review

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
UTC_DAYS = Calendar("UTC", 4)


@pytest.fixture
def learner(database):
    learner_id = uuid.uuid4()
    with database.writing() as session:
        session.add(Learner(id=learner_id, created_at=START))
    return learner_id


def review(card, grade="good", at=START):
    return Entry(uuid.uuid4(), "review", at, card_id=card, grade=grade)


def undo(entry, at=START):
    return Entry(uuid.uuid4(), "undo", at, review_id=entry.id)


def write(database, learner, *entries, now=START, sent_at=None):
    with database.writing() as session:
        return append(session, learner, entries, now, sent_at)


def states(database, learner):
    with database.reading() as session:
        rows = session.scalars(select(CardState).where(CardState.learner_id == learner))
        names = Standing.__dataclass_fields__
        return {row.card_id: Standing(**{name: getattr(row, name) for name in names}) for row in rows}


def queue(database, learner, cards, now=START, new_per_day=20, calendar=UTC_DAYS):
    with database.reading() as session:
        return day_queue(session, learner, cards, calendar, new_per_day, now)


def assert_as_fsrs_says(state, entries):
    """Compare a state with what the fsrs package alone makes of reviews in the order of their times."""
    scheduler = Scheduler(enable_fuzzing=False, maximum_interval=3650)
    expected, lapses = Card(card_id=1), 0
    for entry in entries:
        lapses += expected.state == State.Review and entry.grade == "again"
        expected, _ = scheduler.review_card(expected, Rating(1 + GRADES.index(entry.grade)), entry.at)
    assert (state.stability, state.difficulty) == (expected.stability, expected.difficulty)
    assert (state.phase, state.reviews, state.lapses) == (expected.state.name.lower(), len(entries), lapses)
    if expected.state == State.Review:
        wait = expected.due - entries[-1].at
        assert abs(state.due_at - expected.due) <= 0.15 * wait + timedelta(days=1)
    else:
        assert state.due_at == expected.due


def test_a_sequence_of_reviews_gives_what_the_fsrs_package_gives(database, learner):
    card, at, entries = uuid.uuid4(), START, []
    for grade, wait in (("good", 0), ("good", 1), ("hard", 3), ("again", 9), ("good", 0), ("easy", 4)):
        at += timedelta(days=wait, minutes=11)
        entries.append(review(card, grade, at))
        write(database, learner, entries[-1], now=at)
        assert_as_fsrs_says(states(database, learner)[card], entries)
    assert states(database, learner)[card].lapses == 1


def test_a_replay_of_the_log_gives_the_cache_again(database, learner):
    """Three hundred entries of all kinds, in small parts and out of order; then the cache is thrown away."""
    draw = random.Random(5)
    cards, entries, reviews = [uuid.UUID(int=n) for n in range(1, 13)], [], []
    for number in range(300):
        at, card = START + timedelta(hours=number * 3), draw.choice(cards)
        kind = draw.choices(("review", "undo", "suspend", "resume"), (8, 1, 1, 1))[0]
        if kind == "review":
            entries.append(review(card, draw.choice(GRADES), at))
            reviews.append(entries[-1])
        elif kind == "undo" and reviews:
            entries.append(undo(draw.choice(reviews), at))
        elif kind != "undo":
            entries.append(Entry(uuid.uuid4(), kind, at, card_id=card))
    late = START + timedelta(days=60)
    undone = [entry for entry in entries if entry.kind == "undo"]
    others = [entry for entry in entries if entry.kind != "undo"]
    draw.shuffle(others)
    while others:
        part, others = others[:25], others[25:]
        write(database, learner, *part, now=late)
    write(database, learner, *undone, now=late)
    cached = states(database, learner)
    assert len(cached) == 12
    taken_back = {entry.review_id for entry in undone}
    for card in cards:
        counted = [entry for entry in reviews if entry.card_id == card and entry.id not in taken_back]
        assert_as_fsrs_says(cached[card], counted)
    with database.writing() as session:
        session.execute(delete(CardState))
        refresh(session, learner)
    assert states(database, learner) == cached
    with database.reading() as session:
        assert standings(session, learner) == cached


MINUTES = st.sampled_from([0, 1, 5.5, 10, 15, 60, 1440, 3000, 20_000])
ACTS = st.tuples(
    st.sampled_from(["review"] * 6 + ["undo", "suspend", "resume"]),
    st.integers(0, 2),  # the card
    MINUTES,  # since the act before
    st.sampled_from(GRADES),
    st.integers(0, 30),  # the review that an undo means, counted from the last
)


@given(st.lists(st.tuples(MINUTES, st.integers(1, 4)), min_size=1, max_size=40))
def test_going_on_from_a_state_gives_what_a_replay_from_the_start_gives(steps):
    standing, rows, at = Standing(), [], START
    for minutes, grade in steps:
        at += timedelta(minutes=minutes, microseconds=1)
        rows.append(LoggedReview(uuid.uuid4(), grade, at))
        standing = advance(standing, rows[-1])
        assert standing == replay(rows, ())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(ACTS, min_size=10, max_size=40), st.booleans(), st.randoms(use_true_random=False))
def test_states_that_go_on_are_those_of_a_replay_whatever_the_order_of_arrival(
    database, acts, is_in_order, draw
):
    """After each request the cache, which went on from what it held, is what all rows add up to."""
    cards, entries, reviews, at = [uuid.uuid4() for _ in range(3)], [], [], START
    for kind, card, minutes, grade, back in acts:
        at += timedelta(minutes=minutes)
        if kind == "review":
            entries.append(review(cards[card], grade, at))
            reviews.append(entries[-1])
        elif kind != "undo":
            entries.append(Entry(uuid.uuid4(), kind, at, card_id=cards[card]))
        elif reviews:
            entries.append(undo(reviews[-1 - back % len(reviews)], at))
    if not is_in_order:
        draw.shuffle(entries)  # an undo that comes before its review is sent again
    learner_id, now = uuid.uuid4(), at + timedelta(days=1)
    with database.writing() as session:
        session.add(Learner(id=learner_id, created_at=START))
    while entries:
        size = draw.randint(1, 6)
        receipt = write(database, learner_id, *entries[:size], now=now)
        assert receipt.stored or receipt.refused
        entries = [
            entry for entry in (*entries[size:], *entries[:size]) if entry.id not in set(receipt.stored)
        ]
        with database.reading() as session:
            assert standings(session, learner_id) == states(database, learner_id)


def test_a_review_that_comes_last_replays_nothing_and_others_replay_so_many_rows(
    database, learner, monkeypatch
):
    """What a request may cost others is bounded, however much somebody has kept."""
    replayed = []

    def counting(reviews, events):
        replayed.append(len(reviews) + len(events))
        return replay(reviews, events)

    monkeypatch.setattr("slopewise.site.scheduling.states.replay", counting)
    monkeypatch.setattr("slopewise.site.scheduling.log.MOST_REPLAYED", 25)
    cards, late = [uuid.uuid4() for _ in range(6)], START + timedelta(days=9)
    for day in range(9):
        at = START + timedelta(days=day)
        write(database, learner, *(review(card, at=at) for card in cards), now=late)
    assert replayed == []
    waiting = [review(card, "again", START + timedelta(hours=1)) for card in cards]
    while waiting:
        receipt = write(database, learner, *waiting, now=late)
        assert len(receipt.stored) == 2  # each card has nine entries, and twice ten is within the bound
        assert receipt.refused == {}
        assert sum(replayed) <= 25
        replayed.clear()
        waiting = waiting[2:]
    with database.reading() as session:
        assert standings(session, learner) == states(database, learner)


def test_a_day_takes_so_many_entries_and_the_rest_waits_for_the_next(database, learner, monkeypatch):
    monkeypatch.setattr("slopewise.site.scheduling.log.MOST_OF_A_DAY", 3)
    entries = [review(uuid.uuid4()) for _ in range(5)]
    assert write(database, learner, *entries).stored == [entry.id for entry in entries[:3]]
    with pytest.raises(DayFullError, match="3 entries are taken in a day"):
        write(database, learner, *entries[3:])
    assert write(database, learner, *entries).stored == [entry.id for entry in entries[:3]]
    tomorrow = START + timedelta(days=1)
    assert write(database, learner, *entries, now=tomorrow).stored == [entry.id for entry in entries]


def test_the_order_in_which_two_devices_send_does_not_matter(database):
    cards = [uuid.UUID(int=n) for n in range(1, 5)]
    phone = [review(card, "good", START + timedelta(minutes=n)) for n, card in enumerate(cards)]
    laptop = [review(card, "again", START + timedelta(seconds=30 + 60 * n)) for n, card in enumerate(cards)]
    found = []
    for orders in ((phone, laptop), (laptop, phone)):
        learner_id = uuid.uuid4()
        with database.writing() as session:
            session.add(Learner(id=learner_id, created_at=START))
        copies = [
            [Entry(uuid.uuid5(learner_id, str(e.id)), e.kind, e.at, e.card_id, None, e.grade) for e in part]
            for part in orders
        ]
        for part in copies:
            write(database, learner_id, *part, now=START + timedelta(hours=1))
        found.append(
            {
                card: (s.stability, s.difficulty, s.reviews, s.last_at)
                for card, s in states(database, learner_id).items()
            }
        )
    assert found[0] == found[1]
    assert all(state[2] == 2 for state in found[0].values())


def test_an_entry_sent_again_is_stored_once_and_said_to_be_stored(database, learner):
    entry = review(uuid.uuid4())
    assert [write(database, learner, entry, entry).stored for _ in range(3)] == [[entry.id, entry.id]] * 3
    with database.reading() as session:
        assert len(list(session.scalars(select(Review)))) == 1


def test_a_bad_entry_does_not_hold_up_the_others_and_is_named(database, learner):
    good, grade = review(uuid.uuid4()), review(uuid.uuid4(), "perfect")
    missing = Entry(uuid.uuid4(), "undo", START, review_id=uuid.uuid4())
    kind = Entry(uuid.uuid4(), "burn", START, card_id=uuid.uuid4())
    old = review(uuid.uuid4(), at=datetime(1, 1, 1, tzinfo=UTC))
    receipt = write(database, learner, grade, missing, kind, old, good)
    assert receipt.stored == [good.id]
    assert set(receipt.refused) == {grade.id, missing.id, kind.id, old.id}
    assert "again, hard, good, easy" in receipt.refused[grade.id]


def test_a_card_that_there_is_not_is_refused(database, learner):
    known, unknown = review(uuid.uuid4()), review(uuid.uuid4())
    with database.writing() as session:
        receipt = append(session, learner, [known, unknown], START, known={known.card_id})
    assert receipt.stored == [known.id]
    assert receipt.refused == {unknown.id: "there is no such card"}


def test_nobody_can_make_one_card_endlessly_long(database, learner, monkeypatch):
    monkeypatch.setattr("slopewise.site.scheduling.log.MOST_OF_A_CARD", 3)
    card = uuid.uuid4()
    entries = [review(card, at=START - timedelta(days=n)) for n in range(4)]
    receipt = write(database, learner, *entries)
    assert receipt.stored == [entry.id for entry in entries[:3]]
    assert write(database, learner, entries[0]).stored == [entries[0].id]


def test_nobody_reaches_the_reviews_of_another(database, learner):
    other, mine = uuid.uuid4(), review(uuid.uuid4())
    with database.writing() as session:
        session.add(Learner(id=other, created_at=START))
    write(database, learner, mine)
    receipt = write(database, other, mine, undo(mine))
    assert receipt.stored == []
    assert states(database, learner)[mine.card_id].reviews == 1


def test_an_undo_takes_a_review_back_and_leaves_it_in_the_log(database, learner):
    card = uuid.uuid4()
    first = review(card, "good", START)
    second = review(card, "again", START + timedelta(minutes=15))
    write(database, learner, first, now=first.at)
    before = states(database, learner)
    write(database, learner, second, now=second.at)
    with database.reading() as session:
        assert last_review(session, learner).id == second.id
    write(database, learner, undo(second, second.at), now=second.at)
    assert states(database, learner) == before
    with database.reading() as session:
        assert last_review(session, learner).id == first.id
        assert len(list(session.scalars(select(Review)))) == 2
        assert len(list(session.scalars(select(CardEvent)))) == 1


def test_a_card_that_rests_is_not_shown_until_it_is_woken(database, learner):
    card = uuid.uuid4()
    assert queue(database, learner, [card]).cards == (card,)
    write(database, learner, Entry(uuid.uuid4(), "suspend", START, card_id=card))
    assert queue(database, learner, [card]).cards == ()
    later = START + timedelta(hours=1)
    write(database, learner, Entry(uuid.uuid4(), "resume", later, card_id=card), now=later)
    assert queue(database, learner, [card], now=later).cards == (card,)
    later += timedelta(minutes=1)
    rest = Entry(uuid.uuid4(), "suspend", later, card_id=card)
    write(database, learner, review(card, "easy", later), rest, now=later)
    due = later + timedelta(days=40)
    asleep = queue(database, learner, [card], now=due)
    assert (asleep.cards, asleep.next_at, asleep.resting) == ((), None, 1)
    write(database, learner, Entry(uuid.uuid4(), "resume", due, card_id=card), now=due)
    assert queue(database, learner, [card], now=due).cards == (card,)


def test_a_clock_that_is_wrong_is_set_right_and_the_future_is_not_believed(database, learner):
    card, hour = uuid.uuid4(), timedelta(hours=1)
    write(database, learner, review(card, at=START + 5 * hour), now=START, sent_at=START + 6 * hour)
    assert states(database, learner)[card].last_at == START - hour
    other = uuid.uuid4()
    write(database, learner, review(other, at=START + 5 * hour), now=START)
    assert states(database, learner)[other].last_at == START


def test_the_queue_brings_steps_first_then_days_then_new_cards_in_order(database, learner):
    cards = [uuid.UUID(int=n) for n in range(1, 8)]
    yesterday = START - timedelta(days=1)
    write(database, learner, review(cards[4], "easy", START - timedelta(days=40)), now=yesterday)
    write(database, learner, review(cards[5], "again", START - timedelta(minutes=5)), now=START)
    found = queue(database, learner, cards, new_per_day=3)
    assert found.cards == (cards[5], cards[4], cards[0], cards[1])  # one of the three new was begun today
    assert (found.due, found.new) == (2, 2)


def test_a_card_of_days_is_due_from_the_beginning_of_its_day(database, learner):
    card = uuid.UUID(int=1)
    late = datetime(2026, 3, 1, 23, tzinfo=UTC)
    write(database, learner, review(card, "good", late), now=late)
    write(
        database,
        learner,
        review(card, "good", late + timedelta(minutes=15)),
        now=late + timedelta(minutes=15),
    )
    due = states(database, learner)[card].due_at
    day = UTC_DAYS.start_of(UTC_DAYS.day_of(due))
    assert day < due
    assert queue(database, learner, [card], now=day).cards == (card,)
    before = queue(database, learner, [card], now=day - timedelta(seconds=1))
    assert before.cards == ()
    assert before.next_at == due


def test_new_cards_of_a_day_are_counted_in_the_time_zone_of_the_learner(database, learner):
    """At 18:30 UTC it is 03:30 in Tokyo: still the day before, until 04:00 there."""
    cards = [uuid.UUID(int=n) for n in range(1, 6)]
    tokyo = Calendar("Asia/Tokyo", 4)
    at = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
    write(database, learner, review(cards[0], "easy", at), now=at)
    assert queue(database, learner, cards, at, 1, tokyo).new == 0
    assert queue(database, learner, cards, at + timedelta(minutes=30), 1, tokyo).new == 1


def test_steps_of_minutes_are_shown_early_rather_than_keep_somebody_waiting(database, learner):
    card = uuid.UUID(int=1)
    write(database, learner, review(card, "good"))
    assert queue(database, learner, [card]).cards == (card,)
    assert queue(database, learner, [card, uuid.UUID(int=2)]).cards == (uuid.UUID(int=2),)
    last_minute = UTC_DAYS.end_of(UTC_DAYS.day_of(START)) - timedelta(minutes=1)
    late = uuid.UUID(int=3)  # due when the next day has begun
    write(database, learner, review(late, "good", last_minute), now=last_minute)
    assert queue(database, learner, [late], now=last_minute).cards == (late,)


def test_intervals_are_spread_alike_for_the_same_review_and_unlike_for_others():
    ids = [uuid.UUID(int=n << 64 | n) for n in range(1, 200)]
    found = [spread(30, review_id) for review_id in ids]
    assert found == [spread(30, review_id) for review_id in ids]
    assert min(found) >= 26
    assert max(found) <= 34
    assert len(set(found)) >= 6
    assert abs(sum(found) / len(found) - 30) < 0.5
