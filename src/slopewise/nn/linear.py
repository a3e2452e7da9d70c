"""Linear: the affine map of a fully connected layer."""

from __future__ import annotations

import math

from slopewise.engine import ops
from slopewise.engine.errors import ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import kaiming_uniform, uniform
from slopewise.nn.inputs import floating_input, positive_integer
from slopewise.nn.module import Module
from slopewise.nn.parameter import Parameter


class Linear(Module):
    """y = x Wᵀ + b, on the last axis.

    Initial weights and biases are uniform in ±1/√in_features (PyTorch's default).

    Parameters
    ----------
    in_features, out_features : sizes of the last axis before and after
    bias : whether b is there

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features), float32
    bias : Parameter, shape (out_features,), or None

    Raises
    ------
    ShapeError, DtypeError
        When called with a last axis that is not `in_features` long, or with another dtype than the weight's.

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.Linear(4, 2)
    >>> layer(sw.tensor([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 2)
    >>> layer
    Linear(in_features=4, out_features=2, bias=True)
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.in_features = positive_integer("in_features", in_features)
        self.out_features = positive_integer("out_features", out_features)
        self.weight = Parameter(kaiming_uniform((out_features, in_features), math.sqrt(5.0)))
        self.bias = Parameter(initial_bias(out_features, in_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        x = floating_input(self, x, self.weight.dtype)
        if x.shape[-1:] != (self.in_features,):
            raise ShapeError(
                f"{self._title()} needs {self.in_features} features in the last axis, got shape {x.shape}"
            )
        return ops.linear(x, self.weight, self.bias)

    def _title(self) -> str:
        return f"Linear({self.in_features}, {self.out_features})"

    def extra_repr(self) -> str:
        has_bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={has_bias}"


def initial_bias(size: int, fan_in: int) -> Tensor:
    """Return biases uniform in ±1/√fan_in, PyTorch's default."""
    bound = 1.0 / math.sqrt(fan_in)
    return uniform((size,), -bound, bound)
