"""Measure the site as it is served, print what is found and keep it: `make bench-site`. See docs/site.md.

Whatever the numbers are, they are printed as they are. The exit status is 1 if a review was lost or something
could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.site import load, pages, steps
from benchmarks.site.serving import make_learners, serving
from benchmarks.turns import ROOT, MeasurementError

PACKAGES = ("slopewise", "numpy", "fastapi", "uvicorn", "sqlalchemy", "psycopg", "httpx2")
PARTS = ("load", "steps", "pages")
CAPACITY, THOUGHTFUL = (0.0, 0.0), (2.0, 8.0)  # seconds of thought before each grade


def main() -> None:
    """Measure what is asked for, all by default."""
    chosen = _arguments()
    about = machine.describe(PACKAGES)
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    record: dict[str, Any] = {"machine": about, "arguments": vars(chosen)}
    status = 0
    try:
        with tempfile.TemporaryDirectory(prefix="slopewise-bench-") as folder:
            status = _measure(chosen, Path(folder), record)
    except MeasurementError as error:
        record["not_measured"], status = str(error), 1
        print(f"\nnot measured: {error}")
    path = ROOT / "benchmarks" / "results" / f"{about['when']}-site.json".replace(":", "")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    sys.exit(status)


def _measure(chosen: argparse.Namespace, folder: Path, record: dict[str, Any]) -> int:
    url = chosen.database or f"sqlite:///{folder / 'site.db'}"
    print(f"{url.partition(':')[0]}; making {chosen.learners} learners", file=sys.stderr, flush=True)
    accounts, sent = make_learners(url, folder, chosen.learners), load.Sent()
    with serving(url, folder) as server:
        if "steps" in chosen.parts:
            record["steps"] = asyncio.run(steps.measure(server))
            steps.print_steps(record["steps"])
        if "pages" in chosen.parts:
            record["pages"] = asyncio.run(pages.measure(server, accounts[0]))
            pages.print_pages(record["pages"])
        for think in (CAPACITY, THOUGHTFUL) if "load" in chosen.parts else ():
            made = asyncio.run(load.review(server, accounts, chosen.seconds, think, sent))
            record.setdefault("load", []).append(made)
            load.print_review(made)
    if "load" not in chosen.parts:
        return 0
    record["check"] = load.verify(url, folder, accounts, sent)
    load.print_check(record["check"])
    return 0 if load.is_sound(record["check"]) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site.run", description="Measure the site.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--database", default="", help="an empty database; by default a new file of SQLite")
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each of the two runs of the load")
    return parser.parse_args()


if __name__ == "__main__":
    main()
