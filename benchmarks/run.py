"""Run all measurements and print them: `make bench`.

Timings on a shared machine mean something only as ratios within one run, so the libraries take turns, pass
by pass, and the table shows ratios of medians beside the spread (the quartiles) of the passes.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).parents[1]
PASSES = 15
# each library with one thread and with two; the better counts. The number goes by environment, which all
# BLAS libraries read
PEERS = {
    f"{name}, {threads} thread{'s' * (threads > 1)}": (module, threads)
    for name, module in {
        "PyTorch eager": "pytorch",
        "Slopewise eager": "slopewise_eager",
        "Slopewise traced": "slopewise_compiled",
    }.items()
    for threads in (1, 2)
}
REFERENCE = "PyTorch eager, 1 thread"


class Worker:
    """A library at work in a process of its own."""

    def __init__(self, stack: ExitStack, workload: Workload, module: str, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", module, workload.name]
        limits = {
            name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        }
        self._process = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env={**os.environ, **limits},
            )
        )
        stack.callback(self._process.stdin.close)  # type: ignore[union-attr]

    def run(self) -> dict[str, float]:
        """Make one pass over the workload's rows."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("pass", file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"the worker ended: {' '.join(map(str, self._process.args))}")  # type: ignore[arg-type]
        return json.loads(answer)  # type: ignore[no-any-return]


def measure_steps(workload: Workload) -> dict[str, Any]:
    """Let the libraries take turns, check that their losses agree, and return the seconds per update."""
    with ExitStack() as stack:
        workers = {name: Worker(stack, workload, *arguments) for name, arguments in PEERS.items()}
        passes: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
        for _ in range(PASSES + 1):
            for name, worker in workers.items():
                passes[name].append(worker.run())
    losses = {name: [made["loss"] for made in results] for name, results in passes.items()}
    reference = losses[REFERENCE]
    for name, values in losses.items():
        worst = max(abs(a - b) for a, b in zip(values[:3], reference[:3], strict=True))
        if worst > 1e-3:
            raise SystemExit(f"{workload.name}: {name} does not reach PyTorch's losses, off by {worst:.2g}")
    return {name: [made["seconds"] for made in results[1:]] for name, results in passes.items()}


def print_steps(results: dict[str, dict[str, list[float]]]) -> None:
    """Print microseconds per update, quartiles, and the ratio to the better of PyTorch's thread counts."""
    print(f"\n{'workload':<8} {'library':<28} {'µs/step':>9} {'quartiles':>17} {'/ PyTorch':>10}")
    for workload, by_library in results.items():
        medians = {name: statistics.median(seconds) for name, seconds in by_library.items()}
        peer = min(value for name, value in medians.items() if name.startswith("PyTorch"))
        for name, seconds in by_library.items():
            low, _, high = statistics.quantiles(seconds, n=4)
            spread = f"{low * 1e6:.0f} - {high * 1e6:.0f}"
            ratio = medians[name] / peer
            print(f"{workload:<8} {name:<28} {medians[name] * 1e6:>9.0f} {spread:>17} {ratio:>10.2f}")


def measure_command(command: list[str], times: int) -> list[float]:
    """Return how many seconds a whole process takes, several times."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        seconds.append(time.perf_counter() - start)
    return seconds


def measure_processes() -> dict[str, list[float]]:
    """Return the seconds of bare Python, of imports, and of the main job from its start to the report."""
    python = sys.executable
    imports = {
        name: measure_command([python, "-c", code], 11)
        for name, code in {
            "python -c pass": "pass",
            "import numpy": "import numpy",
            "import slopewise": "import slopewise",
            "import slopewise, and load sw.nn and sw.optim": "import slopewise as sw; sw.nn, sw.optim",
            "import torch": "import torch",
        }.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        fit = []
        for number in range(5):
            command = [
                python,
                "-m",
                "slopewise",
                "fit",
                "examples/data/penguins.csv",
                "--target",
                "species",
            ]
            fit += measure_command([*command, "--quiet", "--out", str(Path(folder) / str(number))], 1)
    return {**imports, "slopewise fit penguins.csv, to the report": fit}


def print_processes(results: dict[str, list[float]]) -> None:
    """Print seconds of whole processes; imports also without the start of Python."""
    bare = statistics.median(results["python -c pass"])
    print(f"\n{'process':<46} {'median s':>9} {'range':>15} {'above bare Python':>18}")
    for name, seconds in results.items():
        median = statistics.median(seconds)
        spread = f"{min(seconds):.2f} - {max(seconds):.2f}"
        print(f"{name:<46} {median:>9.3f} {spread:>15} {median - bare:>18.3f}")


def machine() -> dict[str, Any]:
    """Describe where this was measured."""
    import numpy

    import slopewise

    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "slopewise": slopewise.__version__,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> None:
    """Measure, print, and keep the numbers in benchmarks/results/."""
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    names = sys.argv[1:] or list(WORKLOADS)
    steps = {name: measure_steps(WORKLOADS[name]) for name in names}
    print_steps(steps)
    processes = measure_processes()
    print_processes(processes)
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(exist_ok=True)
    record = {"machine": about, "steps": steps, "processes": processes}
    path = folder / f"{about['when'][:10]}-eager.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
