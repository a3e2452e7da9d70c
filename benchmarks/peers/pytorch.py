"""PyTorch, eager, with its fused Adam: the way a good user of PyTorch would write this loop on a CPU."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.workloads import LEARNING_RATE, Workload, make_data, make_weights


def prepare(workload: Workload) -> Callable[[], float]:
    """Return a function that makes one pass over the workload's rows."""
    layers: list[torch.nn.Module] = []
    for weight, bias in make_weights(workload):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data = torch.from_numpy(weight)
        linear.bias.data = torch.from_numpy(bias)
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    X, y = map(torch.from_numpy, make_data(workload))

    def run() -> float:
        total = torch.zeros(())
        for start in range(0, len(X), workload.batch):
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(
                model(X[start : start + workload.batch]), y[start : start + workload.batch]
            )
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / workload.steps

    return run
