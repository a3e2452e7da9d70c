"""skorch: `partial_fit` over the permuted data, without callbacks, batches sliced instead of collated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import skorch
import torch

from benchmarks.peers import torch_models
from benchmarks.workloads import SEED, Workload, make_data


class Slices:
    """Batches as slices of a dataset's arrays; PyTorch's DataLoader would take them row by row."""

    def __init__(self, dataset: skorch.dataset.Dataset, batch_size: int) -> None:
        self.X, self.y, self.batch_size = torch.from_numpy(dataset.X), torch.from_numpy(dataset.y), batch_size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Give the batches in order."""
        return zip(self.X.split(self.batch_size), self.y.split(self.batch_size), strict=True)


def prepare(workload: Workload) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass."""
    torch.manual_seed(SEED)
    options = torch_models.optimizer_options(workload, "fused")
    net = skorch.NeuralNet(
        torch_models.build(workload),
        torch_models.criterion(workload),
        optimizer=torch_models.optimizer_class(workload),
        batch_size=workload.batch,
        iterator_train=Slices,
        train_split=None,
        callbacks="disable",
        verbose=0,
        **{f"optimizer__{name}": value for name, value in options.items()},
    )
    net.initialize()
    X, y = make_data(workload)

    def run(order: np.ndarray) -> float:
        net.partial_fit(X[order], y[order], epochs=1)
        return float(np.mean(net.history[-1, "batches", :, "train_loss"]))

    return run
