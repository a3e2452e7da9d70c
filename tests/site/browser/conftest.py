"""One served site and one Chromium for all browser tests; pages that fail a test when the browser complains.

`make test-site` collects `browser_*.py` and `served_*.py`; `make test` does not, so nothing here is imported
from what only `make test-site-deps` installs, before a fixture asks for it.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
from site_databases import KIND
from site_templates import HEADER, TellsTemplates
from site_visitors import PASSWORD, Browser, give_everything, lab_frame
from sqlalchemy import delete
from stripe_events import FakeStripe, signed

from slopewise.site.accounts.limits import tries_of
from slopewise.site.payments.desk import Desk
from slopewise.site.storage.service_tables import Try

FLAGS = [
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"wide": (1280, 900), "phone": (375, 800)}
# Pairwise, and not each with each: a size has one colour scheme with SQLite, and the other with PostgreSQL.
SCHEMES = ("light", "dark") if KIND == "sqlite" else ("dark", "light")
LOOKS = dict(zip(SIZES, SCHEMES, strict=True))
AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
STICKS_OUT = """[...document.querySelectorAll("main *")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth && !part.closest(".scroll, .drawing"))
  .map((part) => part.outerHTML.slice(0, 90)).slice(0, 5)"""
NUMBERS = itertools.count(1)


class Served:
    """The site under an address of its own."""

    def __init__(self, application, templates, address, loop):
        self.application = application
        self.templates = templates  # the names of all
        self.address = address
        self.loop = loop
        self.mailbox = application.state.mailer
        self.clock = application.state.clock

    def call(self, function):
        """Call a function in the server's event loop, and return its result."""

        async def inside():
            return function()

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(10)

    def hear_from_stripe(self, *events):
        """Send events as Stripe would."""
        for event in events:
            body, headers = signed(event)
            answer = httpx2.post(f"{self.address}/webhooks/stripe", content=body, headers=headers)
            assert answer.json() == {"received": "kept"}


class Watch:
    """What a browser complains of while a page is open, and what it fetches from elsewhere."""

    def __init__(self, page, address):
        self.complaints = []
        self.expected = []  # parts of complaints that a test provokes
        self.away = []
        self.templates = set()  # what the page was made of, with what its scripts fetched
        self.host = urlsplit(address).netloc
        page.on("console", self._console)
        page.on("response", self._response)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        page.on("crash", lambda _: self.complaints.append(f"{page.url}: crashed"))

    def _console(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def _request(self, sent):
        parts = urlsplit(sent.url)
        if parts.netloc != self.host and parts.scheme not in ("data", "blob"):
            self.away.append(sent.url)

    def _response(self, answer):
        if answer.request.is_navigation_request() and not answer.frame.parent_frame:
            self.templates.clear()
        self.templates.update(answer.headers.get(HEADER, "").split())

    def check(self):
        assert self.away == [], "requests off loopback"
        known = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert known == []


class Reader:
    """A person at a page: signs up, logs in, looks whether all fits."""

    def __init__(self, page, served, watch):
        self.page, self.served, self.watch = page, served, watch
        self.email = ""

    def open(self, path):
        return self.page.goto(self.served.address + path)

    def sign_up(self):
        """Make an account as a person would, and return its address."""
        self.email = f"reader{next(NUMBERS)}@example.org"
        self.open("/sign-up")
        self.page.fill("#email", self.email)
        self.page.click("main button")
        self.open(self.served.mailbox.link(self.email))
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/account*")
        return self.email

    def open_review(self, deck=""):
        """Open the cards of the day, wait until the browser holds them, and return what the site sent."""
        with self.page.expect_response("**/api/queue*") as queue:
            self.open(f"/review?deck={deck}")
        found = queue.value.json()
        self.page.wait_for_timeout(100)  # the script has put them in their place
        return found

    def wait_until_sent(self):
        """Wait until the browser keeps no answer that the site does not have."""
        self.page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.includes('outbox'))")

    def take_cookies(self, somebody):
        """Be somebody who is logged in elsewhere."""
        cookies = [{"name": cookie.name, "value": cookie.value} for cookie in somebody.client.cookies.jar]
        self.page.context.add_cookies([cookie | {"url": self.served.address} for cookie in cookies])

    def tab_to(self, selector, words="", most=250):
        """Press Tab until what has the focus fits a selector, and begins with some words."""
        is_there = (
            "([selector, words]) => document.activeElement.matches(selector)"
            " && document.activeElement.textContent.trim().startsWith(words)"
        )
        for _ in range(most):
            if self.page.evaluate(is_there, [selector, words]):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not reach {selector} {words} on {self.page.url}")

    def type_into(self, selector, text):
        """Come to a field by the Tab key, and type a text in place of what it holds."""
        self.tab_to(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, words, selector="button", then="**"):
        """Come to a button by the Tab key and press it; wait for the page that follows."""
        self.tab_to(selector, words)
        with self.page.expect_navigation(url=then):
            self.page.keyboard.press("Enter")

    def exported(self):
        return self.page.evaluate("fetch('/account/export.json').then((answer) => answer.json())")

    def fits(self):
        """Whether nothing sticks out at the side of the page; what does is printed."""
        if self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            return True
        print(self.page.url, self.page.evaluate(STICKS_OUT))
        return False


