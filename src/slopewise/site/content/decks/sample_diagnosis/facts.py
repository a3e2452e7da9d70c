"""The numbers of the cards, computed on the engine."""

from __future__ import annotations

import math

import slopewise as sw
import slopewise.array as xp
from slopewise.site.content.typed_numbers import Typed

CLASSES = 10
EVAL_RATE = 0.5
BATCHES = (100, 32)


def facts() -> dict[str, object]:
    """Return the numbers that the cards call by name."""
    logits = sw.tensor([[2.0, 0.0, 0.0]])
    target = sw.tensor([0])
    once = float(sw.losses.cross_entropy(logits, target))
    probabilities = xp.exp(logits) / xp.sum(xp.exp(logits))
    twice = float(sw.losses.cross_entropy(probabilities, target))
    best_twice = float(sw.losses.cross_entropy(sw.tensor([[1.0, 0.0, 0.0]]), target))
    rows, size = BATCHES
    saw = _saw()
    return {
        "classes": CLASSES,
        "uniform": _uniform_loss(CLASSES),
        "once": once,
        "twice": twice,
        "best_twice": best_twice,
        "rows": rows,
        "batch": size,
        "last": rows % size,
        "saw_low": saw[0],
        "saw_high": saw[1],
        "broadcast_right": _mean_square(keep_column=False),
        "broadcast_wrong": _mean_square(keep_column=True),
        "stale": _gradient_after_two_passes(),
        "fresh": _gradient_after_two_passes() / 2,
    }


def _uniform_loss(classes: int) -> float:
    loss = float(sw.losses.cross_entropy(sw.tensor([[0.0] * classes]), sw.tensor([0])))
    assert math.isclose(loss, math.log(classes), rel_tol=1e-5)
    return loss


def _saw() -> tuple[float, float]:
    """Return the lowest loss of a batch of one class, and the loss of the next batch, of the other class.

    The rows lie sorted: five batches of each class in an epoch.
    """
    one = [-0.6, 0.1, -0.4, -0.1, -0.5, -0.2, -0.3, 0.0, -0.4, 0.2]
    x, y = sw.tensor([*one, *(-value for value in one)]), sw.tensor([0.0] * 10 + [1.0] * 10)
    w, b = (sw.tensor(0.0, requires_grad=True) for _ in range(2))
    optimizer = sw.optim.SGD([w, b], lr=2.0)
    losses = []
    for batch in range(40):
        rows = slice(2 * batch % 20, 2 * batch % 20 + 2)
        optimizer.zero_grad()
        loss = sw.losses.binary_cross_entropy_with_logits(w * x[rows] + b, y[rows])
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return min(losses[30:35]), losses[35]


def _mean_square(*, keep_column: bool) -> float:
    """Return the mean squared error of exact predictions; a column against a row makes a square of it."""
    target = sw.tensor([0.0, 1.0, 2.0])
    prediction = xp.reshape(target, (3, 1)) if keep_column else target
    return float(xp.mean((prediction - target) ** 2))


def _gradient_after_two_passes() -> float:
    """Return the gradient of w² at 3 after two backward passes without a reset in between."""
    w = sw.tensor(3.0, requires_grad=True)
    for _ in range(2):
        (w * w).backward()
    assert w.grad is not None
    return float(w.grad)


TYPED = {
    "card/softmax-twice": Typed("0 1 2"),  # what probabilities lie between, and the logits of `facts`
    "card/column-row": Typed("0 1 2"),  # the targets of `_mean_square`
    "card/stale-gradient": Typed("3"),
}
