"""Teams of threads in machine code: all enter, all return, callers do not disturb each other."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
import time

import pytest

from slopewise.compiler.native.machine import threads
from slopewise.compiler.native.machine.threads import Team, run_together, thread_limit
from slopewise.compiler.native.machine.toolchain import compile_ir
from slopewise.engine.errors import ArgumentError

# Adds the second word to the first, as often as the third says.
ADD = """
define void @add(ptr %words) {
entry:
  %step_place = getelementptr i64, ptr %words, i64 1
  %times_place = getelementptr i64, ptr %words, i64 2
  %step = load i64, ptr %step_place
  %times = load i64, ptr %times_place
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %old = load volatile i64, ptr %words
  %new = add i64 %old, %step
  store volatile i64 %new, ptr %words
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %times
  br i1 %more, label %loop, label %end
end:
  ret void
}
"""


@pytest.fixture(scope="module")
def code():
    return compile_ir(ADD)


def words_for(n_threads, times=1):
    return [(ctypes.c_int64 * 3)(0, tid + 1, times) for tid in range(n_threads)]


def addresses(words):
    return [ctypes.addressof(block) for block in words]


@pytest.mark.parametrize("n_threads", [1, 2, 3, 4])
def test_every_thread_runs_once_per_call_with_its_own_argument(code, n_threads):
    words = words_for(n_threads)
    for _ in range(200):
        run_together(code.address("add"), addresses(words))
    assert [block[0] for block in words] == [200 * (tid + 1) for tid in range(n_threads)]


def test_it_returns_only_when_the_slowest_has(code):
    words = words_for(2)
    words[1][2] = 20_000_000
    run_together(code.address("add"), addresses(words))
    assert words[1][0] == 40_000_000


def test_the_threads_run_at_the_same_time():
    """Each waits for the other's word: on threads that take turns it would never end."""
    meet = compile_ir("""
    define void @meet(ptr %words) {
    entry:
      %own_place = getelementptr ptr, ptr %words, i64 0
      %other_place = getelementptr ptr, ptr %words, i64 1
      %own = load ptr, ptr %own_place
      %other = load ptr, ptr %other_place
      store atomic i64 1, ptr %own release, align 8
      br label %wait
    wait:
      %seen = load atomic i64, ptr %other acquire, align 8
      %there = icmp eq i64 %seen, 1
      br i1 %there, label %end, label %wait
    end:
      ret void
    }""")
    flags = (ctypes.c_int64 * 2)()
    first, second = ctypes.addressof(flags), ctypes.addressof(flags) + 8
    words = [(ctypes.c_void_p * 2)(first, second), (ctypes.c_void_p * 2)(second, first)]
    run_together(meet.address("meet"), addresses(words))
    assert list(flags) == [1, 1]


def test_workers_that_fell_asleep_wake_up(code):
    words = words_for(3)
    for _ in range(20):
        run_together(code.address("add"), addresses(words))
        time.sleep(0.002)
    assert [block[0] for block in words] == [20, 40, 60]


def test_callers_on_several_python_threads_do_not_disturb_each_other(code):
    results = {}

    def fit(name):
        words = words_for(2, times=100)
        for _ in range(300):
            run_together(code.address("add"), addresses(words))
        results[name] = [block[0] for block in words]

    callers = [threading.Thread(target=fit, args=(name,)) for name in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == {name: [30_000, 60_000] for name in range(4)}


def test_idle_teams_are_used_again(code):
    words = words_for(2)
    run_together(code.address("add"), addresses(words))
    before = len(threads._idle_teams[2])
    for _ in range(10):
        run_together(code.address("add"), addresses(words))
    assert len(threads._idle_teams[2]) == before


def test_the_workers_of_a_dropped_team_end(code):
    team, words = Team(3), words_for(3)
    team.run_together(code.address("add"), addresses(words))
    memory = team._desk.address
    with_team = set(threading.enumerate())
    del team
    gc.collect()
    deadline = time.monotonic() + 10
    while len(with_team & set(threading.enumerate())) > len(with_team) - 2:
        assert time.monotonic() < deadline, f"workers at {memory:x} still wait"
        time.sleep(0.01)


def test_a_team_takes_one_argument_per_thread(code):
    with pytest.raises(ArgumentError, match="2 threads"):
        Team(2).run_together(code.address("add"), [0])
    with pytest.raises(ArgumentError, match="at least 2"):
        Team(1)


def run_python(program, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        env=os.environ | environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


PREPARE = f"""
import ctypes, os, threading
from slopewise.compiler.native.machine.threads import Team, run_together
from slopewise.compiler.native.machine.toolchain import compile_ir
code = compile_ir({ADD!r})
words = [(ctypes.c_int64 * 3)(0, tid + 1, 1) for tid in range(2)]
arguments = [ctypes.addressof(block) for block in words]
def run():
    run_together(code.address("add"), arguments)
run()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_workers_of_its_own():
    ran = run_python(
        PREPARE + "pid = os.fork()\nrun()\ncompile_ir('define void @f() {\\n  ret void\\n}')\n"
        "done = [block[0] for block in words] == [2, 4]\n"
        "if not pid:\n    os._exit(0 if done else 3)\n"
        "print(done, os.waitpid(pid, 0)[1])"
    )
    assert ran.stdout.split() == ["True", "0"], ran.stderr


def test_the_process_ends_while_workers_wait():
    ran = run_python(PREPARE + "print('end')")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "end\n", "")


def test_the_process_ends_while_a_daemon_thread_computes():
    ran = run_python(
        PREPARE + "import time\nwords[0][2] = words[1][2] = 10**18\n"
        "threading.Thread(target=run, daemon=True).start()\ntime.sleep(0.2)\nprint('end')"
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "end\n", "")


def test_the_limit_is_what_the_process_may_use(monkeypatch):
    monkeypatch.delenv("SLOPEWISE_NUM_THREADS", raising=False)
    processors = thread_limit()
    assert processors >= 1
    if hasattr(os, "sched_getaffinity"):
        assert processors == len(os.sched_getaffinity(0))
    monkeypatch.setenv("SLOPEWISE_NUM_THREADS", "1")
    assert thread_limit() == 1
    monkeypatch.setenv("SLOPEWISE_NUM_THREADS", "100000")
    assert thread_limit() == processors


@pytest.mark.parametrize("setting", ["0", "-1", "two", "1.5", "²"])
def test_a_limit_that_is_no_count_is_refused(monkeypatch, setting):
    monkeypatch.setenv("SLOPEWISE_NUM_THREADS", setting)
    with pytest.raises(ArgumentError, match="SLOPEWISE_NUM_THREADS must be a whole number from 1"):
        thread_limit()
