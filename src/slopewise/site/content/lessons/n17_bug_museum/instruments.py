"""Runs an exhibit's program on the engine, with instruments attached that change nothing in it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.engine.random import permutation
from slopewise.site.content.lessons.n17_bug_museum.exhibit import Exhibit
from slopewise.site.content.lessons.n17_bug_museum.world import collect

Floats = NDArray[np.float64]

FIRST_READINGS = (1, 2, 5, 10, 20, 30, 45, 60, 80, 100, 125, 150)
TIMES = 10  # how often a model is asked for the same rows
GRID = 25
_SHUFFLE = 171


@dataclass
class Reading:
    """What the instruments show after an update."""

    update: int
    loss: float  # of the batch, as the loop prints it
    training: float
    validation: float
    right: float  # share of validation rows
    right_training: float
    gradients: dict[str, float | None]  # norm by layer; None where no gradient came
    ratios: dict[str, float]  # size of the update over size of the weights, by layer
    active: Floats  # by hidden unit of the first layer: share of rows where its output is not 0
    units: Floats  # by hidden unit: its weights from the inputs, shape (units, inputs)
    map: Floats  # what the model says over a grid, where rows have two columns
    outputs: Floats  # for validation rows
    astray: float  # length of (stored gradient - the batch's own) over that of the batch's own


@dataclass
class Recording:
    """A run of a program, as its instruments saw it."""

    exhibit: Exhibit
    seed: int
    losses: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)  # of class 1 in each batch
    in_training_mode: list[bool] = field(default_factory=list)  # at each update
    readings: list[Reading] = field(default_factory=list)
    asked: list[tuple[int, Floats]] = field(default_factory=list)  # the same rows, TIMES times, at each score
    namespace: dict[str, Any] = field(default_factory=dict)
    batch: Any = None  # the rows and targets at work
    latest: Any = None  # the model, and its parameters before and after the latest update

    def finish(self) -> None:
        """Take a reading after the last update, if there is none."""
        if self.readings[-1].update != self.updates:
            self.readings.append(_read(self, *self.latest))

    @property
    def updates(self) -> int:
        """How many updates were made."""
        return len(self.losses)

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers of the whole run that texts and checks call by name."""
        last = self.readings[-1]
        norms = [norm if norm is not None else 0.0 for norm in last.gradients.values()]
        tail = np.asarray(self.losses[-len(self.losses) // 3 :])
        with np.errstate(all="ignore"):
            return {
                "updates": self.updates,
                "softmax_floor": math.log(1 + 2 / math.e),  # of -log softmax(1, 0, 0)
                "first_loss": self.losses[0],
                "last_loss": float(tail[-6:].mean()),
                "lowest_loss": float(np.min(self.losses)),
                "highest_loss": float(np.max(self.losses)),
                "swing": float(np.std(tail)),
                "training": last.training,
                "validation": last.validation,
                "worst_validation": max(reading.validation for reading in self.readings[-4:]),
                "right": last.right,
                "right_training": last.right_training,
                "first_gradient": norms[0],
                "last_gradient": norms[-1],
                "least_gradient": min(norms),
                "first_layer_ratio": next(iter(last.ratios.values()), 0.0),
                "astray": last.astray,
                "active": float(last.active.mean()) if last.active.size else 1.0,
                "unlike": _unlike(last.units),
                "two": math.log(2),
                "pure": float(np.mean([share in (0.0, 1.0) for share in self.shares])),
                "ruler": self._ruler(),
                "in_training_mode": float(np.mean(self.in_training_mode)),
                "asked_right": self.asked_right[-1] if self.asked else last.right,
                "spread": self._spread(),
                "highest_output": float(last.outputs.max()),
                "lowest_output": float(last.outputs.min()),
                "width_of_outputs": float(np.ptp(last.outputs)),
            }

    @property
    def asked_right(self) -> list[float]:
        """The share of validation rows that were right at each score, by the loop's own first answer."""
        y = self.namespace["y_val"]
        return [float(((said[0] > 0.5) == y).mean()) for _, said in self.asked]

    def _spread(self) -> float:
        """Return the largest standard deviation of the answers for one row, at the last score."""
        return round(float(self.asked[-1][1].std(axis=0).max()), 9) if self.asked else 0.0

    def _ruler(self) -> float:
        """Return how far the same row lies apart, prepared as training rows and as validation rows are.

        Both preparations are lines y = a x + b, column by column, found from what the program made of rows.
        """
        if self.exhibit.data != "clinics":
            return 0.0
        raw = collect(self.exhibit.data, self.seed)
        differences = []
        for column in range(raw["X_train"].shape[1]):
            row = float(raw["X_val"][:, column].max())
            prepared = []
            for part in ("X_train", "X_val"):
                x, made = (rows[part][:, column].astype(np.float64) for rows in (raw, self.namespace))
                slope = np.ptp(made) / np.ptp(x)
                prepared.append(float(made[0] + slope * (row - x[0])))
            differences.append(abs(prepared[0] - prepared[1]))
        return max(differences)


def _unlike(units: Floats) -> float:
    """Return how far the hidden units' weights lie apart: the mean distance from their centre."""
    if not units.size:
        return 1.0
    return float(np.sqrt(((units - units.mean(axis=0)) ** 2).sum(axis=1)).mean())


def run(exhibit: Exhibit, patch: str, seed: int) -> Recording:
    """Run the exhibit's program: with its fault ("none"), or with one of its patches."""
    recording = Recording(exhibit, seed)
    rows = collect(exhibit.data, seed)
    namespace = _words(recording, seed) | rows | {"log": _log(recording), "score": _score(recording)}
    recording.namespace = namespace
    sw.manual_seed(seed)
    program = "\n".join(exhibit.lines(patch))
    with np.errstate(all="ignore"):  # some exhibits are here because their numbers run away
        # Our own lines, put together from slots: neither an address nor a form holds any of this text.
        exec(compile(program, f"<{exhibit.name}, {patch}>", "exec"), namespace)
        recording.finish()
    return recording


def _words(recording: Recording, seed: int) -> dict[str, Any]:
    """Return what programs call besides their rows and the two instruments."""
    epochs = count()

    def batches(X: Any, y: Any, size: int = 16, shuffle: bool = True) -> Iterator[Any]:
        order = permutation(len(X), seed, _SHUFFLE, next(epochs)) if shuffle else np.arange(len(X))
        for start in range(0, len(X), size):
            chosen = order[start : start + size]
            recording.batch = sw.tensor(X[chosen]), sw.tensor(y[chosen])
            yield recording.batch

    words: dict[str, Any] = {
        "batches": batches,
        "cross_entropy": sw.losses.cross_entropy,
        "no_grad": sw.no_grad,
        "manual_seed": sw.manual_seed,
        "softmax": sw.softmax,
        "permutation": lambda call: permutation(96, seed, _SHUFFLE, 1000 + call),
        "sw": sw,
        "SGD": sw.optim.SGD,
        "Adam": sw.optim.Adam,
        "clip_gradients": _clip,
        "fill": _fill,
        "pick": lambda p, y: p[sw.arange(len(y)), y],
    }
    for name in ("Sequential", "Linear", "ReLU", "LeakyReLU", "Tanh", "Dropout", "Softmax"):
        words[name] = getattr(sw.nn, name)
    return words


def _fill(what: Any, value: float) -> None:
    """Set a parameter, or all parameters of a model, to one number."""
    with sw.no_grad():
        for parameter in what.parameters() if isinstance(what, sw.nn.Module) else (what,):
            parameter[...] = value


def _clip(model: Any, most: float) -> None:
    """Shorten the gradient to a length."""
    gradients = [p for p in model.parameters() if p.grad is not None]
    length = math.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in gradients))
    if length > most:
        for p in gradients:
            p.grad = p.grad * (most / length)


