"""The small network of this lesson: trained once, then called in both modes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal, uniform
from slopewise.engine.errors import ShapeError

Floats = NDArray[np.float64]

UNITS, ROWS, SCORED = 16, 64, 192  # hidden units; training rows; validation rows
CALLS = 10  # in each mode
ROW = 0.4  # the input of the row that is asked for again and again
_UPDATES, _RATE, _NOISE = 120, 0.05, 0.1
_TRAINING, _VALIDATION, _COMPANY = 10, 20, 30  # calls of the generator

LAYERS = {"dropout": "dropout", "batchnorm": "batch norm", "layernorm": "layer norm"}


def rows(count: int, seed: int, call: int, shift: float = 0.0) -> tuple[sw.Tensor, sw.Tensor]:
    """Return inputs from -1 to 1, moved by `shift`, and targets on a noisy sine."""
    x = 2 * uniform(count, seed, call) - 1 + shift
    y = np.sin(np.pi * x) + _NOISE * normal(count, seed, call + 1)
    return _column(x), _column(y)


def build(layer: str, p: float, seed: int) -> sw.nn.Sequential:
    """Return a network of one hidden layer, with the layer in question before its last one."""
    sw.manual_seed(seed)
    made: sw.nn.Module = sw.nn.LayerNorm(UNITS)
    if layer == "dropout":
        made = sw.nn.Dropout(p)
    elif layer == "batchnorm":
        made = sw.nn.BatchNorm1d(UNITS)
    return sw.nn.Sequential(sw.nn.Linear(1, UNITS), sw.nn.Tanh(), made, sw.nn.Linear(UNITS, 1))


def train(model: sw.nn.Sequential, seed: int) -> None:
    """Train on all training rows at once; the model is left in evaluation mode."""
    x, y = rows(ROWS, seed, _TRAINING)
    optimizer = sw.optim.Adam(model.parameters(), lr=_RATE)

    def update() -> sw.Tensor:
        optimizer.zero_grad()
        loss = sw.losses.mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step = sw.compile(update, target="interpreter")  # the bits of the plain call, in half of the time
    model.train()
    for _ in range(_UPDATES):
        step()
    model.eval()


@dataclass(frozen=True)
class Call:
    """One call with the row, and what could be seen inside.

    Attributes
    ----------
    mode : "train" or "eval"
    answer : float, or None if the engine refused the call
    hidden : what goes into the layer in question, for the row, by unit
    passed : what comes out of it, by unit
    company : what goes into its first unit, for the other rows of the batch
    running : running mean of the first unit after the call; nan if the layer keeps none
    used : mean that the first unit was normalised with; nan for layers without
    refusal : the engine's message, if it refused
    """

    mode: str
    answer: float | None
    hidden: list[float]
    passed: list[float]
    company: list[float]
    running: float = float("nan")
    used: float = float("nan")
    refusal: str = ""


@dataclass
class Record:
    """All that was seen: the calls in both modes, and the losses of 192 validation rows."""

    before: float  # the answer in evaluation mode, before any other call
    calls: list[Call] = field(default_factory=list)
    eval_loss: float = float("nan")
    train_losses: list[float] = field(default_factory=list)

    def answers(self, mode: str) -> list[float]:
        """Return the answers that were given in a mode."""
        return [call.answer for call in self.calls if call.mode == mode and call.answer is not None]


def observe(layer: str, p: float, batch: int, shift: float, seed: int) -> Record:
    """Train a network, then call it ten times in training mode and ten times in evaluation mode."""
    model = build(layer, p, seed)
    train(model, seed)
    with sw.no_grad():
        record = Record(before=model(_column(np.array([ROW]))).item())
        record.eval_loss = score(model, batch, seed)
        for mode in ("train", "eval"):
            model.train(mode == "train")
            for number in range(CALLS):
                record.calls.append(_call(model, mode, batch, shift, seed, number))
                if record.calls[-1].refusal:
                    break
        model.train()
        if not (layer == "batchnorm" and batch == 1):
            record.train_losses = [score(model, batch, seed) for _ in range(CALLS)]
    return record


def score(model: sw.nn.Sequential, batch: int, seed: int) -> float:
    """Return the mean squared error on validation rows, batch by batch, in the mode that the model is in."""
    x, y = rows(SCORED, seed, _VALIDATION)
    size = max(batch, 2)  # a last batch of one row would be refused in training mode
    errors = [
        ((model(x[begin : begin + size]) - y[begin : begin + size]) ** 2).sum().item()
        for begin in range(0, SCORED, size)
    ]
    return float(sum(errors)) / SCORED


def _call(model: sw.nn.Sequential, mode: str, batch: int, shift: float, seed: int, number: int) -> Call:
    others, _ = (
        rows(batch - 1, seed, _COMPANY + 2 * number, shift) if batch > 1 else (_column(np.zeros(0)), None)
    )
    inputs = sw.concat([_column(np.array([ROW])), others], axis=0)
    hidden = model[1](model[0](inputs))
    values = hidden.numpy()
    seen = {
        "hidden": values[0].tolist(),
        "company": values[1:, 0].tolist(),
    }
    try:
        passed = model[2](hidden)
    except ShapeError as error:
        return Call(mode, None, passed=[], refusal=str(error), **seen)
    running = used = float("nan")
    if isinstance(model[2], sw.nn.BatchNorm1d) and model[2].running_mean is not None:
        running = model[2].running_mean[0].item()
        used = float(values[:, 0].mean()) if mode == "train" else running
    return Call(
        mode,
        model[3](passed)[0, 0].item(),
        passed=passed.numpy()[0].tolist(),
        running=running,
        used=used,
        **seen,
    )


def _column(values: Floats) -> sw.Tensor:
    return sw.tensor(np.asarray(values, dtype=np.float32)[:, None])
