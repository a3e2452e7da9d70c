"""Accounts and the cards of the day in a real browser: what script does, and what a browser refuses.

Not collected by default: `make test-site` runs files of this name.
"""

import itertools
import re
import shutil
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LOOKS = [(1280, 900, "light"), (375, 800, "dark")]
EXPECTED = ("ERR_INTERNET_DISCONNECTED", "410 (Gone)")  # a test goes offline; another opens a spent link
PASSWORD = "correct horse battery staple"
NUMBERS = itertools.count(1)


class Mailbox:
    """Keeps the texts of mails."""

    reaches_users = True

    def __init__(self):
        self.texts = []

    def send(self, to, subject, text):
        self.texts.append(text)


@pytest.fixture(scope="module")
def mailbox():
    return Mailbox()


@pytest.fixture(scope="module")
def address(tmp_path_factory, mailbox):
    """The address of a site that is being served."""
    database = tmp_path_factory.mktemp("site") / "site.db"
    configuration = Configuration(database=f"sqlite:///{database}", password_cost=PasswordCost(1, 8, 1))
    server = uvicorn.Server(
        uvicorn.Config(create_app(configuration, mailer=mailbox), port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[2]}")
def page(request, browser, address):
    """A page that fails the test on a complaint of the browser, or a request that leaves the site."""
    width, height, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="Europe/Berlin"
    )
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith(address) else complaints.append(sent.url))
    yield page
    context.close()
    assert [text for text in complaints if not any(known in text for known in EXPECTED)] == []


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def sign_up(page, address, mailbox):
    """Make an account as a person would, and return its address."""
    email = f"learner{next(NUMBERS)}@example.org"
    page.goto(f"{address}/sign-up")
    page.fill("#email", email)
    before = len(mailbox.texts)
    page.click("main button")
    while len(mailbox.texts) == before:
        page.wait_for_timeout(20)
    page.goto(address + re.search(r"/sign-up/\S+", mailbox.texts[-1])[0])
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/account*")
    return email


def exported(page):
    return page.evaluate("fetch('/account/export.json').then((answer) => answer.json())")


def open_review(page, address, left):
    """Open the cards of the day, and wait until the browser holds them all."""
    with page.expect_response("**/api/queue*") as queue:
        page.goto(f"{address}/review")
    assert queue.value.json()["left"] == left
    page.wait_for_function("() => document.readyState == 'complete'")
    page.wait_for_timeout(50)


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


def test_what_was_done_without_an_account_is_merged_at_sign_up(page, address, mailbox):
    page.goto(f"{address}/cards/gradient-descent")
    for key in (" ", "3", " ", "1"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
    page.goto(f"{address}/lessons/gradient-descent")
    page.check("[data-question] input >> nth=0")
    page.click("[data-question] summary >> nth=0")
    page.wait_for_function("() => localStorage['slopewise.answers']")
    sign_up(page, address, mailbox)
    page.wait_for_function(
        "() => document.querySelector('[data-merge-text]').textContent.includes('now belong')"
    )
    assert page.input_value("#time_zone") == "Europe/Berlin"
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.includes('outbox'))")
    kept = exported(page)
    assert [review["grade"] for review in kept["reviews"]] == ["good", "again"]
    assert {row["kind"] for row in kept["progress"]} == {"answer", "last"}
    assert page.evaluate("localStorage['slopewise.reviews']") is None
    assert fits(page)


def test_the_cards_of_the_day_are_graded_undone_and_laid_to_rest_with_the_keyboard(page, address, mailbox):
    sign_up(page, address, mailbox)
    open_review(page, address, "20 new")
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
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.includes('outbox'))")
    assert [event["kind"] for event in exported(page)["events"]] == ["undo", "suspend"]
    assert fits(page)


def test_grades_given_offline_are_kept_and_sent_once_the_network_is_back(page, address, mailbox):
    sign_up(page, address, mailbox)
    open_review(page, address, "20 new")
    page.context.set_offline(True)
    for key in "34":
        grade(page, key)
    page.wait_for_selector("[data-told]:not([hidden])")
    assert "2 answers are kept in this browser" in page.inner_text("[data-told]")
    assert waiting(page) == 2
    page.context.set_offline(False)
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.includes('outbox'))")
    assert sorted(review["grade"] for review in exported(page)["reviews"]) == ["easy", "good"]


def test_the_last_card_of_a_day_is_followed_by_word_that_it_was_the_last(page, address, mailbox):
    sign_up(page, address, mailbox)
    page.fill("#new_per_day", "2")
    page.click("main form >> nth=0 >> button")
    page.wait_for_url("**/account?done=settings")
    open_review(page, address, "2 new")
    grade(page, "4")
    grade(page, "4")
    page.wait_for_selector(".done")
    assert "Done for now" in page.inner_text(".done")
    assert len(exported(page)["reviews"]) == 2


def test_nothing_of_a_learner_stays_in_the_browser_after_log_out(page, address, mailbox):
    email = sign_up(page, address, mailbox)
    page.goto(f"{address}/lessons/gradient-descent")
    page.check("[data-question] input >> nth=0")
    page.click("[data-question] summary >> nth=0")
    page.wait_for_timeout(300)
    page.goto(f"{address}/account")
    page.click("main [data-log-out] button >> nth=0")
    page.wait_for_url(f"{address}/")
    assert page.evaluate("Object.keys(localStorage)") == []
    page.goto(f"{address}/log-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/account")
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.endsWith('.answers'))")


@pytest.mark.parametrize(
    "path", ["/sign-up", "/log-in", "/reset", "/membership", "/cards/pro-diagnosis-sample", "/reset/spent"]
)
def test_pages_for_visitors_fit(page, address, path):
    page.goto(address + path)
    assert fits(page)


def test_pages_of_an_account_fit(page, address, mailbox):
    sign_up(page, address, mailbox)
    for path in ("/account", "/account/delete", "/membership", "/review", "/review/resting", "/cards/own"):
        page.goto(address + path)
        assert fits(page), path
