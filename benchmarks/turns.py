"""Libraries that take turns, each in a process of its own.

Timings on a shared machine mean something only as ratios within one run, so the libraries alternate pass by
pass. A few passes choose the fastest variant of each library (threads, optimizer kernel, ...); only these
go on.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import Contender, Variant
from benchmarks.workloads import SEED, Workload

ROOT = Path(__file__).parents[1]
CHOOSING = 2  # passes that choose among variants, after the first, which compiles
PAUSE = 0.02  # seconds between turns, in which the last one's threads stop waiting by spinning


def thread_limits(threads: int) -> dict[str, str]:
    """Return the environment that holds every library to so many threads."""
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "SLOPEWISE_NUM_THREADS",
        "NPROC",  # the pools of XLA
    )
    limits = {name: str(threads) for name in names}
    if threads == 1:
        limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return {**limits, "TF_CPP_MIN_LOG_LEVEL": "2", "JAX_PLATFORMS": "cpu"}


class MeasurementError(RuntimeError):
    """Something could not be measured; the message holds the end of what it said."""


class WorkerError(MeasurementError):
    """A worker ended before it should."""


class Worker:
    """One variant of a library at work on a workload."""

    def __init__(self, folder: Path, workload: Workload, contender: Contender, variant: Variant) -> None:
        options = json.dumps(variant.options)
        command = [sys.executable, "-m", "benchmarks.worker", contender.module, workload.name, options]
        self.variant = variant
        self._said = folder / f"{contender.key}, {variant}.txt"
        with self._said.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env={**os.environ, **thread_limits(variant.threads)},
            )
        self._ready: dict[str, float] | None = None

    def wait_until_ready(self) -> dict[str, float]:
        """Return the bytes held after imports, once the model is built."""
        if self._ready is None:
            self._ready = self._answer()
        return self._ready

    def run(self, order: Path) -> dict[str, float]:
        """Make one pass over the workload's rows."""
        self.wait_until_ready()
        assert self._process.stdin is not None
        try:
            print(order, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._ended() from None
        return self._answer()

    def close(self) -> None:
        """End the process, which ends when nothing more is asked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it ended before it read all, which `run` has reported
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return json.loads(line)  # type: ignore[no-any-return]

    def _ended(self) -> WorkerError:
        status = self._process.wait()
        said = self._said.read_text().strip().splitlines()[-1:] or ["nothing"]
        return WorkerError(f"ended with status {status} and said: {said[0]}")


@dataclass
class Measured:
    """What one contender did on one workload."""

    title: str
    variant: str = ""
    threads: int = 0
    seconds: list[float] = field(default_factory=list)  # per update, a number a pass
    losses: list[float] = field(default_factory=list)  # of all passes of the fastest variant
    imports: float = 0.0  # bytes held after imports
    peak: float = 0.0  # bytes held at most afterwards
    tried: dict[str, float] = field(default_factory=dict)  # median seconds of each variant while choosing
    failed: str = ""

    @property
    def median(self) -> float:
        """The median seconds per update."""
        return statistics.median(self.seconds)


def orders(workload: Workload, folder: Path) -> Callable[[int], Path]:
    """Return a function from a pass's number to a file with its order of rows: that of Slopewise's loader."""
    from slopewise.data import DataLoader

    loader = DataLoader(np.arange(workload.rows), batch_size=1, shuffle=True, seed=SEED)

    def order(number: int) -> Path:
        path = folder / f"order-{number}.npy"
        if not path.exists():
            np.save(path, loader.order(number))
        return path

    return order


def take_turns(
    workload: Workload,
    contenders: tuple[Contender, ...],
    passes: int,
    say: Callable[[str], Any] = print,
) -> dict[str, Measured]:
    """Measure the contenders that can express a workload.

    Returns
    -------
    dict from a contender's key to what was measured; `failed` says why there is no number
    """
    made: dict[str, Measured] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        order = orders(workload, folder)
        chosen: dict[str, Worker] = {}
        for contender in contenders:
            made[contender.key] = Measured(contender.title, failed=contender.why_not(workload))
            if not made[contender.key].failed:
                worker = _choose(stack, folder, workload, contender, made[contender.key], order)
                if worker is not None:
                    chosen[contender.key] = worker
                else:
                    say(f"{workload.name}: {contender.title} {made[contender.key].failed}")
        for number in range(CHOOSING + 1, CHOOSING + 1 + passes):
            for key, worker in list(chosen.items()):
                time.sleep(PAUSE)
                try:
                    _record(made[key], worker.run(order(number)), counts=True)
                except WorkerError as error:
                    made[key].failed = str(error)
                    say(f"{workload.name}: {made[key].title} {error}")
                    del chosen[key]
    return made


def _choose(
    stack: ExitStack,
    folder: Path,
    workload: Workload,
    contender: Contender,
    measured: Measured,
    order: Callable[[int], Path],
) -> Worker | None:
    """Run all variants of a contender for some passes, keep the fastest and end the others."""
    workers = [Worker(folder, workload, contender, variant) for variant in contender.variants(workload)]
    for worker in workers:
        stack.callback(worker.close)
    passes: list[list[dict[str, float]]] = [[] for _ in workers]
    try:
        for worker in workers:
            worker.wait_until_ready()
        for number in range(CHOOSING + 1):
            for worker, results in zip(workers, passes, strict=True):
                results.append(worker.run(order(number)))
    except WorkerError as error:
        measured.failed = str(error)
        for worker in workers:
            worker.close()
        return None
    medians = [statistics.median(made["seconds"] for made in results[1:]) for results in passes]
    measured.tried = {str(worker.variant): seconds for worker, seconds in zip(workers, medians, strict=True)}
    fastest = int(np.argmin(medians))
    for number, worker in enumerate(workers):
        if number != fastest:
            worker.close()
    worker = workers[fastest]
    measured.variant, measured.threads = str(worker.variant), worker.variant.threads
    measured.imports = worker.wait_until_ready()["imports"]
    for result in passes[fastest]:
        _record(measured, result, counts=False)
    return worker


def _record(measured: Measured, result: dict[str, float], counts: bool) -> None:
    measured.losses.append(result["loss"])
    measured.peak = result["peak"]
    if counts:
        measured.seconds.append(result["seconds"])
