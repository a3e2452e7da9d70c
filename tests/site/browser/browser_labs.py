"""Labs in a real browser: keyboard alone, wide and phone, light and dark.

Not collected by default: `make test-site` runs files of this name.
"""

import itertools
import re
from dataclasses import replace

import pytest

from slopewise.site.content.lesson import LESSONS
from slopewise.site.labs.places import Asker

NUMBERS = itertools.count(1)
SLUGS = [folder.name[4:].replace("_", "-") for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_is_walked_forward_and_back_with_the_keyboard(reader, page, slug):
    reader.open(f"/lessons/{slug}")
    steps = int(page.get_attribute(".lab", "data-steps"))
    page.check("[data-skip]")
    page.focus("[data-go=on]")
    for step in range(1, min(steps, 6)):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("step => document.querySelector('.scrub').value == step", arg=step)
    there = page.inner_html(".lab .view")
    assert f"step={min(steps, 6) - 1}" in page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => !document.querySelector('[data-go=on]').disabled")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("html => document.querySelector('.lab .view').innerHTML == html", arg=there)
    page.focus(".scrub")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("End", steps - 1)):
        page.keyboard.press(key)
        page.wait_for_function(
            "step => document.querySelector('.place').textContent.includes(` ${step} of `)", arg=step
        )
    assert reader.fits()


@pytest.mark.parametrize("slug", SLUGS)
def test_all_questions_of_a_lesson_are_answered_with_the_keyboard(reader, page, slug):
    reader.open(f"/lessons/{slug}")
    count = page.locator("[data-question]").count()
    assert count
    for place in range(count):
        question = page.locator("[data-question]").nth(place)
        question.locator("input").first.focus()
        page.keyboard.press("Space")
        reader.tab_to("[data-question] summary")
        page.keyboard.press("Enter")
        verdict = question.locator("[data-verdict]")
        verdict.filter(has_text=re.compile("Right|Not quite")).wait_for()
        assert question.locator("details > :not(summary)").first.is_visible()
    assert len(page.evaluate("Object.keys(JSON.parse(localStorage['slopewise.answers']))")) == count
    assert reader.fits()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_prediction_comes_before_the_step_and_is_answered_after_it(reader, page, slug):
    reader.open(f"/lessons/{slug}")
    gate = int(page.get_attribute(".lab", "data-gates").split(",")[0])
    page.focus("[data-go=on]")
    page.keyboard.press("End")
    page.wait_for_selector(".prediction")
    assert int(page.input_value(".scrub")) == gate
    page.click("[data-go=commit]")
    assert "Choose one" in page.inner_text(".problem")
    page.check(".prediction input >> nth=0")
    page.click("[data-go=commit]")
    page.wait_for_selector(".verdict")
    assert page.inner_text(".verdict").startswith(("You were right.", "It went otherwise."))
    assert reader.fits()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_deck_is_turned_and_graded_with_the_keyboard_and_remembers(reader, page, slug):
    reader.open(f"/cards/{slug}")
    page.keyboard.press(" ")
    page.wait_for_selector(".card.shown details[open]")
    page.keyboard.press("3")
    page.wait_for_function("() => document.querySelector('.progress').textContent.startsWith('Card 2')")
    page.reload()
    page.wait_for_selector(".card.shown")
    assert "1 graded" in page.inner_text(".progress")
    assert reader.fits()


def test_a_patch_is_chosen_and_verified_with_the_keyboard(reader, page, address):
    page.goto(f"{address}/lessons/bug-museum?exhibit=floor&seed={1 + next(NUMBERS)}")
    page.click("[data-go=run]")
    page.check("[data-skip]")
    page.focus("[data-go=on]")
    page.keyboard.press("End")
    page.wait_for_selector(".offer input")
    revealed = int(page.input_value(".scrub"))
    page.focus(".offer input")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("step => document.querySelector('.scrub').value == step", arg=revealed + 1)
    assert "patch=c" in page.url
    page.keyboard.press("End")
    page.wait_for_selector(".numbers.foremost >> text=With the patch")
    assert page.inner_text(".lab .view h3") == "The floor: healed"
    assert reader.fits()
    page.select_option("#set-exhibit", "dark")
    page.wait_for_function("() => document.querySelector('.lab h3').textContent.startsWith('The dark room')")
    assert "patch" not in page.url


def test_only_the_settings_of_the_chosen_experiment_are_shown_and_sent(page, address):
    page.goto(f"{address}/lessons/autograd")
    assert page.is_visible("#set-quotient")
    assert page.is_hidden("#set-depth")
    page.select_option("#set-run", "nest")
    page.wait_for_selector("#set-depth", state="visible")
    assert page.is_hidden("#set-quotient")
    page.fill("#set-depth", "5")
    page.keyboard.press("Tab")
    page.wait_for_url("**depth=5*")
    assert "quotient" not in page.url


def test_opening_a_link_shows_the_button_and_the_button_the_step_of_the_link(reader, page, violations):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    rate = f"0.{300 + next(NUMBERS)}"
    reader.open(f"/lessons/gradient-descent?lr={rate}&step=2&guess=1#lab")
    page.wait_for_selector("[data-go=run]")
    assert page.input_value("#set-lr") == rate
    assert page.is_hidden(".transport")
    assert violations(page) == []
    assert reader.fits()
    assert sent == []
    page.focus("[data-go=run]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".transport", state="visible")
    assert page.evaluate("document.activeElement.matches('.lab .view h3')")
    assert page.inner_text(".verdict").startswith(("You were right.", "It went otherwise."))
    assert int(page.input_value(".scrub")) == 2
    assert len([url for url in sent if url.endswith("/runs")]) == 1
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.scrub').value == 3")
    assert len([url for url in sent if url.endswith("/runs")]) == 1  # a step is looked at, not run


def test_a_run_that_waits_shows_its_place_and_follows_by_itself(reader, page, served, violations):
    places = served.application.state.places
    taken = served.call(lambda: [places.enter(Asker(f"somebody {n}")) for n in range(places.count)])
    try:
        reader.open("/lessons/gradient-descent")
        page.fill("#set-w1", f"{1 + next(NUMBERS) / 100:.2f}")
        page.keyboard.press("Tab")
        page.wait_for_selector("text=Place 1 in the queue")
        assert violations(page) == []
        assert reader.fits()
        page.reload()
        page.wait_for_selector("text=Place 1 in the queue")
    finally:
        served.call(lambda: [ticket.leave() for ticket in taken])
    page.wait_for_selector(".transport", state="visible")
    assert page.is_hidden("text=in the queue")


def test_a_run_that_the_machine_had_no_time_for_is_offered_again(reader, page, served, monkeypatch):
    pool, reader.watch.expected = served.application.state.frames.pool, ["status of 503"]
    reader.open("/lessons/gradient-descent")
    with monkeypatch.context() as patch:
        patch.setattr(pool, "limits", replace(pool.limits, seconds=1e-4))
        page.fill("#set-w1", f"{1 + next(NUMBERS) / 100:.2f}")
        page.keyboard.press("Tab")
        page.wait_for_selector("[data-go=run]")
    assert "took longer than" in page.inner_text(".lab .problem")
    page.click("[data-go=run]")
    page.wait_for_selector(".transport", state="visible")
    assert page.is_hidden(".lab .problem")
