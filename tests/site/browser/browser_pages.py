"""Every page of the site in Chromium: axe-core finds nothing serious, nothing sticks out, nothing leaves."""

from collections import Counter

import pytest
from site_walk import Walk, pattern_of

from slopewise.site.content import load_course

START = ("/", "/search?q=learning+rate", "/sign-up", "/log-in", "/reset")
SLUGS = [entry.slug for entry in load_course().entries]


def look_at(reader, path, violations):
    """Return what is wrong with a page in both colour schemes, wide and on a phone, a line each."""
    page = reader.page
    wrong = []
    answer = reader.open(path)
    if answer.status != 200:
        return [f"{path}: status {answer.status}"]
    page.wait_for_timeout(200)  # modules have run; a page with a stream is never idle
    for width, scheme in ((1280, "light"), (1280, "dark"), (375, "dark"), (375, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        if not reader.fits():
            wrong.append(f"{path}: sticks out at {width} px")
        if (width, scheme) != (375, "light"):  # pairwise
            wrong += [f"{path} {width} {scheme}: {line}" for line in violations(page)]
    return wrong


def some_of_each(application, walk, most):
    """Return so many addresses of each kind of page."""
    count = Counter()
    for address in sorted(walk.pages):
        pattern = pattern_of(application, address)
        count[pattern] += 1
        if count[pattern] <= most:
            yield address


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_is_accessible_in_both_colour_schemes_and_fits_a_phone(new_reader, violations, slug):
    reader = new_reader()
    assert look_at(reader, f"/lessons/{slug}", violations) == []


def test_every_other_page_for_visitors_is_accessible_and_fits(new_reader, violations, served, browser):
    walk = Walk(browser().get, START)
    reader = new_reader()
    found = [address for address in some_of_each(served.application, walk, 3) if "/lessons/" not in address]
    wrong = [line for address in found for line in look_at(reader, address, violations)]
    assert wrong == []
    assert len(found) > 10


def test_every_page_of_somebody_who_has_everything_is_accessible_and_fits(
    new_reader, violations, served, owner
):
    walk = Walk(owner.get, (*START, *owner.only_told))
    reader = new_reader()
    reader.take_cookies(owner)
    found = list(some_of_each(served.application, walk, 1))
    wrong = [line for address in found for line in look_at(reader, address, violations)]
    assert wrong == []
    assert len(found) > 20


@pytest.mark.parametrize("path", ["/nowhere", "/reset/spent", "/lessons/gradient-descent?step=-1"])
def test_a_page_that_says_no_is_accessible_too(new_reader, violations, path):
    reader = new_reader()
    reader.watch.expected = ["status of 4"]
    assert reader.open(path).status >= 400
    assert violations(reader.page) == []
    assert reader.fits()


def test_without_script_a_page_shows_all_it_has_and_a_lab_steps(chromium, served):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 375, "height": 800})
    page = context.new_page()
    for path in ("/", "/lessons/gradient-descent", "/cards/gradient-descent", "/glossary", "/map"):
        page.goto(served.address + path)
        assert page.locator("main h1").is_visible(), path
        assert page.locator(".needs-script >> visible=true").count() == 0, path
    page.goto(served.address + "/lessons/gradient-descent")
    for step in (1, 2):
        page.locator("[data-go=on]").click()
        assert f"step={step}" in page.url
        assert f" {step} of " in page.locator(".place").inner_text()
    page.locator("[data-go=back]").click()
    assert "step=1" in page.url
    page.goto(served.address + "/lessons/gradient-descent?lr=0.777&step=3#lab")
    page.locator("[data-go=run]").click()
    assert page.url.endswith("?lr=0.777&step=3#lab")
    assert " 3 of " in page.locator(".place").inner_text()
    page.locator("#set-lr").fill("0.778")
    page.get_by_role("button", name="Start with these settings").click()
    assert page.url.endswith("?lr=0.778#lab")
    assert " 0 of " in page.locator(".place").inner_text()
    page.goto(served.address + "/cards/gradient-descent")
    page.locator(".card summary").first.click()
    assert page.locator(".card .back").first.is_visible()
    context.close()


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
