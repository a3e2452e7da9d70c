"""Gradients against finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Array
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, GradientError
from slopewise.engine.random import random_words
from slopewise.engine.tensor import Tensor
from slopewise.engine.transforms import jvp, vjp
from slopewise.engine.tree import flatten, unflatten


def check_gradients(
    function: Callable[..., Any],
    *args: Any,
    order: int = 2,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    seed: int = 0,
) -> None:
    """Check the gradients of a function against central differences in float64, along random directions.

    Three numbers must agree: the difference quotient (f(x + eps v) - f(x - eps v)) / 2 eps along v, weighted
    with random u; the forward derivative <u, J v>; and the reverse one <v, u J>. For `order` 2 the same is
    asked of the reverse derivative itself.

    Parameters
    ----------
    function : takes tensors (nested in lists, tuples and dicts), returns one or several
    args : the point to check at; floating tensors are converted to float64
    order : 1 or more
    eps, atol, rtol : step and tolerances

    Raises
    ------
    GradientError
        If they disagree; the message shows the numbers.
    ArgumentError
        If there is nothing to check: no floating argument, or no floating result.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.check_gradients(lambda x: (x * x).sum(), sw.tensor([1.0, 2.0]))
    """
    leaves, structure = flatten(args)
    tensors = [ops.as_tensor(leaf) for leaf in leaves]
    moving = [i for i, t in enumerate(tensors) if t.dtype.kind == "f"]
    point = [tensors[i].detach().astype(np.float64) for i in moving]
    if not point:
        raise ArgumentError("check_gradients has nothing to check: no argument is a real floating tensor")

    def of_floats(*values: Tensor) -> list[Tensor]:
        full = list(tensors)
        for i, value in zip(moving, values, strict=True):
            full[i] = value
        outputs = flatten(function(*unflatten(structure, full)))[0]
        return [output for output in outputs if isinstance(output, Tensor) and output.dtype.kind == "f"]

    _check_order(of_floats, point, order, eps, atol, rtol, seed, 1)


def _check_order(
    function: Callable[..., list[Tensor]],
    point: list[Tensor],
    order: int,
    eps: float,
    atol: float,
    rtol: float,
    seed: int,
    depth: int,
) -> None:
    values = function(*point)
    if not values:
        raise ArgumentError("check_gradients has nothing to check: no result is a real floating tensor")
    v = [_direction(t, seed, 2 * i) for i, t in enumerate(point)]
    u = [_direction(t, seed, 2 * i + 1) for i, t in enumerate(values)]
    above = function(*[t + eps * d for t, d in zip(point, v, strict=True)])
    below = function(*[t - eps * d for t, d in zip(point, v, strict=True)])
    quotient = _dot(u, [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)])
    forward = _dot(u, jvp(function, point, v)[1])
    reverse = _dot(v, vjp(function, *point)[1](u))
    if not (np.isclose(reverse, quotient, rtol, atol) and np.isclose(forward, quotient, rtol, atol)):
        raise GradientError(
            f"derivatives of order {depth} disagree: finite differences {quotient:.9g}, "
            f"reverse {reverse:.9g}, forward {forward:.9g}"
        )
    if depth < order:

        def reverse_derivative(*at: Tensor) -> list[Tensor]:
            return list(vjp(function, *at)[1](u))

        _check_order(reverse_derivative, point, order, eps, atol, rtol, seed + 1, depth + 1)


def _direction(like: Tensor, seed: int, stream: int) -> Tensor:
    """Return random numbers in [-1, 1), of a tensor's shape, in float64."""
    words: Array = random_words(like.size, seed, stream).astype(np.float64)
    return tensor(words / 2**31 - 1).reshape(like.shape)


def _dot(a: Any, b: Any) -> float:
    return float(sum(float((x * y).sum()) for x, y in zip(a, b, strict=True)))
