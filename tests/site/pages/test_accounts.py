"""Accounts over HTTP: every way in and out, and what nobody may learn."""

import json
import re
import threading
import uuid
from datetime import timedelta

import pytest
from limits import parse

from slopewise.site.accounts.passwords import PasswordCost, Passwords
from slopewise.site.storage.tables import Account

PASSWORD = "correct horse battery staple"
OTHER = "seven green elephants dance"


def test_an_account_is_made_by_a_link_in_a_mail_and_keeps_nothing_of_the_link(site, browser, mailbox):
    ada = browser()
    assert "ada@example.org" in ada.post("/sign-up", {"email": "ada@example.org"}).text
    link = mailbox.link("ada@example.org")
    assert "ada@example.org" in ada.get(link).text
    answer = ada.post(link, {"password": PASSWORD, "time_zone": "Europe/Berlin"}, page=link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?new=1")
    text = ada.get("/account").text
    assert "ada@example.org" in text
    assert "<option selected>Europe/Berlin</option>" in text
    with site.app.state.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM mail_tokens").fetchall()
        accounts = connection.exec_driver_sql("SELECT password_hash FROM accounts").fetchall()
        sessions = connection.exec_driver_sql("SELECT * FROM login_sessions").fetchall()
    assert sessions
    assert ada.client.cookies["slopewise-session"] not in str(sessions)
    assert link.rpartition("/")[2] not in str(rows)
    assert all(row[0].startswith("$argon2id$") for row in accounts if row[0])


def test_one_logs_in_out_and_in_again(browser):
    somebody = browser().sign_up()
    assert somebody.is_signed_in
    assert somebody.post("/log-out").headers["location"] == "/"
    assert not somebody.is_signed_in
    assert somebody.log_in(somebody.email).status_code == 303
    assert somebody.is_signed_in


def test_capitals_in_an_address_do_not_matter(browser):
    somebody = browser().sign_up("Grace.Hopper@Example.org")
    assert browser().log_in("grace.hopper@EXAMPLE.ORG").status_code == 303
    assert "Grace.Hopper@Example.org" in somebody.get("/account").text


def test_a_session_that_was_ended_does_not_come_back_with_its_cookie(browser):
    somebody = browser().sign_up()
    cookies = dict(somebody.client.cookies)
    somebody.post("/log-out")
    somebody.client.cookies.update(cookies)
    assert not somebody.is_signed_in


def test_logging_in_changes_the_cookie_and_ends_the_session_before(browser):
    somebody = browser().sign_up()
    before = somebody.client.cookies["slopewise-session"]
    with_old_cookie = browser()
    token = somebody.token("/account")
    answer = somebody.client.post(
        "/log-in", data={"email": somebody.email, "password": PASSWORD, "form_token": token}
    )
    assert answer.status_code == 303
    assert somebody.client.cookies["slopewise-session"] != before
    with_old_cookie.client.cookies["slopewise-session"] = before
    assert not with_old_cookie.is_signed_in


def test_log_out_everywhere_ends_all_sessions_of_that_account_only(browser):
    one, other = browser().sign_up(), browser().sign_up()
    second = browser()
    second.log_in(one.email)
    assert second.post("/log-out-everywhere").status_code == 303
    assert not one.is_signed_in
    assert not second.is_signed_in
    assert other.is_signed_in


@pytest.mark.parametrize(("ahead", "stays"), [(29, True), (31, False)])
def test_a_session_that_is_not_used_ends_after_thirty_days(browser, clock, ahead, stays):
    somebody = browser().sign_up()
    clock.ahead = timedelta(days=ahead)
    assert somebody.is_signed_in == stays


def test_a_session_ends_after_half_a_year_even_if_it_is_used(browser, clock):
    somebody = browser().sign_up()
    for days in range(20, 180, 20):
        clock.ahead = timedelta(days=days)
        assert somebody.is_signed_in
    clock.ahead = timedelta(days=181)
    assert not somebody.is_signed_in


def answers_without_address(answer, email):
    """Return an answer without what must differ: the address and the token of the form."""
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("content-length", "set-cookie")
    }
    return answer.status_code, headers, re.sub(r"[0-9a-f]{64}", "", answer.text.replace(email, "ADDRESS"))


@pytest.mark.parametrize("path", ["/sign-up", "/reset"])
def test_asking_for_a_link_tells_nothing_about_an_address(browser, mailbox, path):
    known = browser().sign_up().email
    unknown = f"nobody-{path[1:]}@example.org"
    answers = [
        answers_without_address(browser().post(path, {"email": email}), email) for email in (known, unknown)
    ]
    assert answers[0] == answers[1]
    if path == "/reset":
        assert mailbox.to(unknown) == []
    assert len(mailbox.to(known)) == 2


