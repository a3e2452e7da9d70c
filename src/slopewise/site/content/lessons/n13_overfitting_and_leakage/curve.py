"""The first trap of this lesson: a network that learns a few noisy rows of a curve for too long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal, uniform

Floats = NDArray[np.float64]

UPDATES, EVERY = 300, 10  # updates of a run, and between two checkpoints
HIGHEST = 3.0  # targets of rows of one's own lie between this and its negative
VALIDATION, NEW = 30, 10_000
MOST_OWN = 12  # rows that a learner may add
_RATE = 0.03
_STRETCH = 6.0  # of the input: a network of tanh bends easily at this scale
_TRAINING, _HELD_BACK, _NEW = 10, 20, 30  # calls of the generator


@dataclass(frozen=True)
class Points:
    """Rows of one input and one noisy target."""

    x: Floats
    y: Floats


def truth(x: Floats) -> Floats:
    """Return the curve behind the rows."""
    return np.sin(np.pi * x)


def draw(rows: int, noise: float, seed: int, call: int) -> Points:
    """Return rows: inputs from -1 to 1, targets on the curve plus Gaussian noise."""
    x = 2 * uniform(rows, seed, call) - 1
    return Points(x, truth(x) + noise * normal(rows, seed, call + 1))


@dataclass(frozen=True)
class World:
    """Training, validation and new rows of one file."""

    training: Points
    validation: Points
    new: Points

    @classmethod
    def collect(cls, rows: int, noise: float, seed: int, own: Points | None = None) -> World:
        """Return a file of some training rows, with rows of one's own if given, and all rows to come."""
        training = draw(rows, noise, seed, _TRAINING)
        if own is not None:
            training = Points(np.concatenate([training.x, own.x]), np.concatenate([training.y, own.y]))
        return cls(
            training,
            draw(VALIDATION, noise, seed, _HELD_BACK),
            draw(NEW, noise, seed, _NEW),
        )


@dataclass(frozen=True)
class Run:
    """What each checkpoint of a run was worth: its mean squared error on three sets, and its curve."""

    updates: list[int]
    training: list[float]
    validation: list[float]
    new: list[float]
    curves: list[Floats]  # the network's answers over `GRID`

    @property
    def chosen(self) -> int:
        """The checkpoint with the lowest validation loss."""
        return int(np.argmin(self.validation))

    @property
    def last(self) -> int:
        """The last checkpoint."""
        return len(self.updates) - 1

    def is_at_a_loss(self, patience: int) -> bool:
        """Tell whether so many checkpoints in a row brought no lower validation loss; 0 waits for ever."""
        return bool(patience) and self.last - self.chosen >= patience


GRID = np.linspace(-1, 1, 121)


def network(width: int, dropout: float, seed: int) -> sw.nn.Sequential:
    """Return a network of two hidden layers, with dropout after each if asked for."""
    sw.manual_seed(seed)
    layers: list[sw.nn.Module] = [sw.nn.Linear(1, width), sw.nn.Tanh()]
    if dropout:
        layers.append(sw.nn.Dropout(dropout))
    layers += [sw.nn.Linear(width, width), sw.nn.Tanh()]
    if dropout:
        layers.append(sw.nn.Dropout(dropout))
    return sw.nn.Sequential(*layers, sw.nn.Linear(width, 1))


def train(
    world: World,
    width: int,
    decay: float,
    dropout: float,
    seed: int,
    every: int = EVERY,
    patience: int = 0,
) -> Run:
    """Train on all training rows at once, and measure at every checkpoint.

    With patience, stop early: after so many checkpoints without a lower validation loss.
    """
    model = network(width, dropout, seed)
    optimizer = sw.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=decay)
    x, y = _column(_STRETCH * world.training.x), _column(world.training.y)

    def update() -> sw.Tensor:
        optimizer.zero_grad()
        loss = sw.losses.mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step = sw.compile(update, target="interpreter")  # the bits of the plain call, in half of the time
    run = Run([], [], [], [], [])
    for updates in range(UPDATES + 1):
        if updates % every == 0:
            _measure(model, world, run, updates)
            if run.is_at_a_loss(patience):
                break
        if updates < UPDATES:
            step()
    return run


def _measure(model: sw.nn.Sequential, world: World, run: Run, updates: int) -> None:
    sets = (world.training, world.validation, world.new)
    ends = np.cumsum([len(points.x) for points in sets])
    inputs = np.concatenate([*(points.x for points in sets), GRID])
    model.eval()
    with sw.no_grad():
        answers = model(_column(_STRETCH * inputs)).numpy()[:, 0].astype(np.float64)
    model.train()
    parts = np.split(answers, ends)
    run.updates.append(updates)
    for losses, said, points in zip((run.training, run.validation, run.new), parts, sets):
        losses.append(float(np.mean((said - points.y) ** 2)))
    run.curves.append(parts[3])


def _column(values: Floats) -> sw.Tensor:
    return sw.tensor(values[:, None].astype(np.float32))
