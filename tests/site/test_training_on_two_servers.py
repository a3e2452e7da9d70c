"""A live training that two listening servers on one PostgreSQL database share."""

import json
import re
import threading
import time
from types import SimpleNamespace

import pytest
import sqlalchemy
import uvicorn
from site_databases import KIND
from test_playground_over_http import Stream, Visitor, rests_at

from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.app import create_app
from slopewise.site.configuration import Configuration
from slopewise.site.storage.dataset_tables import CurvePiece

pytestmark = pytest.mark.skipif(KIND != "postgresql", reason="one process serves an SQLite file")
TOLD = 0.5  # seconds until the one server has told the other where a training rests


@pytest.fixture(scope="module")
def servers(new_database, tmp_path_factory):
    """Two servers that listen, in threads with an event loop each."""
    configuration = Configuration(
        database=new_database(), files=tmp_path_factory.mktemp("files"), password_cost=PasswordCost(1, 8, 1)
    )
    running, threads = [], []
    for _ in range(2):
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(configuration), port=0, log_level="critical", timeout_graceful_shutdown=1
            )
        )
        threads.append(threading.Thread(target=server.run, daemon=True))
        threads[-1].start()
        running.append(server)
        while not server.started:
            time.sleep(0.02)
    yield [
        SimpleNamespace(port=server.servers[0].sockets[0].getsockname()[1], app=server.config.app)
        for server in running
    ]
    for server, thread in zip(running, threads, strict=True):
        server.should_exit = True
        thread.join(10)


@pytest.fixture(autouse=True)
def streams_are_closed():
    """Close what a test left open."""
    yield
    while Stream.opened:
        Stream.opened.pop().close()


def at(visitor, server):
    """Return the visitor at another server, with the same cookie and the same training."""
    moved = object.__new__(Visitor)
    moved.__dict__.update(visitor.__dict__, port=server.port)
    return moved


def test_a_stream_comes_back_at_the_other_server_and_lacks_nothing_and_repeats_nothing(servers):
    one, other = servers
    visitor = Visitor(one).start("data=circles", 120)
    before = visitor.stream()
    messages = before.until(rests_at(120))
    time.sleep(TOLD)
    again = at(visitor, other).stream(last=100).until(rests_at(120))
    assert points(again) == [point for point in points(messages) if point[0] > 100]
    assert view(again) == view(messages)
    assert {message["step"] for _, _, message in again} == {120}
    assert [message for _, _, message in before if message["state"] == "ended"] == []  # it just closes
    assert visitor.job not in one.app.state.jobs._jobs


def points(messages):
    return [point for _, _, message in messages for point in message["points"]]


def view(messages):
    return [message["view"] for _, _, message in messages if "view" in message][-1]


def test_buttons_may_reach_one_server_and_the_stream_the_other(servers):
    one, other = servers
    visitor = Visitor(one).start("", 20)
    stream = visitor.stream()
    stream.until(rests_at(20))
    elsewhere = at(visitor, other)
    began = time.perf_counter()
    assert elsewhere.control("go", step=21)[0] == 200
    stream.until(rests_at(21))
    assert time.perf_counter() - began < 20
    elsewhere.control("go", step=7)
    stream.until(rests_at(7))
    time.sleep(TOLD)
    status, answer = elsewhere.control("open-test")
    assert (status, answer["openings"]) == (200, [7])
    assert "test" in answer["overlay"]
    assert stream.until(lambda message: message["openings"])[-1][2]["openings"] == [7]
    elsewhere.control("stop")
    assert stream.until(lambda message: message["state"] == "ended")[-1][2]["why"] == "stopped"


def test_a_training_that_begins_at_one_server_ends_the_one_at_the_other(servers):
    one, other = servers
    visitor = Visitor(one).start("batch=1", 20_000)
    stream = visitor.stream()
    stream.until(lambda message: message["step"] > 0)
    at(visitor, other).start("", 1)
    assert "one at a time" in stream.until(lambda message: message["state"] == "ended")[-1][2]["why"]


