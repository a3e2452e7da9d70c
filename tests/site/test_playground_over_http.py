"""Live trainings over HTTP: a real server, streams that are read as they come."""

import asyncio
import http.client
import json
import os
import re
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import uvicorn

from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.labs.jobs import JobLimits
from slopewise.site.playground import drawing

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
    """Messages as they come: (moment, id, data)."""

    opened: ClassVar[list] = []

    def __init__(self, visitor, last=None, path=""):
        self.connection = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=20)
        self.opened.append(self)
        headers = {"Cookie": visitor.cookie} | ({"Last-Event-ID": str(last)} if last is not None else {})
        self.connection.request("GET", path or f"/playground/jobs/{visitor.job}/events", headers=headers)
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


@pytest.fixture(autouse=True)
def streams_are_closed():
    """Close what a test left open."""
    yield
    while Stream.opened:
        Stream.opened.pop().close()


@pytest.fixture
def visitor(server):
    """A new visitor."""
    return Visitor(server)


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


def test_a_stream_sends_at_most_twenty_messages_a_second(server, limits):
    limits(slice=0.001)
    stream = Visitor(server).start("batch=1", 300).stream()
    times = [moment for moment, _, _ in stream.until(rests_at(300))]
    assert len(times) > 5
    assert (times[-1] - times[0]) / (len(times) - 1) > 0.045


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


def has_ended(message):
    return message["state"] == "ended"


def test_a_visitor_has_one_training_at_a_time(server):
    visitor = Visitor(server).start("", 20_000)
    stream = visitor.stream()
    stream.until(lambda message: message["step"] > 0)
    first = visitor.job
    visitor.start("data=blobs", 5)
    assert "another training of yours has begun" in stream.until(has_ended)[-1][2]["why"]
    assert visitor.job != first
    stream.close()
    second = visitor.stream()
    second.until(rests_at(5))
    second.close()
    assert sum(job.owner == server.app.state.jobs._jobs[visitor.job].owner for job in jobs_of(server)) == 1


def jobs_of(server):
    return list(server.app.state.jobs._jobs.values())


def test_a_training_belongs_to_the_visitor_who_began_it(server):
    mine, other = Visitor(server).start("", 3), Visitor(server)
    other.job = mine.job
    assert other.control("go", step=10)[0] == 404
    assert other.control("stop")[0] == 404
    assert other.send("GET", f"/playground/jobs/{mine.job}/events").status == 404


def test_a_training_is_begun_only_by_a_page_of_ours(visitor):
    visitor.token = "guessed"
    assert visitor.send("POST", "/playground/jobs", {"query": "", "step": 1}).status == 403
    assert visitor.send("GET", "/playground/jobs").status == 405


def test_who_waits_is_shown_a_place_in_the_queue_and_gets_a_turn(server, limits):
    limits(turn=0.3)
    workers = server.app.state.jobs.pool.limits.workers
    visitors = [Visitor(server).start("batch=1", 20_000) for _ in range(workers + 2)]
    streams = [visitor.stream() for visitor in visitors]
    places = [stream.until(lambda message: message["place"])[-1][2] for stream in streams[-2:]]
    assert [message["state"] for message in places] == ["waiting", "waiting"]
    most = len(jobs_of(server)) - workers  # those of earlier tests may still work
    assert {message["place"] for message in places} <= set(range(1, most + 1))
    streams[-1].until(lambda message: message["step"] > 0)
    held = server.app.state.jobs._jobs
    assert all(held[visitor.job].has_work for visitor in visitors[:-1])  # its turn came before they ended
    for visitor in visitors:
        visitor.control("stop")


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("rows=2001", "rows"),
        ("layers=linear:65", "linear has 1 to 64 units"),
        ("layers=eval(1)", "layer 1"),
        ("layers=linear:64,linear:64,linear:64", "8642 parameters; at most 8000"),
        ("layers=linear:64,tanh,linear:64&optimizer=lbfgs&history=100", "choose fewer"),
        ("layers=" + ",".join(["tanh"] * 13), "at most 12 layers"),
        ("optimizer=magic", "optimizer"),
        ("lr=nan", "lr"),
        ("noise=-1", "noise"),
        ("loss=squared_error", "choose the loss cross_entropy"),
        ("data=blobs&loss=binary_cross_entropy_with_logits", "3 classes"),
        ("features=x9", "features"),
        ("validation=0.6&test=0.6", "at most 0.8"),
        ("nesterov=1", "momentum above 0"),
        ("data_seed=" + "9" * 400, "data_seed"),
    ],
)
def test_what_is_too_large_or_does_not_fit_is_refused_in_one_line(visitor, query, word):
    answer = visitor.send("POST", "/playground/jobs", {"query": query, "step": 1})
    assert answer.status == 400
    error = json.loads(answer.text)["error"]
    assert word in error
    assert "\n" not in error


