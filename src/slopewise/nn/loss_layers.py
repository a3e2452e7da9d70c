"""Losses as modules, for those who are used to PyTorch's; the functions are in `slopewise.losses`."""

from __future__ import annotations

from typing import Any

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor
from slopewise.nn import losses
from slopewise.nn.module import Module


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """The mean squared error, `slopewise.losses.squared_error`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.MSELoss()(sw.tensor([1.0, 2.0]), sw.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.squared_error(prediction, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean absolute error, `slopewise.losses.absolute_error`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.L1Loss()(sw.tensor([1.0, 2.0]), sw.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.absolute_error(prediction, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """The Huber loss, `slopewise.losses.huber`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.HuberLoss()(sw.tensor([1.0, 2.0]), sw.tensor([1.0, 4.0]))
    tensor(0.75)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.huber(prediction, target, delta=self.delta, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits, `slopewise.losses.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.BCEWithLogitsLoss()(sw.tensor([100.0, -100.0]), sw.tensor([1, 1]))
    tensor(50.)
    """

    pos_weight: Tensor | None

    def __init__(self, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else ops.as_tensor(pos_weight))

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.binary_cross_entropy_with_logits(
            prediction, target, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits, `slopewise.losses.cross_entropy`; `weight` is a weight for each class.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.CrossEntropyLoss()(sw.tensor([[100.0, 0.0]]), sw.tensor([1]))
    tensor(100.)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else ops.as_tensor(weight))
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.cross_entropy(
            prediction,
            target,
            class_weight=self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class KLDivLoss(_Loss):
    """The divergence of log probabilities, `slopewise.losses.kl_divergence`; its mean is over rows.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.KLDivLoss()(sw.nn.log_softmax(sw.tensor([[0.0, 0.0]])), sw.tensor([[0.5, 0.5]]))
    tensor(0.)
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.kl_divergence(prediction, target, log_target=self.log_target, reduction=self.reduction)
