"""The small models of this lesson: one input, a weight, a bias, and a loss for numbers or for classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.engine.tensor import Tensor

Floats = NDArray[np.float64]

X = np.array([-2.0, -1.2, -0.4, 0.4, 1.2, 2.0])
NUMBERS = np.array([-1.6, 0.6, -0.3, 1.3, 0.6, 3.2])  # the last one lies far from the line of the others
CLASSES = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 1.0])


@dataclass(frozen=True)
class Kind:
    """What is predicted, and by which loss it is judged.

    Attributes
    ----------
    losses : callable
        From scores and targets, shape (rows,), to the loss of each row. The score of a row is w x + b: a
        number's prediction itself, a class's logit.
    slope_latex : str
        The slope of one row's loss with respect to its score.
    slope : callable
        The same in NumPy, from scores and targets, worked out by hand.
    """

    name: str
    targets: Floats
    losses: Callable[[Tensor, Tensor], Tensor]
    loss_latex: str
    slope_latex: str
    slope: Callable[[Floats, Floats], Floats]

    @property
    def is_class(self) -> bool:
        """Whether the prediction is the probability of class 1."""
        return self.targets is CLASSES

    def predict(self, scores: Floats) -> Floats:
        """Return what the model says: the score itself, or the probability of class 1."""
        said: Floats = sw.sigmoid(sw.tensor(scores)).numpy() if self.is_class else scores
        return said


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + exp(-z)) for moderate z, in NumPy."""
    made: Floats = 1.0 / (1.0 + np.exp(-z))
    return made


def _squared_error_of_probability(z: Tensor, y: Tensor) -> Tensor:
    losses: Tensor = sw.losses.mse(sw.sigmoid(z), y, reduction="none")
    return losses


KINDS = {
    "squared": Kind(
        "squared error",
        NUMBERS,
        lambda z, y: sw.losses.mse(z, y, reduction="none"),
        r"(\hat{y} - y)^2",
        r"2 (\hat{y} - y)",
        lambda z, y: 2 * (z - y),
    ),
    "absolute": Kind(
        "absolute error",
        NUMBERS,
        lambda z, y: sw.losses.mae(z, y, reduction="none"),
        r"|\hat{y} - y|",
        r"\text{the sign of } \hat{y} - y",
        lambda z, y: np.sign(z - y),
    ),
    "cross": Kind(
        "cross-entropy",
        CLASSES,
        lambda z, y: sw.losses.binary_cross_entropy_with_logits(z, y, reduction="none"),
        r"(-\log p_{\text{right}})",
        r"p - y",
        lambda z, y: sigmoid(z) - y,
    ),
    "class": Kind(
        "squared, of class",
        CLASSES,
        _squared_error_of_probability,
        r"(p - y)^2",
        r"2 (p - y) \, p \, (1 - p)",
        lambda z, y: 2 * (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z)),
    ),
}


@dataclass(frozen=True)
class Pass:
    """A forward pass over all rows, and the slopes that come back."""

    w: float
    b: float
    scores: Floats
    predictions: Floats
    losses: Floats
    loss: float
    slopes: Floats  # of the mean loss with respect to each score
    gradient: tuple[float, float]  # of the mean loss with respect to w and b


def run_pass(kind: Kind, w: float, b: float) -> Pass:
    """Run forward and backward on the engine."""
    x, y = sw.tensor(X), sw.tensor(kind.targets)
    parameters = sw.tensor(np.array([w, b]))

    def of_scores(scores: Tensor) -> Tensor:
        return kind.losses(scores, y).mean()

    scores = parameters[0] * x + parameters[1]
    gradient = sw.grad(lambda p: of_scores(p[0] * x + p[1]))(parameters).numpy()
    return Pass(
        w,
        b,
        scores.numpy(),
        kind.predict(scores.numpy()),
        kind.losses(scores, y).numpy(),
        of_scores(scores).item(),
        sw.grad(of_scores)(scores).numpy(),
        (float(gradient[0]), float(gradient[1])),
    )


def descend(kind: Kind, w: float, b: float, rate: float, updates: int, *, turned: bool) -> list[Pass]:
    """Return the pass before each update and after the last; `turned` steps with y - ŷ for ŷ - y."""
    passes = [run_pass(kind, w, b)]
    sign = 1.0 if turned else -1.0
    for _ in range(updates):
        last = passes[-1]
        w, b = last.w + sign * rate * last.gradient[0], last.b + sign * rate * last.gradient[1]
        passes.append(run_pass(kind, w, b))
    return passes
