"""All pages that links lead to, as a visitor without an account and as somebody who has everything."""

import gzip
import re
from collections import Counter

import pytest
from site_visitors import give_everything
from site_walk import Walk, page_patterns, pattern_of

# Pages that no link of the site leads to, and why.
UNLINKED = {
    "/sign-up/{secret}": "a mail has the link",
    "/reset/{secret}": "a mail has the link",
    "/account/email/{secret}": "a mail has the link",
    "/healthz": "for machines",
    "/owner/first/{secret}": "the console has the link, once",
    "/about/{page}": "the footer links to those that the owner has written",
    "/cards/media/{medium_id}": "cards show it",
    "/labs/{slug}/frame": "scripts ask for it",
    "/labs/{slug}/table.csv": "frames link to it, and a walk runs no lab",
    "/playground/preview": "scripts ask for it",
    "/playground/question": "scripts ask for it",
    "/playground/jobs/{id}/events": "scripts listen to it",
    "/data/{data_id}/runs/{run_id}/events": "scripts listen to it",
    "/data/{data_id}/runs/{run_id}/report": "a frame of the training's page shows it",
}
START = ("/", "/search?q=learning+rate")
HEAVIEST = 200_000  # bytes of a page gzipped, with all it loads

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stranger(site):
    """The walk of somebody without an account."""
    return Walk(lambda address: site.get(address, follow_redirects=False), START)


@pytest.fixture(scope="module")
def member(site, browser):
    """The walk of somebody who has an account, Pro, cards, a class."""
    somebody = give_everything(browser(), browser(), site.app.state.database)
    return Walk(somebody.get, (*START, *somebody.only_told))


@pytest.fixture(scope="module", params=["stranger", "member"])
def walk(request):
    return request.getfixturevalue(request.param)


def test_no_link_is_dead(walk):
    assert walk.dead == []


def test_every_lesson_and_deck_was_found(walk, course, site):
    for entry in course.entries:
        assert f"/lessons/{entry.slug}" in walk.pages
    for outline in course.outlines:
        assert f"/cards/{outline.slug}" in walk.pages


def test_every_page_can_be_reached_by_links(site, stranger, member):
    reached = {pattern_of(site.app, address) for address in stranger.reached | member.reached}
    missing = page_patterns(site.app) - reached - UNLINKED.keys()
    assert missing == set(), "link to them, or say in UNLINKED why nothing does"


def test_a_page_has_one_first_heading_a_title_of_its_own_and_no_id_twice(walk):
    for address, page in walk.pages.items():
        assert page.headings.count(1) == 1, address
        twice = [name for name, count in Counter(page.ids).items() if count > 1]
        assert twice == [], address
    titles = Counter(re.search(r"<title>(.*?)</title>", page.text, re.S)[1] for page in walk.pages.values())
    assert all("Slopewise" in title for title in titles)


def test_a_page_shows_what_it_says_without_a_script(walk):
    for address, page in walk.pages.items():
        assert page.inline == [], address
        main = re.search(r"<main.*?</main>", page.text, re.S)[0]
        assert len(re.sub(r"<[^>]*>|\s+", "", main)) > 40, address
        assert "blocking" not in page.text
        for script in re.findall(r"<script[^>]*>", page.text):
            assert 'type="module"' in script, f"{address}: {script} holds up the first paint"


def test_assets_are_there_and_none_comes_from_elsewhere(walk, site):
    for asset in {asset for page in walk.pages.values() for asset in page.assets}:
        assert asset.startswith("/"), asset
        assert site.get(asset).status_code == 200, asset


def test_a_page_weighs_at_most_200_kilobytes_gzipped_with_all_it_loads(walk, site):
    weights = {}

    def weigh(asset):
        """Return the weight of an asset, and of what it imports."""
        if asset not in weights:
            content = site.get(asset).content
            weights[asset] = {asset: len(gzip.compress(content))}
            if asset.endswith(".js"):
                for imported in re.findall(rb'(?:from|import) "\./([^"]+)"', content):
                    weights[asset] |= weigh(asset.rpartition("/")[0] + "/" + imported.decode())
        return weights[asset]

    heaviest = {}
    for address, page in walk.pages.items():
        parts = {}
        for asset in page.assets:
            parts |= weigh(asset)
        heaviest[address] = len(gzip.compress(page.text.encode())) + sum(parts.values())
    address = max(heaviest, key=heaviest.get)
    print(f"\nthe heaviest page is {address}: {heaviest[address] / 1000:.0f} kB gzipped")
    assert heaviest[address] <= HEAVIEST, address
