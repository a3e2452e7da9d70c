"""Part "growth": how time grows with rows, width, depth and batch, each doubled five times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.contenders import REFERENCE
from benchmarks.costs import cost_of
from benchmarks.reference import Reference
from benchmarks.steps import contenders
from benchmarks.turns import Measured, take_turns
from benchmarks.workloads import GROWTH

MEASURED = [REFERENCE, "fit"]


def measure(passes: int, say: Callable[[str], Any]) -> dict[str, dict[str, dict[str, Measured]]]:
    """Return what PyTorch and Slopewise take, by axis and by workload."""
    made: dict[str, dict[str, dict[str, Measured]]] = {}
    for axis, workloads in GROWTH.items():
        made[axis] = {}
        for workload in workloads:
            say(f"growth, {workload.name}")
            made[axis][workload.name] = take_turns(workload, contenders(MEASURED), passes, say)
    return made


def print_growth(
    results: Mapping[str, Mapping[str, Mapping[str, Measured]]], references: Mapping[int, Reference]
) -> None:
    """Print milliseconds per epoch, and over the reference cost of both cores."""
    reference = references[max(references)]
    print("\nTime of an epoch as one size doubles; otherwise MLP 30-128-128-2, batch 128, Adam, 4096 rows")
    print("(8192 as the batch grows); over: time over the reference cost of both cores")
    print(f"{'':<12} {'reference ms':>12} {'Slopewise ms':>13} {'over':>7} {'PyTorch ms':>11} {'over':>7}")
    for axis, workloads in GROWTH.items():
        for workload in workloads:
            made = results[axis][workload.name]
            cost = reference.seconds(cost_of(workload)) * workload.steps
            cells = []
            for key, width in (("fit", 13), (REFERENCE, 11)):
                if not made[key].seconds:
                    cells.append(f"{'-':>{width}} {'-':>7}")
                    continue
                seconds = made[key].median * workload.steps
                cells.append(f"{seconds * 1e3:>{width}.2f} {seconds / cost:>7.2f}")
            print(f"{workload.name:<12} {cost * 1e3:>12.2f} {cells[0]} {cells[1]}")
