"""What the machine can do: its measured peak of floating-point operations and its bandwidths.

The peak is that of the fastest large float32 matrix product: by NumPy's OpenBLAS, by PyTorch's library, or by
our own generated kernel. A bandwidth is that of copying, or of adding two arrays into a third, whichever
moves more bytes a second, over arrays which together are as large as the working set; the cost of an empty
call is taken off, so that small sets, which lie in a cache, can be told too. Two threads are two processes at
once, each with half of the working set, as the caches are their cores' own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.costs import Cost
from benchmarks.turns import ROOT, MeasurementError, thread_limits

PRODUCT = 1024  # rows and columns of the large product
SIZES = [2**exponent for exponent in range(14, 29)]  # bytes of a working set: 16 KiB to 256 MiB
PATIENCE = 0.1  # seconds in which the fastest series of calls is looked for
SERIES = 5e-4  # seconds of a series: short, so that some run undisturbed on a busy machine
FEWEST = 6  # series, where one takes long


@dataclass(frozen=True)
class Reference:
    """One thread count's measured peak (FLOP/s) and bandwidths (byte/s, one for each of `SIZES`)."""

    threads: int
    peak: float
    bandwidths: tuple[float, ...]

    def bandwidth(self, working_set: float) -> float:
        """Return byte/s at a working set of so many bytes, between measured sizes by interpolation."""
        return float(np.interp(np.log2(working_set), np.log2(SIZES), self.bandwidths))

    def seconds(self, cost: Cost) -> float:
        """Return the reference cost of an update."""
        return cost.flops / self.peak + cost.moved / self.bandwidth(cost.held)


def measure() -> dict[int, Reference]:
    """Return what one thread and what all cores, at most two, can do."""
    return {threads: _measure(threads) for threads in (1, 2) if threads <= (os.cpu_count() or 1)}


def describe(references: dict[int, Reference]) -> str:
    """Return a line for each thread count."""
    lines = []
    for threads, reference in references.items():
        shown = ", ".join(
            f"{reference.bandwidth(size) / 1e9:.0f} at {size // 1024} KiB" for size in SIZES[1::4]
        )
        lines.append(f"{threads} thread(s): {reference.peak / 1e9:.0f} GFLOP/s; GB/s {shown}")
    return "\n".join(lines)


def _measure(threads: int) -> Reference:
    peak = max(_child(library, threads)[0] for library in ("numpy", "torch", "slopewise"))
    together = [_start("copy", 1, threads) for _ in range(threads)]
    measured = [_finish(process) for process in together]
    return Reference(threads, peak, tuple(np.sum(measured, axis=0).tolist()))


def _child(what: str, threads: int) -> list[float]:
    return _finish(_start(what, threads, 1))


def _start(what: str, threads: int, share: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.reference", what, str(share)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **thread_limits(threads)}
    )


def _finish(process: subprocess.Popen[str]) -> list[float]:
    said, _ = process.communicate()
    if process.returncode:
        raise MeasurementError(f"the reference could not be measured: status {process.returncode}")
    return json.loads(said)  # type: ignore[no-any-return]


# ---- in the child


def _fastest(function: Callable[[], object], patience: float = PATIENCE) -> float:
    """Return the seconds of a call, in the fastest of many short series."""
    function()
    start = time.perf_counter()
    function()
    calls = max(int(SERIES / (time.perf_counter() - start)), 1)
    best, series, until = float("inf"), 0, time.perf_counter() + patience
    while series < FEWEST or time.perf_counter() < until:
        start = time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - start) / calls)
        series += 1
    return best


def _peak(library: str) -> float:
    """Return FLOP/s of a large product."""
    a, b = (np.random.default_rng(0).random((PRODUCT, PRODUCT), np.float32) for _ in range(2))
    if library == "numpy":
        out = np.empty_like(a)
        seconds = _fastest(lambda: np.matmul(a, b, out=out), 10 * PATIENCE)
    elif library == "slopewise":
        import slopewise as sw

        product, left, right = sw.compile(lambda x, y: x @ y), sw.tensor(a), sw.tensor(b)
        seconds = _fastest(lambda: product(left, right), 10 * PATIENCE)
    else:
        import torch

        x, y, z = map(torch.from_numpy, (a, b, np.empty_like(a)))
        seconds = _fastest(lambda: torch.mm(x, y, out=z), 10 * PATIENCE)
    return 2.0 * PRODUCT**3 / seconds


def _bandwidth(size: int) -> float:
    """Return byte/s over a working set of `size` bytes."""
    rates = []
    for arrays, operation in ((2, lambda a, b: np.copyto(b, a)), (3, lambda a, b, c: np.add(a, b, out=c))):
        whole = [np.ones(size // 4 // arrays, np.float32) for _ in range(arrays)]
        empty = [array[:1] for array in whole]
        overhead = _fastest(partial(operation, *empty))
        seconds = _fastest(partial(operation, *whole))
        if seconds > overhead:  # else the machine was too busy to tell
            rates.append(sum(array.nbytes - 4 for array in whole) / (seconds - overhead))
    if not rates:
        raise SystemExit(f"the bandwidth at {size} bytes cannot be told: the machine is too busy")
    return max(rates)


if __name__ == "__main__":
    what, share = sys.argv[1], int(sys.argv[2])
    print(json.dumps([_bandwidth(size // share) for size in SIZES] if what == "copy" else [_peak(what)]))
