"""The network behind `fit`, its optimizer and its loss, from plain settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slopewise import nn, optim
from slopewise.train.defaults import OPTIMIZERS, Settings


def build_network(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Return a multilayer perceptron: ReLU after each hidden layer, none at the end.

    Weights come from the module initialisers: call `sw.manual_seed` before.

    Parameters
    ----------
    inputs, outputs : int
        Features, and classes (or 1 for a number).
    hidden : sequence of int
        Units of each hidden layer.

    Examples
    --------
    >>> network = build_network(4, [8], 3)
    >>> sum(parameter.size for parameter in network.parameters())
    67
    """
    layers: list[nn.Module] = []
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.ReLU()]
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def build_optimizer(network: nn.Module, settings: Settings) -> optim.Optimizer:
    """Return the optimizer that the settings name."""
    recipe = OPTIMIZERS[settings.optimizer]
    kind = getattr(optim, recipe.kind)
    optimizer: optim.Optimizer = kind(network.parameters(), lr=settings.lr, **recipe.options)
    return optimizer


def layer_rows(inputs: int, hidden: Sequence[int], outputs: int) -> list[dict[str, Any]]:
    """Return a row per layer, for run.json and the report.

    Examples
    --------
    >>> layer_rows(4, [8], 3)[0]
    {'name': 'Linear 4 → 8', 'output': '8', 'parameters': 40}
    """
    rows: list[dict[str, Any]] = []
    for place, units in enumerate((*hidden, outputs)):
        rows.append(
            {"name": f"Linear {inputs} → {units}", "output": str(units), "parameters": (inputs + 1) * units}
        )
        if place < len(hidden):
            rows.append({"name": "ReLU", "output": str(units), "parameters": 0})
        inputs = units
    return rows