def test_logging_in_tells_nothing_about_an_address_and_works_as_long(browser, site, monkeypatch):
    known = browser().sign_up().email
    checked = []

    class Counting:
        def __init__(self, hasher):
            self.hasher = hasher

        def verify(self, stored, given):
            checked.append(stored)
            return self.hasher.verify(stored, given)

    passwords = site.app.state.passwords
    monkeypatch.setattr(passwords, "_hasher", Counting(passwords._hasher))
    answers = [
        answers_without_address(browser().log_in(email, "not the password"), email)
        for email in (known, "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert len(checked) == 2
    assert all(stored.startswith("$argon2id$") for stored in checked)


@pytest.mark.parametrize("path", ["/sign-up", "/reset", "/account/email"])
def test_nobody_is_looked_up_before_the_answer_is_out(browser, monkeypatch, path):
    """Else its time would tell whether an address has an account."""

    def refuse(*arguments):
        raise AssertionError("somebody is looked up")

    async def later(task):
        tasks.append(task)

    somebody, tasks = browser().sign_up(), []
    monkeypatch.setattr("slopewise.site.accounts.accounts.account_by_email", refuse)
    monkeypatch.setattr("starlette.background.BackgroundTask.__call__", later)
    fields = {"email": "somebody@example.org", "password": PASSWORD}
    assert somebody.post(path, fields).status_code in (200, 303)
    assert len(tasks) == 1


def test_a_password_is_hashed_again_at_log_in_once_guesses_shall_cost_more(site, browser, monkeypatch):
    somebody = browser().sign_up()
    dearer = Passwords(PasswordCost(passes=2, memory=8, lanes=1))
    monkeypatch.setattr(site.app.state.passwords, "_hasher", dearer._hasher)

    def cost():
        with site.app.state.database.reading() as session:
            stored = session.query(Account.password_hash).where(Account.email == somebody.email).scalar()
        return stored.split("$")[3]

    assert cost() == "m=8,t=1,p=1"
    assert browser().log_in(somebody.email, "wrong").status_code == 400
    assert cost() == "m=8,t=1,p=1"
    assert browser().log_in(somebody.email).status_code == 303
    assert cost() == "m=8,t=2,p=1"
    assert browser().log_in(somebody.email).status_code == 303


def test_signing_up_again_sends_word_to_the_mailbox_and_no_link_to_a_password(browser, mailbox):
    somebody = browser().sign_up()
    browser().post("/sign-up", {"email": somebody.email})
    subject, text = mailbox.to(somebody.email)[-1]
    assert "have an account" in subject
    assert "/sign-up/" not in text


def test_a_reset_sets_the_password_once_and_ends_all_sessions(browser, mailbox):
    somebody = browser().sign_up()
    fresh = browser()
    fresh.post("/reset", {"email": somebody.email})
    link = mailbox.link(somebody.email)
    assert fresh.post(link, {"password": OTHER}, page=link).status_code == 303
    assert not somebody.is_signed_in
    assert fresh.is_signed_in
    assert fresh.post(link, {"password": PASSWORD}, page="/account").status_code == 410
    assert browser().log_in(somebody.email).status_code == 400
    assert browser().log_in(somebody.email, OTHER).status_code == 303


def test_a_link_for_a_password_is_good_once_when_many_use_it_at_the_same_time(browser, mailbox):
    somebody = browser().sign_up()
    browser().post("/reset", {"email": somebody.email})
    link = mailbox.link(somebody.email)
    thieves = [browser() for _ in range(6)]
    tokens = [thief.token(link) for thief in thieves]
    barrier, answers = threading.Barrier(6), {}

    def use(number):
        barrier.wait()
        fields = {"password": f"{OTHER} {number}", "form_token": tokens[number]}
        answers[number] = thieves[number].client.post(link, data=fields).status_code

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [303] + [410] * 5
    for number, status in answers.items():
        assert thieves[number].is_signed_in == (status == 303)
        assert browser().log_in(somebody.email, f"{OTHER} {number}").status_code == (
            303 if status == 303 else 400
        )


def test_a_link_is_good_for_half_an_hour(browser, mailbox, clock):
    somebody = browser().sign_up()
    fresh = browser()
    fresh.post("/reset", {"email": somebody.email})
    link = mailbox.link(somebody.email)
    clock.ahead = timedelta(minutes=29)
    assert fresh.get(link).status_code == 200
    clock.ahead = timedelta(minutes=31)
    assert fresh.get(link).status_code == 410
    assert fresh.post(link, {"password": OTHER}).status_code == 410


def test_a_second_link_makes_the_first_void(browser, mailbox):
    somebody = browser().sign_up()
    fresh = browser()
    fresh.post("/reset", {"email": somebody.email})
    first = mailbox.link(somebody.email)
    fresh.post("/reset", {"email": somebody.email})
    assert fresh.get(first).status_code == 410
    assert fresh.get(mailbox.link(somebody.email)).status_code == 200


def test_a_link_serves_its_own_purpose_only(browser, mailbox):
    fresh = browser()
    fresh.post("/sign-up", {"email": "purpose@example.org"})
    secret = mailbox.link("purpose@example.org").rpartition("/")[2]
    for path in ("/reset", "/account/email"):
        assert fresh.get(f"{path}/{secret}").status_code == 410


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "10 to 200 characters"),
        ("x" * 300, "10 to 200 characters"),
        ("Password1234!", "among the first"),
        ("P4ssw0rd!!!!", "among the first"),
        ("1234567890", "among the first"),
        ("qwertyuiop", "among the first"),
        ("aaaaaaaaaaaa", "among the first"),
        ("iloveyoumonkey99", "among the first"),
        ("poor.choice12", "little more than your address"),
    ],
)
def test_a_password_that_is_tried_first_is_refused_and_the_link_stays_good(browser, mailbox, password, says):
    somebody = browser()
    email = "poor.choice@example.org"
    somebody.client.app.state.tries.forget("mail to an address", email)
    somebody.post("/sign-up", {"email": email})
    link = mailbox.link(email)
    answer = somebody.post(link, {"password": password}, page=link)
    assert answer.status_code == 400
    assert says in answer.text
    assert somebody.get(link).status_code == 200


