"""The solvers "adam" and "sgd": epochs of the Trainer, stopped and slowed down as scikit-learn does it."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.errors import ArgumentError
from slopewise.estimators.network import MultilayerPerceptron, Weights
from slopewise.estimators.objective import DATA_LOSSES, Objective
from slopewise.estimators.rows import Rows, hold_out
from slopewise.estimators.update_rules import PlainEpsilonAdam, VelocitySGD
from slopewise.optim import Optimizer
from slopewise.train import Callback, Trainer

if TYPE_CHECKING:
    from slopewise.estimators.multilayer_perceptron import BaseMultilayerPerceptron
    from slopewise.train.history import Record

LARGEST_AUTO_BATCH = 200
FEW_UPDATES = 10  # in one call of partial_fit; to trace a step takes longer than to make so many without
SMALLEST_ADAPTIVE_RATE = 1e-6
ADAPTIVE_DIVISOR = 5.0


def fit_stochastic(
    estimator: BaseMultilayerPerceptron,
    model: MultilayerPerceptron,
    rows: Rows,
    seed: int,
    *,
    incremental: bool,
) -> Weights:
    """Train for `max_iter` epochs at most, or for one more if `incremental`.

    Ctrl-C ends training between two updates, with a warning; what was learnt until then is kept.

    Returns
    -------
    coefs, intercepts : of the last epoch; with early stopping those of the best
    """
    validation = None
    if estimator.early_stopping:
        if incremental:
            raise ArgumentError(
                "partial_fit does not support early_stopping=True; use fit, or set it to False"
            )
        classes = estimator.out_activation_ == "softmax" or estimator._is_binary()
        rows, validation = hold_out(rows, estimator.validation_fraction, seed, stratify=classes)
    batch_size = batch_size_of(estimator.batch_size, len(rows.X))
    optimizer = make_optimizer(estimator, model)
    if incremental and estimator._optimizer_state is not None:
        optimizer.load_state_dict(estimator._optimizer_state)
    trainer = Trainer(
        model,
        Objective(model, DATA_LOSSES[estimator.out_activation_], estimator.alpha),
        optimizer,
        metrics=["mse"] if estimator._averages_outputs() else [],
        seed=seed,
        compile=not incremental or batch_size * FEW_UPDATES < len(rows.X),
    )
    trainer.epoch = len(estimator.loss_curve_) if incremental else 0  # each call of partial_fit has its order
    log = EpochLog(estimator, len(rows.X), validation, model.to_arrays())
    try:
        trainer.fit(
            rows.X,
            rows.target,
            sample_weight=rows.sample_weight,
            epochs=1 if incremental else estimator.max_iter,
            batch_size=batch_size,
            shuffle=bool(estimator.shuffle),
            callbacks=[log],
        )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=5)
    else:
        _judge_the_end(estimator, trainer.stop_reason, incremental=incremental)
    estimator._optimizer_state = optimizer.state_dict()
    return model.to_arrays() if validation is None else log.best_weights


def make_optimizer(estimator: BaseMultilayerPerceptron, model: MultilayerPerceptron) -> Optimizer:
    """Return the optimizer that the estimator's parameters name."""
    lr = float(estimator.learning_rate_init)
    if estimator.solver == "adam":
        betas = (float(estimator.beta_1), float(estimator.beta_2))
        return PlainEpsilonAdam(model.parameters(), lr=lr, betas=betas, eps=float(estimator.epsilon))
    return VelocitySGD(
        model.parameters(),
        lr=lr,
        momentum=float(estimator.momentum),
        nesterov=bool(estimator.nesterovs_momentum),
    )


def batch_size_of(batch_size: Any, n_rows: int) -> int:
    """Return the rows of a batch, at most all.

    Examples
    --------
    >>> batch_size_of("auto", 1000), batch_size_of("auto", 50), batch_size_of(32, 1000)
    (200, 50, 32)
    """
    if batch_size == "auto":
        return min(LARGEST_AUTO_BATCH, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            f"batch_size={batch_size} is more than the {n_rows} rows; batches of all rows are used",
            stacklevel=6,
        )
    return int(min(batch_size, n_rows))


