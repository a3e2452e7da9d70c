"""What an update cannot do without: floating-point operations and bytes, counted by formula.

FLOPs are those of matrix products and convolutions, an addition and a multiplication each; elementwise
arithmetic counts nothing. Forward, a product Y(m, n) = X(m, k) W(k, n) takes 2mnk; backward takes as much for
the gradient of W and, unless X is the data, as much for that of X.

Bytes, float32:

- a product reads its two operands and writes its result, once each: 4 (mk + kn + mn);
- an elementwise activation and dropout move nothing, since they can be fused into the product before them;
- a normalisation, a pooling or a softmax reads its input and writes its output, and backward reads input and
  output gradient and writes the input's gradient: its input twice, its output once, and both gradients;
- the batch: its rows and labels are read from the epoch's data and written into the batch: twice;
- the optimizer reads gradient and weight and writes the weight; Adam also reads and writes two averages.

The working set, which decides whose bandwidth counts, is what an update touches again: weights, gradients,
averages, the batch and the layers' outputs with their gradients.

The reference cost is FLOPs / measured peak + bytes / measured bandwidth, as if neither hid the other. It is
no bound: a fused kernel may move less, and arithmetic may overlap with memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.layers import (
    BatchNorm,
    Conv,
    Encoder,
    Layer,
    Linear,
    MaxPool,
    MeanTokens,
    Shape,
    make_weights,
    output_shape,
)
from benchmarks.workloads import Workload

FLOAT = 4  # bytes
LABEL = 8


@dataclass
class Cost:
    """FLOPs, bytes moved and bytes held by one update."""

    flops: float = 0.0
    moved: float = 0.0
    held: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)  # the bytes moved, by reason

    def move(self, reason: str, numbers: float, size: int = FLOAT) -> None:
        """Count some numbers read or written."""
        self.moved += size * numbers
        self.parts[reason] = self.parts.get(reason, 0.0) + size * numbers

    def product(self, m: int, n: int, k: int, times: int = 1, needs_input_gradient: bool = True) -> None:
        """Count `times` products (m, k) (k, n), forward and backward; their results are held."""
        passes = 3 if needs_input_gradient else 2
        self.flops += 2.0 * m * n * k * times * passes
        self.move("products", passes * times * (m * k + k * n + m * n))
        self.held += 2 * FLOAT * m * n * times

    def sweep(self, size_in: int, size_out: int) -> None:
        """Count what is neither a product nor fused into one, forward and backward."""
        self.move("sweeps", 2 * (size_in + size_out) + size_in)
        self.held += 2 * FLOAT * size_out


def cost_of(workload: Workload) -> Cost:
    """Count one update."""
    cost = Cost()
    shape, first = workload.row, True
    for layer in workload.layers:
        _count_layer(cost, layer, shape, workload.batch, first)
        first = first and not isinstance(layer, Linear | Conv | Encoder)
        shape = output_shape(layer, shape)
    values = workload.batch * int(np.prod(workload.row))
    cost.move("batch", 2 * values)
    cost.move("batch", 2 * workload.batch, LABEL)
    parameters = sum(weight.size for weight in make_weights(workload.layers).values())
    states = {"sgd": 0, "adam": 2}[workload.optimizer]
    cost.move("optimizer", (3 + 2 * states) * parameters)
    cost.held += FLOAT * (values + (2 + states) * parameters)
    return cost


def _count_layer(cost: Cost, layer: Layer, shape: Shape, batch: int, first: bool) -> None:
    size = batch * int(np.prod(shape))
    match layer:
        case Linear(n_in, n_out):
            cost.product(size // n_in, n_out, n_in, needs_input_gradient=not first)
        case Conv(n_in, n_out, kernel):
            _count_convolution(cost, size // n_in, n_in, n_out, kernel, first)
        case BatchNorm():
            cost.sweep(size, size)
        case MaxPool():
            cost.sweep(size, size // 4)
        case MeanTokens():
            cost.sweep(size, size // shape[0])
        case Encoder():
            _count_encoder(cost, layer, batch, shape[0], first)


def _count_convolution(cost: Cost, pixels: int, n_in: int, n_out: int, kernel: int, first: bool) -> None:
    """Count a convolution: a product over windows, which are not written out."""
    passes = 2 if first else 3
    weights = n_in * n_out * kernel * kernel
    cost.flops += 2.0 * pixels * weights * passes
    cost.move("products", passes * (pixels * (n_in + n_out) + weights))
    cost.held += 2 * FLOAT * pixels * n_out


def _count_encoder(cost: Cost, layer: Encoder, batch: int, tokens: int, first: bool) -> None:
    rows, width, head = batch * tokens, layer.width, layer.width // layer.heads
    cost.product(rows, 3 * width, width, needs_input_gradient=not first)
    cost.product(tokens, tokens, head, times=batch * layer.heads)  # queries and keys
    cost.sweep(rows * tokens * layer.heads, rows * tokens * layer.heads)  # softmax
    cost.product(tokens, head, tokens, times=batch * layer.heads)  # weights and values
    cost.product(rows, width, width)
    cost.product(rows, layer.inner, width)
    cost.product(rows, width, layer.inner)
    for _ in range(2):
        cost.sweep(rows * width, rows * width)
