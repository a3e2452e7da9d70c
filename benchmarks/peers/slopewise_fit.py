"""Slopewise: `Trainer.fit`, one epoch a pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import slopewise as sw
from benchmarks.peers import slopewise_models
from benchmarks.workloads import SEED, Workload, make_data


def prepare(workload: Workload, gather: bool = True) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass.

    Parameters
    ----------
    gather : True lets `fit` take the rows in its own order, which is the order that all are given; False
        permutes the data before and fits it unshuffled
    """
    model = slopewise_models.build(workload)
    optimizer = slopewise_models.make_optimizer(workload, model)
    trainer = sw.Trainer(model, loss=workload.loss, optimizer=optimizer, seed=SEED)
    X, y = make_data(workload)

    def run(order: np.ndarray) -> float:
        rows = (X, y) if gather else (X[order], y[order])
        return float(trainer.fit(*rows, epochs=1, batch_size=workload.batch, shuffle=gather)["loss"][-1])

    return run
