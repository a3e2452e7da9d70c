"""`slopewise site` as an operator starts it, and learners who have cards to repeat."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.turns import MeasurementError
from slopewise.site.accounts.accounts import add_account
from slopewise.site.accounts.sessions import open_session
from slopewise.site.content import load_course
from slopewise.site.scheduling.log import Entry, append
from slopewise.site.storage import open_database

DUE_CARDS = 40  # of each learner; new ones come after them
NEW_PER_DAY = 200
START_SECONDS = 60.0  # until the labs have been run ahead
STOP_SECONDS = 30.0
SLUGS = tuple(outline.slug for outline in load_course().outlines)


@dataclass(frozen=True)
class Account:
    """A learner as a client knows them."""

    learner_id: uuid.UUID
    headers: dict[str, str]


@dataclass(frozen=True)
class Server:
    """A server that runs, its log, and where it answers."""

    process: subprocess.Popen[str]
    address: str
    metrics: str
    log: Path

    def waiting_for_a_place(self) -> float:
        """Return how much work of visitors waits for a place, as the metrics say."""
        with urllib.request.urlopen(self.metrics, timeout=10) as answer:
            return float(re.search(rb"^slopewise_places_waiting (\S+)", answer.read(), re.MULTILINE)[1])

    def use(self) -> dict[str, float]:
        """Return the seconds of CPU and the peak of memory of the server's process, without its workers."""
        numbers = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)[1]
        ticks = int(numbers[11]) + int(numbers[12])
        return {"cpu_seconds": ticks / os.sysconf("SC_CLK_TCK"), "peak_bytes": int(peak) * 1024}


def stranger(secret: str) -> dict[str, str]:
    """Return the headers of a browser without an account: a cookie, and the token that follows from it."""
    return {"Cookie": f"slopewise-form={secret}", "X-Form-Token": _token(secret)}


def make_learners(url: str, folder: Path, count: int) -> list[Account]:
    """Add accounts with sessions, and cards whose day has come; return how clients name themselves."""
    course, now = load_course(), datetime.now(UTC)
    cards = [card for outline in course.outlines for card in outline.cards][:DUE_CARDS]
    database, made = open_database(url, folder), []
    try:
        with database.writing() as session:
            for number in range(count):
                account = add_account(session, f"learner{number}@example.org", now)
                account.new_per_day = NEW_PER_DAY
                secret = open_session(session, account.id, now)
                headers = {"Cookie": f"slopewise-session={secret}", "X-Form-Token": _token(secret)}
                made.append(Account(account.learner_id, headers))
        for account in made:
            at = now - timedelta(days=60)
            entries = [Entry(uuid.uuid4(), "review", at, card_id=card, grade="easy") for card in cards]
            with database.writing(of=account.learner_id) as session:
                append(session, account.learner_id, entries, now)
    finally:
        database.close()
    return made


def _token(secret: str) -> str:
    return hashlib.sha256(f"form {secret}".encode()).hexdigest()


@contextmanager
def serving(url: str, folder: Path) -> Iterator[Server]:
    """Start a server whose lessons have been read and whose labs have been run; stop it at the end."""
    log = folder / "log"
    command = [sys.executable, "-m", "slopewise", "site", "--port", "0", "--metrics-port", "0"]
    command += ["--database", url, "--files", str(folder)]
    with open(log, "w") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
    try:
        address = _line(process, r"Slopewise is at (\S+)", log)
        metrics = _line(process, r"Metrics are at (\S+)", log)
        _wait_for_labs(address, log)
        yield Server(process, address, metrics, log)
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def _line(process: subprocess.Popen[str], pattern: str, log: Path) -> str:
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise MeasurementError(f"the site did not start: {log.read_text()[-500:]}")


def _wait_for_labs(address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    left = list(SLUGS)
    while left:
        if time.monotonic() > until:
            raise MeasurementError(f"the lab of {left[0]} was not run ahead: {log.read_text()[-500:]}")
        try:
            if _ask(f"{address}/labs/{left[0]}/frame")["state"] == "shown":
                left.pop(0)
                continue
            if time.monotonic() > until - START_SECONDS / 2:  # a run that failed is not tried again
                _ask(f"{address}/labs/{left[0]}/runs", json.dumps({"query": ""}).encode())
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.2)


def _ask(address: str, body: bytes | None = None) -> dict[str, Any]:
    headers = stranger("starts") | {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