def test_the_password_is_changed_with_the_old_one_and_other_devices_are_logged_out(browser):
    somebody, other = browser().sign_up(), browser()
    other.log_in(somebody.email)
    wrong = somebody.post("/account/password", {"password": "wrong", "new_password": OTHER})
    assert wrong.status_code == 400
    assert "not your password" in wrong.text
    assert (
        somebody.post("/account/password", {"password": PASSWORD, "new_password": OTHER}).status_code == 303
    )
    assert somebody.is_signed_in
    assert not other.is_signed_in
    assert browser().log_in(somebody.email, OTHER).status_code == 303


def test_the_address_changes_when_the_new_one_confirms_and_the_old_one_is_told(browser, mailbox):
    somebody = browser().sign_up("before@example.org")
    fields = {"password": PASSWORD, "email": "after@example.org"}
    assert somebody.post("/account/email", fields).status_code == 303
    assert "change of your address" in mailbox.to("before@example.org")[-1][0]
    link = mailbox.link("after@example.org")
    assert "before@example.org" in somebody.get("/account").text
    assert "after@example.org" in somebody.get(link).text
    assert somebody.post(link, page=link).status_code == 303
    assert "after@example.org" in somebody.get("/account").text
    assert "was changed" in mailbox.to("before@example.org")[-1][0]
    assert browser().log_in("before@example.org").status_code == 400
    assert browser().log_in("after@example.org").status_code == 303


def test_a_new_password_voids_a_change_of_address_that_somebody_else_asked_for(browser, mailbox):
    somebody = browser().sign_up()
    somebody.post("/account/email", {"password": PASSWORD, "email": "thief@example.org"})
    stolen = mailbox.link("thief@example.org")
    somebody.post("/account/password", {"password": PASSWORD, "new_password": OTHER})
    assert somebody.get(stolen).status_code == 410
    assert somebody.post(stolen).status_code == 410


def test_a_new_address_voids_a_link_that_went_to_the_old_mailbox(browser, mailbox):
    somebody = browser().sign_up("old@example.org")
    somebody.post("/account/email", {"password": PASSWORD, "email": "new@example.org"})
    link = mailbox.link("new@example.org")
    browser().post("/reset", {"email": "old@example.org"})
    reset = mailbox.link("old@example.org")
    assert somebody.get(reset).status_code == 200
    assert somebody.post(link, page=link).status_code == 303
    assert somebody.get(reset).status_code == 410


def test_an_address_that_has_an_account_is_not_given_to_another_and_the_answer_is_the_same(browser, mailbox):
    taken = browser().sign_up().email
    somebody = browser().sign_up()
    answers = [
        somebody.post("/account/email", {"password": PASSWORD, "email": email})
        for email in (taken, "free@example.org")
    ]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert "/account/email/" not in mailbox.to(taken)[-1][1]


