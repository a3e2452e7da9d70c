"""The server as a process: what it prints, writes down, and how it stops; what it refuses to start with."""

import json
import os
import re
import socket
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import pytest
from site_process import running_site

from slopewise.cli.app import run
from slopewise.engine.errors import ArgumentError
from slopewise.site.configuration import Configuration, database_from


@pytest.mark.slow
def test_a_first_start_shows_a_link_and_a_stop_answers_what_came(new_database, tmp_path):
    with running_site(new_database(), tmp_path, "--metrics-port", "0") as site:
        link = re.search(rf"{re.escape(site.address)}(/owner/first/[\w-]{{43}})", site.printed)[1]
        assert "This site is yours" in site.ask("GET", link)[1]
        metrics = re.search(r"Metrics are at (http://127\.0\.0\.1:\d+/metrics)", site.printed)[1]
        with urllib.request.urlopen(metrics, timeout=5) as answer:
            assert b"slopewise_requests_total" in answer.read()
        assert site.ask("GET", "/metrics")[0] == 404
        for port in (site.port, urlsplit(metrics).port):
            with pytest.raises(ConnectionRefusedError):  # another address of this machine
                socket.create_connection(("127.0.0.2", port), timeout=5)
        assert site.stop() == 0
        lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    assert {"/healthz", "/owner/first/{secret}"} <= {line.get("route") for line in lines}
    assert link.rsplit("/", 1)[1] not in json.dumps(lines)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="a desktop is always there")
@pytest.mark.parametrize("display", [":0", ""])
def test_it_opens_in_a_browser_where_there_is_a_desktop(new_database, tmp_path, display):
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    environment = {**os.environ, "BROWSER": f"{browser} %s", "DISPLAY": display, "WAYLAND_DISPLAY": ""}
    with running_site(new_database(), tmp_path, "--open", environment=environment) as site:
        until = time.monotonic() + (30 if display else 0.3)
        while not opened.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert opened.exists() == bool(display)
        assert not display or opened.read_text() == site.address


@pytest.mark.parametrize("more", [[], ["--public-url", "http://learn.example.org"]])
def test_off_loopback_a_site_without_its_public_address_does_not_start(more, new_database, capsys):
    url = new_database()
    assert run(["site", "--host", "0.0.0.0", "--port", "0", "--database", url, *more]) == 2
    printed = capsys.readouterr()
    assert "--public-url" in printed.err
    assert "https://" in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "--public-url"),
        ({"host": "0.0.0.0", "public_url": "http://learn.example.org"}, "https"),
        ({"public_url": "https://learn.example.org/site"}, "https address without a path"),
        ({"public_url": "https://learn.example.org?a=1"}, "https address without a path"),
        ({"public_url": "https://ada:secret@learn.example.org"}, "https address without a path"),
        ({"public_url": "https://learn.example.org:port"}, "https address without a path"),
        ({"public_url": "https://[::1"}, "https address without a path"),
        ({"public_url": "https://*.example.org"}, "https address without a path"),
        ({"port": 8000, "metrics_port": 8000}, "--metrics-port"),
        ({"allowed_names": ("*",)}, "--allowed-host is a name"),
        ({"allowed_names": ("a/b",)}, "--allowed-host is a name"),
        ({"trusted_proxies": ("0.0.0.0/0",)}, "let every visitor say"),
        ({"trusted_proxies": ("proxy",)}, "--trusted-proxy is an address"),
        ({"trusted_proxies": ("*",)}, "--trusted-proxy is an address"),
    ],
)
def test_a_server_that_others_reach_is_told_how_or_does_not_start(given, says):
    with pytest.raises(ArgumentError, match=says):
        Configuration(**given)


def test_names_and_proxies_are_those_that_were_told():
    made = Configuration(
        host="0.0.0.0",
        public_url="https://learn.example.org",
        allowed_names=("intern.example.org",),
        trusted_proxies=("10.0.0.0/24",),
    )
    assert made.allowed_hosts[-2:] == ["learn.example.org", "intern.example.org"]
    assert made.trusted_proxies == ("10.0.0.0/24",)


def test_the_database_with_its_password_comes_from_the_environment_or_a_file(monkeypatch, tmp_path):
    secret = "postgresql+psycopg://ada:secret@db.example.org/site"
    others = ("postgresql+psycopg://ada:se/cret@db/site", "postgresql+psycopg://db/site?password=secret")
    for argument in (secret, *others):
        with pytest.raises(ArgumentError, match="SLOPEWISE_DATABASE") as caught:
            database_from(argument)
        assert "cret@" not in str(caught.value)
        assert "=secret" not in str(caught.value)
    monkeypatch.setenv("SLOPEWISE_DATABASE", secret)
    assert database_from(None) == secret
    assert database_from("sqlite:///mine.db") == "sqlite:///mine.db"
    (tmp_path / "url").write_text(f"{secret}2\n")
    monkeypatch.setenv("SLOPEWISE_DATABASE_FILE", str(tmp_path / "url"))
    with pytest.raises(ArgumentError, match=r"^SLOPEWISE_DATABASE and SLOPEWISE_DATABASE_FILE are both set"):
        database_from(None)
    monkeypatch.delenv("SLOPEWISE_DATABASE")
    assert database_from(None) == f"{secret}2"


@pytest.mark.parametrize("files", [{}, {"imprint.md": "x"}])
def test_pages_that_are_not_there_are_said(files, new_database, tmp_path, capsys):
    folder = tmp_path / "pages"
    if files:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    assert run(["site", "--port", "0", "--database", new_database(), "--pages", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "privacy.md, terms.md, contact.md" in error
    assert error.count("\n") == 1


def test_a_port_for_metrics_that_is_taken_is_said_before_anything_is_served(ready_database, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["site", "--port", "0", "--database", ready_database(), "--metrics-port", port]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(rf".*cannot serve metrics on port {port}: [^\n]+\n", printed.err)


def test_what_is_no_folder_for_files_is_said_before_anything_is_served(new_database, tmp_path, capsys):
    (tmp_path / "notes").write_text("mine")
    start = ["site", "--port", "0", "--database", new_database(), "--files", str(tmp_path / "notes")]
    assert run(start) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r".*cannot keep files in \S+notes: .*--files\n", printed.err)


def test_a_file_that_is_no_database_is_said_and_left_as_it_is(tmp_path, capsys):
    (tmp_path / "notes").write_text("mine, and long enough to be looked at by SQLite" * 20)
    before = (tmp_path / "notes").read_bytes()
    assert run(["site", "--port", "0", "--database", f"sqlite:///{tmp_path / 'notes'}"]) == 2
    error = capsys.readouterr().err
    assert "file is not a database" in error
    assert error.count("\n") == 1
    assert (tmp_path / "notes").read_bytes() == before