@pytest.mark.parametrize("step", [-1, 20_001, "x", None, 1e3, [1]])
def test_a_step_out_of_the_limits_is_refused(visitor, step):
    answer = visitor.send("POST", "/playground/jobs", {"query": "", "step": step})
    assert answer.status == 400
    assert "from 0 to 20000" in json.loads(answer.text)["error"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("layers=linear:8,batch_norm&batch=1", "more than one value"),
        ("lr=10&data=linear&optimizer=sgd&batch=2000", "no longer a number"),
    ],
)
def test_a_training_that_cannot_go_on_ends_and_says_why_in_one_line(visitor, query, word):
    stream = visitor.start(query, 2000).stream()
    why = stream.until(has_ended)[-1][2]["why"]
    assert word in why
    assert "\n" not in why
    status, answer = visitor.control("go", step=3)
    assert status == 400
    assert "has ended" in answer["error"]


def test_a_training_may_use_only_so_many_seconds_of_a_worker(visitor, limits):
    limits(seconds=0.25)
    stream = visitor.start("batch=1", 20_000).stream()
    assert "the most here" in stream.until(has_ended)[-1][2]["why"]


def test_a_slice_that_hangs_is_killed_and_said_so_and_the_next_training_served(server, visitor):
    pool = server.app.state.jobs.pool
    before = pool.limits
    pool.limits = replace(before, seconds=0.001)
    try:
        stream = visitor.start("", 5).stream()
        assert "took longer than" in stream.until(has_ended)[-1][2]["why"]
        stream.close()
    finally:
        pool.limits = before
    stream = visitor.start("", 5).stream()
    stream.until(rests_at(5))


def test_a_worker_that_is_killed_ends_its_training_with_one_line(server, visitor):
    stream = visitor.start("batch=1", 20_000).stream()
    stream.until(lambda message: message["step"] > 5)
    for process in children():
        os.kill(process, signal.SIGKILL)
    why = stream.until(has_ended)[-1][2]["why"]
    assert why == "the lab's process ended in the middle of a run; please try again"


