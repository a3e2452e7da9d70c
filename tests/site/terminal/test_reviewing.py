"""Reviewing against the site behind a socket: nothing is lost, whatever network and other devices do."""

import io
import json
import os
import re
import stat
import threading
import time
import uuid
from urllib.error import HTTPError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import DataError
from slopewise.site.terminal.connection import Connection, RefusedTokenError, SiteError, UnreachableError
from slopewise.site.terminal.device import Device, Outbox
from slopewise.site.terminal.reviewing import begin, flush, read_day

SECONDS = 20


def reviews(somebody):
    """Return what the log holds, as the learner's export says."""
    return somebody.get("/account/export.json").json()["reviews"]


def start(device, connection, somebody):
    return begin(device, connection, somebody.card_token)


def test_grades_come_to_the_log_and_cards_come_back_by_the_site_s_schedule(device, connect, somebody):
    review = start(device, connect(), somebody)
    assert len(review.cards) == 20
    first, second = review.cards[0].card, review.cards[1].card
    review.grade("easy")
    review.grade("again")
    assert review.sender.settle(SECONDS)
    assert [(row["card"], row["grade"]) for row in reviews(somebody)] == [(first, "easy"), (second, "again")]
    assert review.ask_again(SECONDS)
    at_hand = [card.card for card in review.cards]
    assert at_hand == [card["card"] for card in somebody.get("/api/queue").json()["cards"]]
    assert first not in at_hand
    review.sender.close()


def test_an_undo_shows_the_card_again_and_takes_the_review_back(device, connect, somebody):
    review = start(device, connect(), somebody)
    assert not review.can_undo
    first, second = review.cards[:2]
    review.grade("good")
    review.rest()
    assert review.undo()
    assert review.cards[0] == second
    assert review.undo()
    assert review.cards[:2] == [first, second]
    assert review.done == 0
    assert not review.can_undo
    assert review.sender.settle(SECONDS)
    assert [row["taken_back"] for row in reviews(somebody)] == [True]
    assert first.card == somebody.get("/api/queue").json()["cards"][0]["card"]
    assert second.card == somebody.get("/api/queue").json()["cards"][1]["card"]
    review.sender.close()


def test_the_last_grade_of_an_earlier_time_can_be_taken_back(device, connect, somebody):
    earlier = start(device, connect(), somebody)
    card = earlier.cards[0].card
    earlier.grade("easy")
    assert earlier.sender.settle(SECONDS)
    later = start(device, connect(), somebody)
    assert later.cards[0].card != card
    assert not later.undo()
    assert later.ask_again(SECONDS)
    assert later.cards[0].card == card
    for review in (earlier, later):
        review.sender.close()


def test_a_card_that_rests_comes_no_more(device, connect, somebody):
    review = start(device, connect(), somebody)
    card = review.cards[0].card
    review.rest()
    assert review.ask_again(SECONDS)
    assert card not in {shown.card for shown in review.cards}
    assert review.day.resting == 1
    review.sender.close()


class LosesAnswers(Connection):
    """The site stores what comes, and its answers get lost."""

    is_losing, sent = True, 0

    def send(self, message):
        answer = super().send(message)
        self.sent += 1
        if self.is_losing:
            raise UnreachableError("the answer was lost")
        return answer


def test_what_is_sent_again_is_stored_once(device, connect, somebody):
    review = start(device, connect(LosesAnswers), somebody)
    review.grade("good")
    for _ in range(3):
        assert not review.sender.settle(SECONDS)
        assert len(review.sender.outbox) == 1
        assert isinstance(review.sender.problem, UnreachableError)
    review.sender.connection.is_losing = False
    assert review.sender.settle(SECONDS)
    assert review.sender.problem is None
    assert review.sender.connection.sent >= 4
    assert len(reviews(somebody)) == 1
    review.sender.close()


