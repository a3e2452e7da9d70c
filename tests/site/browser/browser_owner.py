"""What the owner does, by the keyboard alone; all of it is in the audit log."""

from datetime import UTC, datetime, timedelta

import pytest

from slopewise.site.accounts.secrets import digest
from slopewise.site.administration import Administration

IN_A_YEAR = datetime.now(UTC) + timedelta(days=365)


@pytest.fixture
def ruler(reader):
    """Somebody who owns the site, at the page of all accounts."""
    reader.sign_up()
    Administration(reader.served.application.state.database, datetime.now(UTC)).create_admin(reader.email)
    reader.open("/account")
    reader.press("All accounts", "a")
    return reader


def type_day(reader, selector, day):
    """Type a day into a field of dates, in the browser's own order of its parts."""
    reader.tab_to(selector)
    reader.page.keyboard.type(f"{day:%m%d%Y}")
    assert reader.page.input_value(selector) == f"{day:%Y-%m-%d}"


def test_an_account_is_found_given_pro_ended_and_logged_out(ruler, page, browser):
    somebody = browser().sign_up()
    ruler.type_into("#q", somebody.email)
    ruler.press("Find")
    assert "1 account with" in page.inner_text("main")
    ruler.press(somebody.email, "a")
    type_day(ruler, "#until", IN_A_YEAR)
    ruler.press("Give membership")
    assert "The membership is given." in page.inner_text("main")
    assert "Pro until" in somebody.get("/account").text
    ruler.press("End it now")
    assert "The membership has ended." in page.inner_text("main")
    assert "Pro until" not in somebody.get("/account").text
    ruler.press("Log out everywhere")
    assert not somebody.is_signed_in
    table = page.inner_text("[aria-label='Audit log']")
    assert all(action in table for action in ("grant-pro", "revoke-pro", "end-sessions", "sign-up"))
    assert ruler.fits()
    ruler.open("/owner")
    ruler.press("Audit log", "a")
    ruler.tab_to("#action")
    page.keyboard.type("end-s")
    ruler.press("Show")
    assert page.url.endswith("action=end-sessions")
    row = page.inner_text("tbody tr >> nth=0")
    assert somebody.email in row
    assert ruler.email in row


def test_codes_are_made_shown_once_and_redeemed(ruler, page, browser):
    ruler.type_into("#count", "2")
    ruler.type_into("#days", "30")
    ruler.press("Make codes")
    codes = page.input_value(".codes").split()
    assert len(codes) == 2
    assert ruler.fits()
    ruler.open("/owner")
    assert codes[0] not in page.content()
    somebody = browser().sign_up()
    assert somebody.post("/membership", {"code": codes[0]}).status_code == 303
    assert somebody.post("/membership", {"code": codes[0]}).status_code == 400
    ruler.watch.expected = ["status of 400"]
    ruler.type_into("#expires", "")
    page.evaluate("document.querySelector('#expires').value = '2001-01-01'")
    ruler.press("Make codes")
    assert page.inner_text("[role=alert]") == "This day is past. Choose a later one."


def test_the_first_owner_comes_by_the_link_of_the_console(reader, page, monkeypatch):
    state = reader.served.application.state
    monkeypatch.setattr("slopewise.site.pages.owner.has_owner", lambda _: False)
    monkeypatch.setattr("slopewise.site.accounts.first_owner.has_owner", lambda _: False)
    state.first_owner_digest = digest("of the console")
    reader.open("/owner/first/of%20the%20console")
    email = f"first{id(reader)}@example.org"
    reader.type_into("#email", email)
    reader.type_into("#password", "correct horse battery staple")
    reader.press("Make the owner")
    assert page.inner_text("h1") == "Accounts"
    assert reader.exported()["account"]["email"] == email
    state.first_owner_digest = None


def test_nobody_else_finds_the_owners_pages(reader, page):
    reader.sign_up()
    reader.watch.expected = ["status of 404"]
    for path in ("/owner", "/owner/audit"):
        assert reader.open(path).status == 404
        assert page.inner_text("h1") == "There is no such page."
