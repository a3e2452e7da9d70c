"""One process for one piece of work: its limits, its answers, and that nothing of it is left."""

import asyncio
import os
import sys

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.labs.alone import AloneLimits, run_alone
from slopewise.site.labs.places import Asker, LabBusyError, Places
from slopewise.site.labs.pool import LabFailedError

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from slopewise.engine.errors import ArgumentError
from slopewise.site.labs.alone import serve_one

def work(request, tell):
    do = request["do"]
    if do == "tell":
        for number in range(3):
            tell([number, {"text": "told\\n"}])
        return "done"
    if do == "answer":
        import polars
        computing = polars.thread_pool_size()
        return {"cwd": os.getcwd(), "environment": dict(os.environ), "computing": computing}
    if do == "refuse":
        raise ArgumentError("not\\nso")
    if do == "quote":
        raise ArgumentError("begin " + "x" * 2**20 + " end")
    if do == "fail":
        raise RuntimeError("ours")
    if do == "sleep":
        time.sleep(60)
    if do == "count":
        for number in range(60):
            Path("count").write_text(str(number))
            time.sleep(0.02)
        return number
    if do == "memory":
        return len(bytearray(3 * 2**30))
    if do == "file":
        open("large", "wb").write(b"x" * 2**21)
    if do == "output":
        return "x" * 2**21
    if do == "die":
        os.write(sys.__stdout__.fileno(), b'{"result":')
        os._exit(3)
    if do == "abort":
        os.abort()
    if do == "be ended":
        os.kill(os.getpid(), signal.SIGKILL)

serve_one(work)
"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the program above as `run_alone` runs its modules."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "piece_of_work.py").write_text(PROGRAM)
    path = os.pathsep.join([str(tmp_path / "modules"), *filter(None, sys.path)])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("SLOPEWISE_SMTP_URL", "a secret")
    folder = tmp_path / "place"
    folder.mkdir()

    def start(do, ticket=None, hear=None, **limits):
        limits = AloneLimits(**{"seconds": 20, "memory": 2**30, "file": 2**20, "output": 2**20, **limits})
        return run_alone("piece_of_work", {"do": do}, folder, limits, ticket, hear)

    def run(do, **limits):
        return asyncio.run(start(do, **limits))

    run.start = start

    run.folder = folder
    return run


def test_it_works_in_a_folder_of_its_own_without_our_secrets(ask):
    found = ask("answer")
    assert found["cwd"] == found["environment"]["HOME"] == str(ask.folder)
    assert "SLOPEWISE_SMTP_URL" not in found["environment"]
    assert found["computing"] == 1  # a place is a core; OpenBLAS is told by the environment, too
    assert found["environment"]["OPENBLAS_NUM_THREADS"] == "1"


def test_what_a_visitor_can_mend_comes_as_one_line(ask):
    with pytest.raises(ArgumentError, match="not so"):
        ask("refuse")
    with pytest.raises(ArgumentError, match="more memory"):
        ask("memory")
    with pytest.raises(ArgumentError, match=r"^begin x.* … x.* end$") as found:
        ask("quote")
    assert len(str(found.value)) < 1000


@pytest.mark.parametrize(
    ("do", "limits", "kind", "told"),
    [
        ("sleep", {"seconds": 2.5}, LabBusyError, "longer than 2.5 seconds"),
        ("file", {}, LabFailedError, "mistake of ours"),
        ("output", {}, ArgumentError, "more than a page can show"),
        ("die", {}, LabFailedError, "mistake of ours"),
        ("abort", {}, ArgumentError, "more memory or time"),
        ("be ended", {}, LabBusyError, "try again in a while"),
        ("fail", {}, LabFailedError, "mistake of ours"),
    ],
)
def test_limits_hold_and_tell_who_can_mend_it(ask, do, limits, kind, told):
    with pytest.raises(kind, match=told):
        ask(do, **limits)
    large = ask.folder / "large"
    assert not large.exists() or large.stat().st_size <= 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be stopped there")
def test_a_process_is_stopped_while_others_have_its_place_and_goes_on_afterwards(ask):
    count = ask.folder / "count"

    async def until(condition):
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it does not come")

    async def work():
        places = Places(1)
        with places.enter(Asker("ada"), kind="fit", most=1) as ticket:
            task = asyncio.create_task(ask.start("count", ticket, seconds=10))
            await until(lambda: count.exists() and count.read_text())
            other = places.enter(Asker("bob"))
            assert other.place == 1
            await until(lambda: other.place == 0)
            await asyncio.sleep(0.1)
            there = count.read_text()
            await asyncio.sleep(0.3)
            assert count.read_text() == there != "59"
            assert ticket.place == 1
            other.leave()
            assert await task == 59
        assert places.working == 0

    asyncio.run(work())


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be stopped there")
def test_a_process_that_is_stopped_when_its_work_is_cancelled_is_gone(ask):
    count = ask.folder / "count"

    async def work():
        places = Places(1)
        with places.enter(Asker("ada"), kind="fit", most=1) as ticket:
            task = asyncio.create_task(ask.start("count", ticket))
            while not count.exists():
                await asyncio.sleep(0.01)
            other = places.enter(Asker("bob"))
            while other.place:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
        other.leave()
        assert (places.working, len(places)) == (0, 0)

    asyncio.run(work())


def test_what_it_tells_before_its_answer_is_heard_at_once_and_in_order(ask):
    heard = []
    assert ask("tell", hear=heard.append) == "done"
    assert heard == [[number, {"text": "told\n"}] for number in range(3)]
    assert ask("tell") == "done"  # whether anybody listens or not
