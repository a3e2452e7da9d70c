"""One process for one piece of work: it parses or trains on what a visitor gave, then it is gone.

It has no secret, no database handle, one thread to compute with and no compiler, like a lab's worker;
besides, a folder of its own for files, which is deleted with it. It works at a place of the server
(`labs.places`); when others wait it is stopped, and goes on at its next turn.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slopewise.engine.errors import ArgumentError, SlopewiseError
from slopewise.site.labs.failures import place_of
from slopewise.site.labs.places import LabBusyError, Ticket
from slopewise.site.labs.pool import LabFailedError, worker_environment

log = logging.getLogger(__name__)

LOOK = 0.1  # seconds between two looks at whether others wait
TURN = 2.0  # seconds until others have theirs
LAST_BREATH = 5.0  # seconds in which a process that closed its pipe must be gone
LONGEST_REFUSAL = 1000  # characters
_TOLD = b'{"told":'  # how a line begins that is not the answer yet
_STOP, _GO_ON = getattr(signal, "SIGSTOP", None), getattr(signal, "SIGCONT", None)  # Windows has none
_KILL = getattr(signal, "SIGKILL", None)


Tell = Callable[[Any], None]


@dataclass(frozen=True)
class AloneLimits:
    """What one process may use; what it does not keep to by itself, the system enforces."""

    seconds: float  # of the clock on the wall, while it is at work
    memory: int = 2**30  # bytes of data
    file: int = 64 * 2**20  # bytes of one file
    output: int = 16 * 2**20  # bytes of its answer


async def run_alone(
    module: str,
    request: dict[str, Any],
    folder: Path,
    limits: AloneLimits,
    ticket: Ticket | None = None,
    hear: Callable[[Any], None] | None = None,
) -> Any:
    """Start ``python -m module`` in a folder, hand it a request, and return its result.

    The module reads a line of JSON and answers with one, which `serve_one` sees to; what it tells before
    that, `hear` is given. The caller holds the place of the ticket; without one, nobody else is waited for.

    Raises
    ------
    ArgumentError
        If the work refused what the visitor gave, or needed more memory or output than there is.
    LabBusyError
        If it took longer than it may, or the system ended it.
    LabFailedError
        If it ran into a mistake of ours.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=worker_environment() | {"TMPDIR": str(folder), "HOME": str(folder), "PYTHONSAFEPATH": "1"},
        cwd=folder,
        limit=limits.output,
    )
    line = json.dumps({**request, "limits": vars(limits)}).encode() + b"\n"
    try:
        answer = await _in_turns(process, _exchange(process, line, hear), limits.seconds, ticket)
    except TimeoutError:
        raise LabBusyError(
            f"this took longer than {limits.seconds:g} seconds, which is all there is; take less of it, or "
            "try again in a while"
        ) from None
    except (ValueError, asyncio.LimitOverrunError):
        raise ArgumentError("this made more than a page can show; take less of it") from None
    finally:
        await _end(process)
    if not answer:
        raise _end_without_answer(process.returncode, module)
    return _result_of(answer, module)


