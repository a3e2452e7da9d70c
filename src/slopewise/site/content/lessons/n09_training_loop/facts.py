"""The numbers and formulas of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.typed_numbers import Typed

ROWS, BATCH, EPOCHS, RATE = 64, 16, 20, 0.1


def _data() -> tuple[Any, Any]:
    x = np.linspace(-1, 1, ROWS, dtype=np.float32).reshape(-1, 1)
    return x, 2 * x - 1 + 0.1 * np.sin(40 * x)


def _model() -> tuple[Any, Any]:
    sw.manual_seed(0)
    model = sw.nn.Linear(1, 1)
    return model, sw.optim.SGD(model.parameters(), lr=RATE)


def _by_hand(batch: int = BATCH) -> tuple[Any, int]:
    """Train with the loop written out; return the model and how many updates there were."""
    x, y = _data()
    model, optimizer = _model()
    loader = sw.data.DataLoader((x, y), batch_size=batch, shuffle=True, seed=0)
    updates = 0
    for _ in range(EPOCHS):
        for xb, yb in loader:
            optimizer.zero_grad()
            sw.losses.mse(model(xb), yb).backward()
            optimizer.step()
            updates += 1
    return model, updates


def _by_fit() -> Any:
    x, y = _data()
    model, optimizer = _model()
    sw.Trainer(model, loss="mse", optimizer=optimizer, seed=0).fit(x, y, epochs=EPOCHS, batch_size=BATCH)
    return model


def _gradient_twice() -> float:
    """Return how large a gradient is after two backward passes without a reset, against one."""
    w = sw.tensor(3.0, requires_grad=True)
    sizes = []
    for _ in range(2):
        (w * w).backward()
        assert w.grad is not None
        sizes.append(w.grad.item())
    return float(sizes[1] / sizes[0])


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    x, y = _data()
    model, updates = _by_hand()
    fitted = _by_fit()
    same = [float(a.item()) == float(b.item()) for a, b in zip(model.parameters(), fitted.parameters())]
    return {
        "rows": ROWS,
        "batch": BATCH,
        "epochs": EPOCHS,
        "rate": RATE,
        "updates": updates,
        "per_epoch": updates // EPOCHS,
        "loss": sw.losses.mse(model(sw.tensor(x)), sw.tensor(y)).item(),
        "weight": model.weight.item(),
        "bias": model.bias.item(),
        "same": "the same numbers to the last bit" if all(same) else "nearly the same numbers",
        "twice": _gradient_twice(),
        "stochastic_updates": EPOCHS * ROWS,
    }


def _count() -> tuple[Any, Any]:
    """Updates counted, and by the formula, for a batch size that does not divide the rows."""
    return [_by_hand(16)[1], _by_hand(10)[1]], [EPOCHS * math.ceil(ROWS / size) for size in (16, 10)]


def _mean_of_batches() -> tuple[Any, Any]:
    """The gradient over all rows, and the mean of the gradients of equal batches."""
    x, y = (values.astype(np.float64) for values in _data())

    def slope(rows: slice) -> float:
        loss = sw.grad(lambda w: ((sw.tensor(x[rows]) * w - sw.tensor(y[rows])) ** 2).mean())
        return float(loss(sw.tensor(0.3, dtype=sw.float64)).item())

    parts = [slope(slice(start, start + BATCH)) for start in range(0, ROWS, BATCH)]
    return slope(slice(0, ROWS)), sum(parts) / len(parts)


def names() -> dict[str, Any]:
    """Return what the code of the text takes for granted."""
    x, y = _data()
    model, optimizer = _model()
    return {
        "epochs": EPOCHS,
        "model": model,
        "optimizer": optimizer,
        "loader": sw.data.DataLoader((x, y), batch_size=BATCH, shuffle=True, seed=0),
        "mse": sw.losses.mse,
        "validation": (sw.tensor(x), sw.tensor(y)),
        "evaluate": lambda model, rows: sw.losses.mse(model(rows[0]), rows[1]).item(),
    }


FORMULAS = (
    Formula(
        "count", r"\text{updates} = \text{epochs} \cdot \lceil \text{rows} / \text{batch size} \rceil", _count
    ),
    Formula(
        "mean",
        r"\nabla L = \frac{1}{K} \left( \nabla L_1 + \nabla L_2 + \dots + \nabla L_K \right)",
        _mean_of_batches,
    ),
)


TYPED = {
    "text/rows-batches-steps-epochs": Typed("1"),  # a batch size
    "lab": Typed("200"),  # lines that it shows
}
