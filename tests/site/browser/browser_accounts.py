"""Accounts and the cards of the day in a real browser: what script does, and what a browser refuses.

Not collected by default: `make test-site` runs files of this name.
"""

import uuid

import pytest
from site_visitors import PASSWORD


def waiting(page):
    return page.evaluate("Object.keys(localStorage).filter((key) => key.includes('outbox')).length")


def card(page):
    return page.get_attribute("[data-place] [data-card]", "data-card")


def grade(page, key):
    """Turn the card and grade it with the keyboard; wait for the next."""
    before = card(page)
    page.keyboard.press(" ")
    page.keyboard.press(key)
    page.wait_for_function(
        "before => document.querySelector('[data-place] [data-card]')?.dataset.card != before", arg=before
    )


def test_what_was_done_without_an_account_is_merged_at_sign_up(reader, page):
    reader.open("/cards/gradient-descent")
    for key in (" ", "3", " ", "1"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
    reader.open("/lessons/gradient-descent")
    page.check("[data-question] input >> nth=0")
    page.click("[data-question] summary >> nth=0")
    page.wait_for_function("() => localStorage['slopewise.answers']")
    reader.sign_up()
    page.wait_for_function(
        "() => document.querySelector('[data-merge-text]').textContent.includes('now belong')"
    )
    assert page.input_value("#time_zone") == "Europe/Berlin"
    reader.wait_until_sent()
    kept = reader.exported()
    assert [review["grade"] for review in kept["reviews"]] == ["good", "again"]
    assert {row["kind"] for row in kept["progress"]} == {"answer", "last"}
    assert page.evaluate("localStorage['slopewise.reviews']") is None
    assert reader.fits()


def test_whoever_only_read_goes_on_there_after_sign_up(reader, page):
    reader.open("/lessons/batches")
    with page.expect_response("**/api/progress"):
        reader.sign_up()
    reader.open("/")
    assert page.get_attribute("[data-resume]", "href") == "/lessons/batches"
    assert [row["value"]["slug"] for row in reader.exported()["progress"]] == ["batches"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            {"status": 503, "headers": {"Retry-After": "300"}},
            "The site is busy. Nothing is lost: try again in 5 minutes.",
        ),
        ({"status": 401}, "You are logged out. Nothing is lost: log in again, then add it."),
        ({"status": 403}, "This page is out of date. Nothing is lost: load it again, then add it."),
        ({"status": 400}, "The site refused what was sent. It is still in this browser"),
        (None, "No connection. Nothing is lost: try again once it is back."),
    ],
)
def test_what_was_not_merged_says_why_and_can_be_added_later(reader, page, answer, says):
    reader.watch.expected = ["the server responded with a status of", "ERR_FAILED"]
    reader.sign_up()
    review = {"id": str(uuid.uuid4()), "card": "none", "grade": "good", "at": "2026-03-01T12:00:00Z"}
    page.evaluate("review => localStorage['slopewise.reviews'] = JSON.stringify([review])", review)
    page.route(
        "**/api/progress",
        lambda route: route.fulfill(json={"error": "no"}, **answer) if answer else route.abort(),
    )
    reader.open("/account")
    page.click("[data-merge-add]")
    page.wait_for_function(
        "says => document.querySelector('[data-merge-text]').textContent.startsWith(says)", arg=says
    )
    assert page.is_visible("[data-merge-add]")
    assert page.evaluate("JSON.parse(localStorage['slopewise.reviews']).length") == 1


def test_the_cards_of_the_day_are_graded_undone_and_laid_to_rest_with_the_keyboard(reader, page):
    reader.sign_up()
    assert reader.open_review()["left"] == "20 new"
    first = card(page)
    grade(page, "3")
    page.keyboard.press("u")
    page.wait_for_function(
        "first => document.querySelector('[data-place] [data-card]').dataset.card == first", arg=first
    )
    page.keyboard.press("s")
    page.wait_for_function(
        "first => document.querySelector('[data-place] [data-card]').dataset.card != first", arg=first
    )
    reader.wait_until_sent()
    assert [event["kind"] for event in reader.exported()["events"]] == ["undo", "suspend"]
    assert reader.fits()


def test_grades_given_offline_are_kept_and_sent_once_the_network_is_back(reader, page):
    reader.sign_up()
    assert reader.open_review()["left"] == "20 new"
    reader.watch.expected = ["ERR_INTERNET_DISCONNECTED"]
    page.context.set_offline(True)
    for key in "34":
        grade(page, key)
    page.wait_for_selector("[data-told]:not([hidden])")
    assert "2 answers are kept in this browser" in page.inner_text("[data-told]")
    assert waiting(page) == 2
    page.context.set_offline(False)
    reader.wait_until_sent()
    assert sorted(review["grade"] for review in reader.exported()["reviews"]) == ["easy", "good"]


def test_the_last_card_of_a_day_is_followed_by_word_that_it_was_the_last(reader, page):
    reader.sign_up()
    page.fill("#new_per_day", "2")
    page.click("main form >> nth=0 >> button")
    page.wait_for_url("**/account?done=settings")
    assert reader.open_review()["left"] == "2 new"
    grade(page, "4")
    grade(page, "4")
    page.wait_for_selector(".done")
    assert "Done for now" in page.inner_text(".done")
    assert len(reader.exported()["reviews"]) == 2


def test_nothing_of_a_learner_stays_in_the_browser_after_log_out(reader, page):
    email = reader.sign_up()
    reader.open("/lessons/gradient-descent")
    page.check("[data-question] input >> nth=0")
    page.click("[data-question] summary >> nth=0")
    page.wait_for_timeout(300)
    reader.open("/account")
    page.click("main [data-log-out] button >> nth=0")
    page.wait_for_url(f"{reader.served.address}/")
    assert page.evaluate("Object.keys(localStorage)") == []
    reader.open("/log-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/account")
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.endsWith('.answers'))")