def test_settings_are_kept_and_bad_ones_refused_in_one_sentence(browser):
    somebody = browser().sign_up()
    good = {"display_name": " Ada  L. ", "time_zone": "Asia/Tokyo", "rollover_hour": "3", "new_per_day": "7"}
    assert somebody.post("/account/settings", good).status_code == 303
    text = somebody.get("/account").text
    assert "<h1>Ada L.</h1>" in text
    assert "<option selected>Asia/Tokyo</option>" in text
    for name, value in (
        *(
            ("display_name", ""),
            ("display_name", "x" * 61),
            ("display_name", "a\x00b"),
            ("time_zone", "../etc"),
        ),
        *(("rollover_hour", "24"), ("rollover_hour", "-1"), ("new_per_day", "1e3"), ("new_per_day", "501")),
    ):
        assert somebody.post("/account/settings", {**good, name: value}).status_code == 400, (name, value)


@pytest.mark.parametrize(
    "email",
    [
        *("", "ada", "ada@", "@x.org", "a b@x.org", "a@x", "a@x.org\nBcc: b@x.org", "a" * 300),
        *("a@x.org,b@x.org", "a@x.org@y", "a\u202eb@x.org"),
        "\ufdfa" * 20 + "@x.org",  # compared as 18 letters each, more than the database has room for
    ],
)
def test_what_is_no_address_is_said_at_once(browser, mailbox, email):
    before = len(mailbox.mails)
    assert browser().post("/sign-up", {"email": email}).status_code == 400
    assert len(mailbox.mails) == before


def test_a_form_without_its_token_does_nothing(browser):
    somebody = browser().sign_up()
    for token in ("", "0" * 64, browser().sign_up().token("/account")):
        answer = somebody.client.post("/log-out-everywhere", data={"form_token": token})
        assert answer.status_code == 403
    assert somebody.is_signed_in


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://127.0.0.1@evil.example"},
    ],
)
def test_a_form_from_another_site_does_nothing_even_with_the_token(browser, headers):
    somebody = browser().sign_up()
    assert somebody.post("/log-out-everywhere", headers=headers).status_code == 403
    assert somebody.is_signed_in


def test_somebody_else_cannot_be_logged_in_by_a_foreign_form(browser):
    """The token of the log-in form hangs on a cookie too: nobody can be made to log in as another."""
    attacker, victim = browser(), browser()
    fields = {"email": "x@example.org", "password": PASSWORD, "form_token": attacker.token()}
    assert victim.client.post("/log-in", data=fields).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x"])
def test_only_forms_and_json_are_read(browser, kind):
    answer = browser().client.post("/log-in", content=b"email=x", headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(browser):
    somebody = browser()
    assert somebody.post("/log-in", {"email": "x" * 600_000}).status_code == 413


def test_ten_wrong_passwords_are_enough_and_others_in_the_network_get_in(browser):
    somebody = browser().sign_up()
    pupil = browser().sign_up()
    school = "10.99.99.99"
    attacker = browser(school)
    assert [attacker.log_in(somebody.email, "wrong").status_code for _ in range(11)] == [400] * 10 + [429]
    refused = attacker.log_in(somebody.email)
    assert refused.status_code == 429
    assert 600 < int(refused.headers["retry-after"]) <= 900
    assert re.search("tried too often. Try again in 1[1-5] minutes.", refused.text)
    assert browser().log_in(somebody.email).status_code == 303  # the owner of the account, elsewhere
    for _ in range(30):
        assert browser(school).log_in(pupil.email).status_code == 303


@pytest.mark.parametrize("has_account", [True, False])
def test_passwords_cannot_be_tried_from_many_networks_and_the_owner_is_not_locked_out(
    site, browser, mailbox, monkeypatch, has_account
):
    """The limit over all networks does not count the one from which its owner logged in before."""
    few = parse("12 per day")
    monkeypatch.setitem(site.app.state.tries._rules, "log-in of an account from elsewhere", few)
    home = "10.98.98.98"
    owner = browser(home)
    email = owner.sign_up().email if has_account else f"nobody{uuid.uuid4().hex}@example.org"
    tried = [browser(f"10.97.0.{number // 3}").log_in(email, "wrong").status_code for number in range(15)]
    assert tried == [400] * 12 + [429] * 3
    refused = browser().log_in(email)
    assert refused.status_code == 429
    assert "a link in a mail. Try again in 24 hours." in refused.text
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    if has_account:
        assert browser(home).log_in(email).status_code == 303
        away = browser()
        away.post("/reset", {"email": email})
        link = mailbox.link(email)
        assert away.post(link, {"password": OTHER}, page=link).status_code == 303
        assert away.post("/log-out", page="/account").status_code == 303
        assert away.log_in(email, OTHER).status_code == 303
        assert browser().log_in(email, OTHER).status_code == 429


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        *(("mail from a network", path) for path in ("/sign-up", "/reset", "/account/email")),
        *(
            ("log-in from a network", path)
            for path in ("/log-in", "/sign-up/x", "/reset/x", "/owner/first/x")
        ),
        *(("password again", f"/account/{what}") for what in ("password", "email", "delete")),
        *((f"code {whose}", "/membership") for whose in ("of an account", "from a network")),
    ],
)
def test_forms_that_are_worth_trying_often_are_limited(site, browser, monkeypatch, rule, path):
    monkeypatch.setitem(site.app.state.tries._rules, rule, parse("3 per day"))
    somebody = browser()
    if path.startswith(("/account", "/membership")):
        somebody.sign_up()
    password = "wrong" if rule == "password again" else PASSWORD
    fields = {"email": f"{uuid.uuid4().hex}@example.org", "password": password, "code": "AAAAA"}
    answers = [somebody.post(path, fields).status_code for _ in range(4)]
    assert answers[0] != 429
    assert answers[-1] == 429


