"""Two-sentence prompts over HTTP: without script and account; the learner's verdict is what is kept."""

import html
import re

import pytest

ADDRESS = "/lessons/gradient-descent/prompts/define"
TEXT = "You repeat small steps against the gradient."


def checked(text):
    return [int(place) for place in re.findall(r'name="idea-(\d)" value="1" checked', text)]


def test_a_text_is_compared_without_script_and_account(browser):
    somebody = browser()
    assert "Define gradient descent in two sentences." in somebody.get(ADDRESS).text
    answer = somebody.post(ADDRESS, {"text": TEXT}, page=ADDRESS)
    assert answer.status_code == 200
    assert checked(answer.text) == [0, 2]
    assert TEXT in answer.text
    assert "Keep my verdict" not in answer.text


def test_the_script_gets_the_same_hints(browser):
    somebody = browser()
    headers = {"x-form-token": somebody.get("/api/form-token").json()["token"], "accept": "application/json"}
    found = somebody.client.post(ADDRESS, json={"text": TEXT}, headers=headers).json()
    assert found == {"ideas": [True, False, True, False]}


def test_the_learner_overrules_a_hint_and_the_verdict_counts(browser):
    somebody = browser().sign_up()
    page = somebody.post(ADDRESS, {"text": TEXT}).text
    assert "Keep my verdict" in page
    fields = {"text": TEXT, "idea-0": "1", "idea-1": "1", "idea-2": "1", "idea-3": "1"}
    answer = somebody.post(f"{ADDRESS}/ideas", fields)
    assert answer.headers["location"] == "/lessons/gradient-descent#prompt-define"
    kept = {row["kind"]: row["value"] for row in somebody.get("/api/progress").json()["items"]}
    assert kept == {"prompt": {"ideas": [True] * 4}, "draft": TEXT}
    skill = r"carrying out an update</span> <span class=\"level\">(\w+)"
    assert re.search(skill, somebody.get("/progress").text)[1] in ("growing", "sound")
    somebody.post(f"{ADDRESS}/ideas", {"text": TEXT})
    assert re.search(skill, somebody.get("/progress").text)[1] == "shaky"
    assert browser().post(f"{ADDRESS}/ideas", fields).status_code == 401


def test_nothing_of_a_text_is_run_or_kept_without_an_account(browser, site):
    hostile = "<script>alert(1)</script> {{ 7 * 7 }} $\\foo$ against the gradient"
    text = browser().post(ADDRESS, {"text": hostile}, page=ADDRESS).text
    assert "<script>alert" not in text
    assert html.escape("{{ 7 * 7 }} $\\foo$") in text
    with site.app.state.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT value FROM progress").fetchall()
    assert not any("7 * 7" in str(row[0]) for row in rows)


@pytest.mark.parametrize("path", ["/lessons/nope/prompts/define", "/lessons/gradient-descent/prompts/nope"])
def test_a_prompt_that_there_is_not_is_not_found(browser, path):
    assert browser().get(path).status_code == 404


def test_a_text_that_is_too_long_is_refused(browser):
    assert browser().post(ADDRESS, {"text": "x" * 2001}, page=ADDRESS).status_code == 400


def test_without_script_the_lesson_leads_to_the_prompts_own_page(site):
    assert f'href="{ADDRESS}"' in site.get("/lessons/gradient-descent").text
