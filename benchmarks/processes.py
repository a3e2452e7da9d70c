"""Part "processes": imports, and `slopewise fit` from process start to report, with its peak memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.turns import ROOT, MeasurementError

IMPORTS = {
    "python -c pass": "pass",
    "import numpy": "import numpy",
    "import slopewise": "import slopewise",
    "slopewise, with sw.nn, sw.optim, sw.Trainer": "import slopewise as sw; sw.nn, sw.optim, sw.Trainer",
    "import torch": "import torch",
    "import jax": "import jax",
    "import sklearn.neural_network": "import sklearn.neural_network",
    "import keras (on JAX)": "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras",
    "import skorch": "import skorch",
}
IMPORT_TARGET = 0.3  # seconds of `import slopewise`
COLUMNS = 30  # of the large table, the target among them
TARGET = "y"
PENGUINS = ("examples/data/penguins.csv", "species")


@dataclass(frozen=True)
class Process:
    """What a process took: seconds from start to end, and the most bytes that it held."""

    seconds: float
    peak: float


def run_process(command: list[str]) -> Process:
    """Run a command to its end; if it fails, say what it said."""
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
        _, wait_status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(wait_status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().strip().splitlines()[-1:] or ["nothing"]
            status = process.returncode
            raise MeasurementError(f"{' '.join(command)} ended with status {status} and said: {said[0]}")
    return Process(seconds, usage.ru_maxrss * 1024.0)


def measure(passes: int, rows: int) -> dict[str, Any]:
    """Return the processes of imports, and of fits on the penguins and on a generated table."""
    imports: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(passes):
        for name, code in IMPORTS.items():
            imports[name].append(run_process([sys.executable, "-c", code]).seconds)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        size = _make_table(table, rows)
        large = (str(table), TARGET)
        small = [_fit(PENGUINS, Path(folder) / f"small-{i}") for i in range(max(passes // 3, 1))]
        return {
            "imports": imports,
            "penguins": [asdict(process) for process in small],
            "table": asdict(_fit(large, Path(folder) / "large")),
            "table_rows": rows,
            "table_file_bytes": table.stat().st_size,
            "table_bytes": size,
            "fit_import_bytes": _import_bytes(Path(folder) / "imports"),
        }


def _fit(data: tuple[str, str], run: Path) -> Process:
    return run_process([sys.executable, "-m", "slopewise", *_arguments(data, run)])


def _arguments(data: tuple[str, str], run: Path) -> list[str]:
    return ["fit", data[0], "--target", data[1], "--quiet", "--out", str(run)]


def _make_table(path: Path, rows: int) -> int:
    """Write a table by `slopewise generate`; return the bytes of its columns in memory."""
    features = ["--features", str(COLUMNS - 1), "--rows", str(rows)]
    run_process([sys.executable, "-m", "slopewise", "generate", "linear", *features, "--out", str(path)])
    look = (  # in another process: Linux counts what a parent has held as the peak of its children too
        "import json, polars, sys; frame = polars.read_csv(sys.stdin.read())\n"
        "print(json.dumps([frame.height, frame.columns, frame.estimated_size()]))"
    )
    height, columns, size = json.loads(_python(look, str(path)))
    if height != rows or len(columns) != COLUMNS or TARGET not in columns:
        raise MeasurementError(f"the generated table has {height} rows and columns {columns}")
    return int(size)


def _import_bytes(run: Path) -> int:
    """Return what a process holds that has imported whatever a fit imports, and done nothing else."""
    list_modules = (
        "import json, sys; from slopewise.cli import main; sys.argv = ['slopewise']\n"
        "try:\n    main(json.loads(sys.stdin.read()))\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "names = [n for n in sys.modules if n.startswith('slopewise.')]\n"
        "names += {n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names) - {'__main__'}\n"
        "print('\\n' + json.dumps(names))"
    )
    arguments = json.dumps(_arguments(PENGUINS, run))
    names = _python(list_modules, arguments).splitlines()[-1]
    hold = (
        "import importlib, importlib.util, json, sys\n"
        "for name in json.loads(sys.stdin.read()):\n"
        "    importlib.util.find_spec(name) and importlib.import_module(name)\n"
        "from benchmarks import memory_use; print(memory_use.resident())"
    )
    return int(_python(hold, names).splitlines()[-1])


def _python(code: str, text: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=text, text=True, capture_output=True, cwd=ROOT)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise MeasurementError(f"python -c ended with status {done.returncode} and said: {said[0]}")
    return done.stdout


def print_processes(results: dict[str, Any]) -> None:
    """Print seconds and megabytes."""
    bare = statistics.median(results["imports"]["python -c pass"])
    print(f"\n{'process':<46} {'median s':>9} {'range':>15} {'above bare Python':>18} {'peak MB':>8}")
    for name, seconds in results["imports"].items():
        _print_process(name, seconds, f"{statistics.median(seconds) - bare:.3f}")
    own = statistics.median(results["imports"]["import slopewise"]) - bare
    reached = "reached" if own <= IMPORT_TARGET else "MISSED"
    print(f"  import slopewise: target {IMPORT_TARGET} s above bare Python, {reached}")
    _print_fit("slopewise fit penguins.csv, to the report", results["penguins"])
    rows = results["table_rows"]
    _print_fit(f"slopewise fit {rows:,} x {COLUMNS} (CSV), to the report", [results["table"]])
    _print_memory(results)


def _print_memory(results: dict[str, Any]) -> None:
    """Print what the fit of the large table held above its imports, against the table's own size."""
    imports, size = results["fit_import_bytes"], results["table_bytes"]
    above = results["table"]["peak"] - imports
    print(
        f"  peak above imports ({imports / 1e6:.0f} MB): {above / 1e6:.0f} MB, {above / size:.2f} times the "
        f"table's own {size / 1e6:.0f} MB (its file: {results['table_file_bytes'] / 1e6:.0f} MB); target: at "
        f"most 2, {'reached' if above <= 2 * size else 'MISSED'}"
    )


def _print_fit(name: str, processes: list[dict[str, float]]) -> None:
    peak = max(made["peak"] for made in processes) / 1e6
    _print_process(name, [made["seconds"] for made in processes], "", f"{peak:.0f}")


def _print_process(name: str, seconds: list[float], above: str, peak: str = "") -> None:
    spread = f"{min(seconds):.2f} - {max(seconds):.2f}"
    print(f"{name:<46} {statistics.median(seconds):>9.3f} {spread:>15} {above:>18} {peak:>8}")
