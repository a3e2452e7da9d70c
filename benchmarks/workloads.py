"""The four workloads: an MLP classifier with ReLU, trained with Adam on cross-entropy, in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A model's layer sizes, a batch size, and how many updates one measurement makes."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    steps: int

    @property
    def flops(self) -> float:
        """Multiplications and additions of an update's matrix products: forward, and twice that backward."""
        products = sum(a * b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True))
        first = self.sizes[0] * self.sizes[1]  # the inputs need no gradient
        return 2.0 * self.batch * (3 * products - first)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", (64, 32, 10), 32, 300),
        Workload("tab", (30, 128, 128, 2), 128, 200),
        Workload("mnist", (784, 256, 10), 64, 100),
        Workload("big", (784, 1024, 1024, 10), 256, 8),
    )
}
LEARNING_RATE = 1e-3


def make_data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of one measurement, in the order in which every library takes them.

    Returns
    -------
    X : float32 array, shape (steps * batch, inputs)
    y : int64 array, shape (steps * batch,)
    """
    rng = np.random.default_rng(0)
    n = workload.steps * workload.batch
    X = rng.standard_normal((n, workload.sizes[0])).astype(np.float32)
    teacher = rng.standard_normal((workload.sizes[0], workload.sizes[-1]))
    y = np.argmax(X @ teacher + rng.standard_normal((n, workload.sizes[-1])), axis=1)
    return X, y.astype(np.int64)


def make_weights(workload: Workload) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the initial weight (out, in) and bias (out,) of each layer."""
    rng = np.random.default_rng(1)
    return [
        (
            (rng.uniform(-1, 1, (n_out, n_in)) / np.sqrt(n_in)).astype(np.float32),
            (rng.uniform(-1, 1, n_out) / np.sqrt(n_in)).astype(np.float32),
        )
        for n_in, n_out in zip(workload.sizes[:-1], workload.sizes[1:], strict=True)
    ]
