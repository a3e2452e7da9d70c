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
    """The mean squared error, `slopewise.losses.squared_error`."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.squared_error(prediction, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean absolute error, `slopewise.losses.absolute_error`."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.absolute_error(prediction, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """The Huber loss, `slopewise.losses.huber`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.huber(prediction, target, delta=self.delta, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits, `slopewise.losses.binary_cross_entropy_with_logits`."""

    pos_weight: Tensor | None

    def __init__(self, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else ops.as_tensor(pos_weight))

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.binary_cross_entropy_with_logits(
            prediction, target, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits, `slopewise.losses.cross_entropy`; `weight` is a weight for each class."""

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
    """The divergence of log probabilities, `slopewise.losses.kl_divergence`; its mean is over rows."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return losses.kl_divergence(prediction, target, log_target=self.log_target, reduction=self.reduction)