class EpochLog(Callback):
    """Keeps an estimator's record of the epochs, and decides when to stop or to lower the learning rate.

    It sets `n_iter_`, `t_`, `loss_`, `loss_curve_`, and `best_loss_` or the validation scores.

    Parameters
    ----------
    estimator : BaseMultilayerPerceptron
    n_rows : of training
    validation : Rows held out for early stopping, or None
    weights : coefs and intercepts to begin with

    Attributes
    ----------
    best_weights : coefs and intercepts of the best validation score so far
    """

    def __init__(
        self, estimator: BaseMultilayerPerceptron, n_rows: int, validation: Rows | None, weights: Weights
    ) -> None:
        self.estimator = estimator
        self.n_rows = n_rows
        self.validation = validation
        self.best_weights = weights
        estimator.n_iter_ = 0

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.n_rows
        estimator.loss_ = estimator._reported_loss(record["loss"], lambda: record["mse"])
        estimator.loss_curve_.append(estimator.loss_)
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        improved = self._improves_loss() if self.validation is None else self._improves_score(trainer)
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            trainer.optimizer.lr = estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._stop_or_slow_down(trainer)

    def _improves_loss(self) -> bool:
        estimator = self.estimator
        improves = not estimator.loss_ > estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return improves

    def _improves_score(self, trainer: Trainer) -> bool:
        assert self.validation is not None
        estimator = self.estimator
        score = estimator._validation_score(trainer.predict(self.validation.X), self.validation)
        estimator.validation_scores_.append(score)
        self._say(f"Validation score: {score:f}")
        improves = not score < estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.best_weights = trainer.model.to_arrays()
        return improves

    def _stop_or_slow_down(self, trainer: Trainer) -> None:
        estimator = self.estimator
        what = "Training loss" if self.validation is None else "Validation score"
        reason = (
            f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} "
            "consecutive epochs."
        )
        rate = trainer.optimizer.lr
        if estimator.solver != "sgd" or estimator.learning_rate != "adaptive":
            self._stop(trainer, f"{reason} Stopping.")
        elif rate <= SMALLEST_ADAPTIVE_RATE:
            self._stop(trainer, f"{reason} Learning rate too small. Stopping.")
        else:
            trainer.optimizer.lr = rate / ADAPTIVE_DIVISOR
            estimator._no_improvement_count = 0
            self._say(f"{reason} Setting learning rate to {trainer.optimizer.lr:f}")

    def _stop(self, trainer: Trainer, reason: str) -> None:
        self._say(reason)
        trainer.stop(reason)

    def _say(self, line: str) -> None:
        if self.estimator.verbose:
            print(line)


def start_record(estimator: BaseMultilayerPerceptron) -> None:
    """Set the attributes that an `EpochLog` goes on from."""
    estimator.loss_curve_ = []
    estimator._no_improvement_count = 0
    estimator._optimizer_state = None
    if estimator.early_stopping:
        estimator.validation_scores_, estimator.best_validation_score_ = [], -np.inf
        estimator.best_loss_ = None
    else:
        estimator.validation_scores_, estimator.best_validation_score_ = None, None
        estimator.best_loss_ = math.inf


def record_fits(estimator: BaseMultilayerPerceptron) -> bool:
    """Tell whether the record of an earlier fit can be gone on from: with or without validation, as now."""
    curve = getattr(estimator, "loss_curve_", None)
    return curve is not None and (estimator.best_loss_ is None) == bool(estimator.early_stopping)


def _judge_the_end(estimator: BaseMultilayerPerceptron, stop_reason: str, *, incremental: bool) -> None:
    """Raise an error if training diverged, warn if it did not converge."""
    from sklearn.exceptions import ConvergenceWarning

    if not math.isfinite(estimator.loss_):
        message = f"{type(estimator).__name__} diverged in epoch {estimator.n_iter_}: {stop_reason}"
        if not estimator.early_stopping or estimator.best_validation_score_ == -math.inf:
            raise ArgumentError(message)
        warnings.warn(f"{message}; the best weights are kept", ConvergenceWarning, stacklevel=6)
    elif not incremental and not stop_reason:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization "
            "hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=6,
        )
