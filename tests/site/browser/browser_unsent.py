"""Answers that the site does not take just now: what the page of the cards says, and what becomes of them."""

import json
import re

import pytest


@pytest.fixture
def reviewer(reader, page):
    """Somebody with the cards of the day before them."""
    reader.sign_up()
    reader.open_review()
    reader.watch.expected = ["the server responded with a status of"]
    return reader


def refuse(page, status, headers=None):
    """Answer the log with an error; return the list of what was sent meanwhile."""
    sent = []

    def answer(route):
        sent.append(route.request.post_data_json)
        text = json.dumps({"error": "no"})
        route.fulfill(status=status, body=text, content_type="application/json", headers=headers or {})

    page.route("**/api/log", answer)
    return sent


def grade(page, key="3"):
    page.keyboard.press("Space")
    page.keyboard.press(key)


def told(page):
    page.wait_for_selector("[data-told]:not([hidden])")
    return page.inner_text("[data-told]")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_site_is_called_busy_and_asked_again_when_it_says(reviewer, page, status, violations):
    sent = refuse(page, status, {"Retry-After": "3"})
    grade(page)
    assert re.fullmatch(
        r"The site is busy\. One answer is kept in this browser, and sent again in [23] seconds\.", told(page)
    )
    grade(page)
    page.wait_for_function(
        "() => document.querySelector('[data-told]').textContent.includes('2 answers are kept')"
    )
    assert violations(page) == []
    assert reviewer.fits()
    assert len(sent) == 1  # nothing more is sent before the time
    page.unroute("**/api/log")
    reviewer.wait_until_sent()
    page.wait_for_selector("[data-told]", state="hidden")
    assert [review["grade"] for review in reviewer.exported()["reviews"]] == ["good", "good"]


def test_an_answer_of_a_page_that_is_out_of_date_is_sent_by_the_next(reviewer, page):
    refuse(page, 403)
    grade(page, "1")
    assert told(page) == (
        "This page is out of date: load it again. One answer is kept in this browser, and sent then."
    )
    page.unroute("**/api/log")
    page.reload()
    reviewer.wait_until_sent()
    assert [review["grade"] for review in reviewer.exported()["reviews"]] == ["again"]


def test_an_answer_after_the_session_has_ended_waits_for_the_next_log_in(reviewer, page):
    cookies = page.context.cookies()
    page.context.clear_cookies()
    grade(page, "4")
    assert told(page) == (
        "You are logged out. One answer is kept in this browser, and sent when you log in again."
    )
    page.context.add_cookies(cookies)
    page.reload()
    reviewer.wait_until_sent()
    assert [review["grade"] for review in reviewer.exported()["reviews"]] == ["easy"]


def test_the_last_card_at_hand_is_followed_by_others_once_the_site_has_time_again(reviewer, page):
    queue = page.evaluate("fetch('/api/queue').then((answer) => answer.json())")
    page.route("**/api/queue*", lambda route: route.fulfill(json=queue | {"cards": queue["cards"][:1]}))
    reviewer.open_review()
    page.unroute("**/api/queue*")
    refuse(page, 429, {"Retry-After": "1"})
    grade(page)
    assert "sent again in a moment" in told(page)
    assert page.locator("[data-place] [data-card]").count() == 0
    page.unroute("**/api/log")
    page.wait_for_function(
        "first => [...document.querySelectorAll('[data-place] [data-card]')].some("
        "(card) => card.dataset.card != first)",
        arg=queue["cards"][0]["card"],
    )
    page.wait_for_selector("[data-told]", state="hidden")
