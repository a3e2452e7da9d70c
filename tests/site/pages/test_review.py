"""The cards of the day and the log, over HTTP."""

import re
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from slopewise.site.storage.tables import Review


def now():
    return datetime.now(UTC).isoformat()


def graded(card, grade="good", **more):
    return {"id": str(uuid.uuid4()), "kind": "review", "card": card, "grade": grade, "at": now(), **more}


def queue(somebody, **query):
    answer = somebody.get("/api/queue", params=query)
    assert answer.status_code == 200
    return answer.json()


def log(somebody, *entries, **more):
    return somebody.send("/api/log", {"entries": list(entries), **more})


def test_a_new_learner_gets_the_first_cards_of_the_course(browser, course):
    found = queue(browser().sign_up())
    assert found["new"] == 20
    assert found["due"] == 0
    assert found["cards"][0]["card"] == str(course.lessons[0].cards[0].uuid)


def test_grading_by_form_works_without_script(browser):
    somebody = browser().sign_up()
    page = somebody.get("/review").text
    card = re.search(r'data-card="([^"]+)"', page)[1]
    entry = re.search(r'name="id" value="([^"]+)"', page)[1]
    fields = {"id": entry, "kind": "review", "card": card, "grade": "good", "deck": ""}
    assert somebody.post("/review", fields, page="/review").headers["location"] == "/review"
    assert somebody.post("/review", fields, page="/review").status_code == 303  # sent twice by a double click
    after = somebody.get("/review").text
    assert re.search(r'data-card="([^"]+)"', after)[1] != card
    assert f'name="review" value="{entry}"' in after
    undo = {"id": str(uuid.uuid4()), "kind": "undo", "review": entry}
    assert somebody.post("/review", undo, page="/review").status_code == 303
    assert re.search(r'data-card="([^"]+)"', somebody.get("/review").text)[1] == card
    rest = {"id": str(uuid.uuid4()), "kind": "suspend", "card": card}
    assert somebody.post("/review", rest, page="/review").status_code == 303
    assert card not in {found["card"] for found in queue(somebody)["cards"]}
    assert "1 card rests" in somebody.get("/review").text
    wake = {"id": str(uuid.uuid4()), "kind": "resume", "card": card}
    assert card in somebody.get("/review/resting").text
    assert somebody.post("/review", wake, page="/review").headers["location"] == "/review/resting"
    assert card not in somebody.get("/review/resting").text
    assert card in {found["card"] for found in queue(somebody)["cards"]}


def test_a_bad_form_is_refused_in_one_sentence(browser):
    somebody = browser().sign_up()
    for change in ({"grade": "perfect"}, {"kind": "burn"}, {"card": "x"}, {"id": ""}):
        fields = {"id": str(uuid.uuid4()), "kind": "review", "card": str(uuid.uuid4()), "grade": "good"}
        answer = somebody.post("/review", {**fields, **change}, page="/review")
        assert answer.status_code == 400
        assert "Nothing was kept" in answer.text


def test_a_card_comes_back_when_it_is_due(browser, clock):
    somebody = browser().sign_up()
    card = queue(somebody)["cards"][0]["card"]
    entry = graded(card, "easy")
    log(somebody, entry)
    assert card not in {found["card"] for found in queue(somebody)["cards"]}
    assert f'name="review" value="{entry["id"]}"' in somebody.get("/review").text
    clock.ahead = timedelta(minutes=61)
    assert 'name="review" value=""' in somebody.get("/review").text  # too late to take it back
    clock.ahead = timedelta(days=20)
    assert queue(somebody)["cards"][0]["card"] == card
    assert queue(somebody)["due"] == 1


def test_a_queue_can_be_of_one_deck(browser, course):
    somebody = browser().sign_up()
    lesson = course.lessons[1]
    found = queue(somebody, deck=lesson.slug)["cards"]
    assert {card["card"] for card in found} <= {str(card.uuid) for card in lesson.cards}
    assert somebody.get("/api/queue", params={"deck": "nope"}).status_code == 404


def test_entries_are_stored_once_and_the_answer_names_each(browser):
    somebody = browser().sign_up()
    cards = [found["card"] for found in queue(somebody)["cards"]]
    good, bad = graded(cards[0]), graded(cards[1], "perfect")
    for _ in range(2):
        answer = log(somebody, good, bad).json()
        assert answer["stored"] == [good["id"]]
        assert [entry["id"] for entry in answer["refused"]] == [bad["id"]]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"entries": {}},
        {"entries": [1]},
        {"entries": [{"id": "x"}]},
        {"entries": [{"id": str(uuid.UUID(int=1)), "at": "yesterday"}]},
        {"entries": [{"id": str(uuid.UUID(int=1)), "at": "2026-01-01T00:00:00"}]},
        {"entries": [{"id": str(uuid.UUID(int=1)), "at": "2026-01-01T00:00:00Z", "kind": ["review"]}]},
        {"entries": [], "sent_at": 5},
        {"entries": [{}] * 501},
    ],
)
def test_what_is_no_log_is_refused_as_a_whole_with_the_place(browser, value):
    answer = browser().sign_up().send("/api/log", value)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Nothing was kept")


