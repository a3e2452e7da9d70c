"""Every page of the site in Chromium: axe-core finds nothing serious, nothing sticks out, nothing leaves."""

from collections import Counter

import pytest
from site_walk import Walk, pattern_of

from slopewise.site.content import load_course

START = ("/", "/search?q=learning+rate", "/sign-up", "/log-in", "/reset")
SLUGS = [entry.slug for entry in load_course().entries]
# What somebody sees who has just made an account: nothing is there yet.
EMPTY = (
    "/",
    "/account",
    "/review",
    "/review/resting",
    "/cards/own",
    "/cards/imported",
    "/progress",
    "/classes",
    "/data",
    "/membership",
)


@pytest.fixture(scope="module")
def stranger(browser):
    """The walk of somebody without an account."""
    return Walk(browser().get, START)


@pytest.fixture(scope="module")
def member(owner):
    """The walk of somebody who has everything."""
    return Walk(owner.get, (*START, *owner.only_told))


def some_of_each(served, walk, most):
    """Return so many addresses of each kind of page."""
    count = Counter()
    for address in sorted(walk.pages):
        pattern = pattern_of(served.application, address)
        count[pattern] += 1
        if count[pattern] <= most:
            yield address


def look_at(reader, look, path):
    answer = reader.open(path)
    if answer.status != 200:
        return [f"{path}: status {answer.status}"]
    return look(reader)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_is_accessible_at_the_first_step_of_its_lab_and_at_the_last(new_reader, look, slug):
    reader = new_reader()
    reader.open(f"/lessons/{slug}")
    steps = int(reader.page.get_attribute(".lab", "data-steps"))
    wrong = look(reader, "wide")
    reader.open(f"/lessons/{slug}?step={steps - 1}")
    assert wrong + look(reader, "phone") == []


def test_every_other_page_for_visitors_is_accessible_and_fits(new_reader, look, served, stranger):
    reader = new_reader()
    found = [address for address in some_of_each(served, stranger, 2) if "/lessons/" not in address]
    assert [line for address in found for line in look_at(reader, look, address)] == []
    assert len(found) > 10


def test_every_page_of_somebody_who_has_everything_is_accessible_and_fits(
    new_reader, look, served, owner, member
):
    reader = new_reader()
    reader.take_cookies(owner)
    found = list(some_of_each(served, member, 1))
    assert [line for address in found for line in look_at(reader, look, address)] == []
    assert len(found) > 20


def test_every_page_of_somebody_who_has_nothing_yet_is_accessible_and_fits(new_reader, look, browser):
    reader = new_reader()
    reader.take_cookies(browser().sign_up())
    assert [line for address in EMPTY for line in look_at(reader, look, address)] == []


@pytest.mark.parametrize("who", ["stranger", "member"])
def test_without_script_every_page_shows_what_it_has(new_reader, served, owner, request, who):
    walk = request.getfixturevalue(who)
    reader = new_reader("phone", java_script_enabled=False)
    page = reader.page
    if who == "member":
        reader.take_cookies(owner)
    wrong = []
    for address in some_of_each(served, walk, 30 if who == "stranger" else 1):
        reader.open(address)
        shown = page.locator("main h1").is_visible() and len(page.inner_text("main").split()) > 8
        idle = page.locator(".needs-script >> visible=true").count()
        if not shown or idle:
            wrong.append(f"{address}: {'something waits for a script' if shown else 'nothing is shown'}")
    assert wrong == []


def test_without_script_a_lab_steps_and_runs_and_a_card_is_turned(new_reader):
    reader = new_reader("phone", java_script_enabled=False)
    page = reader.page
    reader.open("/lessons/gradient-descent")
    for step in (1, 2):
        page.locator("[data-go=on]").click()
        assert f"step={step}" in page.url
        assert f" {step} of " in page.locator(".place").inner_text()
    page.locator("[data-go=back]").click()
    assert "step=1" in page.url
    reader.open("/lessons/gradient-descent?lr=0.777&step=3#lab")
    page.locator("[data-go=run]").click()
    assert page.url.endswith("?lr=0.777&step=3#lab")
    assert " 3 of " in page.locator(".place").inner_text()
    page.locator("#set-lr").fill("0.778")
    page.get_by_role("button", name="Start with these settings").click()
    assert page.url.endswith("?lr=0.778#lab")
    assert " 0 of " in page.locator(".place").inner_text()
    reader.open("/cards/gradient-descent")
    page.locator(".card summary").first.click()
    assert page.locator(".card .back").first.is_visible()


def test_nothing_is_loaded_twice_within_a_visit(new_reader):
    reader = new_reader()
    loaded = Counter()
    reader.page.on("requestfinished", lambda sent: "/static/" in sent.url and loaded.update([sent.url]))
    for path in ("/lessons/gradient-descent", "/cards/gradient-descent", "/lessons/batches"):
        reader.open(path)
        reader.page.wait_for_load_state("networkidle")
    names = Counter(address.partition("?")[0].rpartition("/")[2] for address in loaded)
    assert len(loaded) > 5
    assert [name for name, count in names.items() if count > 1] == []
