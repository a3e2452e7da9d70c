"""Threads that enter the same machine code together.

A *team* of n threads is the calling thread and n - 1 workers. The workers wait inside machine code for work,
so that starting them needs neither Python's lock nor Python's scheduler: the caller makes one call, which
lets the workers go, does the caller's own part and comes back when all are done. No signal can come between,
and another Python thread that computes cannot hold them up.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache

from slopewise.compiler.native.machine.cache import compile_cached
from slopewise.compiler.native.machine.toolchain import host, pause_instruction
from slopewise.engine.errors import ArgumentError

_VARIABLE = "SLOPEWISE_NUM_THREADS"


def thread_limit() -> int:
    """Return how many threads machine code may use: the processors of this process, or fewer.

    The environment variable SLOPEWISE_NUM_THREADS makes it fewer. The results of a program have the same bits
    only for the same number of threads.

    Raises
    ------
    ArgumentError
        If SLOPEWISE_NUM_THREADS is not a whole number from 1.

    Examples
    --------
    >>> thread_limit() >= 1
    True
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    setting = os.environ.get(_VARIABLE, "").strip()
    if not setting:
        return processors
    if not (setting.isascii() and setting.isdigit() and int(setting) >= 1):
        raise ArgumentError(f"{_VARIABLE} must be a whole number from 1, not '{setting}'")
    return min(processors, int(setting))


def run_together(address: int, arguments: Sequence[int]) -> None:
    """Enter a function on as many threads as there are arguments, and return when all have returned.

    Callers on several Python threads do not wait for each other: each gets a team of its own.

    Parameters
    ----------
    address : int, of a function `void f(void *argument)` in machine code
    arguments : a pointer for each thread, as int; the calling thread takes the first
    """
    if len(arguments) == 1:
        _entry(address)(arguments[0])
        return
    idle = _idle_teams[len(arguments)]
    try:
        team = idle.pop()
    except IndexError:
        team = Team(len(arguments))
    try:
        team.run_together(address, arguments)
    finally:
        idle.append(team)


class Team:
    """The caller and `size` - 1 workers; serves one caller at a time. Workers start at the first run.

    Parameters
    ----------
    size : int, number of threads, at least 2
    """

    def __init__(self, size: int) -> None:
        if size < 2:
            raise ArgumentError(f"a team has at least 2 threads, not {size}")
        self.size = size
        self._desk: _Desk | None = None

    def run_together(self, address: int, arguments: Sequence[int]) -> None:
        """Enter the function at `address` on all threads, each with its argument; return when all have.

        Raises
        ------
        ArgumentError
            If there are more or fewer arguments than threads.
        """
        if len(arguments) != self.size:
            raise ArgumentError(
                f"a team of {self.size} threads takes as many arguments, not {len(arguments)}"
            )
        if self._desk is None or self._desk.process != os.getpid():  # a fork takes no workers along
            self._desk = _open_desk(self.size)
            weakref.finalize(self, _dismiss, self._desk).atexit = False
        self._desk.arguments[:] = list(arguments)
        self._desk.dispatcher.lead(self._desk.address, address, self.size)


