"""Labs in a real browser: keyboard alone, wide and phone, light and dark, nothing off loopback.

Not collected by default: `make test-site` runs files of this name.
"""

import shutil
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.content.lesson import LESSONS

SLUGS = [folder.name[4:].replace("_", "-") for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LOOKS = [(1280, 900, "light"), (375, 800, "dark")]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a site that is being served."""
    database = tmp_path_factory.mktemp("site") / "site.db"
    application = create_app(Configuration(database=f"sqlite:///{database}"))
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[2]}")
def page(request, browser, address):
    """A page that fails the test on a complaint of the browser, or a request that leaves the site."""
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith(address) else complaints.append(sent.url))
    yield page
    context.close()
    assert complaints == []


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lab_is_walked_forward_and_back_with_the_keyboard(page, address, slug):
    page.goto(f"{address}/lessons/{slug}")
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
    assert fits(page)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_prediction_comes_before_the_step_and_is_answered_after_it(page, address, slug):
    page.goto(f"{address}/lessons/{slug}")
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
    assert fits(page)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_deck_is_turned_and_graded_with_the_keyboard_and_remembers(page, address, slug):
    page.goto(f"{address}/cards/{slug}")
    page.keyboard.press(" ")
    page.wait_for_selector(".card.shown details[open]")
    page.keyboard.press("3")
    page.wait_for_function("() => document.querySelector('.progress').textContent.startsWith('Card 2')")
    page.reload()
    page.wait_for_selector(".card.shown")
    assert "1 graded" in page.inner_text(".progress")
    assert fits(page)
