"""The small world of this lesson: a model of two parameters, its rows, walkers with batches of any size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal
from slopewise.engine.random import permutation
from slopewise.engine.tensor import Tensor

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

ROWS = 128
TRUTH = np.array([1.0, -0.6])
START: Floats = np.array([-1.6, 1.4])
_SPREAD = np.array([1.0, 0.55])  # of the two inputs: the valley is longer in the second parameter
MOST = 1e3  # a walk ends where a parameter is beyond


@dataclass(frozen=True)
class World:
    """Rows of two inputs and a target, sorted by the target, as files often are.

    Attributes
    ----------
    X : shape (rows, 2)
    y : shape (rows,)
    noise : float
        The standard deviation of what the inputs do not explain.
    """

    X: Floats
    y: Floats
    noise: float

    def loss(self, w: Tensor) -> Tensor:
        """Return half the mean squared error over all rows, for parameters of shape (..., 2)."""
        error = w @ sw.tensor(self.X.T) - sw.tensor(self.y)
        loss: Tensor = (0.5 * error * error).mean(-1)
        return loss

    def gradient(self, w: Floats, rows: Numbers) -> Floats:
        """Return the gradient of the mean loss over some rows."""
        at = sw.tensor(w, requires_grad=True)
        error = sw.tensor(self.X[rows]) @ at - sw.tensor(self.y[rows])
        (0.5 * (error * error).mean()).backward()
        assert at.grad is not None
        return np.asarray(at.grad.numpy(), dtype=np.float64)

    def gradients(self, points: Floats) -> Floats:
        """Return the gradient of each row by itself at each point, shape (points, rows, 2)."""
        each = np.broadcast_to(points[:, None, :], (len(points), *self.X.shape))

        def loss(w: Tensor) -> Tensor:
            error = (sw.tensor(self.X) * w).sum(-1) - sw.tensor(self.y)
            total: Tensor = (0.5 * error * error).sum()
            return total

        found: Floats = sw.grad(loss)(sw.tensor(each)).numpy()
        return found

    @cached_property
    def lowest(self) -> Floats:
        """The parameters with the lowest loss over all rows."""
        found, *_ = np.linalg.lstsq(self.X, self.y, rcond=None)
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def floor(self) -> float:
        """The lowest loss over all rows."""
        return float(self.loss(sw.tensor(self.lowest)).item())


def collect(noise: float, seed: int, rows: int = ROWS) -> World:
    """Return rows of y = x · truth + noise, in the order of their targets."""
    X = normal(2 * rows, seed, 400).reshape(rows, 2) * _SPREAD
    y = X @ TRUTH + noise * normal(rows, seed, 401)
    line = np.argsort(y, kind="stable")
    return World(X[line], y[line], noise)


def batches(rows: int, size: int, order: str, seed: int) -> Iterator[Numbers]:
    """Return the rows of each batch, epoch after epoch, without end; the last of an epoch may be smaller.

    Parameters
    ----------
    order : "shuffle" for a new order each epoch, or "file"
    """
    epoch = 0
    while True:
        line = permutation(rows, seed, call=epoch) if order == "shuffle" else np.arange(rows)
        for start in range(0, rows, size):
            yield line[start : start + size]
        epoch += 1


@dataclass(frozen=True)
class Walk:
    """Where a walker with batches of some size has been.

    Attributes
    ----------
    size : int
        Rows of a batch.
    points : shape (updates + 1, 2)
    seen : shape (updates + 1,)
        How many rows it had looked at.
    heights : shape (updates + 1,)
        Its loss over all rows, above the lowest.
    """

    size: int
    points: Floats
    seen: Numbers
    heights: Floats

    def at(self, clock: str, time: int) -> int:
        """Return how many updates were done when the clock showed a time.

        Parameters
        ----------
        clock : "updates", or "rows" for rows looked at
        """
        if clock == "updates":
            return min(time, len(self.points) - 1)
        return int(np.searchsorted(self.seen, time, side="right")) - 1

    def times(self, clock: str) -> Floats:
        """Return what the clock showed at each update."""
        return np.arange(len(self.points), dtype=float) if clock == "updates" else self.seen.astype(float)


def walk(
    world: World, size: int, rate: float, order: str, seed: int, *, updates: int = 10**9, rows: int = 10**9
) -> Walk:
    """Walk until so many updates are done or so many rows looked at."""
    point, points, seen = START, [START], [0]
    for batch in batches(len(world.y), size, order, seed):
        if len(points) > updates or seen[-1] + len(batch) > rows:
            break
        point = point - rate * world.gradient(point, batch)
        points.append(point)
        seen.append(seen[-1] + len(batch))
        if np.abs(point).max() > MOST:
            break
    made = np.array(points)
    heights = np.maximum(world.loss(sw.tensor(made)).numpy() - world.floor, 1e-12)
    return Walk(size, made, np.array(seen), heights)


def noise_floor(
    world: World, size: int, rate: float, seed: int, updates: int = 300, walkers: int = 24
) -> float:
    """Return the mean height that walkers keep with a fixed learning rate, long after the start."""
    X, y = sw.tensor(world.X), sw.tensor(world.y)

    def loss(w: Tensor, rows: Numbers) -> Tensor:
        error = (X[rows] * w[:, None, :]).sum(-1) - y[rows]
        total: Tensor = (0.5 * error * error).mean(-1).sum()
        return total

    slope = sw.grad(loss)
    lines = [batches(len(world.y), size, "shuffle", seed + number) for number in range(walkers)]
    w = np.tile(world.lowest, (walkers, 1))
    kept = []
    for update in range(updates):
        rows = np.stack([next(line) for line in lines])
        w = w - rate * slope(sw.tensor(w), rows).numpy()
        if update >= updates // 2:
            kept.append(float(world.loss(sw.tensor(w)).numpy().mean()) - world.floor)
    return float(np.mean(kept))


def scatter(gradients: Floats, size: int) -> float:
    """Return how far a batch's gradient lies from the mean of all rows' gradients, root mean square.

    Parameters
    ----------
    gradients : shape (rows, 2)
        Of the rows one by one.

    Notes
    -----
    A batch is drawn without replacement: the variance is σ²/B (N − B)/(N − 1).
    """
    rows = len(gradients)
    variance = float(((gradients - gradients.mean(0)) ** 2).sum(1).mean())
    return math.sqrt(variance / size * (rows - size) / (rows - 1))
