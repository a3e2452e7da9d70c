"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n10_train_and_eval.modes import (
    CALLS,
    ROW,
    SCORED,
    UNITS,
    Record,
    build,
    observe,
    train,
)
from slopewise.site.content.typed_numbers import Typed

P, BATCH, SEED, MOMENTUM = 0.3, 8, 0, 0.1


@cache
def _record(layer: str) -> Record:
    return observe(layer, P, BATCH, 0.0, SEED)


def _losses(layer: str) -> dict[str, float]:
    record = _record(layer)
    return {"eval": record.eval_loss, "train": float(np.mean(record.train_losses))}


@cache
def _gradient_in_eval() -> float:
    """Return the length of the gradient of a loss that was computed in evaluation mode."""
    model = build("dropout", P, SEED)
    train(model, SEED)
    model.eval()
    sw.losses.mse(model(sw.tensor([[ROW]])), sw.tensor([[0.0]])).backward()
    squares = [float((p.grad**2).sum().item()) for p in model.parameters() if p.grad is not None]
    return float(np.sqrt(sum(squares)))


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    dropout, batchnorm = _record("dropout"), _record("batchnorm")
    losses = {layer: _losses(layer) for layer in ("dropout", "batchnorm")}
    return {
        "p": P,
        "batch": BATCH,
        "row": ROW,
        "units": UNITS,
        "calls": CALLS,
        "scored": SCORED,
        "lowest": min(dropout.answers("train")),
        "highest": max(dropout.answers("train")),
        "steady": dropout.answers("eval")[0],
        "before": batchnorm.before,
        "after": batchnorm.answers("eval")[0],
        "losses": losses,
        "times": {layer: pair["train"] / pair["eval"] for layer, pair in losses.items()},
        "gradient": _gradient_in_eval(),
        "momentum": MOMENTUM,
        "left": 100 * (1 - MOMENTUM) ** CALLS,
        "survive": 1 - P,
        "scale": 1 / (1 - P),
    }


def _expected() -> tuple[Any, Any]:
    """The mean over all masks, each with its chance, and the input itself."""
    x = np.array([0.5, -2.0, 3.0])
    total = sw.zeros(3, dtype=sw.float64)
    for mask in product((0, 1), repeat=3):
        chance = np.prod([1 - P if kept else P for kept in mask])
        total = total + float(chance) * sw.tensor(np.array(mask) * x) / (1 - P)
    return total.numpy(), x


def _normalised() -> tuple[Any, Any]:
    """The engine's layer in training mode, and the formula."""
    layer, x = sw.nn.BatchNorm1d(2), np.array([[1.0, 5.0], [3.0, 5.5], [8.0, 2.0]], dtype=np.float32)
    by_hand = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + layer.eps)
    return layer(sw.tensor(x)).numpy(), by_hand


def _running() -> tuple[Any, Any]:
    """The running mean after three batches, and the formula."""
    layer, mean = sw.nn.BatchNorm1d(1, momentum=MOMENTUM), 0.0
    for batch in ([1.0, 2.0], [4.0, 8.0], [-1.0, 0.0]):
        layer(sw.tensor(np.array(batch, dtype=np.float32)[:, None]))
        mean = (1 - MOMENTUM) * mean + MOMENTUM * float(np.mean(batch))
    assert layer.running_mean is not None
    return layer.running_mean.numpy(), [mean]


def names() -> dict[str, Any]:
    """Return what the code of the text takes for granted: a network with dropout, to be trained."""
    X, y = sw.data.generate("moons", n=64, noise=0.2, seed=3)
    model = sw.nn.Sequential(sw.nn.Linear(2, 8), sw.nn.Tanh(), sw.nn.Dropout(P), sw.nn.Linear(8, 2))
    optimizer = sw.optim.Adam(model.parameters(), lr=0.02)
    modes = []

    def train_step(xb: sw.Tensor, yb: sw.Tensor) -> None:
        modes.append(model.training)
        optimizer.zero_grad()
        sw.losses.cross_entropy(model(xb), yb).backward()
        optimizer.step()

    def evaluate(model: sw.nn.Module, rows: tuple[sw.Tensor, sw.Tensor]) -> float:
        loss = sw.losses.cross_entropy(model(rows[0]), rows[1])
        assert not loss.requires_grad
        return float(loss.item())

    return {
        "sw": sw,
        "epochs": 12,
        "model": model,
        "loader": sw.data.DataLoader((X, y), batch_size=16, shuffle=True, seed=0),
        "train_step": train_step,
        "evaluate": evaluate,
        "validation": (sw.tensor(X), sw.tensor(y)),
        "modes": modes,
    }


FORMULAS = (
    Formula(
        "expected",
        r"E \left[ \frac{m \cdot x}{1 - p} \right] = (1 - p) \cdot \frac{x}{1 - p} = x",
        _expected,
    ),
    Formula("normalised", r"\hat{x} = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}", _normalised),
    Formula(
        "running",
        r"\mu_{\text{run}} \leftarrow (1 - \alpha) \, \mu_{\text{run}} + \alpha \, \mu_{\text{batch}}",
        _running,
    ),
)


# ---- numbers that texts type


def _moved() -> list[float]:
    """Return mean and spread of what batch norm makes of a feature."""
    made = sw.nn.BatchNorm1d(1)(sw.tensor(np.array([[3.0], [900.0], [-40.0]], dtype=np.float32))).numpy()
    return [float(made.mean()), float(made.std())]


def _batches_of_37() -> list[float]:
    """Return how many whole batches an epoch of 1,000 rows has, and how many rows these hold."""
    loader = sw.data.DataLoader((np.zeros((1000, 1), dtype=np.float32),), batch_size=37)
    sizes = [len(batch[0]) for batch in loader]
    assert sizes[-1] == 1
    return [sizes.count(37), 37 * sizes.count(37)]


TYPED = {
    "text/dropout": Typed("1 0"),  # what m is
    "text/batch-norm": Typed(shows=_moved),
    "question/one-row": Typed("1,000 37", _batches_of_37),
    "card/momentum": Typed("0.99", lambda: [sw.nn.BatchNorm1d(1).momentum]),  # ours is PyTorch's
    "lab": Typed("5", lambda: [CALLS]),
}
