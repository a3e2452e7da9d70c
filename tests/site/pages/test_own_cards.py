"""Cards that learners write: shown letter by letter, to their owner alone, and scheduled like all others."""

import re
import uuid

import pytest


def card_ids(somebody):
    return re.findall(r'action="/cards/own/([^"]+)"', somebody.get("/cards/own").text)


def written(browser, front="What is a batch?", back="Some rows."):
    somebody = browser().sign_up()
    assert somebody.post("/cards/own", {"front": front, "back": back}).status_code == 303
    return somebody


def test_an_own_card_is_written_changed_repeated_and_deleted(browser):
    somebody = written(browser)
    (card,) = card_ids(somebody)
    somebody.post(f"/cards/own/{card}", {"action": "save", "front": "What is an epoch?", "back": "All rows."})
    found = somebody.get("/api/queue", params={"deck": "own"}).json()["cards"]
    assert [row["card"] for row in found] == [card]
    assert "What is an epoch?" in found[0]["html"]
    assert "What is an epoch?" in somebody.get("/review?deck=own").text
    entry = {
        "id": str(uuid.uuid4()),
        "kind": "review",
        "card": card,
        "grade": "easy",
        "at": "2026-01-05T12:00:00Z",
    }
    assert somebody.send("/api/log", {"entries": [entry]}).json()["stored"] == [entry["id"]]
    assert somebody.get("/account/export.json").json()["reviews"][0]["front"] == "What is an epoch?"
    assert somebody.post(f"/cards/own/{card}", {"action": "delete"}).status_code == 303
    assert card_ids(somebody) == []
    assert somebody.get("/api/queue", params={"deck": "own"}).json()["cards"] == []
    assert len(somebody.get("/account/export.json").json()["reviews"]) == 1


def test_what_a_learner_writes_is_shown_letter_by_letter(browser):
    hostile = "<script>alert(1)</script> **bold** $\\frac{1}{0}$ [x](javascript:alert(1)) {{ 7 * 7 }}"
    somebody = written(browser, hostile, hostile)
    for text in (
        somebody.get("/cards/own").text,
        somebody.get("/review?deck=own").text,
        somebody.get("/api/queue?deck=own").json()["cards"][0]["html"],
    ):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; **bold** $\\frac{1}{0}$" in text
        assert "{{ 7 * 7 }}" in text


def test_nobody_sees_or_changes_the_card_of_another(browser):
    somebody, other = written(browser, "a secret question", "a secret answer"), browser().sign_up()
    (card,) = card_ids(somebody)
    for action in ("save", "delete"):
        fields = {"action": action, "front": "stolen", "back": "stolen"}
        assert other.post(f"/cards/own/{card}", fields).status_code == 404
        assert browser().post(f"/cards/own/{card}", fields).status_code == 401
    entry = {"id": str(uuid.uuid4()), "kind": "suspend", "card": card, "at": "2026-01-05T12:00:00Z"}
    other.send("/api/log", {"entries": [entry]})
    paths = (
        "/cards/own",
        "/review",
        "/review/resting",
        "/api/queue",
        "/account/export.json",
        "/search?q=secret",
    )
    assert not any("a secret" in other.get(path).text for path in paths)
    assert "a secret question" in somebody.get("/cards/own").text


@pytest.mark.parametrize(("front", "back"), [("", "x"), ("x", " "), ("x" * 501, "x"), ("x", "x" * 2001)])
def test_a_side_that_is_empty_or_too_long_is_refused(browser, front, back):
    somebody = browser().sign_up()
    answer = somebody.post("/cards/own", {"front": front, "back": back})
    assert answer.status_code == 400
    assert "of a card has 1 to" in answer.text
    assert card_ids(somebody) == []