def test_a_site_that_is_busy_is_left_alone_for_as_long_as_it_asks(device, connect, somebody, monkeypatch):
    """Grades go on meanwhile; when the time is over all are sent, without another key."""
    monkeypatch.setattr("slopewise.site.terminal.connection.LONGEST_PAUSE", 0.5)
    review = start(device, connect(), somebody)
    asked, connection = [], review.sender.connection
    opened = connection._opener.open

    def busy(request, timeout):
        asked.append(request.full_url)
        raise HTTPError(request.full_url, 429, "x", {"Retry-After": "40"}, io.BytesIO(b"{}"))

    monkeypatch.setattr(connection._opener, "open", busy)
    for grade in ("good", "easy", "again"):
        review.grade(grade)
        assert not review.sender.settle(SECONDS)
    assert "is busy (429)" in str(review.sender.problem)
    assert not review.ask_again(SECONDS)
    assert len(asked) == 1
    monkeypatch.setattr(connection._opener, "open", opened)
    until = time.monotonic() + SECONDS
    while len(review.sender.outbox):
        assert time.monotonic() < until, "nothing is sent when the time is over"
        time.sleep(0.02)
    assert [row["grade"] for row in reviews(somebody)] == ["good", "easy", "again"]
    review.sender.close()


def test_without_a_connection_the_cards_at_hand_go_on_and_all_is_sent_later(device, connect, live, somebody):
    fetched = start(device, connect(), somebody)
    fetched.sender.close()
    live.stop()
    review = start(device, connect(), somebody)
    assert "cannot be reached" in review.offline
    assert review.cards == fetched.cards
    cards = [card.card for card in review.cards[:3]]
    for grade in ("good", "hard", "again"):
        review.grade(grade)
    assert review.undo()
    assert not review.ask_again(SECONDS)
    review.sender.close()
    again = start(device, connect(), somebody)  # another start, still without a connection
    assert [card.card for card in again.cards][:1] == cards[2:]
    assert len(again.sender.outbox) == 4
    again.sender.close()
    live.start()
    back = start(device, connect(), somebody)
    assert back.offline == ""
    assert len(back.sender.outbox) == 0
    kept = [(row["card"], row["grade"], row["taken_back"]) for row in reviews(somebody)]
    assert kept == [(cards[0], "good", False), (cards[1], "hard", False), (cards[2], "again", True)]
    back.sender.close()


def test_two_devices_at_once_lose_nothing(tmp_path, live, connect, somebody):
    """Three terminals, two of them on one device, grade the same cards at the same time."""
    devices = [Device(tmp_path / name, live.address) for name in ("laptop", "laptop", "tower")]
    under_way = [start(device, connect(), somebody) for device in devices]
    barrier, made = threading.Barrier(3), []

    def work(review):
        barrier.wait()
        for _ in range(6):
            made.append((review.cards[0].card, "good"))
            review.grade("good")
        assert review.sender.settle(SECONDS)

    threads = [threading.Thread(target=work, args=(review,)) for review in under_way]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for review in under_way:
        assert review.sender.settle(SECONDS)
        review.sender.close()
    assert sorted((row["card"], row["grade"]) for row in reviews(somebody)) == sorted(made)
    assert len(made) == 18


def test_a_revoked_token_keeps_answers_and_forgets_texts(device, connect, live, somebody, browser):
    review = start(device, connect(), somebody)
    review.grade("good")
    review.sender.settle(SECONDS)
    somebody.post("/log-out-everywhere")
    review.grade("easy")
    assert not review.sender.settle(SECONDS)
    assert isinstance(review.sender.problem, RefusedTokenError)
    review.sender.close()
    shelf = device.shelf(review.day.learner)
    with pytest.raises(RefusedTokenError, match="log-in"):
        start(device, connect(), somebody)
    assert shelf.cards() is None
    assert len(shelf.outbox) == 1
    again = browser()
    again.log_in(somebody.email)
    again.card_token = somebody.card_token = new_token_of(again)
    back = start(device, connect(), again)
    assert [row["grade"] for row in reviews(again)] == ["good", "easy"]
    back.sender.close()


def new_token_of(learner):
    page = learner.post("/account/tokens", {"name": "anew"}).text
    return re.search(r"slopewise-cards-[\w-]{43}", page)[0]


def test_answers_are_sent_for_whoever_gave_them_alone(device, connect, live, somebody, browser):
    mine = start(device, connect(), somebody)
    mine.sender.close()
    live.stop()
    mine = start(device, connect(), somebody)
    mine.grade("good")
    mine.sender.close()
    live.start()
    other = browser().sign_up()
    other.card_token = new_token_of(other)
    theirs = begin(device, Connection(live.address, other.card_token), other.card_token)
    assert theirs.sender.settle(SECONDS)
    assert reviews(other) == []
    assert device.left_by_others(theirs.day.learner) == 1
    assert device.left_by_others(mine.day.learner) == 0
    theirs.sender.close()


