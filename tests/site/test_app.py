"""The application as a whole: policies, headers, hosts, pages, errors."""

import re

import pytest
from fastapi import APIRouter, FastAPI
from markupsafe import escape
from sqlalchemy.exc import OperationalError
from starlette.staticfiles import StaticFiles

from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.content import markup
from slopewise.site.policies import ANYONE, route, undeclared_routes
from slopewise.site.storage.database import Database


@pytest.mark.parametrize("address", ["/", "/nope", "/static/site.css", "/healthz", "/lessons/nope"])
def test_every_answer_carries_the_strict_headers(site, address):
    headers = site.get(address).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    closed = ("default-src", "base-uri", "frame-ancestors")
    assert [policy.get(name) for name in closed] == ["'none'"] * 3
    assert policy["form-action"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'"}  # nothing inline, nothing from elsewhere
    assert headers["x-content-type-options"] == "nosniff"


def test_a_host_that_is_not_ours_is_refused(site):
    assert site.get("/", headers={"host": "evil.example"}).status_code == 400


def test_every_route_declares_a_policy_and_checks_it(site):
    assert undeclared_routes(site.app) == []


def test_a_route_without_a_policy_is_found(tmp_path):
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter()

    @route(router, "GET", "/declared", ANYONE)
    def declared():
        return {}

    @router.get("/forgotten")
    def forgotten():
        return {}

    @router.websocket("/talk")
    async def talk(socket):
        pass

    application.router.routes.extend(router.routes)
    application.mount("/files", StaticFiles(directory=tmp_path), name="static")
    assert undeclared_routes(application) == ["/forgotten", "/talk", "/files"]


def test_an_application_with_a_route_without_a_policy_does_not_start(new_database, tmp_path, monkeypatch):
    monkeypatch.setattr("slopewise.site.app.undeclared_routes", lambda application: ["/forgotten"])
    with pytest.raises(RuntimeError, match="routes without a policy: /forgotten"):
        create_app(Configuration(database=new_database(), files=tmp_path))


def test_what_is_not_there_is_said_on_a_page_or_as_json(site):
    answer = site.get("/lessons/nope")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    answer = site.get("/labs/nope/frame", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no such page."}


def test_a_lesson_that_is_not_written_says_so(site, course):
    for entry in course.entries:
        text = site.get(f"/lessons/{entry.slug}").text
        assert ("not written yet" in text) == (entry.outline is None), entry.slug


def test_the_page_of_a_lesson_shows_all_that_the_lesson_holds(site, course):
    for lesson in course.lessons:
        text = site.get(f"/lessons/{lesson.slug}").text
        parts = [lesson.summary, *lesson.goals, *lesson.takeaways, lesson.workflow]
        parts += [part for asked in lesson.questions for part in (asked.ask, asked.because, *asked.choices)]
        parts += [part for asked in lesson.prompts for part in (asked.ask, asked.answer, *asked.ideas)]
        parts += [part for shown in lesson.snippets for part in (shown.title, shown.note)]
        parts += [part for source in lesson.sources for part in (source.text, source.url)]
        assert [part for part in parts if str(markup.inline(part)) not in text] == []
        assert all(f'<li><a href="/lessons/{slug}">' in text for slug in lesson.next)
        assert all(block.html in text for block in lesson.blocks)
        printed = [line for shown in lesson.snippets for line in shown.output.splitlines()]
        assert all(f'<span class="line">{escape(line)}\n</span>' in text for line in printed)
        assert 'id="lab"' in text


def test_the_hub_shows_the_whole_course_in_order(site, course):
    text = site.get("/").text
    places = [text.index(f">{entry.title}<") for entry in course.entries]
    assert len(places) == 17
    assert places == sorted(places)
    assert text.count('class="tag">planned') == len(course.entries) - len(course.outlines)


def test_the_health_page_says_ready(site):
    assert site.get("/healthz").json() == {"ready": True}


@pytest.mark.parametrize(
    "revision", ["of another version", OperationalError("SELECT 1", {}, Exception("gone"))]
)
def test_the_health_page_says_what_is_not_ready(site, monkeypatch, revision):
    def find(database):
        if isinstance(revision, Exception):
            raise revision
        return revision

    monkeypatch.setattr(Database, "revision", find)
    answer = site.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


def test_a_search_escapes_what_was_typed(site):
    text = site.get("/search", params={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in text
    assert re.search(r"&lt;script&gt;", text)


def test_a_search_that_is_too_long_is_refused_in_a_line_and_not_said_back(site):
    assert site.get("/search", params={"q": "gradient".ljust(120)}).status_code == 200
    answer = site.get("/search", params={"q": "gradient " * 6000})
    assert answer.status_code == 400
    assert "A search has at most 100 characters." in answer.text
    assert "gradient gradient" not in answer.text


@pytest.mark.parametrize("address", ["/", "/healthz", "/log-in", "/static/site.css", "/nowhere", "/account"])
def test_head_says_what_get_says_and_nothing_of_what_is_in_it(site, address):
    asked = site.get(address, headers={"accept-encoding": "identity"}, follow_redirects=False)
    head = site.head(address, headers={"accept-encoding": "identity"}, follow_redirects=False)
    assert head.status_code == asked.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "content-security-policy", "location"):
        assert head.headers.get(name) == asked.headers.get(name)


def test_head_opens_no_stream_and_reads_no_form(site):
    assert site.head("/playground/jobs/0/events").status_code == 405
    assert site.head("/playground/jobs").status_code == 405
