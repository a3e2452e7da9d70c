"""The activations of this lesson, one neuron that learns its threshold, and a deep stack of layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.data.generated import normal
from slopewise.engine.tensor import Tensor

Floats = NDArray[np.float64]
Activation = Callable[[Tensor], Tensor]


def _same(z: Tensor) -> Tensor:
    return z


ACTIVATIONS: dict[str, Activation] = {
    "step": sw.nn.step,
    "sigmoid": sw.sigmoid,
    "tanh": sw.tanh,
    "relu": sw.relu,
    "leaky": sw.nn.leaky_relu,
    "none": _same,
}
NAMES = {
    "step": "step",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky": "leaky ReLU",
    "none": "none",
}


def slopes(activation: Activation, z: Floats) -> Floats:
    """Return the derivative of an activation at each of some places."""
    found: Floats = sw.grad(lambda at: activation(at).sum())(sw.tensor(z)).numpy()
    return found


# ---- one neuron

XS = np.array([-2.75, -2.0, -1.5, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
TARGETS = (XS > 1.0).astype(np.float64)  # 1 to the right of a threshold between 0.75 and 1.25
START = -1.75


@dataclass(frozen=True)
class Unit:
    """A neuron whose only parameter is its threshold b: it answers φ(k (x − b)).

    Attributes
    ----------
    activation : str
    sharpness : float
        The k of φ(k z).
    loss : "mse" or "cross_entropy"
    """

    activation: str
    sharpness: float
    loss: str = "mse"

    def answer(self, x: Floats, threshold: Tensor) -> Tensor:
        """Return the neuron's answers; a column of thresholds gives a row of answers each."""
        z: Tensor = self.sharpness * (sw.tensor(x) - threshold)
        return ACTIVATIONS[self.activation](z)

    def losses(self, threshold: Tensor) -> Tensor:
        """Return the loss over all rows at a threshold, or at each of a column of them."""
        if self.loss == "mse":
            each: Tensor = (self.answer(XS, threshold) - sw.tensor(TARGETS)) ** 2
        else:
            signs = sw.tensor(1 - 2 * TARGETS)  # −log ŷ where y is 1, −log(1 − ŷ) where it is 0
            each = sw.nn.softplus(signs * self.sharpness * (sw.tensor(XS) - threshold))
        return each.mean(-1)

    def walk(self, rate: float, updates: int, rule: str = "gradient") -> list[Moment]:
        """Return what each update saw.

        Parameters
        ----------
        rule : "gradient" for gradient descent, or "perceptron" for Rosenblatt's rule
        """
        slope = sw.value_and_grad(self.losses)
        threshold, moments = START, []
        for _ in range(updates + 1):
            loss, gradient = slope(sw.tensor(threshold, dtype=sw.float64))
            answers = self.answer(XS, sw.tensor(threshold, dtype=sw.float64)).numpy()
            local = self.sharpness * slopes(ACTIVATIONS[self.activation], self.sharpness * (XS - threshold))
            error = answers - TARGETS
            push = gradient.item() if rule == "gradient" else -float(error.mean())
            moments.append(Moment(threshold, loss.item(), gradient.item(), push, answers, local))
            threshold = threshold - rate * push
        return moments


@dataclass(frozen=True)
class Moment:
    """A neuron before an update.

    Attributes
    ----------
    threshold, loss, gradient : float
        The gradient is of the loss, with respect to the threshold.
    push : float
        What the rule subtracts, times the learning rate.
    answers : shape (rows,)
    local : shape (rows,)
        How much each answer rises with the row's x: the slope of φ(k z) there.
    """

    threshold: float
    loss: float
    gradient: float
    push: float
    answers: Floats
    local: Floats


# ---- many layers

WIDTH, BATCH = 16, 32
_GAIN = {
    "relu": math.sqrt(2.0),
    "leaky": math.sqrt(2.0),
}  # He et al., 2015; others as Glorot and Bengio, 2010


@dataclass(frozen=True)
class Layer:
    """What one layer of a stack saw.

    Attributes
    ----------
    inputs : shape (rows, width)
        The weighted sums z, before the activation.
    local : shape (rows, width)
        φ'(z).
    gradient : float
        The root mean square of ∂L/∂z over rows and units.
    """

    inputs: Floats
    local: Floats
    gradient: float


def stack(activation: str, layers: int, scale: float, seed: int) -> list[Layer]:
    """Return all layers of a new network, first layer first: one forward and one backward pass.

    Parameters
    ----------
    scale : float
        The spread of the first weights, in units of the usual one for this activation.
    """
    phi = ACTIVATIONS[activation]
    spread = scale * _GAIN.get(activation, 1.0) / math.sqrt(WIDTH)
    weights = [
        sw.tensor(spread * normal(WIDTH * WIDTH, seed, 300 + layer).reshape(WIDTH, WIDTH))
        for layer in range(layers)
    ]
    start = sw.tensor(normal(BATCH * WIDTH, seed, 298).reshape(BATCH, WIDTH))
    targets = sw.tensor(normal(BATCH * WIDTH, seed, 299).reshape(BATCH, WIDTH))
    sums: list[Floats] = []
    with sw.GradientTape() as tape:
        nudges = sw.zeros((layers, BATCH, WIDTH), dtype=sw.float64)  # added to the sums: their gradients
        tape.watch(nudges)
        h = start
        for layer, weight in enumerate(weights):
            z = h @ weight + nudges[layer]
            sums.append(z.numpy())
            h = phi(z)
        loss = ((h - targets) ** 2).mean()
    gradients = tape.gradient(loss, nudges).numpy()
    return [
        Layer(z, slopes(phi, z), float(np.sqrt((gradient**2).mean()))) for z, gradient in zip(sums, gradients)
    ]
