"""Labs over HTTP: every lab, stepped forward and back, with good and bad settings."""

import html
import itertools
import re
import time
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from site_visitors import lab_frame, run_lab

from slopewise.site.content.lesson import LESSONS
from slopewise.site.content.run_ahead import run_ahead

SLUGS = [folder.name[4:].replace("_", "-") for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]


def frame(site, slug, **query):
    answer = lab_frame(site, slug, **query)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_steps_to_its_end_and_back_to_the_same_frames(site, slug):
    _, first = frame(site, slug)
    forward = [frame(site, slug, step=step)[1] for step in range(first["steps"])]
    backward = [frame(site, slug, step=step)[1] for step in reversed(range(first["steps"]))]
    assert forward == backward[::-1]
    assert [made["step"] for made in forward] == list(range(first["steps"]))
    assert len({made["html"] for made in forward}) == len(forward)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_asks_for_a_prediction_and_answers_it_at_the_next_step(site, slug):
    _, first = frame(site, slug)
    assert first["gates"]
    gate = first["gates"][0]
    assert "Predict first" in frame(site, slug, step=gate)[1]["html"]
    answers = [frame(site, slug, step=gate + 1, guess=guess)[1]["html"] for guess in range(2)]
    assert sum("You were right." in html for html in answers) <= 1
    assert any("It went otherwise." in html for html in answers)
    assert "What happened:" in frame(site, slug, step=gate + 1)[1]["html"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_says_in_words_and_in_a_table_what_it_shows(site, slug):
    _, first = frame(site, slug)
    for step in (0, first["steps"] // 2, first["steps"] - 1):
        _, made = frame(site, slug, step=step)
        assert 'class="words"' in made["html"]
        assert re.search(r"<table><caption>.+</caption>.*<tbody><tr.*<td>", made["html"], re.DOTALL), step


def test_the_table_of_a_step_comes_as_a_file_with_numbers_that_programs_read(site):
    _, made = frame(site, "overfitting-and-leakage", own="-0.5 -1.5; 0.1 2", step=4)
    address = html.unescape(re.search(r'href="(/labs/[^"]+)" download', made["html"])[1])
    answer = site.get(address)
    assert answer.headers["content-disposition"] == 'attachment; filename="overfitting-and-leakage-4.csv"'
    rows = [line.split(",") for line in answer.text.splitlines()]
    assert [row[0] for row in rows] == ["Updates", "0", "10", "20", "30", "40"]
    assert float(rows[5][1]) < float(rows[1][1])
    answer = site.get("/labs/overfitting-and-leakage/table.csv?own=0 0.125")  # which nobody has run
    assert (answer.status_code, answer.text) == (404, "This step has no table here: run the lab first.")
    assert site.get("/labs/overfitting-and-leakage/table.csv?seed=x").status_code == 400


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_holds_the_lab_at_the_step_of_its_address_without_script(site, slug):
    _, made = frame(site, slug, step=3)
    text = site.get(made["address"]).text
    assert f'<h3 tabindex="-1">{made["title"]}</h3>' in text
    assert 'data-step="3"' in text


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("query", [{"step": "-1"}, {"step": "x"}, {"guess": "1e9"}])
def test_a_bad_step_is_refused_in_one_sentence(site, slug, query):
    status, answer = frame(site, slug, **query)
    assert status == 400
    assert next(iter(query)) in answer["error"]
    assert site.get(f"/lessons/{slug}", params=query).status_code == 400


@pytest.mark.parametrize("slug", SLUGS)
def test_every_setting_refuses_what_it_does_not_know(site, course, slug):
    for setting in course.lesson(slug).lab.settings:
        status, answer = frame(site, slug, **{setting.name: "\x07" * 500})
        assert status == 400
        assert setting.name in answer["error"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_step_beyond_the_end_is_the_last(site, slug):
    _, made = frame(site, slug, step=99999)
    assert made["step"] == made["steps"] - 1


@pytest.mark.parametrize("slug", SLUGS)
def test_a_step_does_not_run_the_lab_again(site, slug):
    _, first = frame(site, slug)
    seconds = []
    for step in range(40):
        began = time.perf_counter()
        frame(site, slug, step=step % first["steps"])
        seconds.append(time.perf_counter() - began)
    p95 = sorted(seconds)[37]
    print(f"{slug}: a step takes {p95 * 1000:.0f} ms at the 95th percentile; it should take at most 150")
    assert p95 < 2  # who shares the machine may have the cores: the figure is printed, the test not timed


# ---- who looks, runs nothing

SLUG = "gradient-descent"
RATES = itertools.count(1)


def new_rate():
    """Return a learning rate that nobody has run yet."""
    return f"{0.2 + next(RATES) / 1e4:.4f}"


@pytest.fixture
def made(site, monkeypatch):
    """The runs that workers make meanwhile."""
    pool, runs = site.app.state.frames.pool, []
    run = pool.run

    async def watched(lab, values):
        runs.append(values)
        return await run(lab, values)

    monkeypatch.setattr(pool, "run", watched)
    return runs


@pytest.fixture
def full(take_all_places):
    """All places are taken, as long as the test runs."""
    with take_all_places():
        yield


def test_opening_a_link_starts_no_run_and_shows_the_button(site, made):
    query = {"lr": new_rate(), "step": "3"}
    for _ in range(2):
        page = site.get(f"/lessons/{SLUG}", params=query)
        assert page.status_code == 200
        assert "Run this experiment" in page.text
        assert f'name="lr" min="0.005" max="1.2" step="any" value="{float(query["lr"]):g}"' in page.text
        assert site.get(f"/labs/{SLUG}/frame", params=query).json()["state"] == "ready"
    assert made == []


def test_the_button_runs_the_experiment_without_script_and_goes_to_the_step_of_the_link(browser, made):
    somebody, rate = browser(), new_rate()
    page = somebody.get(f"/lessons/{SLUG}?lr={rate}&step=2&guess=1").text
    button = re.search(r'data-go="run" formmethod="post" formaction="([^"]+)"', page)[1]
    answer = somebody.post(html.unescape(button).partition("#")[0], {"lr": rate}, page=f"/lessons/{SLUG}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/lessons/{SLUG}?lr={rate}&step=2&guess=1#lab"
    page = somebody.get(answer.headers["location"].partition("#")[0]).text
    assert 'data-state="shown" data-step="2"' in page
    assert 'class="verdict' in page
    assert len(made) == 1


def test_a_run_is_begun_only_by_a_page_of_ours(site, browser, made):
    rate = new_rate()
    for path, sent in ((f"/lessons/{SLUG}", {"data": {"lr": rate}}), (f"/labs/{SLUG}/runs", {"json": {}})):
        assert browser().client.post(path, **sent).status_code == 403
    somebody = browser()
    token = somebody.token(f"/lessons/{SLUG}")
    answer = somebody.client.post(
        f"/lessons/{SLUG}", data={"lr": rate, "form_token": token}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert made == []


def test_the_run_that_a_lesson_opens_with_is_made_ahead_and_stays(site, course, monkeypatch):
    frames, lesson = site.app.state.frames, course.lesson(SLUG)
    before, pins = dict(frames._pinned), set(frames._pins)
    frames._pinned.clear()
    frames._kept.clear()
    frames._size = 0
    small = replace(course, parts=(replace(course.parts[0], entries=(course.entry(SLUG),)),))
    site.portal.call(run_ahead, small, frames)
    assert frames.kept(lesson.folder, lesson.lab.read({})) is not None
    monkeypatch.setattr(frames.pool, "limits", replace(frames.pool.limits, kept=1))
    for _ in range(2):
        assert run_lab(site, SLUG, lr=new_rate()).status_code == 200
    assert 'data-state="shown"' in site.get(f"/lessons/{SLUG}").text
    frames._pinned.update(before)
    frames._pins.update(pins)


def test_a_lesson_answers_when_all_places_are_taken_and_shows_the_place_in_the_queue(browser, full, made):
    first, second, rates = browser(), browser(), [new_rate(), new_rate()]
    for somebody, rate in zip((first, second), rates, strict=True):
        answer = somebody.post(f"/lessons/{SLUG}", {"lr": rate}, page=f"/lessons/{SLUG}")
        assert answer.status_code == 303
    for place, (somebody, rate) in enumerate(zip((first, second), rates, strict=True), 1):
        page = somebody.get(f"/lessons/{SLUG}?lr={rate}")
        assert page.status_code == 200
        assert f"Place {place} in the queue" in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text
    told = first.get(f"/labs/{SLUG}/frame?lr={rates[0]}").json()
    assert (told["state"], told["place"]) == ("waiting", 1)
    assert second.get(f"/labs/{SLUG}/frame?lr={rates[0]}").json()["state"] == "ready"
    assert made == []


def test_a_full_queue_is_said_on_the_page_which_answers_all_the_same(site, browser, full, monkeypatch):
    monkeypatch.setattr(site.app.state.places, "most_waiting", 0)
    somebody, rate = browser(), new_rate()
    answer = somebody.post(f"/lessons/{SLUG}", {"lr": rate}, page=f"/lessons/{SLUG}")
    assert answer.status_code == 200
    assert "the queue is full; please try again" in answer.text
    assert "Run this experiment" in answer.text
    assert run_lab(site, SLUG, lr=rate).json()["problem"].startswith("all places are taken")


def test_a_network_of_made_up_visitors_does_not_keep_an_account_out(site, browser, full, monkeypatch):
    monkeypatch.setattr(site.app.state.places, "most_by_network", 0)  # as if it had used up its share
    school, page = "10.97.97.97", f"/lessons/{SLUG}"
    told = [
        somebody.send(f"/labs/{SLUG}/runs", {"query": f"lr={new_rate()}"}, page=page).json()
        for somebody in (browser(school), browser(school).sign_up())
    ]
    assert [answer["state"] for answer in told] == ["ready", "waiting"]
    assert "the queue is full" in told[0]["problem"]


def test_a_run_that_a_busy_machine_did_not_end_in_time_is_offered_again(site, browser, monkeypatch):
    """It is no mistake of ours: programs read when to come back, learners get the button."""
    pool, somebody, query = site.app.state.frames.pool, browser(), {"lr": new_rate(), "step": "2"}
    tight = replace(pool.limits, seconds=1e-4)
    with monkeypatch.context() as patch:
        patch.setattr(pool, "limits", tight)
        answer = somebody.send(f"/labs/{SLUG}/runs", {"query": urlencode(query)}, page="/log-in")
        until = time.monotonic() + 20
        while answer.json()["state"] == "waiting":  # for a worker to start
            assert time.monotonic() < until, "the run does not end"
            answer = somebody.get(f"/labs/{SLUG}/frame", params=query)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    told = answer.json()
    assert told["state"] == "ready"
    assert "took longer than" in told["problem"]
    assert "Run this experiment" in told["html"]
    page = somebody.get(f"/lessons/{SLUG}", params=query)
    assert page.status_code == 200
    assert "took longer than" in page.text
    answer = somebody.send(f"/labs/{SLUG}/runs", {"query": urlencode(query)}, page="/log-in")
    assert answer.status_code == 200


def test_settings_that_a_lab_cannot_run_are_refused_on_the_page(site, browser):
    somebody = browser()
    answer = somebody.post("/lessons/training-loop", {"batch": "2", "epochs": "8"}, page=f"/lessons/{SLUG}")
    until = time.monotonic() + 10
    while answer.status_code == 303 or 'data-state="waiting"' in answer.text:
        assert time.monotonic() < until, "the run does not end"
        answer = somebody.get("/lessons/training-loop?batch=2&epochs=8")
    assert answer.status_code == 400
    assert "choose fewer" in answer.text
    answer = somebody.post(f"/lessons/{SLUG}", {"lr": "much"}, page=f"/lessons/{SLUG}")
    assert answer.status_code == 400
    assert "(lr) is a number" in answer.text
    assert run_lab(site, SLUG, lr="much").status_code == 400
