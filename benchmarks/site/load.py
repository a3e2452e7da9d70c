"""Part "load": learners who review while all places of the labs are taken, and what became of each review."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from sqlalchemy import select

from benchmarks.site.serving import Account, Server, stranger
from benchmarks.site.timings import Timings
from slopewise.site.labs.pool import Limits
from slopewise.site.scheduling.states import cached, standings
from slopewise.site.storage import open_database
from slopewise.site.storage.tables import GRADES, Review

BY_FORM = 4  # each fourth learner has no script: a form and a page for each card
SENT_TWICE = 20  # each twentieth review is sent again, as by a device that heard no answer
TRAININGS = Limits().workers + 4  # that are held open; so some always wait
RUNNERS = 2  # visitors who ask for runs of labs that nobody has asked for before
UPDATES = 20_000  # of a training: the most there may be
TIMEOUT = 60.0
RETRY = 1.0  # seconds until a device sends again


@dataclass
class Sent:
    """What learners sent, and what the server said it has."""

    ids: set[uuid.UUID] = field(default_factory=set)
    acknowledged: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)  # review -> learner
    refused: list[str] = field(default_factory=list)


class Learner:
    """Somebody who repeats the cards of the day, one after the other."""

    def __init__(
        self, number: int, account: Account, client: httpx2.AsyncClient, timings: Timings, sent: Sent
    ) -> None:
        self.account, self.client, self.timings, self.sent = account, client, timings, sent
        self.number = number
        self.random = random.Random(number)

    async def learn(self, until: float, think: tuple[float, float]) -> None:
        """Review until a moment, thinking a while before each grade."""
        await asyncio.sleep(self.random.uniform(0, think[1]))  # they do not come all at once
        while time.monotonic() < until:
            act = self._by_form if self.number % BY_FORM == 0 else self._by_script
            if not await act(until, think):
                return

    async def _think(self, think: tuple[float, float]) -> None:
        await asyncio.sleep(self.random.uniform(*think))

    async def _by_script(self, until: float, think: tuple[float, float]) -> bool:
        """Fetch the queue, and send a review of each card; return whether there was any."""
        answer = await self._ask("the queue", "GET", "/api/queue")
        cards = answer.json()["cards"] if answer is not None and answer.status_code == 200 else []
        for card in cards:
            await self._think(think)
            if time.monotonic() > until:
                break
            entry = {
                "id": str(uuid.uuid4()),
                "kind": "review",
                "at": datetime.now(UTC).isoformat(),
                "card": card["card"],
                "grade": self.random.choice(GRADES),
            }
            await self._send(entry)
        return bool(cards)

    async def _send(self, entry: dict[str, Any]) -> None:
        """Send a review until the server says that it has it, as the outbox of a browser does."""
        self.sent.ids.add(uuid.UUID(entry["id"]))
        again = self.random.randrange(SENT_TWICE) == 0
        kind = "a review"
        for _ in range(20):
            body = {"sent_at": datetime.now(UTC).isoformat(), "entries": [entry]}
            answer = await self._ask(kind, "POST", "/api/log", json=body)
            if answer is not None and answer.status_code == 200:
                self._take(entry, answer.json())
                if not again:
                    return
                again = False
            else:
                await asyncio.sleep(RETRY)
            kind = "a review, sent again"

    def _take(self, entry: dict[str, Any], receipt: dict[str, Any]) -> None:
        if entry["id"] in receipt["stored"]:
            self.sent.acknowledged[uuid.UUID(entry["id"])] = self.account.learner_id
        self.sent.refused += [refusal["because"] for refusal in receipt["refused"]]

    async def _by_form(self, until: float, think: tuple[float, float]) -> bool:
        """Open the page, and answer its card by its form; return whether it showed one."""
        page = await self._ask("the page of a card", "GET", "/review")
        if page is None or page.status_code != 200:
            await asyncio.sleep(RETRY)
            return True
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', _form(page.text)))
        if not fields.get("card"):
            return False
        await self._think(think)
        if time.monotonic() < until:
            fields["grade"] = self.random.choice(GRADES)
            self.sent.ids.add(uuid.UUID(fields["id"]))
            answer = await self._ask("a review by form", "POST", "/review", data=fields)
            if answer is not None and answer.status_code == 303:
                self.sent.acknowledged[uuid.UUID(fields["id"])] = self.account.learner_id
        return True

    async def _ask(self, kind: str, method: str, path: str, **body: Any) -> httpx2.Response | None:
        headers = self.account.headers
        return await self.timings.time(
            kind, lambda: self.client.request(method, path, headers=headers, **body)
        )


def _form(text: str) -> str:
    """Return the fields of the form by which a card is graded."""
    found = re.search(r'id="grading".*?</form>', text, re.DOTALL)
    return found[0] if found else ""


async def hold_a_training(number: int, client: httpx2.AsyncClient, told: Counter[str]) -> None:
    """Train for ever, with a stream open: whoever does keeps a place, or waits for one."""
    headers = stranger(f"trains-{number}")
    seed = number
    while True:
        seed += TRAININGS
        body = {"query": urlencode({"seed": seed % 1000, "lr": "0.001"}), "step": UPDATES}
        try:
            answer = await client.post("/playground/jobs", json=body, headers=headers)
            if answer.status_code != 201:
                told[f"training refused: {answer.status_code}"] += 1
                await asyncio.sleep(RETRY)
                continue
            told["trainings"] += 1
            address = f"/playground/jobs/{answer.json()['job']}/events"
            async with client.stream("GET", address, headers=headers) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("data:"):
                        told["messages"] += 1
                        told["waiting"] += '"waiting"' in line
                        if '"ended"' in line or '"paused"' in line:
                            break
        except httpx2.TransportError:
            told["streams that broke"] += 1


async def run_labs(number: int, client: httpx2.AsyncClient, told: Counter[str]) -> None:
    """Ask for one new run after the other."""
    headers = stranger(f"runs-{number}")
    for step in range(1, 1_000_000):
        rate = 0.2 + (number + RUNNERS * step) / 1e5
        path, body = "/labs/gradient-descent", {"query": f"lr={rate:.5f}"}
        try:
            answer = await client.post(f"{path}/runs", json=body, headers=headers)
            while answer.status_code == 200 and answer.json().get("state") == "waiting":
                await asyncio.sleep(0.5)
                answer = await client.get(f"{path}/frame?lr={rate:.5f}", headers=headers)
            told[f"runs of labs: {answer.json().get('state', answer.status_code)}"] += 1
        except httpx2.TransportError:
            told["runs of labs: no answer"] += 1
        await asyncio.sleep(0.2)


async def watch_places(server: Server, waiting: list[float]) -> None:
    """Note again and again how much work waits for a place."""
    while True:
        waiting.append(await asyncio.to_thread(server.waiting_for_a_place))
        await asyncio.sleep(0.5)


async def review(
    server: Server, accounts: list[Account], seconds: float, think: tuple[float, float], sent: Sent
) -> dict[str, Any]:
    """Let learners review for a while beside a full pool; return what they and the others found."""
    timings, told, waiting = Timings(), Counter[str](), list[float]()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=4.0)
    async with httpx2.AsyncClient(base_url=server.address, timeout=TIMEOUT, limits=limits) as client:
        others = [hold_a_training(number, client, told) for number in range(TRAININGS)]
        others += [run_labs(number, client, told) for number in range(RUNNERS)]
        tasks = [asyncio.create_task(other) for other in others]
        while len(tasks) == len(others):  # until the places are taken
            await asyncio.sleep(0.2)
            if server.waiting_for_a_place():
                tasks.append(asyncio.create_task(watch_places(server, waiting)))
        before, began = server.use(), time.monotonic()
        learners = [
            Learner(number, account, client, timings, sent) for number, account in enumerate(accounts)
        ]
        await asyncio.gather(*(learner.learn(began + seconds, think) for learner in learners))
        took, after = time.monotonic() - began, server.use()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    kinds = timings.summary()
    return {
        "learners": len(accounts),
        "think_seconds": think,
        "seconds": took,
        "requests_per_second": kinds["all"]["count"] / took,
        "reviews_per_second": sum(row["count"] for kind, row in kinds.items() if kind in REVIEWS) / took,
        "kinds": kinds,
        "server_cores": (after["cpu_seconds"] - before["cpu_seconds"]) / took,
        "server_peak_bytes": after["peak_bytes"],
        "places_full": sum(count > 0 for count in waiting) / len(waiting),
        "others": dict(told),
    }


REVIEWS = ("a review", "a review by form")


def verify(url: str, folder: Path, accounts: list[Account], sent: Sent) -> dict[str, Any]:
    """Look in the database whether each review that the server said it has is in the log, once.

    The schedule is computed anew from the log, too: it must count as many reviews, and say what the cached
    one says.
    """
    database = open_database(url, folder)
    stored: dict[uuid.UUID, uuid.UUID] = {}
    moments: Counter[tuple[object, ...]] = Counter()
    differing = replayed = rows_of_log = 0
    try:
        with database.reading() as session:
            for row in session.scalars(select(Review)):
                rows_of_log += 1
                moments[row.learner_id, row.card_id, row.reviewed_at] += 1
                if row.id in sent.ids:
                    stored[row.id] = row.learner_id
            for account in accounts:
                anew = standings(session, account.learner_id)
                replayed += sum(standing.reviews for standing in anew.values())
                kept = cached(session, account.learner_id)
                differing += sum(anew.get(card) != kept.get(card) for card in anew.keys() | kept.keys())
    finally:
        database.close()
    right = [id for id, learner in sent.acknowledged.items() if stored.get(id) == learner]
    return {
        "sent": len(sent.ids),
        "acknowledged": len(sent.acknowledged),
        "stored": len(stored),
        "lost": len(sent.acknowledged) - len(right),
        "stored_twice": sum(count - 1 for count in moments.values()),
        "refused": dict(Counter(sent.refused)),
        "reviews_in_log": rows_of_log,
        "reviews_in_replay": replayed,
        "cards_whose_schedule_differs": differing,
    }


def is_sound(checked: dict[str, Any]) -> bool:
    """Whether nothing was lost, doubled or counted otherwise."""
    return (
        checked["acknowledged"] > 0
        and not any(checked[name] for name in ("lost", "stored_twice", "cards_whose_schedule_differs"))
        and checked["reviews_in_log"] == checked["reviews_in_replay"]
    )


def print_review(made: dict[str, Any]) -> None:
    """Print one run."""
    low, high = made["think_seconds"]
    pause = f"{low:g} to {high:g} s of thought before each grade" if high else "no thought at all"
    print(f"\n{made['learners']} learners, {pause}; {made['seconds']:.0f} s", end="; ")
    print(f"places full in {made['places_full']:.0%} of looks ({json.dumps(made['others'])})")
    print(
        f"{made['requests_per_second']:.0f} requests a second, {made['reviews_per_second']:.0f} reviews",
        end="; ",
    )
    print(f"server {made['server_cores']:.2f} cores, at most {made['server_peak_bytes'] / 2**20:.0f} MiB")
    print(f"{'':24}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'longest':>9}  errors by status")
    for kind, row in made["kinds"].items():
        errors = ", ".join(f"{status}: {count}" for status, count in row["errors"].items()) or "none"
        times = "".join(f"{row[name]:9.0f}" for name in ("p50", "p95", "p99", "longest"))
        print(f"{kind:24}{row['count']:9}{times}  {errors}")


def print_check(checked: dict[str, Any]) -> None:
    """Print what became of the reviews."""
    for name, value in checked.items():
        print(f"  {name.replace('_', ' '):32}{value}")
    print("no review was lost" if is_sound(checked) else "THE LOG DOES NOT HOLD WHAT WAS ACKNOWLEDGED")
