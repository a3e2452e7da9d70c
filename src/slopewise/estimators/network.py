"""The network of the estimators: weights in scikit-learn's layout, arithmetic of the engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import copy_context
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine import ops
from slopewise.engine.seeding import manual_seed
from slopewise.engine.tensor import Tensor
from slopewise.nn import Module, Parameter, activations, initializers

Array = NDArray[Any]
Weights = tuple[
    list[Array], list[Array]
]  # coefs_ of shape (fan in, fan out), intercepts_ of shape (fan out,)


def _identity(x: Tensor) -> Tensor:
    return x


HIDDEN_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": _identity,
    "logistic": activations.sigmoid,
    "tanh": activations.tanh,
    "relu": activations.relu,
}


class MultilayerPerceptron(Module):
    """Affine layers with an activation after each but the last: it returns logits, or numbers.

    Parameters
    ----------
    coefs : arrays, shapes (fan in, fan out)
    intercepts : arrays, shapes (fan out,)
    activation : a key of `HIDDEN_ACTIVATIONS`

    Attributes
    ----------
    weights : list of Parameter, shapes (fan out, fan in), as in `nn.Linear`
    biases : list of Parameter

    Examples
    --------
    >>> from slopewise.engine.tensor import tensor
    >>> model = MultilayerPerceptron([np.ones((2, 1))], [np.zeros(1)], "relu")
    >>> model(tensor(np.array([[1.0, 2.0]]))).tolist()
    [[3.0]]
    """

    def __init__(self, coefs: Sequence[Array], intercepts: Sequence[Array], activation: str) -> None:
        self.weights = [Parameter(np.ascontiguousarray(coef.T)) for coef in coefs]
        self.biases = [Parameter(intercept) for intercept in intercepts]
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        activate = HIDDEN_ACTIVATIONS[self.activation]
        last = len(self.weights) - 1
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = ops.linear(x, weight, bias)
            if place < last:
                x = activate(x)
        return x

    def to_arrays(self) -> Weights:
        """Return copies of the weights in scikit-learn's layout."""
        coefs = [np.array(weight.numpy().T, order="C") for weight in self.weights]
        return coefs, [np.array(bias.numpy()) for bias in self.biases]


def initial_weights(units: Sequence[int], activation: str, seed: int, dtype: Any) -> Weights:
    """Return weights and biases uniform in ±√(6 / (fan in + fan out)), or ±√(2 / ...) for "logistic".

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16; biases and the smaller bound are scikit-learn's.

    Parameters
    ----------
    units : of the inputs, each hidden layer and the outputs
    activation : a key of `HIDDEN_ACTIVATIONS`
    seed : of all draws
    dtype : of the arrays

    Examples
    --------
    >>> coefs, intercepts = initial_weights((4, 8, 3), "relu", seed=0, dtype="float64")
    >>> [coef.shape for coef in coefs], [intercept.shape for intercept in intercepts]
    ([(4, 8), (8, 3)], [(8,), (3,)])
    """
    # In a context of its own, so that the seed of the caller's own models stays what it was.
    return copy_context().run(_draw, tuple(units), activation, seed, dtype)


def _draw(units: tuple[int, ...], activation: str, seed: int, dtype: Any) -> Weights:
    manual_seed(seed)
    factor = 2.0 if activation == "logistic" else 6.0
    coefs, intercepts = [], []
    for fan_in, fan_out in pairwise(units):
        bound = math.sqrt(factor / (fan_in + fan_out))
        coefs.append(np.array(initializers.uniform((fan_in, fan_out), -bound, bound, dtype=dtype)))
        intercepts.append(np.array(initializers.uniform((fan_out,), -bound, bound, dtype=dtype)))
    return coefs, intercepts
