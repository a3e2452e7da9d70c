"""Part "steps": microseconds per update against peers and reference cost, with the targets."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.contenders import CONTENDERS, REFERENCE, Contender
from benchmarks.costs import cost_of
from benchmarks.reference import Reference
from benchmarks.turns import Measured
from benchmarks.workloads import Workload

COMPARED = 3  # passes whose mean losses are compared
CLOSE = 1e-3  # how far losses of the same arithmetic may be apart in each of these passes
ROUGH = 0.05  # and their mean over these passes, as a share, where the masks of dropout differ
OURS = tuple(contender.key for contender in CONTENDERS if contender.ours)

Results = Mapping[str, Measured]


@dataclass(frozen=True)
class Ratio:
    """How many times as fast: the ratio of medians, and the quartiles of the ratios of single turns."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"


def compare(slower: Measured, faster: Measured) -> Ratio:
    """Return how many times as fast the second is."""
    ratios = [a / b for a, b in zip(slower.seconds, faster.seconds, strict=True)]
    low, high = quartiles(ratios)
    return Ratio(slower.median / faster.median, low, high)


def quartiles(values: list[float]) -> tuple[float, float]:
    """Return the first and the third quartile; of a single value, itself."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def differing_losses(workload: Workload, results: Results) -> dict[str, str]:
    """Return, for each contender whose loss is not PyTorch's, how far it is off.

    Losses of the first passes must agree: within `CLOSE` where libraries do the same arithmetic; where they
    cannot (dropout's masks are their own), the mean within `ROUGH` of PyTorch's.
    """
    by_key = {contender.key: contender for contender in CONTENDERS}
    done = {key: measured.losses[:COMPARED] for key, measured in results.items() if not measured.failed}
    if not done:
        return {}
    reference = done.get(REFERENCE, next(iter(done.values())))
    differing = {}
    for key, losses in done.items():
        apart = float(np.max(np.abs(np.subtract(losses, reference))))
        share = abs(float(np.mean(losses)) / float(np.mean(reference)) - 1)
        alike = by_key[key].is_alike(workload)
        if not (apart <= CLOSE if alike else share <= ROUGH):  # nan is not within either
            differing[key] = f"{apart:.2g}" if alike else f"{share:.0%}"
    return differing


def fastest(results: Results, keys: list[str]) -> str | None:
    """Return who of some contenders has the smallest median, None if none has been measured."""
    measured = [key for key in keys if results[key].seconds]
    return min(measured, key=lambda key: results[key].median, default=None)


def print_workload(workload: Workload, results: Results, references: Mapping[int, Reference]) -> None:
    """Print all libraries on one workload."""
    cost = cost_of(workload)
    by_threads = ", ".join(
        f"{reference.seconds(cost) * 1e6:.1f} µs by {threads} thread{'s' * (threads > 1)}"
        for threads, reference in references.items()
    )
    print(
        f"\n{workload.name}: {workload.optimizer}, batch {workload.batch}; {cost.flops / 1e6:.2f} MFLOP and "
        f"{cost.moved / 1e6:.2f} MB an update, working set {cost.held / 1e6:.2f} MB;\n"
        f"  reference cost {by_threads}"
    )
    print(f"  {'library':<24} {'fastest variant':<38} {'µs/step':>9} {'quartiles':>19} {'/ PyTorch':>10}")
    differing = differing_losses(workload, results)
    pytorch = results.get(REFERENCE)
    for key, measured in results.items():
        if measured.failed or not measured.seconds:
            print(f"  {measured.title:<24} -: {measured.failed or 'no pass was measured'}")
            continue
        low, high = quartiles(measured.seconds)
        ratio = f"{measured.median / pytorch.median:>10.3f}" if pytorch and pytorch.seconds else f"{'-':>10}"
        note = f"  LOSS DIFFERS by {differing[key]}" if key in differing else ""
        print(
            f"  {measured.title:<24} {measured.variant:<38} {measured.median * 1e6:>9.1f} "
            f"{f'{low * 1e6:.1f} - {high * 1e6:.1f}':>19} {ratio}{note}"
        )


def print_targets(
    workloads: list[Workload], results: Mapping[str, Results], references: Mapping[int, Reference]
) -> None:
    """Print what Slopewise reaches of each target."""
    print("\nSlopewise: how many times as fast (quartiles of single turns), and its time over the reference")
    print("cost of both cores (of one). Contenders whose loss differs do not count.")
    print(f"{'workload':<12} {'against PyTorch':<36} {'against the best peer':<58} over reference cost")
    for workload in workloads:
        made, targets = results[workload.name], workload.targets
        counts = [key for key in made if key not in differing_losses(workload, made)]
        us = fastest(made, [key for key in counts if key in OURS])
        if us is None:
            print(f"{workload.name:<12} -")
            continue
        cells = []
        best = fastest(made, [key for key in counts if key not in OURS])
        for rival, target in ((REFERENCE, targets.pytorch), (best, targets.best)):
            if rival not in counts or not made[rival].seconds:
                cells.append("-")
                continue
            ratio = compare(made[rival], made[us])
            name = "" if rival == REFERENCE and not cells else f" {made[rival].title}"
            cells.append(f"{ratio}{_verdict(ratio.value, target)}{name}")
        over = {t: made[us].median / r.seconds(cost_of(workload)) for t, r in references.items()}
        whole = max(over.values())  # of the machine at its best: of both cores, unless one was disturbed
        reached = "" if targets.reference is None else _mark(whole <= targets.reference, targets.reference)
        print(f"{workload.name:<12} {cells[0]:<36} {cells[1]:<58} {whole:.2f} ({over[1]:.2f}){reached}")


def _verdict(value: float, target: float | None) -> str:
    return "" if target is None else _mark(value >= target, target)


def _mark(reached: bool, target: float) -> str:
    return f" {'reaches' if reached else 'MISSES'} {target:.3g}"


def contenders(keys: list[str] | None) -> tuple[Contender, ...]:
    """Return the contenders of these keys, or all."""
    return tuple(contender for contender in CONTENDERS if keys is None or contender.key in keys)
