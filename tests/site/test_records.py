"""What is written down of requests and mishaps: enough to run a service, and nothing of a person's."""

import json
import logging

import pytest
from fastapi import APIRouter
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.policies import ANYONE, route
from slopewise.site.records import JsonLines, requests_log


def lines_of(caplog):
    formatter = JsonLines()
    return [json.loads(formatter.format(record)) for record in caplog.records]


def test_a_request_is_one_line_that_names_the_route_and_nothing_else(site, caplog):
    with caplog.at_level(logging.INFO, logger=requests_log.name):
        site.get("/glossary", params={"q": "my secret question"})
        site.get(f"/reset/{'s' * 43}")
        site.get("/nowhere/ada@example.org")
        site.get("/static/site.css")
    lines = [line for line in lines_of(caplog) if line["logger"] == requests_log.name]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/glossary", 200),
        ("/reset/{secret}", 410),
        ("none", 404),
        ("/static", 200),
    ]
    assert all(line["milliseconds"] >= 0 and line["method"] == "GET" for line in lines)
    for word in ("secret question", "sss", "ada", "127.0.0.1", "testclient"):
        assert word not in json.dumps(lines)


def test_the_metrics_count_by_route_and_status(site):
    before = generate_latest(site.app.state.metrics.registry).decode()
    site.get("/glossary")
    site.request("PURGE", "/glossary")
    after = generate_latest(site.app.state.metrics.registry).decode()
    counted = 'slopewise_requests_total{method="GET",route="/glossary",status="200"}'

    def number(text):
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(counted))

    assert number(after) == number(before) + 1
    assert 'method="other"' in after
    assert "PURGE" not in after
    assert 'slopewise_request_seconds_bucket{le="0.15",route="/glossary"}' in after
    assert f"slopewise_jobs {float(len(site.app.state.jobs))}" in after
    assert f"slopewise_places_waiting {float(len(site.app.state.places))}" in after


@pytest.mark.parametrize(
    ("message", "arguments", "kept"),
    [
        ("a mail to %s", ("ada",), "a mail to %s"),
        ("Task failed\nfuture: <Task exception=ValueError('ada@example.org')>", (), "Task failed"),
    ],
)
def test_an_error_is_written_by_kind_and_place_without_its_text(message, arguments, kept):
    try:
        raise ValueError("ada@example.org")
    except ValueError as error:
        record = logging.LogRecord(
            "x",
            logging.ERROR,
            __file__,
            1,
            message,
            arguments,
            (ValueError, error, error.__traceback__),
        )
    line = JsonLines().format(record)
    value = json.loads(line)
    assert value["error"] == "ValueError"
    assert value["message"] == kept
    assert value["frames"][-1].startswith("test_records.py:")
    assert "ada" not in line
    assert "\n" not in line


def test_the_owners_pages_are_shown_with_their_html_as_text(new_database, tmp_path):
    (tmp_path / "privacy.md").write_text("# What we keep\n\nYour **answers**. <script>alert(1)</script>\n")
    (tmp_path / "contact.md").write_text("Write to [us](mailto:us@example.org). [x](javascript:alert(1))\n")
    configuration = Configuration(
        database=new_database(), files=tmp_path, pages=tmp_path, password_cost=PasswordCost(1, 8, 1)
    )
    with TestClient(create_app(configuration), base_url="http://127.0.0.1") as client:
        text = client.get("/about/privacy").text
        assert "<h1>What we keep</h1>" in text
        assert "<strong>answers</strong>" in text
        assert "<script>alert" not in text
        contact = client.get("/about/contact").text
        assert "<h1>Contact</h1>" in contact
        assert 'href="javascript' not in contact
        assert client.get("/about/terms").status_code == 404
        footer = client.get("/").text
        assert 'href="/about/privacy"' in footer
        assert "/about/terms" not in footer


def test_an_error_of_the_server_is_noted_and_counted(new_database, tmp_path, caplog):
    router = APIRouter()

    @route(router, "GET", "/broken", ANYONE)
    def broken():
        raise ValueError("ada@example.org")

    configuration = Configuration(
        database=new_database(), files=tmp_path, password_cost=PasswordCost(1, 8, 1)
    )
    application = create_app(configuration)
    application.router.routes.insert(0, router.routes[0])
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        with caplog.at_level(logging.INFO, logger=requests_log.name):
            assert client.get("/broken").status_code == 500
        assert any(line.get("route") == "/broken" and line["status"] == 500 for line in lines_of(caplog))