def test_a_refused_entry_is_told_and_does_not_hold_up_others(device, connect, somebody):
    review = start(device, connect(), somebody)
    at = "2026-01-05T12:00:00.000000+00:00"
    gone = {"id": str(uuid.uuid4()), "kind": "review", "card": str(uuid.uuid4()), "grade": "good", "at": at}
    review.sender.outbox.add(gone)
    review.grade("good")
    assert review.sender.settle(SECONDS)
    assert review.sender.refused == ["there is no such card"]
    assert len(reviews(somebody)) == 1
    review.sender.close()


class Silent(Connection):
    """Answers without a word on the entries."""

    def send(self, message):
        return {"stored": [], "refused": []}


class Strange(Connection):
    """Answers something else."""

    def send(self, message):
        return {"stored": 5}


@pytest.mark.parametrize("kind", [Silent, Strange])
def test_an_answer_that_settles_nothing_ends_the_sending(device, connect, somebody, kind):
    outbox = device.shelf(str(uuid.uuid4())).outbox
    outbox.add({"id": str(uuid.uuid4()), "kind": "suspend", "at": "2026-01-05T12:00:00+00:00"})
    with pytest.raises(SiteError, match="kept"):
        flush(connect(kind), outbox)
    assert len(outbox) == 1


def test_files_are_their_user_s_alone_and_whole(device, connect, somebody):
    device.keep_token(somebody.card_token)
    review = start(device, connect(), somebody)
    review.sender.close()
    review.sender.outbox.add({"id": str(uuid.uuid4()), "kind": "suspend", "at": "2026-01-05T12:00:00+00:00"})
    files = [file for file in device.path.rglob("*") if file.is_file()]
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not [file for file in files if somebody.card_token in file.read_text() and file.name != "token"]
    os.chmod(device.path / "token", 0o644)
    with pytest.raises(DataError, match="others can read"):
        device.token()


def test_a_write_that_fails_leaves_what_was_there(device, connect, somebody, monkeypatch):
    review = start(device, connect(), somebody)
    review.sender.close()
    shelf = device.shelf(review.day.learner)
    before = shelf.cards()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="No space left on device"):
        shelf.keep_cards({})
    with pytest.raises(DataError, match="No space left on device"):
        review.grade("good")
    assert review.cards[0].card == before["cards"][0]["card"]
    assert shelf.cards() == before
    assert [file.name for file in device.path.rglob(".*")] == []


def test_a_damaged_entry_is_named_and_a_damaged_copy_of_the_cards_is_fetched_anew(device, connect, somebody):
    review = start(device, connect(), somebody)
    review.sender.close()
    shelf = device.shelf(review.day.learner)
    (device.path / review.day.learner / "cards.json").write_text("{torn")
    assert shelf.cards() is None
    start(device, connect(), somebody).sender.close()
    assert len(shelf.cards()["cards"]) == 20
    shelf.outbox.path.mkdir(exist_ok=True)
    (shelf.outbox.path / "20260105T120000-x.json").write_text("{torn")
    with pytest.raises(DataError, match=r"20260105T120000-x\.json is damaged"):
        start(device, connect(), somebody)


@given(st.lists(st.tuples(st.datetimes(), st.uuids()), max_size=6, unique_by=lambda pair: pair[1]))
def test_entries_leave_the_outbox_in_the_order_in_which_they_were_made(tmp_path_factory, made):
    outbox = Outbox(tmp_path_factory.mktemp("outbox"))
    rows = [
        {"id": str(one), "kind": "review", "at": at.isoformat(timespec="microseconds") + "+00:00"}
        for at, one in made
    ]
    for row in rows:
        outbox.add(row)
    assert [row["at"] for row in outbox.entries()] == sorted(row["at"] for row in rows)
    outbox.forget([row["id"] for row in rows[:2]])
    assert len(outbox) == len(rows[2:])


def test_cards_that_cannot_be_read_are_refused_in_a_line(connect):
    whole = connect().queue()
    assert json.loads(json.dumps(whole))["format"] == 1
    for change in (
        {"cards": 5},
        {"cards": [{}]},
        {"cards": [{**whole["cards"][0], "card": "../../x"}]},
        {"learner": "../.."},
        {"due": "many"},
        {"next_at": 7},
        {"now": None},
    ):
        with pytest.raises(SiteError, match="cannot be read"):
            read_day({**whole, **change})
