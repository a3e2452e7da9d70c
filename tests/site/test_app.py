"""The application as a whole: policies, headers, hosts, pages, errors."""

import re
from html.parser import HTMLParser

import pytest
from fastapi import APIRouter, FastAPI

from slopewise.site.policies import ANYONE, route, undeclared_routes

PAGES = (
    "/",
    "/lessons/gradient-descent",
    "/lessons/batches",
    "/cards",
    "/cards/gradient-descent",
    "/glossary",
    "/map",
    "/search",
    "/search?q=learning+rate",
)


class Page(HTMLParser):
    """What the tests want to know of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.inline, self.assets, self.headings = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values.get("href"))
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag in ("script", "img", "link"):
            self.assets.append(values.get("src") or values.get("href"))


@pytest.mark.parametrize("address", PAGES)
def test_a_page_answers_and_holds_no_inline_code_and_nothing_from_elsewhere(site, address):
    answer = site.get(address)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.inline == []
    assert page.assets
    assert all(asset.startswith("/static/") for asset in page.assets)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_one_first_heading_and_no_id_twice(site, address):
    page = Page(site.get(address).text)
    assert page.headings.count(1) == 1
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("address", PAGES)
def test_every_link_of_a_page_leads_somewhere(site, address):
    pages = {}
    for link in Page(site.get(address).text).links:
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        path = path or address
        if path not in pages:
            pages[path] = site.get(path)
        assert pages[path].status_code == 200, link
        if anchor:
            assert anchor in Page(pages[path].text).ids, link


@pytest.mark.parametrize("address", PAGES)
def test_assets_of_a_page_are_there(site, address):
    for asset in Page(site.get(address).text).assets:
        assert site.get(asset).status_code == 200, asset


def test_a_page_weighs_less_than_200_kilobytes_gzipped_with_all_its_assets(site):
    import gzip

    text = site.get("/lessons/gradient-descent").text
    whole = [text.encode(), *(site.get(asset).content for asset in Page(text).assets)]
    assert sum(len(gzip.compress(part)) for part in whole) < 200_000


@pytest.mark.parametrize("address", ["/", "/nope", "/static/site.css", "/healthz", "/lessons/nope"])
def test_every_answer_carries_the_strict_headers(site, address):
    headers = site.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_a_host_that_is_not_ours_is_refused(site):
    assert site.get("/", headers={"host": "evil.example"}).status_code == 400


def test_every_route_declares_a_policy_and_checks_it(site):
    assert undeclared_routes(site.app) == []


def test_a_route_without_a_policy_is_found():
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter()

    @route(router, "GET", "/declared", ANYONE)
    def declared():
        return {}

    @router.get("/forgotten")
    def forgotten():
        return {}

    application.router.routes.extend(router.routes)
    assert undeclared_routes(application) == ["/forgotten"]


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


def test_the_hub_shows_the_whole_course_in_order(site, course):
    text = site.get("/").text
    places = [text.index(f">{entry.title}<") for entry in course.entries]
    assert len(places) == 17
    assert places == sorted(places)
    assert text.count('class="tag">planned') == len(course.entries) - len(course.outlines)


def test_the_health_page_says_ready(site):
    assert site.get("/healthz").json() == {"ready": True}


def test_a_search_escapes_what_was_typed(site):
    text = site.get("/search", params={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in text
    assert re.search(r"&lt;script&gt;", text)
