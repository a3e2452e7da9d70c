"""A small project from start to end: rows, split, three rounds of training, and what comes after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.splitting import split
from slopewise.engine.tensor import Tensor
from slopewise.nn import Module

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

SHORT, LONG = 40, 160  # updates of a short and of a long training
HIDDEN = 8
FRESH = 2000  # rows that nobody has seen
DRIFT = 0.5  # how much higher a new measuring device reads
LONGER = 3 * SHORT  # of the line, to see whether patience alone helps
LAST = (SHORT, SHORT, LONG)  # updates at the end of each round
MODELS = ("a straight line", f"a network with {HIDDEN} hidden values", "the same network, trained on")
SIDE = 3.0  # the map shows -3 to 3 in both scaled measurements
AXIS = np.linspace(-SIDE, SIDE, 41)


@dataclass(frozen=True)
class Rows:
    """Inputs, shape (rows, 2), and classes, shape (rows,)."""

    X: Floats
    y: Numbers


@dataclass(frozen=True)
class Data:
    """The rows of a project, split, and scaled by the training rows.

    Attributes
    ----------
    raw : Rows
        As they were collected.
    mean, spread : shape (2,)
        Of the inputs of the training rows: what scaling subtracts, and divides by.
    parts : dict of Rows
        Scaled, by name: training, validation, test, and two kinds of rows that come after: "new parts", and
        those of a "new device", which reads higher in the second measurement.
    numbers : dict of arrays
        Which rows of `raw` the first three are.
    """

    raw: Rows
    mean: Floats
    spread: Floats
    parts: dict[str, Rows]
    numbers: dict[str, Numbers]


def collect(rows: int, noise: float, seed: int) -> Data:
    """Collect rows, split them, and scale all parts with what the training rows say."""
    raw = Rows(*sw.data.generate("moons", n=rows, noise=noise, seed=seed))
    made = split(rows, validation=0.25, test=0.25, stratify=raw.y, seed=seed)
    numbers = {"training": made.train, "validation": made.validation, "test": made.test}
    learned = raw.X[made.train]
    mean, spread = learned.mean(axis=0), learned.std(axis=0)

    def scaled(X: Floats, y: Numbers) -> Rows:
        return Rows(((X - mean) / spread).astype(np.float32), y)

    X, y = sw.data.generate("moons", n=FRESH, noise=noise, seed=seed + 1000)
    moved = X + np.array([0.0, DRIFT], dtype=np.float32)
    parts = {name: scaled(raw.X[which], raw.y[which]) for name, which in numbers.items()}
    parts |= {"new parts": scaled(X, y), "new device": scaled(moved, y)}
    return Data(raw, mean, spread, parts, numbers)


@dataclass(frozen=True)
class Moment:
    """A model after some updates.

    Attributes
    ----------
    loss, validation_loss : float
        Mean cross-entropy of the training and of the validation rows.
    right : dict of boolean arrays
        Which rows of each part it gets right.
    map : shape of the grid
        The probability of kind 1 that it says at each place.
    """

    updates: int
    loss: float
    validation_loss: float
    right: dict[str, NDArray[np.bool_]]
    map: NDArray[np.float64]

    def accuracy(self, part: str) -> float:
        """Return the share of a part's rows that it gets right."""
        return float(self.right[part].mean())