def children():
    """Return the ids of the worker processes of this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if (
                parent == str(os.getpid())
                and b"slopewise.site.labs.worker" in (folder / "cmdline").read_bytes()
            ):
                found.append(int(folder.name))
    return found


def test_a_stream_that_does_not_come_back_in_time_ends_its_training(server, limits):
    limits(reconnect=0.4)
    visitor = Visitor(server).start("batch=1", 20_000)
    stream = visitor.stream()
    stream.until(lambda message: message["step"] > 0)
    stream.close()
    time.sleep(0.2)
    again = visitor.stream()  # in time: it goes on
    again.until(lambda message: message["state"] == "running")
    again.close()
    job = server.app.state.jobs._jobs[visitor.job]
    deadline = time.monotonic() + 5
    while visitor.job in server.app.state.jobs._jobs and time.monotonic() < deadline:
        time.sleep(0.05)
    assert job.why == "nobody has looked at this training for a while"
    assert visitor.control("go", step=3) == (404, {"error": "This training has ended."})
    assert job not in server.app.state.jobs._at_work


def test_a_training_that_nobody_asks_for_long_is_forgotten(server, limits):
    limits(idle=0.3, reconnect=1.0)
    visitor = Visitor(server).start("", 3)
    stream = visitor.stream()
    assert "start it again where you left" in stream.until(has_ended)[-1][2]["why"]


def test_too_many_trainings_are_refused_with_a_way_out(server, limits):
    limits(jobs=len(jobs_of(server)))
    answer = Visitor(server).send("POST", "/playground/jobs", {"query": "", "step": 1})
    assert answer.status == 503
    assert "try again in a minute" in json.loads(answer.text)["error"]


def test_the_test_set_is_sealed_until_it_is_opened_and_the_log_says_when(server):
    visitor = Visitor(server).start("", 10)
    stream = visitor.stream()
    sealed = stream.until(rests_at(10))
    assert all(len(point) == 6 for _, _, message in sealed for point in message["points"])
    assert all(len(m["view"]["scores"]) == 6 for _, _, m in sealed if "view" in m)
    status, answer = visitor.control("open-test")
    assert status == 200
    assert "test" in answer["overlay"]
    opened = stream.until(lambda message: message["openings"])[-1][2]
    assert opened["openings"] == [10]
    assert [len(point) for point in opened["points"]] == [8] * 11
    assert len(opened["view"]["scores"]) == 8
    stream.close()
    visitor.start("lr=0.05", 5)  # the same test set in another training: the log remembers
    stream = visitor.stream()
    assert stream.until(rests_at(5))[-1][2]["openings"] == [10]
    stream.close()
    visitor.start("data_seed=5", 5)
    stream = visitor.stream()
    assert stream.until(rests_at(5))[-1][2]["openings"] == []


def test_a_step_is_shown_as_soon_as_it_is_made_forward_and_far_back(visitor):
    stream = visitor.start("", 40).stream()
    stream.until(rests_at(40))
    p95 = sorted(seconds_to_show(visitor, stream, step) for step in STEPS)[-2]
    print(f"a step is shown after {p95 * 1000:.0f} ms at the 95th percentile; it should take at most 150")
    assert p95 < 5  # who shares the machine may have the cores: the figure is printed, the test not timed


STEPS = [step for number in range(10) for step in (41 + number, 12 + number)]  # forward, and far back


def seconds_to_show(visitor, stream, step):
    time.sleep(0.06)  # as a person would: a stream sends no faster than that
    began = time.perf_counter()
    visitor.control("go", step=step)
    stream.until(rests_at(step))
    return time.perf_counter() - began


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_the_process_of_a_training_knows_no_secret_and_no_database_and_has_one_thread(server, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_SECRET", "hidden")
    stream = Visitor(server).start("batch=1", 20_000).stream()
    for process in children():
        os.kill(process, signal.SIGKILL)  # the next is started with the secret in our environment
    stream.close()
    stream = Visitor(server).start("batch=1", 20_000).stream()
    stream.until(lambda message: message["step"] > 0)
    [process, *_] = children()
    folder = Path("/proc") / str(process)
    environment = dict(
        item.split("=", 1) for item in (folder / "environ").read_text().strip("\0").split("\0")
    )
    assert "hidden" not in environment.values()
    assert environment["OPENBLAS_NUM_THREADS"] == environment["SLOPEWISE_NUM_THREADS"] == "1"
    assert environment["SLOPEWISE_CACHE"] == "off"
    assert environment["SLOPEWISE_TARGET"] == "interpreter"
    opened = [os.readlink(handle) for handle in (folder / "fd").iterdir()]
    assert not [name for name in opened if "site.db" in name]
    limits = (folder / "limits").read_text()
    assert re.search(r"Max address space +2147483648 ", limits)
    assert re.search(r"Max file size +0 ", limits)


def test_a_training_that_sends_more_than_it_may_ends_and_says_so(server, visitor):
    pool = server.app.state.jobs.pool
    before = pool.limits
    pool.limits = replace(before, output=5_000)
    for process in children():
        os.kill(process, signal.SIGKILL)  # workers that were started under the old limit
    try:
        time.sleep(0.1)
        stream = visitor.start("", 5).stream()
        assert "more than a page can show" in stream.until(has_ended)[-1][2]["why"]
    finally:
        pool.limits = before


def test_opening_a_link_trains_nothing(server, visitor):
    before = set(server.app.state.jobs._jobs)
    page = visitor.send("GET", "/playground?data=blobs&step=700")
    assert page.status == 200
    assert 'data-step="700"' in page.text
    assert "has made no update yet" in page.text
    assert set(server.app.state.jobs._jobs) == before


@pytest.mark.parametrize("path", ["/playground", "/playground/preview"])
def test_rows_are_drawn_outside_of_the_event_loop(visitor, monkeypatch, path):
    draw, loops = drawing.draw_surface, []

    def drawn(*arguments):
        loops.append(asyncio._get_running_loop())  # None in a thread of its own
        return draw(*arguments)

    monkeypatch.setattr(drawing, "draw_surface", drawn)
    assert visitor.send("GET", f"{path}?rows=60").status == 200
    assert loops == [None]


def test_without_script_a_form_trains_to_an_update_and_shows_it(server, visitor):
    fields = f"form_token={visitor.token}&step=30&data=circles&input.x1=on&input.x1x1=on"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    kind = "application/x-www-form-urlencoded"
    connection.request("POST", "/playground", fields, {"Cookie": visitor.cookie, "Content-Type": kind})
    text = connection.getresponse().read().decode()
    connection.close()
    assert "After 30 updates" in text
    assert re.search(r'UPDATES.{1,40}<span class="mi">30</span>', text)
    assert 'name="input.x1x1" checked' in text
    assert 'name="input.x2" checked' not in text


def test_a_training_has_few_streams(visitor, limits):
    limits(streams=2)
    visitor.start("", 3)
    assert [visitor.stream().answer.status for _ in range(3)] == [200, 200, 429]


def test_the_states_that_are_kept_of_a_training_are_bounded_and_reach_from_first_to_newest(server):
    visitor = Visitor(server).start("layers=linear:64,relu,linear:64&optimizer=adam", 300)
    stream = visitor.stream()
    stream.until(rests_at(300))
    kept = server.app.state.jobs._jobs[visitor.job].snapshots
    assert min(kept) < max(kept) == 300
    assert sum(len(text) for s in kept.values() for _, _, text in s["tensors"].values()) <= 2**20
    visitor.control("go", step=40)
    stream.until(rests_at(40))