class _Desk:
    """The memory over which a team works together; the workers keep it, and the code they are in, alive."""

    def __init__(self, size: int) -> None:
        self.process = os.getpid()
        self.dispatcher = _dispatcher()
        self._memory = ctypes.create_string_buffer(_DESK_BYTES + 64)
        self.address = -(-ctypes.addressof(self._memory) // 64) * 64
        self.arguments = (ctypes.c_void_p * size)()
        field = ctypes.c_uint64.from_address(self.address + _ARGUMENTS)
        field.value = ctypes.addressof(self.arguments)
        if sys.platform != "win32":  # there, zero is the initial state
            library = ctypes.CDLL(None)
            library.pthread_mutex_init(ctypes.c_void_p(self.address + _MUTEX), None)
            library.pthread_cond_init(ctypes.c_void_p(self.address + _CONDITION), None)


def _open_desk(size: int) -> _Desk:
    desk = _Desk(size)
    try:
        for number in range(1, size):
            name = f"slopewise-worker-{number}"
            threading.Thread(target=_attend, args=(desk, number), name=name, daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        _dismiss(desk)
        raise
    return desk


def _attend(desk: _Desk, number: int) -> None:
    """Be a worker until the team is dismissed."""
    desk.dispatcher.work(desk.address, number)


def _dismiss(desk: _Desk) -> None:
    """Let the workers return; in a forked child there are none."""
    if desk.process == os.getpid():
        desk.dispatcher.lead(desk.address, None, 1)


_idle_teams: defaultdict[int, list[Team]] = defaultdict(list)


@lru_cache(maxsize=1024)
def _entry(address: int) -> ctypes._FuncPointer:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)


class _Dispatcher:
    """The two functions by which a team works, as machine code."""

    def __init__(self) -> None:
        self._code = compile_cached(_dispatcher_ir())
        word = ctypes.c_int64
        lead = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, word)
        work = ctypes.CFUNCTYPE(None, ctypes.c_void_p, word)
        self.lead = lead(self._code.address("sw.lead"))
        self.work = work(self._code.address("sw.work"))


@cache
def _dispatcher() -> _Dispatcher:
    return _Dispatcher()


# The desk, in bytes: counters that are written often are on cache lines of their own. 128 bytes hold a mutex
# or a condition variable of every system.
_CALLS = 0  # how often work was given out
_DONE = 64  # workers that are done with this call
_FUNCTION = 128
_ARGUMENTS = 136
_SLEEPERS = 192
_MUTEX = 256
_CONDITION = 384
_DESK_BYTES = 512

# How long a thread looks for news before it sleeps, about 50 to 100 microseconds: longer than Python takes
# between two steps of a loop, so that steps that follow one another find the workers awake.
_SPINS = 4000

_POSIX = """
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
define internal void @lock(ptr %mutex) {
  call i32 @pthread_mutex_lock(ptr %mutex)
  ret void
}
define internal void @unlock(ptr %mutex) {
  call i32 @pthread_mutex_unlock(ptr %mutex)
  ret void
}
define internal void @sleep(ptr %condition, ptr %mutex) {
  call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  ret void
}
define internal void @wake(ptr %condition) {
  call i32 @pthread_cond_broadcast(ptr %condition)
  ret void
}
"""

_WINDOWS = """
declare void @AcquireSRWLockExclusive(ptr)
declare void @ReleaseSRWLockExclusive(ptr)
declare i32 @SleepConditionVariableSRW(ptr, ptr, i32, i32)
declare void @WakeAllConditionVariable(ptr)
define internal void @lock(ptr %mutex) {
  call void @AcquireSRWLockExclusive(ptr %mutex)
  ret void
}
define internal void @unlock(ptr %mutex) {
  call void @ReleaseSRWLockExclusive(ptr %mutex)
  ret void
}
define internal void @sleep(ptr %condition, ptr %mutex) {
  call i32 @SleepConditionVariableSRW(ptr %condition, ptr %mutex, i32 -1, i32 0)
  ret void
}
define internal void @wake(ptr %condition) {
  call void @WakeAllConditionVariable(ptr %condition)
  ret void
}
"""

