"""The small world of this lesson: apples, sweet or sour, and the networks that learn to tell them apart.

Two measurements of an apple, softness and colour. Sweet apples are softer on average, by so much that the
best possible rule is right in 84% of cases: what is above that on a few rows is luck or memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

FRESH = 10_000
UPDATES = 120
_DISTANCE = 2.0  # between the classes' centres, in standard deviations
_RATE = 0.05
_FILE, _NEW = 100, 200  # calls of the generator

BEST = 0.5 * (1 + math.erf(_DISTANCE / 2 / math.sqrt(2)))  # of all rules: cut halfway between the centres


@dataclass(frozen=True)
class Apples:
    """Measurements, shape (rows, 2), and whether each apple is sweet (1) or sour (0)."""

    X: Floats
    y: Numbers

    def __len__(self) -> int:
        return len(self.y)


def collect(rows: int, seed: int, call: int = _FILE, drift: float = 0.0) -> Apples:
    """Return apples, as many sweet as sour; `drift` is added to each softness, as a worn device would."""
    y = np.arange(rows) % 2
    X = normal(2 * rows, seed, call).reshape(rows, 2)
    X[:, 0] += _DISTANCE * (y - 0.5) + drift
    return Apples(X, y)


def fresh(seed: int, drift: float = 0.0) -> Apples:
    """Return apples that nobody has measured before."""
    return collect(FRESH, seed, _NEW, drift)


class Networks:
    """Networks of one hidden layer, trained side by side: each on rows of its own, from weights of its own.

    Parameters
    ----------
    learned : sequence of row numbers for each network
    starts : seed of the first weights of each network
    units : hidden units of each
    """

    def __init__(self, apples: Apples, learned: list[Numbers], starts: list[int], units: int) -> None:
        count = len(learned)
        self._hidden = _first(starts, 2, units, call=1)
        self._shift = _first(starts, 1, units, call=2)
        self._out = _first(starts, units, 1, call=3, scale=units**-0.5)
        self._bias = sw.tensor(np.zeros((count, 1, 1)), requires_grad=True)
        share = np.zeros((count, len(apples), 1))  # each row's share in the loss of each network
        for number, rows in enumerate(learned):
            share[number, rows] = 1.0 / len(rows)
        self._train(apples, sw.tensor(share))

    def _train(self, apples: Apples, share: sw.Tensor) -> None:
        optimizer = sw.optim.Adam([self._hidden, self._shift, self._out, self._bias], lr=_RATE)
        x, y = sw.tensor(apples.X), sw.tensor(apples.y.astype(np.float64)[:, None])

        def update() -> sw.Tensor:
            optimizer.zero_grad()
            logits = self._logits(x)
            # The mean cross-entropy of each network's rows; their sum has for each the gradient of its own.
            losses = sw.maximum(logits, 0.0) - logits * y + sw.log1p(sw.exp(-sw.abs(logits)))
            loss = (losses * share).sum()
            loss.backward()
            optimizer.step()
            return loss

        step = sw.compile(update, target="interpreter")  # the bits of the plain call, in less time
        for _ in range(UPDATES):
            step()

    def _logits(self, x: sw.Tensor, only: slice = slice(None)) -> sw.Tensor:
        hidden = sw.tanh(x @ self._hidden[only] + self._shift[only])
        return hidden @ self._out[only] + self._bias[only]

    def logits(self, points: Floats, only: slice = slice(None)) -> Floats:
        """Return what each network says of each point, shape (networks, points); above 0 is sweet."""
        with sw.no_grad():
            said: Floats = self._logits(sw.tensor(points), only).numpy()[:, :, 0]
        return said

    def hits(self, apples: Apples, only: slice = slice(None)) -> NDArray[np.bool_]:
        """Return for each network, or for some of them, and each apple whether it was right."""
        right: NDArray[np.bool_] = (self.logits(apples.X, only) > 0) == apples.y.astype(bool)
        return right


def _first(starts: list[int], rows: int, columns: int, call: int, scale: float = 1.0) -> sw.Tensor:
    drawn = [scale * normal(rows * columns, start, call).reshape(rows, columns) for start in starts]
    return sw.tensor(np.stack(drawn), requires_grad=True)


def cut(apples: Apples, share: float, seed: int) -> tuple[Numbers, Numbers]:
    """Return the rows to learn from and the rows for the envelope."""
    parts = sw.data.split(len(apples), validation=None, test=share, stratify=apples.y, seed=seed)
    return np.sort(parts.train), np.sort(parts.test)


def noise(share: float, rows: int) -> float:
    """Return the standard error of an accuracy on some rows."""
    return math.sqrt(share * (1 - share) / rows)
