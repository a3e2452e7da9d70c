"""Part "memory": the most that a training process holds above its imports, against PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.contenders import REFERENCE
from benchmarks.steps import contenders
from benchmarks.turns import Measured, take_turns
from benchmarks.workloads import Workload

COMPARED = [REFERENCE, "fit"]


def measure(workloads: list[Workload], say: Callable[[str], Any]) -> dict[str, dict[str, Measured]]:
    """Return a short run of PyTorch and Slopewise on each workload."""
    made = {}
    for workload in workloads:
        say(f"memory, {workload.name}")
        made[workload.name] = take_turns(workload, contenders(COMPARED), 1, say)
    return made


def print_memory(workloads: list[Workload], results: Mapping[str, Mapping[str, Measured]]) -> None:
    """Print peak MB above imports; the rows of the pass are among them, in both libraries alike."""
    print("\nPeak resident MB above imports, from building the model to the last pass; at most PyTorch's?")
    header = f"{'workload':<12} {'data MB':>8} {'Slopewise':>10} {'PyTorch':>10} {'ratio':>7}"
    print(f"{header}  {'with imports':>16}")
    for workload in workloads:
        made = results[workload.name]
        ours, theirs = (made.get(key) for key in ("fit", REFERENCE))
        if not (ours and ours.peak and theirs and theirs.peak):
            print(f"{workload.name:<12} -")
            continue
        above = [(measured.peak - measured.imports) / 1e6 for measured in (ours, theirs)]
        size = 4 * workload.rows * math.prod(workload.row) / 1e6
        ratio = above[0] / above[1]
        whole = f"{ours.peak / 1e6:.0f} and {theirs.peak / 1e6:.0f}"
        reached = "reached" if above[0] <= above[1] else "MISSED"
        print(
            f"{workload.name:<12} {size:>8.1f} {above[0]:>10.1f} {above[1]:>10.1f} {ratio:>7.2f}"
            f"  {whole:>16} {reached}"
        )
