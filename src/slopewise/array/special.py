"""Functions beyond the standard that learning needs: softmax and its kin, sigmoid, relu, erf."""

from __future__ import annotations

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.ops import Axis
from slopewise.engine.tensor import Tensor

__all__ = ["erf", "log_softmax", "logsumexp", "relu", "sigmoid", "softmax"]


def erf(x: ArrayLike, /) -> Tensor:
    """Return the error function 2/√π ∫₀ˣ exp(-t²) dt of each element.

    Source: W. J. Cody, "Rational Chebyshev approximations for the error function" (1969).

    Examples
    --------
    >>> import slopewise.array as xp
    >>> f"{xp.erf(0.5):.4f}"
    '0.5205'
    """
    return ops.erf(x)


def sigmoid(x: ArrayLike, /) -> Tensor:
    """Return 1 / (1 + exp(-x)) for each element, without overflow.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.sigmoid(sw.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0. , 0.5, 1. ])
    """
    return ops.sigmoid(x)


def relu(x: ArrayLike, /) -> Tensor:
    """Return each element if it is positive, else 0; the gradient at 0 is 0. A nan stays one.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.relu(sw.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return ops.relu(x)


def logsumexp(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) over axes without overflow; -inf where all elements are -inf.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> f"{xp.logsumexp(sw.tensor([1000.0, 1000.0])):.3f}"
    '1000.693'
    """
    return ops.logsumexp(x, axis, keepdims=keepdims)


def softmax(x: ArrayLike, /, axis: Axis = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) over an axis, without overflow.

    Parameters
    ----------
    x : Tensor; integers become float32
    axis : what sums to 1: an axis, several, or None for all. An element of -inf gets 0; if all are -inf the
        result is nan

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.softmax(sw.tensor([1000.0, 1000.0]))
    tensor([0.5, 0.5])
    """
    return ops.softmax(x, axis)


def log_softmax(x: ArrayLike, /, axis: Axis = -1) -> Tensor:
    """Return log(softmax(x)) over an axis, without overflow and without the loss of small probabilities.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> xp.log_softmax(sw.tensor([0.0, -1000.0]))
    tensor([    0., -1000.])
    """
    return ops.log_softmax(x, axis)
