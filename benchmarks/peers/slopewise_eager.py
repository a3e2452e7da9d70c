"""Slopewise with the loop written by hand, nothing compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slopewise as sw
from benchmarks.workloads import LEARNING_RATE, Workload, make_data, make_weights


def prepare(workload: Workload, wrap: Callable[[Any], Any] = lambda step: step) -> Callable[[], float]:
    """Return a function that makes one pass over the workload's rows."""
    layers: list[Any] = []
    for n_in, n_out in zip(workload.sizes[:-1], workload.sizes[1:], strict=True):
        layers += [sw.nn.Linear(n_in, n_out), sw.nn.ReLU()]
    model = sw.nn.Sequential(*layers[:-1])
    weights = [array for pair in make_weights(workload) for array in pair]
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    optimizer = sw.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    loader = sw.data.DataLoader(make_data(workload), batch_size=workload.batch)

    def train_step(xb: sw.Tensor, yb: sw.Tensor) -> sw.Tensor:
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss

    step = wrap(train_step)

    def run() -> float:
        total = sw.tensor(0.0)
        for xb, yb in loader:
            total += step(xb, yb).detach()
        return float(total) / workload.steps

    return run