def _log(recording: Recording) -> Callable[[Any, Any], None]:
    """Return the function `log(model, loss)`: it is called after each update."""
    before: dict[str, Floats] = {}

    def log(model: Any, loss: sw.Tensor) -> None:
        recording.losses.append(loss.item())
        recording.shares.append(float(np.mean(recording.batch[1].numpy() == 1)))
        after = {name: value.numpy() for name, value in model.named_parameters()}
        recording.in_training_mode.append(model.training)
        update = recording.updates
        if update in FIRST_READINGS or update % 50 == 0:
            recording.readings.append(_read(recording, model, before, after))
        recording.latest = model, dict(before), after
        before.clear()
        before.update(after)

    return log


def _score(recording: Recording) -> Callable[[Any], None]:
    """Return the function `score(model)`: it asks the model, in its mode, for the validation rows."""

    def score(model: Any) -> None:
        twin = copy.deepcopy(model)  # so that asking moves no random number of the model
        X = sw.tensor(recording.namespace["X_val"])
        with sw.no_grad():
            said = [_probabilities(twin(X)) for _ in range(TIMES)]
        recording.asked.append((recording.updates, np.stack(said)))

    return score


def _probabilities(logits: sw.Tensor) -> Floats:
    """Return the probability of class 1."""
    values = logits.numpy().astype(np.float64)
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    chance: Floats = (shifted / shifted.sum(axis=1, keepdims=True))[:, 1]
    return chance


