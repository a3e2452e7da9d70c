"""What the estimators minimise: scikit-learn's losses, and alpha's L2 penalty divided by the rows' weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slopewise.engine import ops
from slopewise.engine.tensor import Tensor
from slopewise.estimators.network import MultilayerPerceptron
from slopewise.nn import losses
from slopewise.nn.reduction import reduce_terms

DataLoss = Callable[[Tensor, Tensor, Any], Tensor]


def log_loss(prediction: Tensor, target: Tensor, sample_weight: Any) -> Tensor:
    """Return the mean over rows of -log softmax(prediction)[target]."""
    return losses.cross_entropy(prediction, target, ignore_index=None, sample_weight=sample_weight)


def binary_log_loss(prediction: Tensor, target: Tensor, sample_weight: Any) -> Tensor:
    """Return the mean over rows of the log loss, summed over the outputs."""
    mean = losses.binary_cross_entropy_with_logits(prediction, target, sample_weight=sample_weight)
    return mean * float(prediction.shape[1])


def half_squared_error(prediction: Tensor, target: Tensor, sample_weight: Any) -> Tensor:
    """Return the mean over rows of half the squared error, summed over the outputs."""
    return losses.squared_error(prediction, target, sample_weight=sample_weight) * (0.5 * prediction.shape[1])


def half_poisson_deviance(prediction: Tensor, target: Tensor, sample_weight: Any) -> Tensor:
    """Return the mean over rows of y log(y / μ) - y + μ for predictions log μ, summed over the outputs."""
    target = target.astype(prediction.dtype)
    positive = ops.greater(target, 0.0)
    y_log_y = ops.where(positive, target * ops.log(ops.where(positive, target, 1.0)), 0.0)
    terms = y_log_y - target * prediction - target + ops.exp(prediction)
    return reduce_terms("poisson", terms, sample_weight, "mean") * float(prediction.shape[1])


# by the estimator's `out_activation_`, of which each loss is the canonical one
DATA_LOSSES: dict[str, DataLoss] = {
    "softmax": log_loss,
    "logistic": binary_log_loss,
    "identity": half_squared_error,
    "exp": half_poisson_deviance,
}


class Objective:
    """The data's loss plus alpha / 2 times the sum of the squared weights, divided by the weight of the rows.

    Biases are not penalised. This is scikit-learn's objective, a batch at a time.

    Parameters
    ----------
    model : MultilayerPerceptron
    data_loss : (prediction, target, sample_weight) -> Tensor, shape ()
    alpha : float
    """

    def __init__(self, model: MultilayerPerceptron, data_loss: DataLoss, alpha: float) -> None:
        self.model = model
        self.data_loss = data_loss
        self.alpha = float(alpha)

    def __call__(self, prediction: Tensor, target: Tensor, *, sample_weight: Any = None) -> Tensor:
        loss = self.data_loss(prediction, target, sample_weight)
        if not self.alpha:
            return loss
        rows = float(prediction.shape[0]) if sample_weight is None else ops.sum(sample_weight)
        return loss + self.penalty() / rows

    def penalty(self) -> Tensor:
        """Return alpha / 2 times the sum of the squared weights."""
        first, *rest = (ops.sum(weight * weight) for weight in self.model.weights)
        return sum(rest, first) * (0.5 * self.alpha)
