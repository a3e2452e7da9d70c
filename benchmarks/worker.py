"""A process that holds one library and one workload, and trains when it is told to.

Each library has a process of its own, so that neither's thread pool stands in the other's way; the
controller (`turns`) lets them run in turn. `python -m benchmarks.worker PEER WORKLOAD OPTIONS`, options as
JSON. Protocol, a line of JSON each: when the peer is ready, {"imports": bytes held before the workload was
made}; for each line on standard input, a path to the order of the rows, one pass and {"seconds": per update,
"loss": mean, "peak": bytes held at most since the imports}.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

import numpy as np

from benchmarks import memory_use
from benchmarks.workloads import find


def main() -> None:
    """Run the passes that are asked for."""
    answers = os.fdopen(os.dup(1), "w")  # what a library prints must not be taken for an answer
    os.dup2(2, 1)
    peer = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    workload = find(sys.argv[2])
    imports = memory_use.resident()
    memory_use.reset_peak()
    run = peer.prepare(workload, **json.loads(sys.argv[3]))
    print(json.dumps({"imports": imports}), file=answers, flush=True)
    for line in sys.stdin:
        order = np.load(line.strip())
        start = time.perf_counter()
        loss = run(order)
        seconds = (time.perf_counter() - start) / workload.steps
        made = {"seconds": seconds, "loss": loss, "peak": memory_use.peak()}
        print(json.dumps(made), file=answers, flush=True)


if __name__ == "__main__":
    main()