def test_two_devices_at_once_lose_nothing(site, browser):
    """Two devices send overlapping parts at the same time, some of them twice; every entry is there once."""
    phone, laptop = browser().sign_up(), browser()
    laptop.log_in(phone.email)
    cards = [found["card"] for found in queue(phone)["cards"]]
    both = [graded(card) for card in cards[:5]]
    own = {device: [graded(card, "hard") for card in cards] for device in (phone, laptop)}
    tokens = {device: device.token("/account") for device in own}
    failures = []

    def send(device):
        entries = own[device] + both
        for start in range(0, len(entries), 5):
            part = entries[start : start + 5]
            for _ in range(2):
                answer = device.client.post(
                    "/api/log", json={"entries": part}, headers={"x-form-token": tokens[device]}
                )
                if answer.status_code != 200 or len(answer.json()["stored"]) != len(part):
                    failures.append(answer.text)

    threads = [threading.Thread(target=send, args=(device,)) for device in own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sent = {uuid.UUID(entry["id"]) for entries in (*own.values(), both) for entry in entries}
    with site.app.state.database.reading() as session:
        stored = [row for row in session.scalars(select(Review.id)) if row in sent]
    assert len(stored) == len(sent) == 45


def test_reviews_made_without_an_account_are_merged_with_their_times(browser):
    somebody = browser().sign_up()
    card = queue(somebody)["cards"][3]["card"]
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    entry = graded(card, "easy", at=before)
    assert log(somebody, entry, sent_at=now()).json()["stored"] == [entry["id"]]
    found = queue(somebody)
    assert found["new"] == 20  # what was begun before today leaves today's new cards alone
    assert card not in {other["card"] for other in found["cards"]}


def test_progress_is_merged_item_by_item_and_the_newest_counts(browser):
    one, other = browser().sign_up(), browser()
    other.log_in(one.email)
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    item = {"kind": "answer", "item": "gradient-descent/q1"}
    one.send("/api/progress", {"items": [{**item, "value": 2, "at": late}]})
    last = {"kind": "last", "item": "last", "value": {"slug": "a"}, "at": early}
    other.send("/api/progress", {"items": [{**item, "value": 1, "at": early}, last]})
    found = {row["kind"]: row["value"] for row in one.get("/api/progress").json()["items"]}
    assert found == {"answer": 2, "last": {"slug": "a"}}
    twice = [
        {**item, "item": "a/b", "value": value, "at": at} for value, at in ((1, early), (2, late), (3, early))
    ]
    one.send("/api/progress", {"items": twice})
    assert one.get("/api/progress").json()["items"][0]["value"] == 2


@pytest.mark.parametrize(
    "change", [{"kind": "x"}, {"item": ""}, {"item": "x" * 121}, {"value": "x" * 5000}, {"at": "now"}]
)
def test_bad_progress_is_refused(browser, change):
    item = {"kind": "draft", "item": "a/b", "value": "text", "at": "2026-01-01T00:00:00Z", **change}
    assert browser().sign_up().send("/api/progress", {"items": [item]}).status_code == 400


def test_the_log_needs_the_token_of_a_page(browser):
    somebody = browser().sign_up()
    answer = somebody.client.post("/api/log", json={"entries": []}, headers={"accept": "application/json"})
    assert answer.status_code == 403


def test_an_id_that_two_learners_send_at_the_same_moment_is_stored_once(site, browser):
    """The ids of entries are made by devices: one that is hostile may send somebody else's."""
    pair = [browser().sign_up() for _ in range(2)]
    cards = [queue(somebody)["cards"][0]["card"] for somebody in pair]
    tokens = [somebody.token("/account") for somebody in pair]
    for _ in range(5):
        entry, answers, together = graded(cards[0]), [None, None], threading.Barrier(2)

        def send(which, entry=entry, answers=answers, together=together):
            together.wait()
            answers[which] = pair[which].client.post(
                "/api/log", json={"entries": [entry]}, headers={"x-form-token": tokens[which]}
            )

        threads = [threading.Thread(target=send, args=(which,)) for which in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200, 200]
        stored = [len(answer.json()["stored"]) for answer in answers]
        assert sorted(stored) == [0, 1]


def test_a_database_that_does_not_answer_is_said_and_tried_again_later(site, browser, monkeypatch):
    somebody = browser().sign_up()

    def fail(*arguments, **options):
        raise OperationalError("SELECT 1", {}, Exception("ada@example.org"))

    monkeypatch.setattr("slopewise.site.pages.review.day_queue", fail)
    answer = somebody.get("/review")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "busy at the moment" in answer.text
    assert "ada@" not in answer.text


def test_a_day_that_is_full_is_said_and_nothing_is_lost(browser, monkeypatch):
    monkeypatch.setattr("slopewise.site.scheduling.log.MOST_OF_A_DAY", 2)
    somebody = browser().sign_up()
    cards = [row["card"] for row in queue(somebody)["cards"][:3]]
    entries = [graded(card) for card in cards]
    assert log(somebody, *entries).json() == {"stored": [row["id"] for row in entries[:2]], "refused": []}
    answer = log(somebody, entries[2])
    assert answer.status_code == 429  # devices keep what was answered so, and send it again
    assert answer.json()["error"].endswith("2 entries are taken in a day. Try again in 24 hours.")
    assert 86_000 < int(answer.headers["retry-after"]) <= 86_400
