"""Scores of predictions, and the noise of a score."""

from slopewise.metrics.noise import bootstrap_interval, wilson_interval
from slopewise.metrics.scores import (
    accuracy,
    balanced_accuracy,
    brier,
    confusion_matrix,
    f1,
    log_loss,
    mae,
    median_absolute_error,
    mse,
    precision,
    r2,
    recall,
    rmse,
    roc_auc,
)

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "bootstrap_interval",
    "brier",
    "confusion_matrix",
    "f1",
    "log_loss",
    "mae",
    "median_absolute_error",
    "mse",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
    "wilson_interval",
]
