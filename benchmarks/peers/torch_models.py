"""The workloads' models in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks import layers
from benchmarks.workloads import BETAS, EPSILON, LEARNING_RATE, Workload


class MeanTokens(nn.Module):
    """The mean over a row's tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, width) of (batch, tokens, width)."""
        return x.mean(1)


def build(workload: Workload) -> nn.Sequential:
    """Return the model in training mode, with the common initial weights."""
    model = nn.Sequential(*map(_layer, workload.layers))
    weights = layers.make_weights(workload.layers)
    missing, unknown = model.load_state_dict(
        {name: torch.from_numpy(weight) for name, weight in weights.items()}, strict=False
    )
    running = ("running_mean", "running_var", "num_batches_tracked")
    if unknown or not all(name.endswith(running) for name in missing):
        raise ValueError(f"weights do not fit the model: missing {missing}, unknown {unknown}")
    return model


def _layer(layer: layers.Layer) -> nn.Module:
    match layer:
        case layers.Linear(n_in, n_out):
            return nn.Linear(n_in, n_out)
        case layers.ReLU():
            return nn.ReLU()
        case layers.BatchNorm(width):
            return nn.BatchNorm1d(width)
        case layers.Dropout(p):
            return nn.Dropout(p)
        case layers.Conv(n_in, n_out, size):
            return nn.Conv2d(n_in, n_out, size, padding=size // 2)
        case layers.MaxPool():
            return nn.MaxPool2d(2)
        case layers.Flatten():
            return nn.Flatten()
        case layers.Encoder(width, heads, inner):
            return nn.TransformerEncoderLayer(width, heads, inner, dropout=0.0, batch_first=True)
        case layers.MeanTokens():
            return MeanTokens()


def criterion(workload: Workload) -> nn.Module:
    """Return the loss, a mean over the batch."""
    return {"cross_entropy": nn.CrossEntropyLoss, "bce_with_logits": nn.BCEWithLogitsLoss}[workload.loss]()


def optimizer_options(workload: Workload, kernel: str) -> dict[str, object]:
    """Return the arguments of the optimizer; `kernel` is "fused" or "foreach"."""
    options: dict[str, object] = {"lr": LEARNING_RATE, kernel: True}
    if workload.optimizer == "adam":
        options |= {"betas": BETAS, "eps": EPSILON}
    return options


def optimizer_class(workload: Workload) -> type[torch.optim.Optimizer]:
    """Return PyTorch's optimizer of that name."""
    return {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[workload.optimizer]
