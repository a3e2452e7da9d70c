"""Activation functions as modules; the functions themselves are in `slopewise.nn.activations`."""

from __future__ import annotations

from slopewise.engine.tensor import Tensor
from slopewise.nn import activations
from slopewise.nn.module import Module


class Step(Module):
    """The perceptron's activation, `slopewise.nn.step`: 1 where x > 0, else 0; its gradient is zero.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Step()(sw.tensor([-1.0, 2.0]))
    tensor([0., 1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.step(x)


class Sigmoid(Module):
    """The logistic function, `slopewise.nn.sigmoid`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Sigmoid()(sw.tensor([0.0, 100.0]))
    tensor([0.5, 1. ])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent, `slopewise.nn.tanh`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Tanh()(sw.tensor([0.0, 100.0]))
    tensor([0., 1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.tanh(x)


class ReLU(Module):
    """The rectifier max(x, 0), `slopewise.nn.relu`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.ReLU()(sw.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.relu(x)


class LeakyReLU(Module):
    """A rectifier with a slope below 0, `slopewise.nn.leaky_relu`.

    Parameters
    ----------
    negative_slope : the slope below 0

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.LeakyReLU(0.5)(sw.tensor([-1.0, 2.0]))
    tensor([-0.5,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return activations.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """The exponential linear unit, `slopewise.nn.elu`.

    Parameters
    ----------
    alpha : minus the value that it tends to below 0

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.ELU()(sw.tensor([-100.0, 2.0]))
    tensor([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return activations.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """The self-normalising ELU, `slopewise.nn.selu`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.SELU()(sw.tensor([0.0, 1.0]))
    tensor([0.      , 1.050701])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.selu(x)


class GELU(Module):
    """The Gaussian error linear unit, `slopewise.nn.gelu`.

    Parameters
    ----------
    approximate : "none" or "tanh"

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.GELU()(sw.tensor([-100.0, 100.0]))
    tensor([ -0., 100.])
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return activations.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x σ(x), also known as swish, `slopewise.nn.silu`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.SiLU()(sw.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.silu(x)


class Mish(Module):
    """x tanh(softplus(x)), `slopewise.nn.mish`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Mish()(sw.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return activations.mish(x)


class Softplus(Module):
    """A smooth rectifier, `slopewise.nn.softplus`.

    Parameters
    ----------
    beta : sharpness; the larger, the nearer to ReLU

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Softplus()(sw.tensor([-100.0, 100.0]))
    tensor([3.8e-44, 1.0e+02])
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        return activations.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class Softmax(Module):
    """Probabilities along an axis, `slopewise.nn.softmax`.

    `cross_entropy` takes logits: put no Softmax before it.

    Parameters
    ----------
    axis : the axis along which the results add up to 1

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Softmax()(sw.tensor([[1.0, 1.0]]))
    tensor([[0.5, 0.5]])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return activations.softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """Logarithms of probabilities along an axis, `slopewise.nn.log_softmax`.

    Parameters
    ----------
    axis : the axis along which the probabilities add up to 1

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.LogSoftmax()(sw.tensor([[0.0, 1000.0]]))
    tensor([[-1000.,     0.]])
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return activations.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"
