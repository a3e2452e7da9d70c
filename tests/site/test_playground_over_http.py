"""Live trainings over HTTP: a real server, streams that are read as they come."""

import http.client
import json
import re
import threading
import time
from types import SimpleNamespace

import pytest
import uvicorn

from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.labs.jobs import JobLimits

JSON = {"Accept": "application/json", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A site that listens, and its application."""
    database = tmp_path_factory.mktemp("playground") / "site.db"
    application = create_app(Configuration(database=f"sqlite:///{database}"))
    running = uvicorn.Server(
        uvicorn.Config(application, port=0, log_level="critical", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield SimpleNamespace(port=running.servers[0].sockets[0].getsockname()[1], app=application)
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def limits(server):
    """Sets limits of the jobs for one test."""

    def change(**values):
        server.app.state.jobs.limits = JobLimits(**values)

    yield change
    server.app.state.jobs.limits = JobLimits()


class Visitor:
    """One browser: its cookie, its token, its one training."""

    def __init__(self, server):
        self.port = server.port
        answer = self.send("GET", "/playground")
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        self.token = re.search(r'form_token" value="(\w+)"', answer.text)[1]

    def send(self, method, path, value=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if value is not None:
            headers |= JSON | {"X-Form-Token": self.token}
        if hasattr(self, "cookie"):
            headers["Cookie"] = self.cookie
        connection.request(method, path, None if value is None else json.dumps(value), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return SimpleNamespace(status=answer.status, text=text, headers=answer.headers)

    def start(self, query="", step=0):
        answer = self.send("POST", "/playground/jobs", {"query": query, "step": step})
        assert answer.status == 201, answer.text
        self.job = json.loads(answer.text)["job"]
        return self

    def control(self, action, **fields):
        answer = self.send("POST", f"/playground/jobs/{self.job}/{action}", fields)
        return answer.status, json.loads(answer.text)

    def stream(self, last=None):
        return Stream(self, last)


class Stream:
    """Messages as they come: (seconds since the first, id, data)."""

    def __init__(self, visitor, last=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=20)
        headers = {"Cookie": visitor.cookie} | ({"Last-Event-ID": str(last)} if last is not None else {})
        self.connection.request("GET", f"/playground/jobs/{visitor.job}/events", headers=headers)
        self.answer = self.connection.getresponse()

    def __iter__(self):
        event = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "data" in event:
                yield time.perf_counter(), int(event["id"]), json.loads(event["data"])
                event = {}

    def until(self, found):
        """Return all messages up to the first that is found."""
        messages = []
        for message in self:
            messages.append(message)
            if found(message[2]):
                return messages
        raise AssertionError(f"the stream ended: {messages[-1:]}")

    def close(self):
        self.answer.close()
        self.connection.close()


def rests_at(step):
    return lambda message: message["state"] == "paused" and message["step"] == step


def test_a_training_streams_its_curve_each_message_a_delta_with_its_step_as_id(server):
    stream = Visitor(server).start("data=circles", 400).stream()
    messages = stream.until(rests_at(400))
    steps = [point[0] for _, _, message in messages for point in message["points"]]
    assert steps == sorted(set(steps))  # nothing is sent twice
    assert steps[0] == 0
    assert steps[-1] == 400
    assert len(messages) > 2
    seen = -1
    for _, step, message in messages:
        seen = message["points"][-1][0] if message["points"] else seen
        assert step == max(seen, 0)
    stream.close()


def test_a_stream_sends_at_most_twenty_messages_a_second(server, limits):
    limits(slice=0.001)
    stream = Visitor(server).start("batch=1", 700).stream()
    times = [moment for moment, _, _ in stream.until(rests_at(700))]
    assert len(times) > 5
    assert (times[-1] - times[0]) / (len(times) - 1) > 0.045
    stream.close()


def test_a_dropped_stream_goes_on_after_the_last_event_that_came(server):
    visitor = Visitor(server).start("", 60)
    first = visitor.stream()
    first.until(rests_at(60))
    first.close()
    again = visitor.stream(last=41)
    [(_, _, message)] = again.until(rests_at(60))
    assert [point[0] for point in message["points"]] == list(range(42, 61))
    again.close()
    refused = visitor.send("GET", f"/playground/jobs/{visitor.job}/events", **{"Last-Event-ID": "x"})
    assert refused.status == 400
    assert "Last-Event-ID" in refused.text


def test_a_training_steps_back_and_forward_to_the_same_numbers(server):
    visitor = Visitor(server).start("layers=linear:6,batch_norm,relu,dropout:0.3&optimizer=adam", 30)
    stream = visitor.stream()
    there = stream.until(rests_at(30))[-1][2]["view"]
    visitor.control("go", step=12)
    back = stream.until(rests_at(12))[-1][2]["view"]
    assert back["scores"] != there["scores"]
    assert back["network"][1]["weight_gradient"] is not None
    visitor.control("go", step=30)
    again = stream.until(rests_at(30))[-1][2]["view"]
    assert again == there
    visitor.control("go", step=0)
    assert stream.until(rests_at(0))[-1][2]["view"]["network"][1]["weight_gradient"] is None
    stream.close()


def test_a_training_pauses_and_goes_on_and_holds_no_process_meanwhile(server):
    visitor = Visitor(server).start("", 20_000)
    stream = visitor.stream()
    stream.until(lambda message: message["step"] > 20)
    visitor.control("pause")
    rest = stream.until(lambda message: message["state"] == "paused")[-1][2]["step"]
    assert 20 < rest < 20_000
    jobs = server.app.state.jobs
    assert not jobs._at_work
    assert len(jobs.pool._idle) <= jobs.pool.limits.workers
    visitor.control("go", step=rest + 1)
    stream.until(rests_at(rest + 1))
    visitor.control("stop")
    ended = stream.until(lambda message: message["state"] == "ended")[-1][2]
    assert ended["why"] == "stopped"
    stream.close()