def test_a_mailbox_is_not_flooded(browser, mailbox):
    for _ in range(8):
        assert browser().post("/sign-up", {"email": "flooded@example.org"}).status_code == 200
    assert len(mailbox.to("flooded@example.org")) == 4


def test_a_mailbox_is_not_flooded_by_changes_of_address_either(browser, mailbox):
    somebody = browser().sign_up()
    for _ in range(8):
        fields = {"password": PASSWORD, "email": "victim@example.org"}
        assert somebody.post("/account/email", fields).status_code == 303
    assert len(mailbox.to("victim@example.org")) == 4


@pytest.mark.parametrize("value", ["a\0@example.org", "a\ud800@example.org"])
def test_what_is_no_character_is_refused_in_one_sentence(browser, value):
    somebody = browser()
    headers = {"x-form-token": somebody.token("/log-in"), "content-type": "application/json"}
    body = json.dumps({"email": value, "password": PASSWORD})
    answer = somebody.client.post("/log-in", content=body, headers=headers)
    assert answer.status_code == 400
    assert "no character" in answer.text


def test_a_page_with_a_secret_address_tells_it_to_no_other_site_and_lets_its_form_name_its_origin(
    browser, mailbox
):
    """With no-referrer a browser sends `Origin: null` with the form, which is refused."""
    somebody = browser()
    somebody.post("/sign-up", {"email": "referrer@example.org"})
    link = mailbox.link("referrer@example.org")
    assert somebody.get(link).headers["referrer-policy"] == "same-origin"
    headers = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    assert somebody.post(link, {"password": PASSWORD}, page=link, headers=headers).status_code == 303


def test_links_in_mails_do_not_follow_the_host_of_the_request(browser, mailbox):
    somebody = browser()
    token = somebody.token()
    somebody.client.post(
        "/sign-up", data={"email": "host@example.org", "form_token": token}, headers={"host": "localhost:1"}
    )
    assert mailbox.to("host@example.org")[-1][1].count("http://127.0.0.1:8000/sign-up/") == 1


def test_pages_for_those_who_are_logged_in_ask_others_to_log_in_and_lead_back(browser):
    answer = browser().get("/account?done=settings")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/log-in?next=%2Faccount%3Fdone%3Dsettings"
    assert browser().get("/account", headers={"accept": "application/json"}).status_code == 401


@pytest.mark.parametrize(
    "onward", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_logging_in_leads_to_pages_of_this_site_only(browser, onward):
    email = browser().sign_up().email
    somebody = browser()
    answer = somebody.post("/log-in", {"email": email, "password": PASSWORD, "next": onward})
    assert answer.headers["location"] == "/account"


def test_pages_with_forms_are_kept_by_no_cache(browser):
    somebody = browser().sign_up()
    for path in ("/account", "/", "/log-in"):
        assert somebody.get(path).headers.get("cache-control", "no-store") == "no-store"
    assert browser().get("/log-in").headers["cache-control"] == "no-store"


def test_the_cookies_cannot_be_read_by_script_or_sent_by_other_sites(browser, mailbox):
    somebody = browser()
    assert "HttpOnly" in somebody.get("/log-in").headers["set-cookie"]
    somebody.post("/sign-up", {"email": "cookie@example.org"})
    link = mailbox.link("cookie@example.org")
    cookie = somebody.post(link, {"password": PASSWORD}, page=link).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