def _read(recording: Recording, model: Any, before: dict[str, Floats], after: dict[str, Floats]) -> Reading:
    words = recording.namespace
    twin = copy.deepcopy(model).eval()
    with sw.no_grad():
        training, right_training, _ = _judge(twin, recording.exhibit.loss, words["X_train"], words["y_train"])
        validation, right, outputs = _judge(twin, recording.exhibit.loss, words["X_val"], words["y_val"])
        active = _active(twin, words["X_train"])
        drawn = _map(twin, words["X_train"]) if words["X_train"].shape[1] == 2 else np.zeros((0, 0))
    units = next(value for name, value in after.items() if name.endswith("weight")).astype(np.float64)
    return Reading(
        recording.updates,
        recording.losses[-1],
        training,
        validation,
        right,
        right_training,
        _gradients(model),
        _ratios(before, after),
        active,
        units,
        drawn,
        outputs,
        _astray(recording, model, before),
    )


def _judge(model: Any, loss: str, X: Any, y: Any) -> tuple[float, float, Floats]:
    """Return the mean loss, the share that is right (within half, for numbers), and what the model says."""
    said = model(sw.tensor(X))
    if loss == "mse":
        values = said.numpy().astype(np.float64)[:, 0]
        errors = values - y
        return float((errors**2).mean()), float((np.abs(errors) < 0.5).mean()), values
    mean = sw.losses.cross_entropy(said, sw.tensor(y)).item()
    values = said.numpy()
    return mean, float((values.argmax(axis=1) == y).mean()), _probabilities(said)


def _layers(model: Any) -> Iterator[Any]:
    for layer in model:
        if isinstance(layer, sw.nn.Sequential):
            yield from _layers(layer)
        else:
            yield layer


def _active(model: Any, X: Any) -> Floats:
    """Return for each unit of the first hidden layer the share of rows where it is not 0."""
    value = sw.tensor(X)
    for layer in _layers(model):
        value = layer(value)
        if isinstance(layer, sw.nn.ReLU | sw.nn.LeakyReLU | sw.nn.Tanh):
            share: Floats = (value.numpy() != 0).mean(axis=0)
            return share
    return np.zeros(0)


def _map(model: Any, X: Any) -> Floats:
    """Return over a grid around the rows how likely the model holds class 1, or which class it says."""
    xs, ys = grid(X)
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
    logits = model(sw.tensor(points))
    values = _probabilities(logits) if logits.shape[1] == 2 else logits.numpy().argmax(axis=1) / 2
    drawn: Floats = np.asarray(values, dtype=np.float64).reshape(GRID, GRID)
    return drawn


def grid(X: Any) -> tuple[Floats, Floats]:
    """Return the lines of a grid that holds all rows."""
    low, high = X.min(axis=0), X.max(axis=0)
    room = 0.1 * (high - low)
    xs, ys = (np.linspace(low[k] - room[k], high[k] + room[k], GRID) for k in range(2))
    return xs, ys


def _by_layer(model: Any) -> dict[str, list[str]]:
    """Return the names of the parameters of each layer, in order."""
    groups: dict[str, list[str]] = {}
    for name, _ in model.named_parameters():
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    return {f"layer {place}": names for place, names in enumerate(groups.values(), start=1)}


def _gradients(model: Any) -> dict[str, float | None]:
    gradients = {name: value.grad for name, value in model.named_parameters()}
    norms: dict[str, float | None] = {}
    for layer, names in _by_layer(model).items():
        there = [gradients[name].numpy().astype(np.float64) for name in names if gradients[name] is not None]
        norms[layer] = math.sqrt(sum(float((value**2).sum()) for value in there)) if there else None
    return norms


def _ratios(before: dict[str, Floats], after: dict[str, Floats]) -> dict[str, float]:
    """Return the length of the last update over the length of the weights; nothing before the second."""
    if not before:
        return {}
    ratios = {}
    weights = [name for name in after if name.endswith("weight")]
    for place, name in enumerate(weights, start=1):
        new, old = after[name].astype(np.float64), before[name].astype(np.float64)
        size = float(np.sqrt((old**2).sum()))
        ratios[f"layer {place}"] = float(np.sqrt(((new - old) ** 2).sum())) / size if size else 0.0
    return ratios


def _astray(recording: Recording, model: Any, before: dict[str, Floats]) -> float:
    """Return how far the stored gradient is from the gradient of the mean loss of the last batch alone.

    The latter is taken anew, at the weights that the update started from.
    """
    if not before or recording.exhibit.loss != "cross_entropy":
        return 0.0
    twin = copy.deepcopy(model).eval()
    with sw.no_grad():
        for name, value in twin.named_parameters():
            value[:] = before[name]
    sw.optim.SGD(twin.parameters(), lr=1.0).zero_grad()
    X, y = recording.batch
    sw.losses.cross_entropy(twin(X), y).backward()
    own, stored = (np.concatenate([_flat(value) for value in each.parameters()]) for each in (twin, model))
    length = float(np.linalg.norm(own))
    return float(np.linalg.norm(stored - own)) / length if length else 0.0


def _flat(value: Any) -> Floats:
    gradient = value.numpy() * 0 if value.grad is None else value.grad.numpy()
    flat: Floats = gradient.astype(np.float64).reshape(-1)
    return flat
