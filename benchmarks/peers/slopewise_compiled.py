"""Slopewise with the step traced once and run as a graph."""

from __future__ import annotations

from collections.abc import Callable

import slopewise as sw
from benchmarks.peers import slopewise_eager
from benchmarks.workloads import Workload


def prepare(workload: Workload) -> Callable[[], float]:
    """Return a function that makes one pass over the workload's rows."""
    return slopewise_eager.prepare(workload, sw.compile)
