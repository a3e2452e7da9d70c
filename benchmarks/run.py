"""Run the measurements, print them and keep them: `make bench`. See docs/performance.md.

Whatever the numbers are, they are printed as they are. A peer that cannot run is named with its reason, and a
part that cannot be measured does not stop the others; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from benchmarks import growth, machine, memory, processes, reference, steps
from benchmarks.contenders import CONTENDERS
from benchmarks.costs import cost_of
from benchmarks.turns import ROOT, MeasurementError, take_turns
from benchmarks.workloads import WORKLOADS

PARTS = ("steps", "processes", "growth", "memory")


def main() -> None:
    """Measure what is asked for, all by default."""
    chosen = _arguments()
    about = machine.describe()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    record: dict[str, Any] = {"machine": about, "arguments": vars(chosen)}
    path = ROOT / "benchmarks" / "results" / f"{about['when']}.json".replace(":", "")
    path.parent.mkdir(exist_ok=True)
    for part in [part for part in PARTS if part in chosen.parts]:  # the memory is a by-product of the steps
        try:
            PART_FUNCTIONS[part](chosen, record)
        except MeasurementError as error:
            record.setdefault("not_measured", {})[part] = str(error)
            print(f"\n{part}: not measured, because {error}")
        path.write_text(json.dumps(record, indent=1, default=asdict) + "\n")  # what is done is kept
    print(f"\nwritten to {path.relative_to(ROOT)}")
    sys.exit(1 if "not_measured" in record else 0)


def _run_steps(chosen: argparse.Namespace, record: dict[str, Any]) -> None:
    references = _references(record)
    workloads = [WORKLOADS[name] for name in chosen.workloads]
    made = record["steps"] = {}
    for workload in workloads:
        made[workload.name] = take_turns(workload, steps.contenders(chosen.peers), chosen.passes, _say)
        steps.print_workload(workload, made[workload.name], references)
    record["costs"] = {workload.name: asdict(cost_of(workload)) for workload in workloads}
    steps.print_targets(workloads, made, references)


def _run_processes(chosen: argparse.Namespace, record: dict[str, Any]) -> None:
    record["processes"] = processes.measure(chosen.passes, chosen.rows)
    processes.print_processes(record["processes"])


def _run_growth(chosen: argparse.Namespace, record: dict[str, Any]) -> None:
    references = _references(record)
    record["growth"] = growth.measure(max(chosen.passes // 3, 1), _say)
    growth.print_growth(record["growth"], references)


def _run_memory(chosen: argparse.Namespace, record: dict[str, Any]) -> None:
    workloads = [WORKLOADS[name] for name in chosen.workloads]
    done = record.get("steps", {})
    missing = [w for w in workloads if not set(memory.COMPARED) <= set(done.get(w.name, {}))]
    record["memory"] = done | memory.measure(missing, _say)
    memory.print_memory(workloads, record["memory"])


PART_FUNCTIONS = {
    "steps": _run_steps,
    "processes": _run_processes,
    "growth": _run_growth,
    "memory": _run_memory,
}


def _references(record: dict[str, Any]) -> dict[int, reference.Reference]:
    """Measure the machine, once a run."""
    if "reference" not in record:
        record["reference"] = list(reference.measure().values())
        print(reference.describe({made.threads: made for made in record["reference"]}), flush=True)
    return {made.threads: made for made in record["reference"]}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure against peers.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    keys = [contender.key for contender in CONTENDERS]
    parser.add_argument("--peers", nargs="+", choices=keys, default=keys)
    parser.add_argument("--passes", type=_positive, default=15, help="measured turns of each library")
    parser.add_argument("--rows", type=_positive, default=1_000_000, help="of the large table")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, not {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