def test_somebody_elses_training_is_found_at_neither_server(servers):
    one, other = servers
    visitor, thief = Visitor(one).start("", 3), Visitor(other)
    thief.job = visitor.job
    assert thief.control("go", step=1)[0] == 404
    assert thief.send("GET", f"/playground/jobs/{visitor.job}/events").status == 404


def test_a_training_on_ones_own_data_goes_on_at_the_other_server(servers):
    one, other = servers
    visitor = Visitor(one)
    rows = "\n".join(f"{row % 9},{row % 7},{'rose' if row % 2 else 'daisy'}" for row in range(60))
    fields = {"how": "paste", "text": f"height,width,kind\n{rows}", "name": "Flowers"}
    answer = visitor.send("POST", "/data", fields)
    assert answer.status == 303, answer.text
    visitor.cookie += "; " + answer.headers["set-cookie"].partition(";")[0]
    data_set = re.search(r"/data/([\w-]+)", answer.headers["location"])[1]
    visitor.start(f"data=own&own={data_set}&target=kind", 15)
    messages = visitor.stream().until(rests_at(15))
    again = at(visitor, other).stream().until(rests_at(15))
    assert view(again) == view(messages)
    stranger = Visitor(other)
    assert stranger.send("POST", "/playground/jobs", {"query": f"data=own&own={data_set}"}).status == 400


def test_the_curve_of_own_data_is_streamed_by_a_server_that_does_not_train(servers):
    one, other = servers
    visitor = Visitor(one)
    rows = "\n".join(f"{row % 97},{row % 9},{3 * (row % 97) + row % 9}" for row in range(4000))
    answer = visitor.send("POST", "/data", {"how": "paste", "text": f"x,y,z\n{rows}", "name": "Slow"})
    visitor.cookie += "; " + answer.headers["set-cookie"].partition(";")[0]
    fields = {"target": "z", "hidden": "64,64", "epochs": "1000", "batch_size": "300", "lr": "0.00005"}
    run = visitor.send("POST", f"{answer.headers['location']}/runs", fields).headers["location"]
    events, elsewhere = f"{run}/events", at(visitor, other)
    stream = Stream(elsewhere, path=events)
    messages = stream.until(lambda told: told["points"] and told["points"][-1][0] >= 6)
    epochs = [point[0] for _, _, told in messages for point in told["points"]]
    assert epochs == list(range(1, len(epochs) + 1))
    assert messages[-1][1] == len(epochs)  # so that a stream which breaks goes on from there, here or there
    third = [
        Stream(browser, 2, events).until(lambda told: told["points"])[-1][2]["points"][0]
        for browser in (visitor, elsewhere)
    ]
    assert third[0] == third[1]
    assert third[0][0] == 3
    elsewhere.send("POST", run, {"action": "stop"})
    assert stream.until(lambda told: told["state"] == "ended")[-1][2]["words"] == "You ended it."
    deadline = time.monotonic() + 10
    while pieces(one) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not pieces(one)


def pieces(server):
    """Return which trainings have points in the database."""
    with server.app.state.database.reading() as session:
        return set(session.scalars(sqlalchemy.select(CurvePiece.run_id)))


def test_the_training_of_a_server_that_is_gone_goes_on_where_it_was(servers, new_database, tmp_path):
    one, other = servers
    visitor = Visitor(one).start("", 30)
    visitor.stream().until(rests_at(30))
    time.sleep(TOLD)
    database = one.app.state.database
    with database.writing() as session:  # as if its server had been killed ten seconds ago
        session.connection().exec_driver_sql(
            "UPDATE live_jobs SET beat_at = beat_at - interval '10 seconds', server = 'killed'"
        )
    elsewhere = at(visitor, other)
    status, answer = elsewhere.control("go", step=32)
    assert status == 200, json.dumps(answer)
    elsewhere.stream(last=30).until(rests_at(32))
