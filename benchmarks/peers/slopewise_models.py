"""The workloads' models in Slopewise."""

from __future__ import annotations

import llvmlite.binding  # noqa: F401  (loaded at the first compilation otherwise, and no part of the work)

import slopewise as sw
from benchmarks import layers
from benchmarks.workloads import BETAS, EPSILON, LEARNING_RATE, Workload


class MeanTokens(sw.nn.Module):
    """The mean over a row's tokens."""

    def forward(self, x: sw.Tensor) -> sw.Tensor:
        """Return (batch, width) of (batch, tokens, width)."""
        return x.mean(axis=1)


def build(workload: Workload) -> sw.nn.Sequential:
    """Return the model in training mode, with the common initial weights."""
    model = sw.nn.Sequential(*map(_layer, workload.layers))
    model.load_state_dict({**model.state_dict(), **layers.make_weights(workload.layers)})
    return model


def _layer(layer: layers.Layer) -> sw.nn.Module:
    match layer:
        case layers.Linear(n_in, n_out):
            return sw.nn.Linear(n_in, n_out)
        case layers.ReLU():
            return sw.nn.ReLU()
        case layers.BatchNorm(width):
            return sw.nn.BatchNorm1d(width)
        case layers.Dropout(p):
            return sw.nn.Dropout(p)
        case layers.Conv(n_in, n_out, size):
            return sw.nn.Conv2d(n_in, n_out, size, padding=size // 2)
        case layers.MaxPool():
            return sw.nn.MaxPool2d(2)
        case layers.Flatten():
            return sw.nn.Flatten()
        case layers.Encoder(width, heads, inner):
            return sw.nn.TransformerEncoderLayer(width, heads, inner, dropout=0.0)
        case layers.MeanTokens():
            return MeanTokens()


def make_optimizer(workload: Workload, model: sw.nn.Module) -> sw.optim.Optimizer:
    """Return the optimizer of the model's parameters."""
    if workload.optimizer == "adam":
        return sw.optim.Adam(model.parameters(), lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
    return sw.optim.SGD(model.parameters(), lr=LEARNING_RATE)
