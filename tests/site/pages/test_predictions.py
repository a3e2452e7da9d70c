"""Predictions that failed become cards, made by the server from the lab's own run."""

import html
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import pytest
from site_visitors import lab_frame

SLUG = "gradient-descent"


def asked(site, slug=SLUG, **settings):
    """Return the first step at which a lab asks, and a wrong and the right guess."""
    gate = lab_frame(site, slug, **settings).json()["gates"][0]
    for guess in range(5):
        made = lab_frame(site, slug, **settings, step=gate + 1, guess=guess).json()
        if made["verdict"]["right"]:
            return gate, (guess + 1) % made["verdict"]["choices"], guess
    raise AssertionError("no guess is right")


def failed(site, slug=SLUG, **settings):
    gate, wrong, _ = asked(site, slug, **settings)
    return {"slug": slug, "query": urlencode({**settings, "step": gate, "guess": wrong})}


def keep(somebody, *rows):
    return somebody.send("/api/predictions", {"failed": list(rows)})


def test_a_frame_tells_what_became_of_a_guess(site):
    gate, wrong, _ = asked(site)
    told = site.get(f"/labs/{SLUG}/frame", params={"step": gate + 1, "guess": wrong}).json()["verdict"]
    assert (told["right"], told["step"]) == (False, gate)
    assert dict(parse_qsl(told["query"])) == {"step": str(gate), "guess": str(wrong)}
    assert site.get(f"/labs/{SLUG}/frame", params={"step": gate + 1}).json()["verdict"] is None


def test_a_failed_prediction_becomes_a_card_with_its_numbers_and_a_way_back(site, browser, course):
    somebody = browser().sign_up()
    setting = next(found for found in course.lesson(SLUG).lab.settings if found.name == "lr")
    value = setting.write(setting.default / 2)
    row = failed(site, lr=value)
    assert keep(somebody, row).json() == {"kept": [0], "refused": []}
    (card,) = somebody.get("/account/export.json").json()["own_cards"]
    step = dict(parse_qsl(row["query"]))["step"]
    assert card["source"] == f"/lessons/{SLUG}?lr={value}&step={step}#lab"
    shown = site.get(f"/labs/{SLUG}/frame", params={"lr": value, "step": step}).json()["html"]
    question = html.unescape(re.search(r'id="ask">(.*?)</p>', shown, re.DOTALL)[1])
    assert re.sub("<[^>]+>", "", question)[:20] in re.sub("[*`]", "", card["front"])
    assert site.get(card["source"].partition("#")[0]).status_code == 200
    (queued,) = somebody.get("/api/queue", params={"deck": "own"}).json()["cards"]
    assert html.escape(card["source"]) in queued["html"]
    assert "You predicted:" in queued["html"]
    assert html.escape(card["source"]) in somebody.get("/cards/own").text


def test_such_a_card_is_scheduled_and_speaks_for_what_comes_next(site, browser):
    somebody = browser().sign_up()
    keep(somebody, failed(site))
    (card,) = [row["id"] for row in somebody.get("/account/export.json").json()["own_cards"]]
    entry = {
        "id": str(uuid.uuid4()),
        "kind": "review",
        "card": card,
        "grade": "easy",
        "at": datetime.now(UTC).isoformat(),
    }
    assert somebody.send("/api/log", {"entries": [entry]}).json()["stored"] == [entry["id"]]
    assert somebody.get("/account/export.json").json()["schedule"][0]["card"] == card
    assert "You predicted otherwise in a lab on" in html.unescape(somebody.get("/progress").text)


def test_the_same_step_makes_one_card_and_another_setting_another(site, browser):
    somebody, other = browser().sign_up(), browser().sign_up()
    row = failed(site)
    keep(somebody, row, row)
    keep(somebody, row, failed(site, lr="0.07"))
    keep(other, row)
    assert len(somebody.get("/account/export.json").json()["own_cards"]) == 2
    assert len(other.get("/account/export.json").json()["own_cards"]) == 1


def test_it_works_without_script_by_the_button_under_the_verdict(site, browser):
    somebody = browser().sign_up()
    gate, wrong, _ = asked(site)
    page = somebody.get(f"/lessons/{SLUG}", params={"step": gate + 1, "guess": wrong}).text
    query = html.unescape(re.search(r'form="keep-prediction"[^>]*value="([^"]+)"', page)[1])
    answer = somebody.post(f"/labs/{SLUG}/cards", {"query": query})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/cards/own#")
    page = browser().get(f"/lessons/{SLUG}", params={"step": gate + 1, "guess": wrong}).text
    assert "keep-prediction" not in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "step=0",
        "step=0&guess=9",
        "step=99999&guess=0",
        "step=-1&guess=0",
        "step=0&guess=0&lr=1e99",
        "step=²&guess=1",
        "&".join(f"x{number}=1" for number in range(60)),
    ],
)
def test_what_was_no_failed_prediction_is_refused_with_its_reason(browser, query):
    somebody = browser().sign_up()
    found = keep(somebody, {"slug": SLUG, "query": query}, {"slug": "nope", "query": query}).json()
    assert found["kept"] == []
    assert [row["place"] for row in found["refused"]] == [0, 1]
    assert all(row["because"] for row in found["refused"])
    assert somebody.post(f"/labs/{SLUG}/cards", {"query": query}).status_code == 400


def test_a_right_prediction_makes_no_card(site, browser):
    somebody = browser().sign_up()
    gate, _, right = asked(site)
    found = keep(somebody, {"slug": SLUG, "query": urlencode({"step": gate, "guess": right})}).json()
    assert found["kept"] == []
    assert "prediction that failed" in found["refused"][0]["because"]


@pytest.mark.parametrize("value", [{}, {"failed": 1}, {"failed": [{}] * 21}])
def test_what_is_no_list_is_refused(browser, value):
    assert browser().sign_up().send("/api/predictions", value).status_code == 400


def test_the_labs_own_words_are_not_changed_but_the_card_can_be_deleted(site, browser):
    somebody = browser().sign_up()
    keep(somebody, failed(site))
    (card,) = [row["id"] for row in somebody.get("/account/export.json").json()["own_cards"]]
    changed = somebody.post(f"/cards/own/{card}", {"action": "save", "front": "x", "back": "y"})
    assert changed.status_code == 400
    assert somebody.post(f"/cards/own/{card}", {"action": "delete"}).status_code == 303
    assert somebody.get("/account/export.json").json()["own_cards"] == []
