"""Batch and layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import ones, zeros
from slopewise.nn.inputs import floating_input, is_batched, positive_integer
from slopewise.nn.module import Module
from slopewise.nn.parameter import Parameter


class _BatchNorm(Module):
    """Normalisation of each channel over batch and space."""

    ndims: tuple[int, ...]
    layout: str

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        self.num_features = positive_integer("num_features", num_features)
        if not eps >= 0:
            raise ArgumentError(f"eps must be at least 0, not {eps}")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ArgumentError(f"momentum must be from 0 to 1, or None for a plain mean, not {momentum}")
        self.eps = eps
        self.momentum = momentum
        self.weight = Parameter(ones((num_features,))) if affine else None
        self.bias = Parameter(zeros((num_features,))) if affine else None
        tracks = track_running_stats
        self.register_buffer("running_mean", zeros((num_features,)) if tracks else None)
        self.register_buffer("running_var", ones((num_features,)) if tracks else None)
        self.register_buffer("num_batches_tracked", tensor(np.int64(0)) if tracks else None)

    def forward(self, x: Tensor) -> Tensor:
        x = self._checked(x)
        mean, var = self.running_mean, self.running_var
        if self.training or mean is None or var is None:
            axes = (0, *range(2, x.ndim))
            mean, var = ops.mean(x, axes), ops.var(x, axes)
            if self.training:
                self._track(mean, var, x.size // self.num_features)
        scale = 1.0 / ops.sqrt(var + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shape = (self.num_features, *(1,) * (x.ndim - 2))
        y = (x - mean.reshape(shape)) * scale.reshape(shape)
        return y if self.bias is None else y + self.bias.reshape(shape)

    def _checked(self, x: Tensor) -> Tensor:
        state = self.weight if self.weight is not None else self.running_mean
        x = ops.as_tensor(x) if state is None else floating_input(self, x, state.dtype)
        if x.ndim not in self.ndims or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{self._title()} needs {self.num_features} channels in shape {self.layout}, got {x.shape}"
            )
        if self.training and x.size == self.num_features:
            raise ShapeError(
                f"{self._title()} in training mode needs more than one value per channel, got shape "
                f"{x.shape}; use a larger batch, drop a last batch of one row, or call .eval()"
            )
        return x

    def _track(self, mean: Tensor, var: Tensor, n: int) -> None:
        """Move the running statistics towards those of the batch; the variance that they keep is unbiased."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        if is_batched(mean):
            raise ArgumentError(
                f"{self._title()} in training mode cannot keep running statistics under vmap, where each "
                "example has its own; call .eval(), or make it with track_running_stats=False"
            )
        with no_grad():
            self.num_batches_tracked.copy_(self.num_batches_tracked + 1)
            share: Any = self.momentum
            if share is None:
                share = 1.0 / self.num_batches_tracked.astype(mean.dtype)
            unbiased = var * (n / max(n - 1, 1))
            self.running_mean.copy_(self.running_mean * (1.0 - share) + mean * share)
            self.running_var.copy_(self.running_var * (1.0 - share) + unbiased * share)

    def _title(self) -> str:
        return f"{type(self).__name__}({self.num_features})"

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.weight is not None}, track_running_stats={self.running_mean is not None}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch: (x - mean) / √(var + eps) · weight + bias.

    In training mode mean and variance are the batch's, and the running ones move towards them; in evaluation
    mode they are the running ones.

    Parameters
    ----------
    num_features : size of axis 1
    eps : added to the variance
    momentum : share of a new batch in the running statistics; None keeps their plain mean
    affine : whether weight and bias are there
    track_running_stats : whether there are running statistics; without them the batch's are used in
        evaluation mode too

    Raises
    ------
    ShapeError
        If the input is not (batch, features) or (batch, features, length), or a batch in training mode has
        one value a feature.

    Notes
    -----
    Source: S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015; as in PyTorch, the running variance is the
    unbiased one.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.BatchNorm1d(1, eps=0.0)(sw.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    ndims = (2, 3)
    layout = "(batch, features) or (batch, features, length)"


class BatchNorm2d(_BatchNorm):
    """Normalise each channel of images over batch and space; see `BatchNorm1d`.

    Parameters
    ----------
    num_features : number of channels
    eps, momentum, affine, track_running_stats : as of `BatchNorm1d`

    Raises
    ------
    ShapeError
        If the input has another layout, or a batch in training mode has one value a channel.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.BatchNorm2d(3)(sw.nn.initializers.zeros((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)
    layout = "(batch, channels, height, width)"


class LayerNorm(Module):
    """Normalise each row over its last axes: (x - mean) / √(var + eps) · weight + bias.

    Parameters
    ----------
    normalized_shape : int or ints, the sizes of the last axes
    eps : added to the variance
    elementwise_affine : whether there is a weight
    bias : whether there is a bias, if there is a weight

    Raises
    ------
    ShapeError
        If the input's last axes have other sizes.

    Notes
    -----
    Source: J. Ba, J. Kiros, G. Hinton, "Layer normalization" (2016).

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.LayerNorm(2, eps=0.0)(sw.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not sizes:
            raise ArgumentError("normalized_shape needs at least one axis")
        self.normalized_shape = tuple(positive_integer("normalized_shape", size) for size in sizes)
        self.eps = eps
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        x = ops.as_tensor(x) if self.weight is None else floating_input(self, x, self.weight.dtype)
        if x.shape[-len(self.normalized_shape) :] != self.normalized_shape:
            raise ShapeError(f"{self._title()} needs last axes of these sizes, got shape {x.shape}")
        axes = tuple(range(-len(self.normalized_shape), 0))
        centred = x - ops.mean(x, axes, keepdims=True)
        y = centred / ops.sqrt(ops.mean(centred * centred, axes, keepdims=True) + self.eps)
        if self.weight is not None:
            y = y * self.weight
        return y if self.bias is None else y + self.bias

    def _title(self) -> str:
        return f"LayerNorm({', '.join(map(str, self.normalized_shape))})"

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.weight is not None}"