class Training:
    """A model in training: full-batch gradient descent on cross-entropy, one update at a time."""

    def __init__(self, data: Data, rate: float, seed: int, *, bent: bool) -> None:
        sw.manual_seed(seed)
        self.model: Module = sw.nn.Linear(2, 1)
        if bent:
            self.model = sw.nn.Sequential(sw.nn.Linear(2, HIDDEN), sw.nn.Tanh(), sw.nn.Linear(HIDDEN, 1))
        self.data = data
        self.optimizer = sw.optim.SGD(self.model.parameters(), lr=rate)
        self.updates = 0
        self.losses: list[tuple[float, float]] = []  # training and validation, before each update

    @property
    def parameters(self) -> int:
        """How many numbers training may change."""
        return sum(parameter.size for parameter in self.model.parameters())

    def logits(self, X: Floats) -> Tensor:
        """Return the scores of class 1, shape (rows,)."""
        scores: Tensor = self.model(sw.tensor(X))[:, 0]
        return scores

    def loss_on(self, part: str) -> Tensor:
        """Return the mean cross-entropy of a part's rows."""
        rows = self.data.parts[part]
        target = sw.tensor(rows.y.astype(np.float32))
        loss: Tensor = sw.losses.binary_cross_entropy_with_logits(self.logits(rows.X), target)
        return loss

    def train_to(self, updates: int) -> None:
        """Make updates until there have been so many in all."""
        while self.updates < updates:
            self.optimizer.zero_grad()
            loss = self.loss_on("training")
            loss.backward()
            self.losses.append((loss.item(), self.measure("validation")))
            self.optimizer.step()
            self.updates += 1

    def measure(self, part: str) -> float:
        """Return the loss of a part's rows as a number, without a tape."""
        with sw.no_grad():
            return float(self.loss_on(part).item())

    def moment(self, grid: Floats) -> Moment:
        """Return how the model stands now; `grid` holds the places of the map."""
        with sw.no_grad():
            said = sw.sigmoid(self.logits(grid.reshape(-1, 2))).numpy().astype(np.float64)
            right = {
                name: (self.logits(rows.X).numpy() > 0) == (rows.y == 1)
                for name, rows in self.data.parts.items()
            }
        return Moment(
            self.updates,
            self.measure("training"),
            self.measure("validation"),
            right,
            said.reshape(grid.shape[:-1]),
        )


@dataclass(frozen=True)
class Round:
    """A round of training: which model, how many parameters it has, and how it stood when validated."""

    number: int
    model: str
    parameters: int
    moment: Moment


@dataclass(frozen=True)
class Project:
    """A project that was carried out.

    Attributes
    ----------
    first, second, third : lists of Moment
        Of each round, in order; the last is the one that was validated.
    patient : Moment
        The line of the first round after `LONGER` updates.
    curves : lists of (training loss, validation loss)
        Before each update, of the line and of the network.
    chosen : Round
        The one with the best validation score; of equal ones, the one with the lower validation loss.
    """

    data: Data
    first: list[Moment]
    second: list[Moment]
    third: list[Moment]
    patient: Moment
    curves: tuple[list[tuple[float, float]], list[tuple[float, float]]]
    rounds: tuple[Round, ...]
    chosen: Round

    def curve(self, number: int) -> list[tuple[float, float]]:
        """Return the losses of the model of a round, up to that round's end."""
        return self.curves[0 if number == 0 else 1][: LAST[number] + 1]


def carry_out(data: Data, rate: float, seed: int) -> Project:
    """Train a line, then a network, then the same network for longer, and choose by validation."""
    axis = AXIS.astype(np.float32)
    grid: Floats = np.stack(np.meshgrid(axis, axis), axis=-1)

    def walk(training: Training, marks: tuple[int, ...]) -> list[Moment]:
        made = []
        for mark in marks:
            training.train_to(mark)
            made.append(training.moment(grid))
        return made

    line = Training(data, rate, seed, bent=False)
    *first, patient = walk(line, (0, 1, 2, 5, 10, 20, SHORT, LONGER))
    network = Training(data, rate, seed, bent=True)
    second = walk(network, (0, 10, SHORT))
    third = walk(network, (LONG // 2, LONG))
    rounds = tuple(
        Round(k + 1, MODELS[k], model.parameters, moments[-1])
        for k, (model, moments) in enumerate(((line, first), (network, second), (network, third)))
    )
    chosen = min(rounds, key=lambda made: (-made.moment.accuracy("validation"), made.moment.validation_loss))
    return Project(data, first, second, third, patient, (line.losses, network.losses), rounds, chosen)
