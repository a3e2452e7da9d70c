"""The small world of this lesson: apples of two orchards, somebody who collects them, and two who label them.

Two measurements of an apple. In the valley apples are sweet above a line that rises to the right, on the hill
below one that falls: whoever has seen one orchard knows little of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal, uniform
from slopewise.engine.random import GENERATE_STREAM, permutation

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

FRESH = 10_000
HILL = 0.4  # share of the hill in the population
UPDATES, UNITS, RATE = 150, 12, 0.05
TEST = 0.25
_BLUR = 0.25  # how far chance moves an apple against its line
_SLOPE = 0.2  # of the lines
_PLACE, _WHERE, _LINE, _WRONG, _NEW = 10, 11, 12, 13, 50


@dataclass(frozen=True)
class Apples:
    """Measurements, shape (rows, 2); whether each grew on the hill; whether it is sweet (1) or sour (0)."""

    X: Floats
    hill: NDArray[np.bool_]
    y: Numbers

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Numbers) -> Apples:
        """Return some of them."""
        return Apples(self.X[rows], self.hill[rows], self.y[rows])


def grow(rows: int, seed: int, hill: float = HILL, call: int = 0) -> Apples:
    """Return apples drawn by lot, a share of them from the hill."""
    is_hill = uniform(rows, seed, call + _WHERE) < hill
    X = normal(2 * rows, seed, call + _PLACE).reshape(rows, 2)
    X[:, 0] = 0.8 * X[:, 0] + np.where(is_hill, 1.3, -1.3)
    chance = _BLUR * normal(rows, seed, call + _LINE)
    above = X[:, 1] - np.where(is_hill, -_SLOPE, _SLOPE) * X[:, 0] + chance > 0
    return Apples(X, is_hill, (above ^ is_hill).astype(np.int64))


def fresh(seed: int) -> Apples:
    """Return apples of the population that nobody has seen before."""
    return grow(FRESH, seed, call=_NEW)


def collect(rows: int, seed: int, hill: float, sweet: float) -> Apples:
    """Return what somebody brings home: so many rows, so many from the hill, so many of them sweet.

    `hill` and `sweet` are shares of the sample; they are met as nearly as whole apples allow.
    """
    crop = grow(20 * rows, seed, hill=0.5, call=100)
    chosen = []
    for is_hill, of_place in ((True, hill), (False, 1 - hill)):
        for is_sweet, of_class in ((1, sweet), (0, 1 - sweet)):
            found = np.flatnonzero((crop.hill == is_hill) & (crop.y == is_sweet))
            chosen.append(found[: round(rows * of_place * of_class)])
    together = np.concatenate(chosen)
    return crop.take(together[permutation(len(together), seed, GENERATE_STREAM, 101)])


def mislabel(y: Numbers, share: float, seed: int) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return labels of which a share is wrong, and which ones."""
    order = permutation(len(y), seed, GENERATE_STREAM, _WRONG)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[order[: round(share * len(y))]] = True
    return np.where(wrong, 1 - y, y), wrong


def learn(X: Floats, y: Numbers, seed: int, updates: int = UPDATES) -> Callable[[Floats], Numbers]:
    """Train a network of one hidden layer by Adam on all rows at once; return what it says of points."""
    hidden = sw.tensor(normal(2 * UNITS, seed, 1).reshape(2, UNITS), requires_grad=True)
    shift = sw.tensor(normal(UNITS, seed, 2).reshape(1, UNITS), requires_grad=True)
    out = sw.tensor(normal(UNITS, seed, 3).reshape(UNITS, 1) / UNITS**0.5, requires_grad=True)
    bias = sw.tensor(np.zeros((1, 1)), requires_grad=True)
    optimizer = sw.optim.Adam([hidden, shift, out, bias], lr=RATE)
    inputs, targets = sw.tensor(X.astype(np.float64)), sw.tensor(y.astype(np.float64)[:, None])

    def logits(x: sw.Tensor) -> sw.Tensor:
        return sw.tanh(x @ hidden + shift) @ out + bias

    def update() -> sw.Tensor:
        optimizer.zero_grad()
        said = logits(inputs)
        loss = (sw.maximum(said, 0.0) - said * targets + sw.log1p(sw.exp(-sw.abs(said)))).mean()
        loss.backward()
        optimizer.step()
        return loss

    step = sw.compile(update, target="interpreter")  # the bits of the plain call, in less time
    for _ in range(updates):
        step()

    def say(points: Floats) -> Numbers:
        with sw.no_grad():
            said = logits(sw.tensor(points.astype(np.float64))).numpy()[:, 0]
        sweet: Numbers = (said > 0).astype(np.int64)
        return sweet

    return say


def split(rows: int, y: Numbers, seed: int) -> tuple[Numbers, Numbers]:
    """Return rows to learn from and rows to test on."""
    parts = sw.data.split(rows, validation=None, test=TEST, stratify=y, seed=seed)
    return parts.train, parts.test


# ---- labelling -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """What two people said of the same apples: 1 is spoilt, 0 is sound; and how spoilt each apple is."""

    decay: Floats
    first: Numbers
    second: Numbers

    @property
    def table(self) -> Numbers:
        """Counts, shape (2, 2): the first person's labels down, the second's across."""
        return np.array(
            [[int(((self.first == a) & (self.second == b)).sum()) for b in (0, 1)] for a in (0, 1)]
        )


def label(rows: int, spoilt: float, stricter: float, slips: float, seed: int) -> Labels:
    """Return the labels of two people.

    Parameters
    ----------
    spoilt : share of the apples that the first person's rule calls spoilt
    stricter : by how much the second begins earlier to call an apple spoilt, in standard deviations
    slips : share of labels that either gets wrong by carelessness
    """
    decay = normal(rows, seed, 20)
    line = float(np.quantile(normal(FRESH, 0, 21), 1 - spoilt))
    first, second = decay > line, decay > line - stricter
    for number, said in enumerate((first, second)):
        said ^= uniform(rows, seed, 22 + number) < slips
    return Labels(decay, first.astype(np.int64), second.astype(np.int64))


def agreement(table: Numbers) -> float:
    """Return the share of rows on which both say the same."""
    return float(np.trace(table) / table.sum())


def by_chance(table: Numbers) -> float:
    """Return the agreement to expect if each kept their shares of labels and dealt them out blindly."""
    shares = table / table.sum()
    return float((shares.sum(axis=0) * shares.sum(axis=1)).sum())


def kappa(table: Numbers) -> float:
    """Return Cohen's kappa; it is not a number if both gave one label only.

    Source: J. Cohen, "A Coefficient of Agreement for Nominal Scales", 1960.
    """
    chance = by_chance(table)
    return float("nan") if chance == 1 else (agreement(table) - chance) / (1 - chance)
