"""What somebody does with their account, by the keyboard alone: each path to its end, and what it refuses."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from site_visitors import PASSWORD

from slopewise.site.accounts.membership import make_codes

NEW_PASSWORD = "another horse for the battery"


@pytest.fixture
def member(reader):
    """Somebody who has an account, at its page."""
    reader.sign_up()
    reader.open("/account")
    return reader


def log_in(reader, email, password):
    """Log in as a person would, and return the page's words."""
    reader.open("/log-in")
    reader.type_into("#email", email)
    reader.type_into("#password", password)
    reader.press("Log in", "main button")
    return reader.page.inner_text("main")


def download(reader, selector):
    """Follow a link to a file by the keyboard, and return its text."""
    reader.tab_to(selector)
    with reader.page.expect_download() as found:
        reader.page.keyboard.press("Enter")
    return found.value.suggested_filename, found.value.path().read_text()


def test_a_password_is_changed_and_other_devices_are_logged_out(member, page, browser):
    elsewhere = browser()
    assert elsewhere.log_in(member.email).status_code == 303
    member.type_into("#old-password", "not the password")
    member.type_into("#new_password", NEW_PASSWORD)
    member.watch.expected = ["status of 400"]
    member.press("Change the password")
    assert page.locator("[role=alert]").count() == 1
    assert elsewhere.is_signed_in
    member.type_into("#old-password", PASSWORD)
    member.type_into("#new_password", NEW_PASSWORD)
    member.press("Change the password")
    assert "Your password is changed, and all other devices are logged out." in page.inner_text("main")
    assert not elsewhere.is_signed_in
    member.press("Log out here")
    assert "Address or password is wrong." in log_in(member, member.email, PASSWORD)
    log_in(member, member.email, NEW_PASSWORD)
    assert page.url.endswith("/account")
    assert member.fits()


def test_a_forgotten_password_is_replaced_by_a_link_that_is_good_once(member, page, browser):
    elsewhere = browser()
    assert elsewhere.log_in(member.email).status_code == 303
    member.press("Log out here")
    member.open("/log-in")
    member.press("Forgot your password?", "a")
    mails = len(member.served.mailbox.to(member.email))
    member.type_into("#email", member.email)
    member.press("Send the link")
    assert "if that address has an account" in page.inner_text("main")
    link = member.served.mailbox.link(member.email, before=mails)
    member.open(link)
    member.type_into("#password", NEW_PASSWORD)
    member.press("Set the password")
    assert member.email in page.inner_text("main")
    assert not elsewhere.is_signed_in
    member.watch.expected = ["status of 410", "status of 400"]
    member.open(link)
    assert page.inner_text("h1") == "This link is spent"
    assert member.fits()
    page.context.clear_cookies()
    assert "Address or password is wrong." in log_in(member, member.email, PASSWORD)
    log_in(member, member.email, NEW_PASSWORD)
    assert page.url.endswith("/account")


def test_an_address_is_changed_only_by_the_link_in_the_new_mailbox(member, page):
    new, mailbox = f"new-{member.email}", member.served.mailbox
    mails = len(mailbox.to(member.email))
    member.type_into("#email", new)
    member.type_into("#email-password", PASSWORD)
    member.press("Send a link there")
    assert "Nothing changes until its link is opened." in page.inner_text("main")
    assert member.exported()["account"]["email"] == member.email
    member.open(mailbox.link(new))
    assert new in page.inner_text("main")
    assert member.fits()
    member.press("Confirm")
    assert "Your address is changed." in page.inner_text("main")
    assert member.exported()["account"]["email"] == new
    assert len(mailbox.to(member.email)) > mails  # the old mailbox was told
    page.context.clear_cookies()
    log_in(member, new, PASSWORD)
    assert page.url.endswith("/account")


