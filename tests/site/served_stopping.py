"""A server that is told to stop while people are at it: what they sent is kept, and nothing stays behind."""

import hashlib
import http.client
import json
import signal
import socket
import threading
import time
import uuid
from datetime import UTC, datetime

import pytest
from site_databases import KIND
from site_process import is_alive, running_site

from slopewise.site.accounts.accounts import add_account
from slopewise.site.accounts.sessions import open_session
from slopewise.site.content import load_course
from slopewise.site.storage.tables import Review


def headers_of(secret, kind="session"):
    token = hashlib.sha256(f"form {secret}".encode()).hexdigest()
    cookie = f"slopewise-{kind}={secret}"
    return {"Cookie": cookie, "X-Form-Token": token, "Content-Type": "application/json"}


@pytest.fixture
def secret(database):
    """The secret of a session of somebody who has an account."""
    now = datetime.now(UTC)
    with database.writing() as session:
        return open_session(session, add_account(session, "ada@example.org", now).id, now)


class Training(threading.Thread):
    """Somebody who trains as long as one may, and watches."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.headers = headers_of("a-browser-that-trains", "form")
        body = json.dumps({"query": "", "step": 20_000})
        status, text = site.ask("POST", "/playground/jobs", body, self.headers)
        assert status == 201, text
        self.path = f"/playground/jobs/{json.loads(text)['job']}/events"
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=40)
        self.messages, self.error = [], None
        self.runs = threading.Event()
        self.start()

    def run(self):
        try:
            self.connection.request("GET", self.path, headers=self.headers)
            for line in self.connection.getresponse():
                if line.startswith(b"data:"):
                    self.messages.append(json.loads(line[5:]))
                    if self.messages[-1]["step"] > 0:
                        self.runs.set()
        except (OSError, http.client.HTTPException) as error:
            self.error = error
        finally:
            self.connection.close()


def begin_review(site, secret, entry):
    """Send half of a review; return the connection, and the other half."""
    body = json.dumps({"entries": [entry]}).encode()
    lines = [f"{name}: {value}" for name, value in headers_of(secret).items()]
    head = ["POST /api/log HTTP/1.1", "Host: 127.0.0.1", *lines, f"Content-Length: {len(body)}"]
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    connection.sendall("\r\n".join([*head, "", ""]).encode() + body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def read_answer(connection):
    """Return status and JSON of the answer on a connection."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def test_a_stop_keeps_a_review_that_is_on_its_way_and_ends_streams_and_workers(database, secret, tmp_path):
    card = load_course().outlines[0].cards[0]
    entry = {"id": str(uuid.uuid4()), "kind": "review", "card": str(card), "grade": "good"}
    entry["at"] = datetime.now(UTC).isoformat()
    url = database.engine.url.render_as_string(hide_password=False)
    with running_site(url, tmp_path, "--metrics-port", "0") as site:
        training = Training(site)
        assert training.runs.wait(60), "the training does not begin"
        workers = site.workers()
        assert workers
        connection, rest = begin_review(site, secret, entry)
        assert site.ask("GET", "/healthz")[0] == 200  # by now the server has read what came before
        site.process.send_signal(signal.SIGTERM)
        training.join(20)
        assert not training.is_alive()
        assert training.error is None  # its stream ended as streams do, it did not break
        with connection:
            connection.sendall(rest)
            assert read_answer(connection) == (200, {"stored": [entry["id"]], "refused": []})
        assert site.process.wait(30) == 0
    if KIND == "sqlite":  # with PostgreSQL another process goes on with it
        assert (training.messages[-1]["state"], training.messages[-1]["why"]) == ("ended", "the server stops")
    until = time.monotonic() + 10
    while left := [worker for worker in workers if is_alive(worker)]:
        assert time.monotonic() < until, f"processes {left} are left"
        time.sleep(0.1)
    with database.reading() as session:
        assert session.get(Review, uuid.UUID(entry["id"])) is not None
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]  # no traceback among them
    assert [line for line in lines if line["level"] == "error"] == []


def test_a_stop_is_not_held_up_by_who_sends_no_more(database, secret, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    with running_site(url, tmp_path) as site:
        connection, _ = begin_review(site, secret, {})
        with connection:
            assert site.ask("GET", "/healthz")[0] == 200
            began = time.monotonic()
            assert site.stop() == 0
            assert time.monotonic() - began < 30  # ten to answer what came, and what a busy machine takes
