"""The workloads: a model, an optimizer, a batch size, how many updates a pass makes, and the targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from benchmarks.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Encoder,
    Flatten,
    Layer,
    Linear,
    MaxPool,
    MeanTokens,
    ReLU,
    Shape,
)

LEARNING_RATE = 1e-3  # of Adam and of SGD
BETAS = (0.9, 0.999)
EPSILON = 1e-8
SEED = 0  # of the rows, of their order and of dropout


@dataclass(frozen=True)
class Targets:
    """What Slopewise must reach; None where the figure is only printed.

    Attributes
    ----------
    pytorch, best : how many times as fast as PyTorch, and as the fastest peer of the run
    reference : how many times the reference cost an update may take
    """

    pytorch: float | None = None
    best: float | None = None
    reference: float | None = None


@dataclass(frozen=True)
class Workload:
    """One model to train. `loss` is "cross_entropy", or "bce_with_logits" for a single output."""

    name: str
    layers: tuple[Layer, ...]
    row: Shape  # of one row of X
    batch: int
    steps: int  # updates in a pass, which is an epoch
    optimizer: str = "adam"
    loss: str = "cross_entropy"
    targets: Targets = Targets()

    @property
    def outputs(self) -> int:
        """How many numbers the model says of a row."""
        return next(layer.n_out for layer in reversed(self.layers) if isinstance(layer, Linear))

    @property
    def rows(self) -> int:
        """How many rows a pass sees."""
        return self.steps * self.batch

    @property
    def has_dropout(self) -> bool:
        """Whether libraries draw masks of their own, so that their losses agree only roughly."""
        return any(isinstance(layer, Dropout) for layer in self.layers)


def mlp(*sizes: int) -> tuple[Layer, ...]:
    """Return linear layers with ReLU between them."""
    layers: list[Layer] = []
    for n_in, n_out in pairwise(sizes):
        layers += [Linear(n_in, n_out), ReLU()]
    return tuple(layers[:-1])


def regularised(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return an MLP with batch norm before each ReLU, and dropout of 0.2 after it."""
    made: list[Layer] = []
    for layer, following in zip(layers, (*layers[1:], None)):
        if isinstance(layer, ReLU):
            made += [layer, Dropout(0.2)]
        elif isinstance(layer, Linear) and isinstance(following, ReLU):
            made += [layer, BatchNorm(layer.n_out)]
        else:
            made.append(layer)
    return tuple(made)


def relaxed(targets: Targets) -> Targets:
    """Return 0.8 of the targets against peers; over the reference cost, the figure is only printed."""
    return Targets(0.8 * (targets.pytorch or 0.0), 0.8 * (targets.best or 0.0))


FOUR = (
    Workload("tiny", mlp(64, 32, 10), (64,), 32, 1000, targets=Targets(30, 1.5, 4)),
    Workload("tab", mlp(30, 128, 128, 2), (30,), 128, 400, targets=Targets(3, 1.3, 1.8)),
    Workload("mnist", mlp(784, 256, 10), (784,), 64, 200, targets=Targets(1.6, 1.05, 1.5)),
    Workload("big", mlp(784, 1024, 1024, 10), (784,), 256, 16, targets=Targets(1.15, 1.0, 1.2)),
)
TRANSFORMER = (Encoder(64, 4, 256), MeanTokens(), Linear(64, 10))
CNN = (
    Conv(1, 16, 3),
    ReLU(),
    MaxPool(),
    Conv(16, 32, 3),
    ReLU(),
    MaxPool(),
    Flatten(),
    Linear(32 * 7 * 7, 10),
)
WORKLOADS = {
    workload.name: workload
    for workload in (
        *FOUR,
        *(replace(w, name=f"{w.name}-sgd", optimizer="sgd", targets=relaxed(w.targets)) for w in FOUR),
        *(
            replace(w, name=f"{w.name}-drop", layers=regularised(w.layers), targets=relaxed(w.targets))
            for w in FOUR
        ),
        Workload("encoder", TRANSFORMER, (64, 64), 16, 30, targets=Targets(1.5, 1.0)),
        Workload("logistic", mlp(30, 1), (30,), 32, 4000, loss="bce_with_logits", targets=Targets(35, 1.5)),
        Workload("single", mlp(64, 32, 10), (64,), 1, 8000, optimizer="sgd", targets=Targets(50, 1.5)),
        Workload("cnn", CNN, (1, 28, 28), 64, 20, targets=Targets(1.0)),
    )
}


def _grown(axis: str, size: int, layers: tuple[Layer, ...], batch: int, rows: int) -> Workload:
    return Workload(f"{axis}={size}", layers, (30,), batch, max(rows // batch, 1))


# How time grows: an MLP of 30 inputs and 2 classes, where one thing at a time doubles five times.
DOUBLED = [2**i for i in range(6)]
GROWTH = {
    "rows": [_grown("rows", 4096 * k, mlp(30, 128, 128, 2), 128, 4096 * k) for k in DOUBLED],
    "width": [_grown("width", 32 * k, mlp(30, 32 * k, 32 * k, 2), 128, 4096) for k in DOUBLED],
    "depth": [_grown("depth", k, mlp(30, *[128] * k, 2), 128, 4096) for k in DOUBLED],
    "batch": [_grown("batch", 16 * k, mlp(30, 128, 128, 2), 16 * k, 8192) for k in DOUBLED],
}


def find(name: str) -> Workload:
    """Return a workload of `WORKLOADS` or of `GROWTH` by its name."""
    grown = {workload.name: workload for workloads in GROWTH.values() for workload in workloads}
    return (WORKLOADS | grown)[name]


def make_data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of one pass, labelled by a noisy linear teacher.

    Returns
    -------
    X : float32 array, shape (rows, *row)
    y : int64 array, shape (rows,); for "bce_with_logits" float32, shape (rows, 1)
    """
    rng = np.random.default_rng(SEED)
    n, inputs, classes = workload.rows, int(np.prod(workload.row)), max(workload.outputs, 2)
    X = rng.standard_normal((n, inputs), np.float32)
    teacher = rng.standard_normal((inputs, classes), np.float32)
    noise = np.sqrt(np.float32(inputs)) * rng.standard_normal((n, classes), np.float32) / 4
    y = np.argmax(X @ teacher + noise, axis=1)
    X = X.reshape(n, *workload.row)
    if workload.loss == "bce_with_logits":
        return X, y[:, None].astype(np.float32)
    return X, y.astype(np.int64)
