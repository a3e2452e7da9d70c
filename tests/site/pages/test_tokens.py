"""Tokens for `slopewise cards`, over HTTP: made, shown once, listed, used, revoked; what they open."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from site_visitors import PASSWORD

from slopewise.site.accounts.tokens import IDLE, MOST_TOKENS
from slopewise.site.administration import Administration
from slopewise.site.policies import _ATTRIBUTE, TOKEN


def make_token(somebody, name="laptop"):
    page = somebody.post("/account/tokens", {"name": name})
    assert page.status_code == 200
    return re.search(r"slopewise-cards-[\w-]{43}", page.text)[0]


def with_token(token, **more):
    return {"headers": {"authorization": f"Bearer {token}", "accept": "application/json"}, **more}


def queue(client, token):
    return client.get("/api/terminal/queue", **with_token(token))


def entry(card, **more):
    now = datetime.now(UTC).isoformat()
    return {"id": str(uuid.uuid4()), "kind": "review", "card": card, "grade": "good", "at": now, **more}


def test_a_token_is_shown_once_listed_with_its_use_and_revoked_at_once(browser, site):
    somebody = browser().sign_up()
    token = make_token(somebody, "  the old   laptop ")
    page = somebody.get("/account").text
    assert token not in page
    assert "the old laptop" in page
    assert "never used" in page
    assert queue(browser(), token).status_code == 200
    assert "last used" in somebody.get("/account").text
    revoke = re.search(r"/account/tokens/[0-9a-f-]{36}/revoke", page)[0]
    assert browser().sign_up().post(revoke).status_code == 404
    assert queue(browser(), token).status_code == 200
    assert somebody.post(revoke).headers["location"] == "/account?done=revoked#terminal"
    answer = queue(browser(), token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "token" in answer.json()["error"]
    assert somebody.post(revoke).status_code == 404


def test_a_token_is_stored_as_a_digest_and_exported_without_it(browser, site):
    somebody = browser().sign_up()
    token = make_token(somebody, "library")
    with site.app.state.database.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM card_tokens").fetchall())
    assert token not in rows
    assert token.removeprefix("slopewise-cards-") not in rows
    export = somebody.get("/account/export.json")
    assert [row["name"] for row in export.json()["tokens"]] == ["library"]
    assert token not in export.text


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x07b"])
def test_a_name_that_cannot_be_read_is_refused_in_a_line(browser, name):
    answer = browser().sign_up().post("/account/tokens", {"name": name})
    assert answer.status_code == 400
    assert "Name the device" in answer.text


def test_there_is_room_for_some_tokens(browser):
    somebody = browser().sign_up()
    for number in range(MOST_TOKENS):
        make_token(somebody, f"device {number}")
    answer = somebody.post("/account/tokens", {"name": "one more"})
    assert answer.status_code == 400
    assert "Revoke one" in answer.text


def end_everywhere(somebody, site):
    assert somebody.post("/log-out-everywhere").status_code == 303


def change_password(somebody, site):
    fields = {"password": PASSWORD, "new_password": "a quite different battery"}
    assert somebody.post("/account/password", fields).status_code == 303


def reset_password(somebody, site):
    path = Administration(site.app.state.database, datetime.now(UTC)).reset_password(somebody.email)
    answer = somebody.post(path, {"password": "a quite different battery"}, page=path)
    assert answer.status_code == 303


def delete_account(somebody, site):
    fields = {"password": PASSWORD, "sure": "yes"}
    assert somebody.post("/account/delete", fields, page="/account/delete").status_code in (200, 303)


@pytest.mark.parametrize("end", [end_everywhere, change_password, reset_password, delete_account])
def test_what_ends_all_sessions_ends_tokens_too(browser, site, end):
    somebody = browser().sign_up()
    token = make_token(somebody)
    assert queue(browser(), token).status_code == 200
    end(somebody, site)
    assert queue(browser(), token).status_code == 401


def test_a_log_out_of_one_browser_leaves_tokens(browser):
    somebody = browser().sign_up()
    token = make_token(somebody)
    somebody.post("/log-out")
    assert queue(browser(), token).status_code == 200


def test_a_token_that_is_not_used_for_long_ends_and_one_in_use_does_not(browser, clock):
    somebody = browser().sign_up()
    token, idle = make_token(somebody), make_token(somebody, "forgotten")
    for part in (0.7, 1.4, 2.1):
        clock.ahead = IDLE * part
        assert queue(browser(), token).status_code == 200
    assert queue(browser(), idle).status_code == 401
    clock.ahead = IDLE * 3.2
    assert queue(browser(), token).status_code == 401


def test_a_token_opens_the_cards_and_the_log_and_nothing_else(site, browser):
    somebody = browser().sign_up()
    token = make_token(somebody)
    opened = []
    for route in site.app.routes:
        for method in getattr(route, "methods", None) or ():
            path = re.sub(r"{\w+}", str(uuid.uuid4()), route.path)
            answer = browser().client.request(method, path, **with_token(token), follow_redirects=False)
            assert somebody.email not in answer.text, path
            if getattr(route.endpoint, _ATTRIBUTE) is TOKEN:
                opened.append(path)
            elif getattr(route.endpoint, _ATTRIBUTE).name in ("signed in", "owner", "Pro member"):
                assert answer.status_code in (401, 403), (method, path)
    assert sorted(opened) == ["/api/terminal/log", "/api/terminal/log-out", "/api/terminal/queue"]


def test_neither_a_cookie_nor_anything_that_is_no_token_opens_the_cards(browser):
    somebody = browser().sign_up()
    token = make_token(somebody)
    assert somebody.get("/api/terminal/queue").status_code == 401
    message = {"entries": []}
    assert somebody.send("/api/terminal/log", message).status_code == 401
    for wrong in ("", "Bearer", "Bearer ", f"Basic {token}", f"Bearer {token}x", "Bearer " + "x" * 5000):
        answer = browser().get("/api/terminal/queue", headers={"authorization": wrong})
        assert answer.status_code == 401, wrong
        assert "location" not in answer.headers
    # a good token counts for its own account, whatever cookies come along
    other = browser().sign_up()
    learner = queue(browser(), token).json()["learner"]
    assert queue(other, token).json()["learner"] == learner
    assert queue(browser(), make_token(other)).json()["learner"] != learner


def test_wrong_tokens_are_limited_by_network_and_good_ones_go_on(browser):
    guesser = browser("192.0.2.77")
    token = make_token(browser().sign_up())
    answers = [queue(guesser, f"slopewise-cards-{n}").status_code for n in range(302)]
    assert answers == [401] * 300 + [429] * 2
    assert 0 < int(queue(guesser, "slopewise-cards-0").headers["retry-after"]) <= 900
    assert queue(guesser, token).status_code == 200


def test_the_queue_is_that_of_the_pages_with_both_sides_as_html(browser, course):
    somebody = browser().sign_up()
    somebody.post("/cards/own", {"front": "Is 1 < 2\nand <b>?", "back": "yes"})
    token = make_token(somebody)
    shown, sent = somebody.get("/api/queue").json(), queue(browser(), token).json()
    assert [card["card"] for card in sent["cards"]] == [card["card"] for card in shown["cards"]]
    for name in ("due", "new", "later"):
        assert sent[name] == shown[name]
    mine, first = sent["cards"][0], sent["cards"][1]
    assert mine["front"] == '<p class="plain">Is 1 &lt; 2\nand &lt;b&gt;?</p>'
    assert first["deck"] == course.outlines[0].title
    assert first["front"].startswith("<p>")
    assert sent["last"] is None


def test_entries_sent_with_a_token_are_the_learner_s_and_stored_once(browser):
    somebody = browser().sign_up()
    token, device = make_token(somebody), browser()
    card = queue(device, token).json()["cards"][0]["card"]
    done = entry(card, grade="easy")
    for _ in range(2):
        answer = device.client.post("/api/terminal/log", json={"entries": [done]}, **with_token(token))
        assert answer.json() == {"stored": [done["id"]], "refused": []}
    rows = somebody.get("/account/export.json").json()["reviews"]
    assert [(row["id"], row["grade"]) for row in rows] == [(done["id"], "easy")]
    after = queue(device, token).json()
    assert after["last"] == done["id"]
    assert card not in {row["card"] for row in after["cards"]}
    assert card not in {row["card"] for row in somebody.get("/api/queue").json()["cards"]}


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"json": {}}, 400, "Nothing was kept"),
        ({"json": {"entries": [{"id": "x"}]}}, 400, "entries[0].id"),
        ({"json": []}, 400, "object"),
        ({"content": b"{", "kind": "application/json"}, 400, "no JSON"),
        ({"content": b"a=b", "kind": "application/x-www-form-urlencoded"}, 415, "Only JSON"),
        ({"content": b" " * 600_000, "kind": "application/json"}, 413, "At most"),
    ],
)
def test_what_is_no_log_is_refused_in_a_line(browser, sent, status, says):
    options = with_token(make_token(browser().sign_up()))
    if "kind" in sent:
        options["headers"]["content-type"] = sent.pop("kind")
    answer = browser().client.post("/api/terminal/log", **options, **sent)
    assert answer.status_code == status
    assert says in answer.json()["error"]


def test_a_program_logs_itself_out(browser):
    somebody = browser().sign_up()
    token, other = make_token(somebody), make_token(somebody, "another")
    answer = browser().client.post("/api/terminal/log-out", json={}, **with_token(token))
    assert answer.json() == {"revoked": True}
    assert queue(browser(), token).status_code == 401
    assert queue(browser(), other).status_code == 200


def test_making_and_revoking_are_in_the_audit_log(browser, site):
    somebody = browser().sign_up()
    make_token(somebody)
    revoke = re.search(r"/account/tokens/[0-9a-f-]{36}/revoke", somebody.get("/account").text)[0]
    somebody.post(revoke)
    with site.app.state.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT action FROM audit ORDER BY id DESC LIMIT 2").fetchall()
    assert [row[0] for row in rows] == ["revoke-token", "make-token"]


def test_the_queue_is_not_asked_for_without_end(browser):
    device, token = browser(), make_token(browser().sign_up())
    answers = [queue(device, token).status_code for _ in range(121)]
    assert answers[-1] == 429
    assert set(answers[:120]) == {200}


def test_use_is_noted_once_an_hour(browser, site, clock):
    token = make_token(browser().sign_up())
    seen = set()
    for minutes in (0, 10, 59, 70):
        clock.ahead = timedelta(minutes=minutes)
        queue(browser(), token)
        with site.app.state.database.engine.connect() as connection:
            query = (
                "SELECT used_at FROM card_tokens WHERE used_at IS NOT NULL ORDER BY created_at DESC LIMIT 1"
            )
            seen.add(str(connection.exec_driver_sql(query).scalar()))
    assert len(seen) == 2