@pytest.fixture(scope="session")
def served(application):
    """The site, served by uvicorn in a thread; the runs that lessons open with have been made."""
    named = TellsTemplates(application)
    server = uvicorn.Server(uvicorn.Config(named, port=0, log_level="warning"))
    loops = []

    async def serve():
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the site did not start"
        assert time.monotonic() < until, "the site does not start"
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with httpx2.Client(base_url=address, timeout=60) as client:
        for outline in application.state.course.outlines:
            assert lab_frame(client, outline.slug).status_code == 200
    yield Served(application, named.names, address, loops[0])
    server.should_exit = True
    thread.join(10)


@pytest.fixture(autouse=True)
def no_try_counts(request):
    """Forget what tests before have tried: all of them come from one address."""
    if "served" not in request.fixturenames:
        return
    state = request.getfixturevalue("served").application.state
    state.tries = tries_of(state.database)
    if state.database.is_shared:
        with state.database.writing() as session:
            session.execute(delete(Try))


@pytest.fixture
def stripe(served):
    """A Stripe for the time of a test."""
    state = served.application.state
    state.payments = FakeStripe()
    state.desk = served.call(lambda: Desk(state.payments, state.database, state.clock))
    state.desk.look_at_price()
    yield state.payments
    served.call(state.desk._working.cancel)
    state.payments = state.desk = None


@pytest.fixture(scope="session")
def address(served):
    return served.address


@pytest.fixture(scope="session")
def mailbox(served):
    return served.mailbox


@pytest.fixture(scope="session")
def browser(served):
    """Makes browsers without a screen, which prepare in a moment what a reader needs."""

    with contextlib.ExitStack() as clients:

        def make():
            client = httpx2.Client(base_url=served.address, timeout=60)
            return Browser(clients.enter_context(client), served.mailbox)

        yield make


@pytest.fixture(scope="session")
def owner(served, browser):
    """Somebody who has everything: logged in without a screen; readers can take their cookies."""
    return give_everything(browser(), browser(), served.application.state.database)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, or the one that SLOPEWISE_CHROMIUM names."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("SLOPEWISE_CHROMIUM") or shutil.which("chromium")
    assert path, "there is no Chromium; run make test-site-deps"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_reader(chromium, served):
    """Makes readers, each in a browser profile of their own; all are checked at the end of the test."""
    made = []

    def make(look="wide", **options):
        width, height = SIZES[look]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=LOOKS[look],
            timezone_id="Europe/Berlin",
            has_touch=look == "phone",
            **options,
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        made.append(Reader(page, served, Watch(page, served.address)))
        return made[-1]

    yield make
    for reader in made:
        reader.page.context.close()
    for reader in made:
        reader.watch.check()


@pytest.fixture
def reader(request, new_reader):
    """Somebody at a wide screen or at a phone: a test has one with SQLite, and the other with PostgreSQL."""
    is_odd = zlib.crc32(request.node.name.encode()) % 2 == 1
    return new_reader("phone" if is_odd == (KIND == "sqlite") else "wide")


@pytest.fixture
def page(reader):
    return reader.page


@pytest.fixture(scope="session")
def violations():
    """Run axe-core on a page and return what it finds serious or critical, a line each."""
    assert AXE.is_file(), "axe-core is not installed; run make test-site-deps"
    source = AXE.read_text()

    def short(text, longest):
        return " ".join(text.split())[:longest]

    def run(page):
        page.evaluate(source + "; undefined")
        found = page.evaluate(
            "axe.run(document, {resultTypes: ['violations'], runOnly: "
            "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        return [
            f"{rule['id']}: {short(node['html'], 160)} ({short(node['failureSummary'], 300)})"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"][:3]
        ]

    return run


@pytest.fixture(scope="session")
def seen():
    """The templates of all pages that were looked at."""
    return set()


@pytest.fixture
def look(violations, seen):
    """Look at a page on a wide screen as it is, and on a phone with all open that can be opened.

    Returns what is wrong with it, a line each.
    """

    def run(reader, *sizes):
        page, wrong = reader.page, []
        page.wait_for_timeout(200)  # modules have run; a page with a stream is never idle
        for size in sizes or SIZES:
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=LOOKS[size])
            if size == "phone":
                page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
            about = f"{page.url} {size} {LOOKS[size]}"
            wrong += [] if reader.fits() else [f"{about}: sticks out"]
            wrong += [f"{about}: {line}" for line in violations(page)]
        seen.update(reader.watch.templates)
        return wrong

    return run
