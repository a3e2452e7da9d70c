"""A process that holds one library and one workload, and trains when it is told to.

Each library has a process of its own, so that neither's thread pool stands in the other's way; the
controller lets them run in turn. Protocol: a line on standard input asks for one pass; the answer is a line
of JSON, {"seconds": per update, "loss": mean}.
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Run the passes that are asked for: `python -m benchmarks.worker PEER WORKLOAD`."""
    peer = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    workload = WORKLOADS[sys.argv[2]]
    run = peer.prepare(workload)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = run()
        seconds = (time.perf_counter() - start) / workload.steps
        print(json.dumps({"seconds": seconds, "loss": loss}), flush=True)


if __name__ == "__main__":
    main()
