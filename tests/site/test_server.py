"""The server as a process: what it prints, writes down, and how it stops; what it refuses to start with."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from slopewise.cli.app import run
from slopewise.engine.errors import ArgumentError
from slopewise.site.configuration import Configuration, database_from


@pytest.fixture
def server(new_database, tmp_path):
    """Start servers, and return each with what it printed until it answers."""
    started = []

    def start(*options):
        program = Path(sys.executable).with_name("slopewise")
        command = [
            program,
            "site",
            "--port",
            "0",
            "--database",
            new_database(),
            "--files",
            tmp_path,
            *options,
        ]
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        printed = []
        reader = threading.Thread(target=lambda: printed.extend(process.stdout), daemon=True)
        reader.start()
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and process.poll() is None:
            found = re.search(r"Slopewise is at (http://127\.0\.0\.1:\d+)", "".join(printed))
            if found and answers(f"{found[1]}/healthz"):
                return process, found[1], printed
            time.sleep(0.1)
        raise AssertionError(process.stderr.read())

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


@pytest.mark.slow
def test_a_first_start_shows_a_link_and_a_stop_answers_what_came(server):
    process, address, printed = server("--metrics-port", "0")
    text = "".join(printed)
    link = re.search(rf"{re.escape(address)}/owner/first/[\w-]{{43}}", text)[0]
    assert "This site is yours" in answers(link)
    metrics = re.search(r"Metrics are at (http://127\.0\.0\.1:\d+/metrics)", text)[1]
    assert "slopewise_requests_total" in answers(metrics)
    assert answers(f"{address}/metrics") == ""
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert {"/healthz", "/owner/first/{secret}"} <= {line.get("route") for line in lines}
    assert link.rsplit("/", 1)[1] not in json.dumps(lines)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "--public-url"),
        ({"host": "0.0.0.0", "public_url": "http://learn.example.org"}, "https"),
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
    for argument in (secret, "postgresql+psycopg://db/site?user=ada&password=secret"):
        with pytest.raises(ArgumentError, match="SLOPEWISE_DATABASE") as caught:
            database_from(argument)
        assert "secret" not in str(caught.value)
    monkeypatch.setenv("SLOPEWISE_DATABASE", secret)
    assert database_from(None) == secret
    assert database_from("sqlite:///mine.db") == "sqlite:///mine.db"
    (tmp_path / "url").write_text(f"{secret}2\n")
    monkeypatch.setenv("SLOPEWISE_DATABASE_FILE", str(tmp_path / "url"))
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
