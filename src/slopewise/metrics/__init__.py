"""Scores of finished predictions are functions; metrics that are added up batch by batch are classes."""

from __future__ import annotations

from typing import Any

from slopewise.engine.names import look_up
from slopewise.metrics.noise import bootstrap_interval, mean_interval, wilson_interval
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
from slopewise.metrics.streaming import Mean, Metric
from slopewise.metrics.streaming_classes import (
    F1,
    Accuracy,
    ConfusionMatrix,
    LogLoss,
    Precision,
    Recall,
    TopKAccuracy,
)
from slopewise.metrics.streaming_numbers import (
    R2,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
)

BY_NAME: dict[str, type[Metric]] = {
    metric.name: metric
    for metric in (
        Accuracy,
        TopKAccuracy,
        LogLoss,
        ConfusionMatrix,
        Precision,
        Recall,
        F1,
        MeanSquaredError,
        RootMeanSquaredError,
        MeanAbsoluteError,
        R2,
    )
}


def get(name: str, **settings: Any) -> Metric:
    """Make a streaming metric by its name.

    Parameters
    ----------
    name : a key of `BY_NAME`
    **settings : arguments of its class

    Raises
    ------
    ArgumentError
        If there is none; it tells the nearest name.

    Examples
    --------
    >>> get("f1", n_classes=3)
    F1(n_classes=3, threshold=0.0, average='macro')
    """
    return look_up(name, BY_NAME, "metric")(**settings)


__all__ = [
    "BY_NAME",
    "F1",
    "R2",
    "Accuracy",
    "ConfusionMatrix",
    "LogLoss",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "TopKAccuracy",
    "accuracy",
    "balanced_accuracy",
    "bootstrap_interval",
    "brier",
    "confusion_matrix",
    "f1",
    "get",
    "log_loss",
    "mae",
    "mean_interval",
    "median_absolute_error",
    "mse",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
    "wilson_interval",
]
