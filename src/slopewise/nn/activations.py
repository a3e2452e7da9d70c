"""Activation functions, elementwise but for softmax; as modules they are in `activation_layers`."""

from __future__ import annotations

import math

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]


def _floating(x: Tensor | Array | float) -> Tensor:
    return ops.floating(ops.as_tensor(x))


def step(x: Tensor) -> Tensor:
    """Return 1 where x > 0 and 0 elsewhere: the perceptron's activation. Its gradient is zero everywhere.

    Notes
    -----
    Source: F. Rosenblatt, "The perceptron", Psychological Review 65 (1958). No gradient means that a step
    cannot be trained by descent; the perceptron has a rule of its own.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.step(sw.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 1.])
    """
    return ops.maximum(ops.sign(_floating(x)), 0.0)


def sigmoid(x: Tensor) -> Tensor:
    """Return σ(x) = 1 / (1 + e⁻ˣ), without overflow.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.sigmoid(sw.tensor(0.0))
    tensor(0.5)
    """
    return ops.sigmoid(x)


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.tanh(sw.tensor(0.0))
    tensor(0.)
    """
    return ops.tanh(x)


def relu(x: Tensor) -> Tensor:
    """Return max(x, 0); the derivative at 0 is 0.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.relu(sw.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return ops.relu(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return x where x > 0 and negative_slope · x elsewhere.

    Notes
    -----
    Source: A. Maas, A. Hannun, A. Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML
    2013.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.leaky_relu(sw.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.5,  2. ])
    """
    x = _floating(x)
    return ops.where(ops.greater(x, 0), x, x * negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0 and alpha · (eˣ - 1) elsewhere.

    Notes
    -----
    Source: D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", ICLR 2016, equation 15.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.elu(sw.tensor([-1e4, 2.0]))
    tensor([-1.,  2.])
    """
    x = _floating(x)
    positive = ops.greater(x, 0)
    below = ops.where(positive, 0.0, x)  # the branch not taken must not overflow, its gradient would be nan
    return ops.where(positive, x, ops.expm1(below) * alpha)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(x: Tensor) -> Tensor:
    """Return scale · elu(x, alpha), with the constants that let activations normalise themselves.

    Notes
    -----
    Source: G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks", NeurIPS
    2017, equation 2.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.selu(sw.tensor(1.0))
    tensor(1.050701)
    """
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Return x Φ(x), Φ the distribution function of the standard normal.

    Parameters
    ----------
    approximate : "none" for Φ itself, "tanh" for ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))

    Notes
    -----
    Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units" (2016).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.gelu(sw.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """
    x = _floating(x)
    if approximate == "none":
        return x * (ops.erf(x * math.sqrt(0.5)) + 1.0) * 0.5
    if approximate == "tanh":
        inner = (x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi)
        return x * (ops.tanh(inner) + 1.0) * 0.5
    raise ArgumentError(f"approximate must be 'none' or 'tanh', not {approximate!r}")


def silu(x: Tensor) -> Tensor:
    """Return x σ(x), also known as swish.

    Notes
    -----
    Source: S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-weighted linear units", Neural Networks 107 (2018).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.silu(sw.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """
    x = _floating(x)
    return x * ops.sigmoid(x)


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """Return log(1 + e^(beta x)) / beta, exact at every size of x: no threshold, no overflow.

    Notes
    -----
    Source: C. Dugas et al., "Incorporating second-order functional knowledge for better option pricing",
    NeurIPS 2000.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.softplus(sw.tensor([-1e4, 0.0, 1e4])).tolist()
    [0.0, 0.6931471824645996, 10000.0]
    """
    if not beta > 0:
        raise ArgumentError(f"softplus needs beta > 0, not {beta}")
    x = _floating(x)
    if beta == 1.0:
        return ops.logaddexp(x, 0.0)
    return ops.logaddexp(x * beta, 0.0) / beta


def mish(x: Tensor) -> Tensor:
    """Return x tanh(softplus(x)).

    Notes
    -----
    Source: D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.mish(sw.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """
    x = _floating(x)
    return x * ops.tanh(softplus(x))


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return eˣ divided by its sum along an axis, without overflow. A row that is -inf throughout gives nan.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.softmax(sw.tensor([1e4, 1e4, float("-inf")]))
    tensor([0.5, 0.5, 0. ])
    """
    return ops.softmax(x, axis)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return the logarithm of `softmax`, accurate where that underflows.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.log_softmax(sw.tensor([0.0, 1e4]))
    tensor([-10000.,      0.])
    """
    return ops.log_softmax(x, axis)
