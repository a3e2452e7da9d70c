"""The pool of worker processes: its limits hold, and what fails is told apart."""

import asyncio
import os
import sys
from dataclasses import replace

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lesson import LESSONS
from slopewise.site.labs import worker
from slopewise.site.labs.lab import Lab
from slopewise.site.labs.places import Asker, LabBusyError
from slopewise.site.labs.pool import LabFailedError, Limits, Pool, Worker

LAB = "n04_gradient_descent"
VALUES = {"surface": "bowl", "lr": 0.1, "w1": 1.0, "w2": 1.0}


def run(work, **limits):
    """Run a coroutine with a pool of one worker, and end the pool."""

    async def whole():
        pool = Pool(Limits(workers=1, **limits))
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(whole())


@pytest.mark.slow
def test_a_run_that_takes_too_long_is_ended_and_the_next_one_served():
    async def ask(pool):
        pool._idle.append(await Worker.start(pool.limits))
        with pytest.raises(LabBusyError, match="longer than"):
            await pool._idle.pop().ask({"lab": LAB, "values": VALUES}, replace(pool.limits, seconds=1e-4))
        frames, _ = await pool.run(LAB, VALUES)
        return len(frames)

    assert run(ask) == 31


@pytest.mark.slow
def test_the_start_of_a_worker_has_a_time_of_its_own():
    async def ask(pool):
        with pytest.raises(LabBusyError, match="not ready yet"):
            await pool.run(LAB, VALUES)

    run(ask, start=1e-4)


@pytest.mark.slow
def test_output_beyond_the_limit_is_refused():
    async def ask(pool):
        with pytest.raises(ArgumentError, match="more than a page can show"):
            await pool.run(LAB, VALUES)

    run(ask, output=10_000)


@pytest.mark.slow
def test_who_waits_too_long_for_a_place_is_told():
    async def ask(pool):
        with pool.places.enter(Asker("somebody")), pytest.raises(LabBusyError, match="try again"):
            await pool.ask({"lab": LAB, "values": VALUES})

    run(ask, patience=0.05)


@pytest.mark.slow
def test_a_worker_knows_no_secret_of_the_server(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_SECRET", "hidden")
    monkeypatch.setenv("SLOPEWISE_TARGET", "native")
    monkeypatch.setenv("SLOPEWISE_CACHE", "/var/tmp/objects")

    async def look(pool):
        made = await Worker.start(pool.limits)
        with open(f"/proc/{made._process.pid}/environ") as file:
            environment = file.read()
        await made.stop()
        return environment

    if sys.platform != "linux":
        pytest.skip("reads /proc")
    environment = dict(item.split("=", 1) for item in run(look).strip("\0").split("\0"))
    assert "hidden" not in environment.values()
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    # Labs neither compile nor read or write what was compiled, whatever the server does.
    assert environment["SLOPEWISE_TARGET"] == "interpreter"
    assert environment["SLOPEWISE_CACHE"] == "off"


def answer(request):
    import json

    return worker.answer(json.dumps(request))


def test_a_worker_refuses_bad_settings_in_one_line():
    reply = answer({"lab": "n07_backpropagation", "values": {"f": "x +", "w": 1, "x": 1, "b": 1, "y": 1}})
    assert list(reply) == ["refused"]
    assert "\n" not in reply["refused"]


def test_a_worker_tells_a_mistake_of_ours_with_its_traceback(monkeypatch):
    broken = Lab("broken", "", (), lambda values: int("a learner's cell"))
    monkeypatch.setattr(worker, "find_lab", lambda folder: broken)
    told = answer({"lab": "any", "values": {}})["failed"].splitlines()
    assert told[-1] == "ValueError"  # and not its text, which quotes what was worked on
    assert any("worker.py" in line for line in told)


def test_a_lab_that_makes_too_many_frames_is_refused(monkeypatch):
    endless = Lab("endless", "", (), lambda values: [None] * 1000)
    monkeypatch.setattr(worker, "find_lab", lambda folder: endless)
    assert "choose fewer" in answer({"lab": "any", "values": {}})["refused"]


def test_a_lab_cannot_be_named_that_is_not_a_lesson():
    assert "failed" in answer({"lab": "..os", "values": {}})


@pytest.mark.slow
def test_every_lab_gives_the_same_frames_twice():
    for folder in sorted(LESSONS.glob("n[0-9][0-9]_*")):
        lab = worker.find_lab(folder.name)
        values = lab.read({})
        assert [f.to_json() for f in lab.frames(values)] == [f.to_json() for f in lab.frames(values)]


def test_limits_leave_a_core_for_the_lessons():
    assert Limits().workers == max(1, (os.cpu_count() or 2) - 1)


def test_a_refusal_is_not_taken_for_a_failure():
    from slopewise.site.labs.pool import _reply_of

    with pytest.raises(ArgumentError, match="no"):
        _reply_of(b'{"refused": "no"}', "lab")
    with pytest.raises(LabFailedError, match="mistake of ours"):
        _reply_of(b'{"failed": "traceback"}', "lab")
