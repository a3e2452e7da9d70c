"""What a visitor gets when a mistake of ours comes to light, and how browsers keep the site's files."""

import logging
import re

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from slopewise.site.static_files import version_of
from slopewise.site.storage.database import Database


@pytest.fixture
def visitor(site):
    """Somebody who gets the answer, where the other tests get the exception."""
    client = TestClient(site.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    client.portal = site.portal
    return client


@pytest.fixture
def broken(monkeypatch):
    """A lesson whose facts.py divides by zero."""

    def divide(folder):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("slopewise.site.content.lesson.load_lesson", divide)
    monkeypatch.setattr("slopewise.site.content.lesson._read", {})
    return "gradient-descent"


def test_a_broken_lesson_has_a_page_of_its_own_and_its_name_in_the_log(visitor, broken, caplog):
    with caplog.at_level(logging.ERROR, "slopewise"):
        answer = visitor.get(f"/lessons/{broken}")
    assert answer.status_code == 500
    assert f"The lesson {broken!r} cannot be shown".replace("'", "&#39;") in answer.text
    assert '<a href="/">course</a>' in answer.text
    assert "ZeroDivision" not in answer.text
    assert f"the lesson {broken} cannot be shown: ZeroDivisionError: division by zero" in caplog.text


def test_a_broken_lesson_leaves_hub_and_decks_of_others_alone(visitor, broken):
    assert visitor.get("/").status_code == 200
    assert visitor.get("/cards").status_code == 200
    assert visitor.get(f"/labs/{broken}/frame", headers={"accept": "application/json"}).json()["error"]


def test_a_database_that_is_gone_is_told_on_a_page_to_somebody_who_is_logged_in(browser, monkeypatch, caplog):
    def fail(database):
        raise OperationalError("SELECT 1", {}, Exception("ada@example.org"))

    somebody = browser().sign_up()
    monkeypatch.setattr(Database, "reading", fail)
    answer = somebody.get("/progress")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "<h1" in answer.text
    assert "The site is busy at the moment." in answer.text
    assert "ada@example.org" not in answer.text + caplog.text


def test_a_mistake_of_ours_answers_with_the_strict_headers_and_without_secrets_in_the_log(
    visitor, monkeypatch, caplog
):
    def fail(*arguments):
        raise RuntimeError("of ours")

    monkeypatch.setattr("slopewise.site.pages.signing_up.link_email", fail)
    with caplog.at_level(logging.ERROR, "slopewise"):
        answer = visitor.get("/sign-up/very-secret?q=also-secret")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "mistake of ours" in answer.text
    assert "GET /sign-up/{secret} ran into a mistake of ours" in caplog.text
    assert "secret?" not in caplog.text.replace("{secret}", "")
    assert "very-secret" not in caplog.text


def test_the_files_a_page_names_are_kept_for_good_and_plain_addresses_are_asked_again(site):
    text = site.get("/").text
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert named
    for address in named:
        answer = site.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        plain = "/static/" + address.split("/", 3)[3]
        assert site.get(plain).content == answer.content
        assert site.get(plain).headers["cache-control"] == "no-cache"


def test_a_page_of_an_older_version_gets_todays_file_and_keeps_it_not(site):
    answer = site.get("/static/v-0123456789ab/site.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("address", ["/static/nope.css", "/static/v-0123456789ab/nope.css", "/static/v-0/"])
def test_a_file_that_is_not_there_is_not_found(site, address):
    assert site.get(address).status_code == 404


def test_a_version_follows_from_names_and_contents(tmp_path):
    (tmp_path / "a.js").write_text("1")
    first = version_of(tmp_path)
    assert version_of(tmp_path) == first
    (tmp_path / "a.js").write_text("2")
    second = version_of(tmp_path)
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({first, second, version_of(tmp_path)}) == 3


def test_scripts_import_by_relative_addresses_so_that_none_is_loaded_twice(site):
    text = site.get("/cards/gradient-descent").text
    pages = set(re.findall(r'<script type="module" src="([^"]+)"', text))
    for address in pages:
        for imported in re.findall(r'from "([^"]+)"|import "([^"]+)"', site.get(address).text):
            assert (imported[0] or imported[1]).startswith("./"), address
