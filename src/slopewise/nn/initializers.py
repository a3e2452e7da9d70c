"""Initial values of weights. Each draw takes the next stream of `slopewise.manual_seed`.

An initialiser takes a shape and returns a tensor; for weights the shape is (out, in, *kernel), as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from slopewise.engine.aval import Array, Dtype, Shape
from slopewise.engine.creation import DEFAULT_FLOAT, full, tensor
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.seeding import draw_normal, draw_uniform
from slopewise.engine.tensor import Tensor

__all__ = [
    "constant",
    "fans",
    "gain_of",
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "ones",
    "orthogonal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

_GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def fans(shape: Shape) -> tuple[int, int]:
    """Return (fan in, fan out): how many inputs an output of a weight sees, and the reverse.

    Parameters
    ----------
    shape : (out, in, *kernel)

    Raises
    ------
    ShapeError
        If the shape has fewer than two axes.

    Examples
    --------
    >>> fans((32, 4)), fans((8, 3, 5, 5))
    ((4, 32), (75, 200))
    """
    if len(shape) < 2:
        raise ShapeError(f"fan in and fan out need a weight of shape (out, in, ...), not {tuple(shape)}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def gain_of(nonlinearity: str, slope: float = 0.0) -> float:
    """Return the factor that keeps the variance of activations through a nonlinearity.

    The values are those of PyTorch's `calculate_gain`.

    Parameters
    ----------
    nonlinearity : "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu"
    slope : the negative slope of a leaky ReLU

    Examples
    --------
    >>> round(gain_of("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in _GAINS:
        known = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise ArgumentError(f"no gain is known for the nonlinearity {nonlinearity!r}; known are {known}")
    return _GAINS[nonlinearity]


def _checked(shape: Any, dtype: DTypeLike) -> tuple[Shape, Dtype]:
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
            raise ShapeError(f"a shape is made of non-negative integers, not {shape!r}")
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise DtypeError(f"random weights are of a floating dtype, not {kind}")
    return tuple(map(int, sizes)), kind


def _as_tensor(values: Array, dtype: Dtype) -> Tensor:
    return tensor(values.astype(dtype))


def zeros(shape: Shape, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return zeros.

    Examples
    --------
    >>> zeros((2,))
    tensor([0., 0.])
    """
    return constant(shape, 0.0, dtype=dtype)


def ones(shape: Shape, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return ones.

    Examples
    --------
    >>> ones((2,))
    tensor([1., 1.])
    """
    return constant(shape, 1.0, dtype=dtype)


def constant(shape: Shape, value: float, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return a tensor filled with one number.

    Examples
    --------
    >>> constant((2,), 0.5)
    tensor([0.5, 0.5])
    """
    sizes, kind = _checked(shape, dtype)
    return full(sizes, value, kind)


def uniform(shape: Shape, low: float = 0.0, high: float = 1.0, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return numbers uniform between low and high.

    Examples
    --------
    >>> x = uniform((1000,), -2.0, 2.0)
    >>> bool((abs(x) <= 2.0).numpy().all())
    True
    """
    if not low <= high:
        raise ArgumentError(f"uniform needs low <= high, not low={low} and high={high}")
    sizes, kind = _checked(shape, dtype)
    return _as_tensor(low + (high - low) * draw_uniform(sizes), kind)


def normal(shape: Shape, mean: float = 0.0, std: float = 1.0, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return numbers of a normal distribution.

    Examples
    --------
    >>> normal((3, 2)).shape
    (3, 2)
    """
    if not std >= 0:
        raise ArgumentError(f"normal needs std >= 0, not {std}")
    sizes, kind = _checked(shape, dtype)
    return _as_tensor(mean + std * draw_normal(sizes), kind)


def _kaiming_std(shape: Shape, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = fans(shape)
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"mode must be 'fan_in' or 'fan_out', not {mode!r}")
    fan = fan_in if mode == "fan_in" else fan_out
    return gain_of(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform(
    shape: Shape,
    a: float = 0.0,
    *,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: DTypeLike = DEFAULT_FLOAT,
) -> Tensor:
    """Return weights uniform in ±gain √(3 / fan), which keep the variance of activations through ReLUs.

    Parameters
    ----------
    shape : (out, in, *kernel)
    a : the negative slope of the leaky ReLU that follows; 0 is a ReLU
    mode : "fan_in" keeps the variance in the forward pass, "fan_out" in the backward pass
    nonlinearity : see `gain_of`

    Notes
    -----
    Source: K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.

    Examples
    --------
    >>> bool((abs(kaiming_uniform((8, 6))) <= 1.0).numpy().all())
    True
    """
    sizes, kind = _checked(shape, dtype)
    bound = math.sqrt(3.0) * _kaiming_std(sizes, a, mode, nonlinearity)
    return uniform(sizes, -bound, bound, dtype=kind)


def kaiming_normal(
    shape: Shape,
    a: float = 0.0,
    *,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: DTypeLike = DEFAULT_FLOAT,
) -> Tensor:
    """Return normal weights of standard deviation gain / √fan; parameters as of `kaiming_uniform`.

    Notes
    -----
    Source: K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.

    Examples
    --------
    >>> kaiming_normal((8, 6)).shape
    (8, 6)
    """
    sizes, kind = _checked(shape, dtype)
    return normal(sizes, 0.0, _kaiming_std(sizes, a, mode, nonlinearity), dtype=kind)


def xavier_uniform(shape: Shape, gain: float = 1.0, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return weights uniform in ±gain √(6 / (fan in + fan out)).

    Parameters
    ----------
    shape : (out, in, *kernel)
    gain : see `gain_of`

    Notes
    -----
    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16.

    Examples
    --------
    >>> bool((abs(xavier_uniform((3, 3))) <= 1.0).numpy().all())
    True
    """
    sizes, kind = _checked(shape, dtype)
    bound = gain * math.sqrt(6.0 / max(sum(fans(sizes)), 1))
    return uniform(sizes, -bound, bound, dtype=kind)


def xavier_normal(shape: Shape, gain: float = 1.0, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return normal weights of standard deviation gain √(2 / (fan in + fan out)), like `xavier_uniform`.

    Notes
    -----
    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.

    Examples
    --------
    >>> xavier_normal((3, 3)).shape
    (3, 3)
    """
    sizes, kind = _checked(shape, dtype)
    return normal(sizes, 0.0, gain * math.sqrt(2.0 / max(sum(fans(sizes)), 1)), dtype=kind)


def orthogonal(shape: Shape, gain: float = 1.0, *, dtype: DTypeLike = DEFAULT_FLOAT) -> Tensor:
    """Return a matrix with orthonormal rows, or columns if it has more rows, times gain.

    Parameters
    ----------
    shape : (out, in, *kernel); all axes but the first are taken as one
    gain : see `gain_of`

    Notes
    -----
    The Q of a normal matrix's QR decomposition, with the signs of R's diagonal, is uniform among such
    matrices (F. Mezzadri, 2007).
    Source: A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR 2014.

    Examples
    --------
    >>> w = orthogonal((2, 4), dtype="float64")
    >>> bool(abs(w @ w.T - [[1.0, 0.0], [0.0, 1.0]]).max() < 1e-12)
    True
    """
    sizes, kind = _checked(shape, dtype)
    fans(sizes)
    rows, columns = sizes[0], math.prod(sizes[1:])
    flat = draw_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(flat)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    oriented = q if rows >= columns else q.T
    return _as_tensor(gain * oriented.reshape(sizes), kind)
