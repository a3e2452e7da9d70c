"""Runs the snippets of lessons again and records what they print.

    python src/slopewise/site/content/snippets.py [--check]

It needs nothing but the libraries that a snippet names in its first line, such as ``# needs: torch``. What
cannot be imported is left as it was recorded, and said. With ``--check`` nothing is written: the exit status
is 1 if an output changed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

LESSONS = Path(__file__).parent / "lessons"
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
    if "keras" in needs(file.read_text(encoding="utf-8")):
        environment["KERAS_BACKEND"] = "jax"
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


def main(arguments: list[str]) -> int:
    """Run all snippets that can run here."""
    changed = 0
    for file in sorted(LESSONS.glob("*/snippets/*.py")):
        missing = [name for name in needs(file.read_text(encoding="utf-8")) if find_spec(name) is None]
        label = f"{file.parents[1].name}/{file.name}"
        if missing:
            print(f"{label}: left as recorded, {', '.join(missing)} not installed")
            continue
        output, recorded = run_snippet(file), file.with_suffix(".out")
        same = recorded.exists() and recorded.read_text(encoding="utf-8") == output
        changed += not same
        print(f"{label}: {'the same' if same else 'changed'}")
        if not same and "--check" not in arguments:
            recorded.write_text(output, encoding="utf-8")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
