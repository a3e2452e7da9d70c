"""PyTorch, eager: data permuted once an epoch and sliced, gradients set to None, one optimizer kernel.

`torch.compile` is left out: it needs a C++ compiler on the user's machine, which Slopewise promises not to.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.peers import torch_models
from benchmarks.workloads import SEED, Workload, make_data


def prepare(
    workload: Workload, kernel: str = "fused", channels_last: bool = False
) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass.

    Parameters
    ----------
    kernel : the optimizer's, "fused" (one loop over all state) or "foreach" (one call for all parameters)
    channels_last : whether images and kernels lie with their channels innermost
    """
    torch.manual_seed(SEED)
    model = torch_models.build(workload)
    optimizer = torch_models.optimizer_class(workload)(
        model.parameters(), **torch_models.optimizer_options(workload, kernel)
    )
    criterion = torch_models.criterion(workload)
    X, y = map(torch.from_numpy, make_data(workload))
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        X = X.contiguous(memory_format=torch.channels_last)

    def run(order: np.ndarray) -> float:
        rows = torch.from_numpy(order)
        X_epoch, y_epoch = X[rows], y[rows]
        total = torch.zeros(())
        for xb, yb in zip(X_epoch.split(workload.batch), y_epoch.split(workload.batch), strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / workload.steps

    return run
