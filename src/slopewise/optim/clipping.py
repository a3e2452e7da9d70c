"""Clipping of gradients, by value and by norm, between `backward()` and `step()`; it can be traced."""

from __future__ import annotations

import math
from collections.abc import Iterable

from slopewise.engine import ops
from slopewise.engine.creation import scalar_like, zeros
from slopewise.engine.errors import ArgumentError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor


def clip_grad_value(params: Tensor | Iterable[Tensor], value: float) -> None:
    """Limit each element of each gradient to [-value, value]; `.grad` gets a new tensor.

    Parameters
    ----------
    params : Tensor, or iterable of Tensor; those without a gradient are left out
    value : float, at least 0

    Raises
    ------
    ArgumentError
        If the value is negative.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([1.0, -2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> sw.optim.clip_grad_value([w], 3.0)
    >>> w.grad
    tensor([ 2., -3.])
    """
    _check_limit("clip_grad_value", "value", value)
    with no_grad():
        for parameter, gradient in _with_gradients(params):
            low, high = (scalar_like(bound, gradient.dtype) for bound in (-value, value))
            parameter.grad = ops.minimum(ops.maximum(gradient, low), high)


def clip_grad_norm(params: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Scale all gradients together so that their norm, as of one vector, is at most `max_norm`.

    The factor is min(1, max_norm / (norm + 1e-6)), PyTorch's formula. A norm of nan makes all gradients nan.

    Parameters
    ----------
    params : Tensor, or iterable of Tensor; those without a gradient are left out
    max_norm : float, at least 0
    norm_type : the p of the p-norm, above 0; math.inf for the largest magnitude

    Returns
    -------
    Tensor, shape (); the norm before clipping, in the widest dtype of the gradients

    Raises
    ------
    ArgumentError
        If `max_norm` is negative or `norm_type` not above 0.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor([3.0, 4.0], requires_grad=True)
    >>> w.sum().backward()
    >>> w.grad = sw.tensor([30.0, 40.0])
    >>> sw.optim.clip_grad_norm([w], 1.0)
    tensor(50.)
    >>> [round(x, 4) for x in w.grad.tolist()]
    [0.6, 0.8]
    """
    _check_limit("clip_grad_norm", "max_norm", max_norm)
    if not norm_type > 0:
        raise ArgumentError(f"clip_grad_norm: norm_type must be above 0, not {norm_type!r}")
    with no_grad():
        pairs = _with_gradients(params)
        if not pairs:
            return zeros(())
        norm = _norm([gradient for _, gradient in pairs], norm_type)
        factor = ops.minimum(max_norm / (norm + 1e-6), scalar_like(1.0, norm.dtype))
        for parameter, gradient in pairs:
            parameter.grad = gradient * ops.astype(factor, gradient.dtype)
    return norm


def _norm(gradients: list[Tensor], norm_type: float) -> Tensor:
    dtype = ops.result_dtype(*[gradient.dtype for gradient in gradients])
    if norm_type == math.inf:
        largest = [ops.astype(ops.max(ops.absolute(gradient)), dtype) for gradient in gradients]
        return ops.max(ops.stack(largest))
    powers = []
    for gradient in gradients:
        power = ops.square(gradient) if norm_type == 2 else ops.absolute(gradient) ** float(norm_type)
        powers.append(ops.astype(ops.sum(power), dtype))
    total = ops.sum(ops.stack(powers))
    return ops.sqrt(total) if norm_type == 2 else total ** (1 / norm_type)


def _with_gradients(params: Tensor | Iterable[Tensor]) -> list[tuple[Tensor, Tensor]]:
    tensors = [params] if isinstance(params, Tensor) else list(params)
    pairs = [(parameter, parameter.grad) for parameter in tensors]
    return [(parameter, gradient) for parameter, gradient in pairs if gradient is not None and gradient.size]


def _check_limit(function: str, name: str, value: float) -> None:
    if not value >= 0:
        raise ArgumentError(f"{function}: {name} must be at least 0, not {value!r}")
