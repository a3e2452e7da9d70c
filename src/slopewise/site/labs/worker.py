"""The worker process: reads one request a line, runs the lab, writes one answer a line.

Started as ``python -m slopewise.site.labs.worker`` with an environment of its own: it inherits no secret, no
database handle and no open file. Its first line says that the engine is loaded: what a start takes is no part
of a run. Its answers are ``{"frames": [...]}``, the state of a training, ``{"refused": "one line"}`` for
settings that cannot be taken, or ``{"failed": "traceback"}`` for a mistake of ours.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any, TextIO

from slopewise.engine.errors import SlopewiseError
from slopewise.site.labs.failures import place_of
from slopewise.site.labs.lab import Lab

READY = "ready\n"
LESSONS = "slopewise.site.content.lessons"
TRAINING = "slopewise.site.playground.training"
MEMORY = 2 * 2**30  # bytes of address space: NumPy and OpenBLAS reserve much more than they use


def limit_resources() -> None:
    """Take away what a lab does not need: memory beyond `MEMORY`, files, core dumps.

    Where the system has no such limits (Windows), the caps of the pool still hold: time, frames and output.
    """
    try:
        import resource
    except ImportError:
        return
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))
    os.nice(3)  # pages and reviews go first; own data, at 5, comes last


def find_lab(folder: str) -> Lab:
    """Return the lab of a lesson's folder."""
    lab = import_module(f"{LESSONS}.{folder}.lab").LAB
    assert isinstance(lab, Lab)
    return lab


def answer(line: str) -> dict[str, Any]:
    """Run the lab that a request names, or a slice of a training."""
    request = json.loads(line)
    try:
        if "job" in request:
            return import_module(TRAINING).answer_training(request)  # type: ignore[no-any-return]
        frames = find_lab(request["lab"]).frames(request["values"])
    except SlopewiseError as error:
        return {"refused": " ".join(str(error).split())}
    except MemoryError:
        return {"refused": "these settings need more memory than a lab may have; choose fewer steps or rows"}
    except Exception as error:  # the server must hear of it, and this process can go on
        return {"failed": place_of(error)}
    return {"frames": [frame.to_json() for frame in frames]}


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer until the requests end."""
    for line in requests:
        answers.write(json.dumps(answer(line), allow_nan=False, separators=(",", ":")) + "\n")
        answers.flush()


def main() -> None:
    """Load the engine before the first request, then serve."""
    answers, sys.stdout = sys.stdout, sys.stderr  # a stray print must not end up among the answers
    import slopewise as sw

    sw.grad(lambda x: x * x)(sw.tensor(1.0))
    limit_resources()
    answers.write(READY)
    answers.flush()
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
