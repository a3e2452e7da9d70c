"""The page of progress: in an account by the server alone, without one from what a browser sends."""

import csv
import html
import io
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest


def review(card, grade="good", days_ago=0.0):
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    return {"id": str(uuid.uuid4()), "kind": "review", "card": str(card), "grade": grade, "at": at}


def answers(course, slug, is_right=True):
    """Return items that answer all questions of a lesson."""
    questions = course.entry(slug).outline.question_outlines
    return [
        {
            "kind": "answer",
            "item": question.item,
            "value": question.answer if is_right else (question.answer + 1) % question.choices,
            "at": datetime.now(UTC).isoformat(),
        }
        for question in questions
    ]


def why(text):
    return html.unescape(re.search(r'<p class="why">(.*?)</p>', text, re.DOTALL)[1])


def figures(text):
    found = re.findall(r"<dt>([^<]+)</dt><dd>\s*([^\s<]+)", text)
    return dict(found)


def test_hub_and_progress_say_what_comes_next_and_why(browser, course):
    somebody = browser().sign_up()
    for page in ("/", "/progress"):
        assert "Nothing is known of you yet" in why(somebody.get(page).text)
    somebody.send("/api/progress", {"items": answers(course, "training")})
    text = somebody.get("/progress").text
    assert figures(text)["Lessons done"] == "1"
    assert "finding and estimating a derivative" in why(text)
    assert 'href="/lessons/gradient-and-derivative"' in text
    somebody.send("/api/progress", {"items": answers(course, "backpropagation", is_right=False)})
    reason = why(somebody.get("/progress").text)
    assert reason == why(somebody.get("/").text)
    assert "which rests on “finding and estimating a derivative”" in reason


def test_cards_that_were_forgotten_are_what_comes_next(browser, course, clock):
    somebody = browser().sign_up()
    somebody.send("/api/progress", {"items": answers(course, "training")})
    cards = course.entry("gradient-and-derivative").outline.cards
    entries = [review(card, "easy", days_ago=200) for card in cards]
    entries += [review(card, "again", days_ago=1) for card in cards]
    somebody.send("/api/log", {"entries": entries})
    text = somebody.get("/progress").text
    assert why(text).startswith("You are forgetting cards on “finding and estimating a derivative”")
    assert 'href="/review?deck=gradient-and-derivative"' in text
    assert figures(text)["To repeat today"] == str(len(cards))


def test_retention_is_what_was_recalled_beside_what_was_predicted(browser, course):
    somebody = browser().sign_up()
    cards = course.entry("training").outline.cards[:4]
    entries = [review(card, "easy", days_ago=40) for card in cards]
    entries += [review(card, "good", days_ago=20) for card in cards[:3]]
    entries += [review(cards[3], "again", days_ago=20)]
    somebody.send("/api/log", {"entries": entries})
    row = re.search(r"in the last 30 days</th>(.*?)</tr>", somebody.get("/progress").text, re.DOTALL)[1]
    tried, recalled, predicted = re.findall(r"<td>([^<]*)</td>", row)
    assert (tried, recalled) == ("4", "75%")
    assert 50 <= int(predicted.rstrip("%")) <= 95


def test_a_lesson_is_marked_as_done_and_as_not_done(browser):
    somebody = browser().sign_up()
    assert somebody.post("/lessons/batches/done", {"done": "1"}).status_code == 303
    assert figures(somebody.get("/progress").text)["Lessons done"] == "1"
    somebody.post("/lessons/batches/done", {"done": "0"})
    assert figures(somebody.get("/progress").text)["Lessons done"] == "0"
    assert somebody.post("/lessons/nope/done", {"done": "1"}).status_code == 404
    assert browser().post("/lessons/batches/done", {"done": "1"}).status_code == 401


def test_the_hub_goes_on_where_the_learner_was(browser):
    somebody = browser().sign_up()
    last = {"slug": "batches", "title": "x", "address": "/lessons/batches?step=4"}
    item = {"kind": "last", "item": "last", "value": last, "at": datetime.now(UTC).isoformat()}
    somebody.send("/api/progress", {"items": [item]})
    assert 'href="/lessons/batches?step=4" data-resume' in somebody.get("/").text


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/account", 5, None])
def test_the_hub_leads_nowhere_else(browser, address):
    somebody = browser().sign_up()
    item = {"kind": "last", "item": "last", "value": {"slug": "batches", "address": address}}
    somebody.send("/api/progress", {"items": [{**item, "at": datetime.now(UTC).isoformat()}]})
    assert 'href="/lessons/batches" data-resume' in somebody.get("/").text


def overview(somebody, value):
    """Ask as the script does, with the token that it fetches."""
    headers = {"x-form-token": somebody.get("/api/form-token").json()["token"], "accept": "application/json"}
    return somebody.client.post("/api/overview", json=value, headers=headers)


def test_without_an_account_the_browser_sends_what_it_remembers_and_nothing_is_kept(browser, course, site):
    somebody = browser()
    sent = [review(card, "easy", days_ago=3) for card in course.entry("training").outline.cards]
    value = {"items": answers(course, "training"), "reviews": sent, "time_zone": "Europe/Berlin"}
    parts = overview(somebody, value).json()
    assert "finding and estimating a derivative" in why(parts["next"])
    assert figures(parts["overview"])["Lessons done"] == "1"
    assert figures(parts["overview"])["Cards begun"] == str(len(sent))
    with site.app.state.database.engine.connect() as connection:
        for row in sent:
            key = uuid.UUID(row["id"]).hex
            assert connection.exec_driver_sql(f"SELECT 1 FROM reviews WHERE id = '{key}'").first() is None


@pytest.mark.parametrize(
    "value",
    [
        {"items": 1},
        {"items": [{"kind": "x"}]},
        {"reviews": {}},
        {"reviews": [1]},
        {"reviews": [{"grade": "good", "id": "x", "card": "x", "at": "x"}]},
        {"reviews": [{"grade": "perfect"}]},
        {"reviews": [{}] * 3001},
    ],
)
def test_what_makes_no_sense_is_refused(browser, value):
    assert overview(browser(), value).status_code == 400


def test_odd_values_of_known_kinds_say_nothing_and_break_nothing(browser):
    at = datetime.now(UTC).isoformat()
    values = [None, "x", [], {}, {"right": "yes", "choices": 3}, {"ideas": 3}, {"ideas": ["x"]}, 1e9, True]
    items = [
        {"kind": kind, "item": item, "value": value, "at": at}
        for kind in ("answer", "prediction", "prompt", "done", "last", "draft")
        for item in ("gradient-descent/define", "gradient-descent/one-update", "nope", "last")
        for value in values
    ]
    assert overview(browser(), {"items": items, "time_zone": "Nowhere"}).status_code == 200


def test_tables_hold_cards_and_answers(browser, course):
    somebody = browser().sign_up()
    card = course.entry("training").outline.card_outlines[0]
    somebody.send("/api/log", {"entries": [review(card.uuid)]})
    somebody.send("/api/progress", {"items": answers(course, "training")})
    (row,) = csv.DictReader(io.StringIO(somebody.get("/account/cards.csv").text))
    assert (row["card"], row["lesson"], row["reviews"]) == (str(card.uuid), "training", "1")
    rows = list(csv.DictReader(io.StringIO(somebody.get("/account/answers.csv").text)))
    assert {row["is_right"] for row in rows} == {"True"}
    assert browser().get("/account/cards.csv", headers={"accept": "application/json"}).status_code == 401