async def _exchange(
    process: asyncio.subprocess.Process, line: bytes, hear: Callable[[Any], None] | None
) -> bytes:
    """Return the answer of a process, or nothing if it went without one; then its status is known."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer = b""
    with suppress(ConnectionError):
        process.stdin.write(line)
        await process.stdin.drain()
        while (answer := await process.stdout.readline()).startswith(_TOLD) and answer.endswith(b"\n"):
            if hear is not None:
                hear(json.loads(answer)["told"])
    if answer.endswith(b"\n"):
        return answer
    with suppress(TimeoutError):  # to end it now would be to lose its status, even if it has gone already
        await asyncio.wait_for(process.wait(), LAST_BREATH)
    return b""


async def _in_turns(
    process: asyncio.subprocess.Process,
    exchange: Coroutine[Any, Any, bytes],
    seconds: float,
    ticket: Ticket | None,
) -> bytes:
    """Return the answer of a process; the seconds are those in which it was at work."""
    work, spent = asyncio.create_task(exchange), 0.0
    try:
        while not work.done() and spent < seconds:
            began = time.monotonic()
            await asyncio.wait({work}, timeout=min(LOOK, seconds - spent))
            spent += time.monotonic() - began
            if ticket is not None and _STOP is not None and not work.done() and ticket.is_over(TURN):
                await _rest(process, ticket)
        if not work.done():
            raise TimeoutError
        return await work
    finally:
        work.cancel()
        await asyncio.wait({work})  # `_end` reads the same pipe


async def _rest(process: asyncio.subprocess.Process, ticket: Ticket) -> None:
    """Stop a process until its next turn. Stopped, it computes nothing; its memory is its own."""
    assert _STOP is not None
    assert _GO_ON is not None
    with suppress(ProcessLookupError):
        process.send_signal(_STOP)
    ticket.step_back()
    await ticket.wait()
    with suppress(ProcessLookupError):
        process.send_signal(_GO_ON)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.stdout is not None
    while await process.stdout.read(2**16):
        pass
    await process.wait()


def _end_without_answer(status: int | None, module: str) -> SlopewiseError:
    """Return what is to be told of a process that went without a word.

    A library that gets no memory aborts, which the same table would do again. SIGKILL is what the system
    sends when the machine itself runs out of memory, and what we send.
    """
    if status is not None and status < 0 and -status != _KILL:
        return ArgumentError("this needed more memory or time than there is; take less of it")
    if status is not None and -status == _KILL:
        return LabBusyError("the server ended this for want of memory; please try again in a while")
    log.error("%s ended with status %s and no answer", module, status)
    return LabFailedError("this ran into a mistake of ours; the server's log says which")


def _result_of(answer: bytes, module: str) -> Any:
    reply = json.loads(answer)
    if "refused" in reply:
        raise ArgumentError(reply["refused"])
    if "failed" in reply:
        log.error("%s failed\n%s", module, reply["failed"])
        raise LabFailedError("this ran into a mistake of ours; the server's log says which")
    return reply["result"]


def limit_process(limits: dict[str, float]) -> None:
    """Take away what this process may not use. Memory is counted as data: a JavaScript engine, which draws
    the charts of reports, reserves addresses by the gigabyte and uses few of them.
    """
    os.nice(5)  # pages and labs go first
    try:
        import resource
    except ImportError:  # Windows has none; time and output are limited all the same
        return
    for kind, most in (
        (resource.RLIMIT_DATA, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CPU, limits["seconds"] + 5),  # so that none outlives a server that was killed
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        amount = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        resource.setrlimit(kind, (amount, amount))


def serve_one(work: Callable[[dict[str, Any], Tell], Any]) -> None:
    """Be the process: read the request, do the work within its limits, answer.

    The work is given the request, and a function that tells something before the answer. The answer is
    ``{"result": …}``, ``{"refused": "one line"}`` for what a visitor can mend, or
    ``{"failed": "traceback"}`` for a mistake of ours.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # a stray print must not end up in the answer
    request = json.loads(sys.stdin.readline())
    limit_process(request.pop("limits"))

    def write(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n")
        answers.flush()

    write(_answer(work, request, lambda value: write({"told": value})))


def _one_line(text: str) -> str:
    """Return a message as a line; one that quotes a megabyte of what was given loses its middle."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REFUSAL else f"{line[: LONGEST_REFUSAL // 2]} … {line[-200:]}"


def _answer(
    work: Callable[[dict[str, Any], Tell], Any], request: dict[str, Any], tell: Tell
) -> dict[str, Any]:
    try:
        return {"result": work(request, tell)}
    except SlopewiseError as error:
        return {"refused": _one_line(str(error))}
    except MemoryError:
        return {"refused": "this needs more memory than one visitor may use; take fewer rows or columns"}
    except Exception as error:  # the server must hear of it
        return {"failed": place_of(error)}