def test_all_devices_are_logged_out_at_once(member, page, browser):
    elsewhere = browser()
    assert elsewhere.log_in(member.email).status_code == 303
    member.press("Log out on all devices")
    assert page.url == f"{member.served.address}/"
    assert "Log in" in page.inner_text("header.site .who")
    assert not elsewhere.is_signed_in
    assert page.evaluate("Object.keys(localStorage)") == []


def test_settings_are_kept(member, page):
    member.type_into("#display_name", "Emmy")
    member.tab_to("#time_zone")
    page.keyboard.type("Asia/Tok")
    member.type_into("#rollover_hour", "5")
    member.type_into("#new_per_day", "7")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account?done=settings")
    account = member.exported()["account"]
    assert page.inner_text("h1") == "Emmy"
    assert (account["time_zone"], account["rollover_hour"], account["new_per_day"]) == ("Asia/Tokyo", 5, 7)


def test_a_code_opens_the_pro_decks_once(member, page):
    database, now = member.served.application.state.database, datetime.now(UTC)
    with database.writing() as session:
        (code,) = make_codes(session, 1, 30, now + timedelta(days=9), now)
    member.watch.expected = ["status of 400"]
    member.open("/membership")
    member.type_into("#code", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    member.press("Redeem")
    assert page.locator("[role=alert]").count() == 1
    assert member.fits()
    member.type_into("#code", code.lower())
    member.press("Redeem")
    assert "Your membership runs. The Pro decks are open." in page.inner_text("main")
    assert "Pro until" in page.inner_text("main")
    member.press("About the Pro decks", "a")
    member.tab_to("main .decks a")
    page.keyboard.press("Enter")
    page.wait_for_selector(".deck .card.shown")
    assert "Premium flash cards are for paid Pro members" not in page.inner_text("main")
    member.open("/membership")
    member.type_into("#code", code)
    member.press("Redeem")
    assert page.locator("[role=alert]").count() == 1


def test_a_token_is_shown_once_opens_the_cards_and_is_revoked(member, page):
    def queue():
        headers = {"authorization": f"Bearer {token}"}
        return httpx2.get(f"{member.served.address}/api/terminal/queue", headers=headers).status_code

    member.type_into("#token-name", "laptop")
    member.press("Make a token")
    token = page.inner_text("#new-token code >> nth=0")
    assert re.fullmatch(r"slopewise-cards-[\w-]{43}", token)
    assert member.fits()
    assert queue() == 200
    member.open("/account")
    assert token not in page.content()
    member.tab_to(".tokens button")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The token is revoked.")
    assert page.locator(".tokens").count() == 0
    assert queue() == 401


def test_all_that_is_kept_of_a_learner_is_taken_along(member, page):
    member.open_review()
    page.keyboard.press("Space")
    page.keyboard.press("4")
    member.wait_until_sent()
    member.open("/account")
    name, text = download(member, 'a[href="/account/export.json"]')
    assert name == "slopewise.json"
    kept = json.loads(text)
    assert kept["account"]["email"] == member.email
    assert [review["grade"] for review in kept["reviews"]] == ["easy"]
    name, text = download(member, 'a[href="/account/reviews.csv"]')
    assert name == "slopewise-reviews.csv"
    assert [row["grade"] for row in csv.DictReader(text.splitlines())] == ["easy"]


def test_an_account_is_deleted_only_by_its_password_and_for_good(member, page, browser):
    elsewhere = browser()
    assert elsewhere.log_in(member.email).status_code == 303
    member.press("delete your account", "a")
    member.type_into("#password", "not the password")
    member.watch.expected = ["status of 400"]
    member.press("Delete everything")
    assert page.locator("[role=alert]").count() == 1
    assert elsewhere.is_signed_in
    member.type_into("#password", PASSWORD)
    member.press("Delete everything")
    assert page.url == f"{member.served.address}/"
    assert not elsewhere.is_signed_in
    assert page.evaluate("Object.keys(localStorage)") == []
    assert "Address or password is wrong." in log_in(member, member.email, PASSWORD)
