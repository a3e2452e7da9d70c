"""Scores that mislead."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from slopewise.site.content.lesson import Formula

BATCH_LOSSES = (2.0, 6.0)


def _perplexities() -> tuple[float, float]:
    losses = sw.tensor(np.array(BATCH_LOSSES))
    return xp.exp(xp.mean(losses)).item(), xp.mean(xp.exp(losses)).item()


def _padding() -> tuple[float, float]:
    """The mean loss over four positions of which one counts, and over the one that counts."""
    logits = sw.tensor(np.zeros((4, 10)))
    target = np.array([3, -100, -100, -100])
    right = sw.losses.cross_entropy(logits, sw.tensor(target)).item()
    total = sw.losses.cross_entropy(logits, sw.tensor(target), reduction="sum").item()
    return total / 4, right


def _ranked_right() -> tuple[float, float]:
    """Accuracy at one half, and at a threshold between the classes, of scores that rank without a mistake."""
    scores = sw.sigmoid(sw.tensor(np.array([-5.0, -4.5, -4.0, -2.0, -1.5, -1.0]))).numpy()
    labels = np.array([0, 0, 0, 1, 1, 1])
    return float(((scores > 0.5) == labels).mean()), float(((scores > 0.05) == labels).mean())


def _with_copies(share: float = 0.3, n: int = 2000) -> tuple[float, float]:
    """Accuracy of a nearest neighbour, without copies among the validation rows and with them."""
    draw = np.random.Generator(np.random.Philox(11))
    x = draw.normal(size=(n, 2))
    y = (x[:, 0] > 0) ^ (draw.random(n) < 0.2)
    half = n // 2
    copies = int(share * half)

    def accuracy(rows: Any, labels: Any) -> float:
        distances = ((rows[:, None] - x[None, :half]) ** 2).sum(axis=2)
        return float((y[:half][distances.argmin(axis=1)] == labels).mean())

    rows, labels = x[half:], y[half:]
    clean = accuracy(rows, labels)
    mixed = accuracy(
        np.concatenate([x[:copies], rows[copies:]]), np.concatenate([y[:copies], labels[copies:]])
    )
    return clean, mixed


def _too_sure() -> tuple[float, float, float]:
    """Loss of some logits, loss of three times these logits, and the accuracy of both."""
    draw = np.random.Generator(np.random.Philox(12))
    y = draw.integers(0, 2, size=4000)
    signal = 2.0 * y - 1 + 1.5 * draw.normal(size=4000)
    logit = 2 * signal / 1.5**2  # what is known of the class, exactly
    target = sw.tensor(y.astype(float))

    def loss(factor: float) -> float:
        return sw.losses.binary_cross_entropy_with_logits(sw.tensor(factor * logit), target).item()

    return loss(1.0), loss(3.0), float(((logit > 0) == y).mean())


def _unused_class() -> float:
    """The probability of the first of four outputs after training on labels 1 to 3."""
    draw = np.random.Generator(np.random.Philox(13))
    y = draw.integers(1, 4, size=300)
    b = sw.tensor(np.zeros(4), requires_grad=True)
    optimizer = sw.optim.SGD([b], lr=1.0)
    for _ in range(200):
        optimizer.zero_grad()
        sw.losses.cross_entropy(xp.zeros((300, 4), dtype=sw.float64) + b, sw.tensor(y)).backward()
        optimizer.step()
    return float(sw.softmax(b).numpy()[0])


def _wrong_axis() -> tuple[int, int]:
    logits = sw.tensor(np.zeros((32, 10)))
    return int(xp.argmax(logits, axis=0).shape[0]), int(xp.argmax(logits, axis=1).shape[0])


def _perplexity_both_ways() -> tuple[float, float]:
    exact = math.exp(sum(BATCH_LOSSES) / len(BATCH_LOSSES))
    return _perplexities()[0], exact


FORMULAS = (
    Formula(
        "perplexity", r"\mathrm{PPL} = \exp\left(\frac{1}{n} \sum_i \ell_i\right)", _perplexity_both_ways
    ),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    right, wrong = _perplexities()
    padded, unpadded = _padding()
    at_half, at_best = _ranked_right()
    clean, mixed = _with_copies()
    calm, sure, accuracy = _too_sure()
    columns, rows = _wrong_axis()
    return {
        "batch_losses": BATCH_LOSSES,
        "ppl_right": right,
        "ppl_wrong": wrong,
        "padded": padded,
        "unpadded": unpadded,
        "at_half": at_half,
        "at_best": at_best,
        "copies_clean": clean,
        "copies_mixed": mixed,
        "calm": calm,
        "sure": sure,
        "sure_accuracy": accuracy,
        "unused": _unused_class(),
        "axis_columns": columns,
        "axis_rows": rows,
    }
