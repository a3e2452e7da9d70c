"""Runs of labs: looking starts nothing, a run is made once, frames are kept, what waits can be seen."""

import asyncio

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.labs import runs
from slopewise.site.labs.places import Asker, LabBusyError
from slopewise.site.labs.pool import Limits, Pool
from slopewise.site.labs.runs import FrameStore

VALUES = {"lr": 0.1}
ADA, BOB = Asker("ada", "a school"), Asker("bob", "a school")


class QuickPool(Pool):
    """Answers without a process; `made` are the runs that it made."""

    def __init__(self, **limits):
        super().__init__(Limits(workers=1, **limits))
        self.made = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def run(self, lab, values):
        self.made.append((lab, values["lr"]))
        await self.may_go_on.wait()
        if values["lr"] < 0:
            raise ArgumentError("lr is too small")
        return [{"title": f"{lab} at {values['lr']}"}], 100


def run(work, **limits):
    async def whole():
        pool = QuickPool(**limits)
        return await work(pool, FrameStore(pool))

    return asyncio.run(whole())


def test_to_look_starts_nothing():
    async def work(pool, store):
        assert store.kept("a", VALUES) is None
        assert store.run_of("ada", "a", VALUES) is None
        await asyncio.sleep(0.01)
        return pool.made

    assert run(work) == []


def test_a_run_is_made_once_for_all_who_start_it_and_then_kept():
    async def work(pool, store):
        started = [store.start(Asker(f"pupil {number}"), "a", VALUES) for number in range(30)]
        assert len(set(started)) == 1
        await started[0].wait(1)
        assert store.kept("a", VALUES) == [{"title": "a at 0.1"}]
        assert store.run_of("pupil 7", "a", VALUES) is None
        return pool.made

    assert run(work) == [("a", 0.1)]


def test_who_makes_up_visitors_makes_the_runs_of_others_not_forgotten(monkeypatch):
    monkeypatch.setattr(runs, "MOST_OF_NETWORK", 3)

    async def work(pool, store):
        pool.may_go_on.clear()
        store.start(Asker("pupil", "a school"), "a", {"lr": 0.5})
        for number in range(10):
            store.start(Asker(f"made up {number}", "elsewhere"), "a", VALUES)
        waits = store.run_of("pupil", "a", {"lr": 0.5}) is not None
        known = [number for number in range(10) if store.run_of(f"made up {number}", "a", VALUES)]
        pool.may_go_on.set()
        await store.close()
        return waits, known

    assert run(work) == (True, [7, 8, 9])


def test_runs_of_accounts_are_not_counted_with_a_network(monkeypatch):
    monkeypatch.setattr(runs, "MOST_OF_NETWORK", 1)

    async def work(pool, store):
        pool.may_go_on.clear()
        for number in range(3):
            store.start(Asker(f"account {number}"), "a", VALUES)
        known = [store.run_of(f"account {number}", "a", VALUES) is not None for number in range(3)]
        pool.may_go_on.set()
        await store.close()
        return known

    assert run(work) == [True] * 3


def test_old_frames_leave_when_memory_is_short_but_pinned_ones_stay():
    async def work(pool, store):
        store.pin("a", VALUES)
        for rate in (0.1, 0.2, 0.3):
            await store.frames("a", {"lr": rate})
        return [store.kept("a", {"lr": rate}) is not None for rate in (0.1, 0.2, 0.3)], store._size

    assert run(work, kept=150) == ([True, False, True], 100)


def test_what_is_pinned_after_it_was_made_stays_too():
    async def work(pool, store):
        await store.frames("a", VALUES)
        store.pin("a", VALUES)
        for rate in (0.2, 0.3, 0.4):
            await store.frames("a", {"lr": rate})
        return store.kept("a", VALUES) is not None, store._size

    assert run(work, kept=150) == (True, 100)


def test_who_waits_has_a_place_and_a_new_wish_withdraws_the_one_before():
    async def work(pool, store):
        pool.may_go_on.clear()
        store.start(BOB, "a", {"lr": 0.9})
        first = store.start(ADA, "a", {"lr": 0.1})
        assert store.run_of("ada", "a", {"lr": 0.1}).place == 1
        assert store.run_of("bob", "a", {"lr": 0.1}) is None
        second = store.start(ADA, "a", {"lr": 0.2})
        assert second.place == 1
        await first.wait(1)
        assert first.is_over
        pool.may_go_on.set()
        await second.wait(1)
        return pool.made

    assert run(work) == [("a", 0.9), ("a", 0.2)]


def test_a_wish_that_others_share_is_not_withdrawn_for_them():
    async def work(pool, store):
        pool.may_go_on.clear()
        store.start(Asker("cyn"), "a", {"lr": 0.9})
        shared = store.start(ADA, "a", {"lr": 0.1})
        assert store.start(BOB, "a", {"lr": 0.1}) is shared
        store.start(ADA, "a", {"lr": 0.2})
        pool.may_go_on.set()
        await shared.wait(1)
        return store.kept("a", {"lr": 0.1})

    assert run(work) == [{"title": "a at 0.1"}]


def test_a_run_that_nobody_asks_after_any_more_is_not_begun(monkeypatch):
    async def work(pool, store):
        now = 0.0
        store.clock = lambda: now
        pool.may_go_on.clear()
        store.start(BOB, "a", {"lr": 0.9})
        left, stayed = store.start(ADA, "a", {"lr": 0.1}), store.start(Asker("cyn"), "a", {"lr": 0.2})
        await asyncio.sleep(0.01)
        now = runs.UNSEEN + 1
        assert store.run_of("cyn", "a", {"lr": 0.2}) is stayed
        pool.may_go_on.set()
        await left.wait(1)
        await stayed.wait(1)
        return pool.made

    assert run(work) == [("a", 0.9), ("a", 0.2)]


def test_what_was_refused_is_told_to_who_started_it():
    async def work(pool, store):
        started = store.start(ADA, "a", {"lr": -1})
        await started.wait(1)
        assert str(store.run_of("ada", "a", {"lr": -1}).error) == "lr is too small"
        assert store.run_of("bob", "a", {"lr": -1}) is None
        assert store.kept("a", {"lr": -1}) is None
        with pytest.raises(ArgumentError, match="too small"):
            await store.frames("a", {"lr": -1})

    run(work)


def test_a_full_queue_refuses_and_who_cannot_wait_is_told():
    async def work(pool, store):
        pool.may_go_on.clear()
        store.start(ADA, "a", {"lr": 0.1})
        store.start(BOB, "a", {"lr": 0.2})
        with pytest.raises(LabBusyError, match="queue is full"):
            store.start(Asker("cyn"), "a", {"lr": 0.3})
        with pytest.raises(LabBusyError):
            await store.frames("a", {"lr": 0.2})
        await store.close()

    run(work, waiting=1, patience=0.01, seconds=0.01)
