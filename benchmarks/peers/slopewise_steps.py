"""Slopewise with the loop written by hand, its step compiled: a call of `sw.compile`'s function a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import slopewise as sw
from benchmarks.peers import slopewise_models
from benchmarks.workloads import SEED, Workload, make_data


def prepare(workload: Workload) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass."""
    model = slopewise_models.build(workload)
    sw.nn.reseed(model, SEED)
    optimizer = slopewise_models.make_optimizer(workload, model)
    criterion = sw.losses.get(workload.loss)
    X, y = make_data(workload)

    @sw.compile
    def train_step(xb: sw.Tensor, yb: sw.Tensor) -> sw.Tensor:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss

    def run(order: np.ndarray) -> float:
        total = sw.tensor(0.0)
        for xb, yb in sw.data.DataLoader((X[order], y[order]), batch_size=workload.batch):
            total += train_step(xb, yb).detach()
        return float(total) / workload.steps

    return run