# @await spins and then sleeps until a counter has a value; @add changes one, and takes the mutex to wake
# others only if somebody sleeps. Sleepers report before they look at the counter a last time, and counters
# change before sleepers are looked for: in one total order (seq_cst), so that no wake is lost.
_TEAM = """
define internal void @await(ptr %desk, i64 %offset, i64 %value) noinline {
entry:
  %counter = getelementptr i8, ptr %desk, i64 %offset
  %sleepers = getelementptr i8, ptr %desk, i64 SLEEPERS
  %mutex = getelementptr i8, ptr %desk, i64 MUTEX
  %condition = getelementptr i8, ptr %desk, i64 CONDITION
  br label %spin
spin:
  %spins = phi i64 [ 0, %entry ], [ %more, %pause ]
  %seen = load atomic i64, ptr %counter acquire, align 8
  %there = icmp eq i64 %seen, %value
  br i1 %there, label %done, label %pause
pause:
  call void asm sideeffect "PAUSE", ""()
  %more = add i64 %spins, 1
  %patient = icmp ult i64 %more, SPINS
  br i1 %patient, label %spin, label %bed
bed:
  call void @lock(ptr %mutex)
  %before = atomicrmw add ptr %sleepers, i64 1 seq_cst
  br label %look
look:
  %now = load atomic i64, ptr %counter seq_cst, align 8
  %ready = icmp eq i64 %now, %value
  br i1 %ready, label %rise, label %doze
doze:
  call void @sleep(ptr %condition, ptr %mutex)
  br label %look
rise:
  %after = atomicrmw sub ptr %sleepers, i64 1 seq_cst
  call void @unlock(ptr %mutex)
  br label %done
done:
  ret void
}

define internal void @add(ptr %desk, i64 %offset) noinline {
entry:
  %counter = getelementptr i8, ptr %desk, i64 %offset
  %sleepers = getelementptr i8, ptr %desk, i64 SLEEPERS
  %mutex = getelementptr i8, ptr %desk, i64 MUTEX
  %condition = getelementptr i8, ptr %desk, i64 CONDITION
  %before = atomicrmw add ptr %counter, i64 1 seq_cst
  %asleep = load atomic i64, ptr %sleepers seq_cst, align 8
  %nobody = icmp eq i64 %asleep, 0
  br i1 %nobody, label %done, label %alarm
alarm:
  call void @lock(ptr %mutex)
  call void @wake(ptr %condition)
  call void @unlock(ptr %mutex)
  br label %done
done:
  ret void
}

define internal void @enter(ptr %desk, ptr %function, i64 %number) {
  %arguments_place = getelementptr i8, ptr %desk, i64 ARGUMENTS
  %arguments = load ptr, ptr %arguments_place, align 8
  %place = getelementptr ptr, ptr %arguments, i64 %number
  %argument = load ptr, ptr %place, align 8
  call void %function(ptr %argument)
  ret void
}

define void @sw.lead(ptr %desk, ptr %function, i64 %size) {
entry:
  %function_place = getelementptr i8, ptr %desk, i64 FUNCTION
  %done_place = getelementptr i8, ptr %desk, i64 DONE
  store ptr %function, ptr %function_place, align 8
  store atomic i64 0, ptr %done_place monotonic, align 8
  call void @add(ptr %desk, i64 CALLS)
  %closing = icmp eq ptr %function, null
  br i1 %closing, label %leave, label %run
run:
  call void @enter(ptr %desk, ptr %function, i64 0)
  %workers = sub i64 %size, 1
  call void @await(ptr %desk, i64 DONE, i64 %workers)
  br label %leave
leave:
  ret void
}

define void @sw.work(ptr %desk, i64 %number) {
entry:
  %function_place = getelementptr i8, ptr %desk, i64 FUNCTION
  br label %next
next:
  %done_calls = phi i64 [ 0, %entry ], [ %call, %run ]
  %call = add i64 %done_calls, 1
  call void @await(ptr %desk, i64 CALLS, i64 %call)
  %function = load ptr, ptr %function_place, align 8
  %closing = icmp eq ptr %function, null
  br i1 %closing, label %leave, label %run
run:
  call void @enter(ptr %desk, ptr %function, i64 %number)
  call void @add(ptr %desk, i64 DONE)
  br label %next
leave:
  ret void
}
"""


def _dispatcher_ir() -> str:
    text = (_WINDOWS if sys.platform == "win32" else _POSIX) + _TEAM
    values = {
        "PAUSE": pause_instruction(host().triple),
        "SPINS": _SPINS,
        "CALLS": _CALLS,
        "DONE": _DONE,
        "FUNCTION": _FUNCTION,
        "ARGUMENTS": _ARGUMENTS,
        "SLEEPERS": _SLEEPERS,
        "MUTEX": _MUTEX,
        "CONDITION": _CONDITION,
    }
    for name, value in values.items():
        text = text.replace(f" {name}", f" {value}").replace(f'"{name}"', f'"{value}"')
    return text
