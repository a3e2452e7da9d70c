"""The owner's pages: who may see them, what they do, and that all of it is noted."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from slopewise.site.accounts.secrets import digest
from slopewise.site.administration import Administration
from slopewise.site.storage.tables import Account, AuditEntry

PASSWORD = "correct horse battery staple"
IN_A_YEAR = f"{datetime.now(UTC) + timedelta(days=365):%Y-%m-%d}"


@pytest.fixture
def owner(site, browser):
    somebody = browser().sign_up()
    Administration(site.app.state.database, datetime.now(UTC)).create_admin(somebody.email)
    return somebody


def page_of(site, somebody):
    with site.app.state.database.reading() as session:
        account = session.query(Account).where(Account.email == somebody.email).one()
    return f"/owner/accounts/{account.id}"


def noted(site, action):
    """Return who did something last, to whom."""
    with site.app.state.database.reading() as session:
        query = session.query(AuditEntry).where(AuditEntry.action.startswith(action))
        entry = query.order_by(AuditEntry.id.desc()).first()
        return [
            session.get(Account, which).email if which else None
            for which in (entry.actor_id, entry.account_id)
        ]


def test_the_owners_pages_are_not_there_for_others(site, browser, owner):
    somebody = browser().sign_up()
    for path in ("/owner", "/owner/audit", page_of(site, owner)):
        assert owner.get(path).status_code == 200
        assert somebody.get(path).status_code == 404
        assert browser().get(path).headers["location"].startswith("/log-in?next=")
    for path in ("/owner/codes", f"{page_of(site, owner)}/grant"):
        assert (
            somebody.post(
                path, {"until": IN_A_YEAR, "count": "1", "days": "1", "expires": IN_A_YEAR}
            ).status_code
            == 404
        )


def test_an_account_is_found_by_part_of_its_address_or_name_and_signs_mean_themselves(site, browser, owner):
    somebody = browser().sign_up("Rare.Bird_x@example.org")
    text = owner.get("/owner", params={"q": "rare.bird_X"}).text
    assert "Rare.Bird_x@example.org" in text
    assert "1 account with" in text
    assert "0 accounts with" in owner.get("/owner", params={"q": "rare%bird"}).text
    assert "0 accounts with" in owner.get("/owner", params={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in owner.get("/owner", params={"q": "<script>alert(1)</script>"}).text
    assert owner.get("/owner", params={"page": "99999999999"}).status_code == 200
    assert owner.get("/owner", params={"page": "x"}).status_code == 400
    for query in ("/owner?q=a%00b", "/owner/audit?action=%00", f"/owner?q={'x' * 101}"):
        assert "A search has at most 100 characters" in owner.get(query).text
    assert owner.get(f"{page_of(site, somebody)[:-1]}?x").status_code in (400, 404)


def test_membership_is_given_and_ended_and_both_are_noted_with_the_owner(site, browser, owner):
    somebody = browser().sign_up()
    page = page_of(site, somebody)
    assert owner.post(f"{page}/grant", {"until": "2001-01-01"}).status_code == 400
    assert owner.post(f"{page}/grant", {"until": "soon"}).status_code == 400
    assert "ends before 2200" in owner.post(f"{page}/grant", {"until": "9999-12-30"}).text
    assert owner.post(f"{page}/grant", {"until": IN_A_YEAR}).status_code == 303
    assert noted(site, "grant-pro") == [owner.email, somebody.email]
    assert "Pro until" in somebody.get("/account").text
    assert "Pro until" in owner.get(page).text
    assert owner.post(f"{page}/revoke").status_code == 303
    assert noted(site, "revoke-pro") == [owner.email, somebody.email]
    assert "Pro until" not in somebody.get("/account").text
    assert f'<td class="address">{owner.email}</td>' in owner.get(page).text


def test_all_devices_of_an_account_are_logged_out(site, browser, owner):
    somebody = browser().sign_up()
    assert owner.post(f"{page_of(site, somebody)}/sessions").status_code == 303
    assert not somebody.is_signed_in
    assert owner.is_signed_in
    assert noted(site, "end-sessions") == [owner.email, somebody.email]


def test_codes_are_shown_once_and_can_be_redeemed(site, browser, owner):
    fields = {"count": "2", "days": "30", "expires": IN_A_YEAR}
    codes = re.findall(r"(?:\w{5}-){4}\w{5}", owner.post("/owner/codes", fields).text)
    assert len(set(codes)) == 2
    assert codes[0] not in owner.get("/owner").text
    assert browser().sign_up().post("/membership", {"code": codes[0]}, page="/membership").status_code == 303
    assert noted(site, "make-codes 2") == [owner.email, None]
    for wrong in (
        {"count": "0"},
        {"days": "x"},
        {"count": "99999"},
        {"expires": "2001-01-01"},
        {"expires": ""},
    ):
        assert owner.post("/owner/codes", fields | wrong).status_code == 400


def test_the_audit_log_is_shown_by_kind_and_names_no_deleted_account(site, browser, owner):
    somebody = browser().sign_up()
    somebody.post("/account/delete", {"password": PASSWORD}, page="/account/delete")
    text = owner.get("/owner/audit", params={"action": "erase"}).text
    assert "a deleted account" in text
    assert somebody.email not in text
    assert "<td>sign-up</td>" not in text
    assert "<td>sign-up</td>" in owner.get("/owner/audit", params={"action": "sign-up"}).text


@pytest.fixture
def link(site):
    """The link that a first start shows."""
    site.app.state.first_owner_digest = digest("s" * 43)
    yield f"/owner/first/{'s' * 43}"
    site.app.state.first_owner_digest = None


@pytest.fixture
def no_owner(site):
    """For as long as a test runs, nobody is the owner."""
    database = site.app.state.database
    with database.writing() as session:
        before = [account.id for account in session.query(Account).where(Account.is_owner)]
        session.query(Account).update({"is_owner": False})
    yield
    with database.writing() as session:
        session.query(Account).where(Account.id.in_(before)).update({"is_owner": True})


def test_the_link_of_a_first_start_makes_one_owner(site, browser, no_owner, link):
    somebody = browser()
    fields = {"email": "first@example.org", "password": PASSWORD}
    assert somebody.get(link).status_code == 200
    assert somebody.get(f"/owner/first/{'t' * 43}").status_code == 410
    assert somebody.post(link, fields | {"password": "short"}, page=link).status_code == 400
    assert somebody.post(link, fields | {"email": "nobody"}, page=link).status_code == 400
    assert somebody.post(link, fields, page=link).headers["location"] == "/owner"
    assert somebody.get("/owner").status_code == 200
    assert noted(site, "first-owner") == ["first@example.org"] * 2
    assert somebody.get(link).status_code == 410
    assert browser().post(link, fields | {"email": "second@example.org"}).status_code == 410


def test_without_such_a_start_there_is_no_such_link(browser, no_owner):
    assert browser().get(f"/owner/first/{'s' * 43}").status_code == 410
