"""Runs the snippets of lessons again and records what they print.

    python src/slopewise/site/content/snippets.py [--check]

It needs nothing but the libraries that a snippet names in its first line, such as ``# needs: torch``. What
cannot be imported is left as it was recorded, and said. With ``--check`` nothing is written: the exit status
is 1 if an output changed, or if a snippet could not be run.

Beside the outputs of a lesson lies a file of checksums, in the format of ``sha256sum``: of each snippet as it
was run and of what it printed. So a test without the libraries sees whether an output belongs to its program.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

LESSONS = Path(__file__).parent / "lessons"
SUMS = "SHA256SUMS"
_SECONDS = 300
_NEEDS = re.compile(r"# needs: ([\w, ]+)\n")


def needs(source: str) -> list[str]:
    """Return the modules that a snippet's first line names."""
    match = _NEEDS.match(source)
    return [] if match is None else [name.strip() for name in match[1].split(",")]


def shown(source: str) -> str:
    """Return a snippet as a page shows it: without its first line."""
    return _NEEDS.sub("", source, count=1)


def run_snippet(file: Path) -> str:
    """Run a snippet in a process of its own, with one thread, and return what it printed.

    Raises
    ------
    RuntimeError
        If it failed; the message holds its traceback.
    """
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
    }
    named = needs(file.read_text(encoding="utf-8"))
    environment["KERAS_BACKEND"] = "tensorflow" if "tensorflow" in named else "jax"
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{file.name} failed:\n{done.stderr}")
    return done.stdout


def sums(file: Path) -> list[str]:
    """Return the checksums of a snippet and of its recorded output, as lines."""
    pair = (file, file.with_suffix(".out"))
    return [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}" for one in pair]


def is_recorded(file: Path) -> bool:
    """Tell whether a snippet's output was recorded from its text as it is now."""
    known = file.with_name(SUMS)
    return known.exists() and set(sums(file)) <= set(known.read_text(encoding="utf-8").splitlines())


def _note(file: Path) -> None:
    """Write down that a snippet's output belongs to its text."""
    known, pair = file.with_name(SUMS), (file.name, file.with_suffix(".out").name)
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    kept = [
        line for line in lines if line.split()[1] not in pair and file.with_name(line.split()[1]).exists()
    ]
    made = sorted([*kept, *sums(file)], key=lambda line: line.split()[1])
    known.write_text("\n".join(made) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run all snippets that can run here."""
    is_check, failures = "--check" in arguments, 0
    for file in sorted(LESSONS.glob("*/snippets/*.py")):
        missing = [name for name in needs(file.read_text(encoding="utf-8")) if find_spec(name) is None]
        label = f"{file.parents[1].name}/{file.name}"
        if missing:
            print(f"{label}: left as recorded, {', '.join(missing)} not installed")
            failures += 1
            continue
        output, recorded = run_snippet(file), file.with_suffix(".out")
        same = recorded.exists() and recorded.read_text(encoding="utf-8") == output
        failures += not same
        print(f"{label}: {'the same' if same else 'changed'}", flush=True)
        if not is_check:
            recorded.write_text(output, encoding="utf-8")
            _note(file)
    return 1 if failures and is_check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
