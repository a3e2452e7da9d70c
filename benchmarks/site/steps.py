"""Part "steps": how soon a step of each lab answers, forward and back, and an update of the playground."""

from __future__ import annotations

import asyncio
import json
import time
from importlib import import_module
from typing import Any

import httpx2

from benchmarks.site.serving import Server, stranger
from benchmarks.site.timings import Timings
from slopewise.site.content import load_course
from slopewise.site.labs.settings import Number, Whole

TARGET = 150.0  # ms at the 95th percentile
PASSES = 3  # over all steps of a lab, forward and back
NEW_RUNS = 6  # of each lab, at settings that nobody has run
UPDATES = 60  # of the playground, one by one; then as many back


async def measure(server: Server) -> dict[str, Any]:
    """Return the summaries of all labs, and of the playground."""
    made: dict[str, Any] = {}
    async with httpx2.AsyncClient(base_url=server.address, timeout=60) as client:
        for outline in load_course().outlines:
            made[outline.slug] = await _lab(client, outline.slug, outline.folder.name)
        made["playground"] = await _playground(client)
    return made


async def _lab(client: httpx2.AsyncClient, slug: str, folder: str) -> dict[str, Any]:
    timings, headers = Timings(), stranger(f"steps-{slug}")
    count = (await client.get(f"/labs/{slug}/frame")).json()["steps"]
    for _ in range(PASSES):
        for step in [*range(count), *reversed(range(count))]:
            await timings.time("step", lambda step=step: client.get(f"/labs/{slug}/frame?step={step}"))
    for step in range(count):
        await timings.time("step as a page", lambda step=step: client.get(f"/lessons/{slug}?step={step}"))
    for query in _variants(folder):
        await _new_run(client, slug, query, headers, timings)
    return {"steps": count, **timings.summary()}


def _variants(folder: str) -> list[str]:
    """Return addresses of a lab that differ from what it opens with in one number."""
    lab = import_module(f"slopewise.site.content.lessons.{folder}.lab").LAB
    found = []
    for setting in lab.settings:
        if isinstance(setting, Number | Whole) and setting.only_when is None:
            for number in range(1, NEW_RUNS + 1):
                value = setting.default + number * setting.step
                if value <= setting.high:
                    found.append(f"{setting.name}={setting.write(value)}")
    return found[:NEW_RUNS]


async def _new_run(
    client: httpx2.AsyncClient, slug: str, query: str, headers: dict[str, str], timings: Timings
) -> None:
    """Time a run from the press on its button to its first frame."""
    began = time.perf_counter()
    answer = await client.post(f"/labs/{slug}/runs", json={"query": query}, headers=headers)
    while answer.status_code == 200 and answer.json()["state"] == "waiting":
        await asyncio.sleep(0.05)
        answer = await client.get(f"/labs/{slug}/frame?{query}", headers=headers)
    timings.add("new run", time.perf_counter() - began, answer.status_code)


async def _playground(client: httpx2.AsyncClient) -> dict[str, Any]:
    """Time updates from the wish to the message of the stream that shows them."""
    timings, headers = Timings(), stranger("steps-playground")
    answer = await client.post("/playground/jobs", json={"query": "", "step": 0}, headers=headers)
    address = f"/playground/jobs/{answer.json()['job']}"
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        async with client.stream("GET", f"{address}/events", headers=headers) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    await messages.put(json.loads(line[5:]))

    async def go_to(step: int) -> None:
        began = time.perf_counter()
        answer = await client.post(f"{address}/go", json={"step": step}, headers=headers)
        while True:
            message = await asyncio.wait_for(messages.get(), 30)
            if message["step"] == step and message["state"] == "paused" and "view" in message:
                break
        timings.add("step" if step else "to the start", time.perf_counter() - began, answer.status_code)

    listener = asyncio.create_task(listen())
    try:
        while (await asyncio.wait_for(messages.get(), 30))["state"] != "paused":
            pass
        for step in [*range(1, UPDATES + 1), *reversed(range(UPDATES))]:
            await go_to(step)
            await asyncio.sleep(0.06)  # a stream sends at most 20 messages a second; people press no faster
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
    await client.post(f"{address}/stop", json={}, headers=headers)
    return {"steps": UPDATES, **timings.summary()}


def is_met(made: dict[str, Any]) -> bool:
    """Whether each lab's steps answer in time."""
    return all(lab["step"]["p95"] <= TARGET for lab in made.values())


def print_steps(made: dict[str, Any]) -> None:
    """Print a line for each lab."""
    print(f"\nA step of a lab, forward and back, in ms; the target is {TARGET:g} at p95")
    print(
        f"{'':32}{'steps':>6}{'p50':>7}{'p95':>7}{'p99':>7}{'page p95':>10}{'new run p50':>13}{'longest':>9}"
    )
    for name, lab in made.items():
        row, page, run = lab["step"], lab.get("step as a page"), lab.get("new run")
        times = "".join(f"{row[part]:7.0f}" for part in ("p50", "p95", "p99"))
        more = f"{page['p95']:10.0f}" if page else f"{'':10}"
        more += f"{run['p50']:13.0f}{run['longest']:9.0f}" if run else ""
        errors = {part: lab[part]["errors"] for part in lab if part != "steps" and lab[part]["errors"]}
        print(f"{name:32}{lab['steps']:6}{times}{more}{'  ' + json.dumps(errors) if errors else ''}")
    print("the target is met" if is_met(made) else "MISSES the target")
