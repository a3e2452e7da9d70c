"""What the classifier and the regressor share: parameters, `fit`, and the forward pass of `predict`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.estimators.network import MultilayerPerceptron, initial_weights
from slopewise.estimators.parameters import check_parameters, hidden_units, seed_of
from slopewise.estimators.quasi_newton import fit_quasi_newton
from slopewise.estimators.rows import CHUNK, Rows, dense, weighted_rows
from slopewise.estimators.stochastic import fit_stochastic, record_fits, start_record

Array = NDArray[Any]

# what only the stochastic solvers leave behind
_RECORD = ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_", "_optimizer_state")


def has_partial_fit(estimator: Any) -> bool:
    """Tell scikit-learn's `available_if` whether the solver can take one epoch at a time."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    return True


class BaseMultilayerPerceptron(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base class of the estimators; its constructor only stores, as scikit-learn's contract asks."""

    n_features_in_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    coefs_: list[Array]
    intercepts_: list[Array]
    n_iter_: int
    t_: int
    loss_: float
    loss_curve_: list[float]
    best_loss_: Any  # float, or None with early stopping
    validation_scores_: Any  # list of float, or None without
    best_validation_score_: Any  # float, or None without
    _no_improvement_count: int
    _optimizer_state: dict[str, Any] | None

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    # ---- what a subclass gives

    @abstractmethod
    def _encode(self, y: Array, *, first: bool, incremental: bool, classes: Any) -> tuple[Array, int, str]:
        """Return the target as the loss takes it, how many outputs it needs, and their activation.

        Parameters
        ----------
        y : shape (rows,) or (rows, outputs)
        first : whether a new network is made
        incremental : whether this is `partial_fit`
        classes : what `partial_fit` was told about them
        """

    @abstractmethod
    def _validation_score(self, prediction: Array, rows: Rows) -> float:
        """Return the score by which early stopping judges, nan if a prediction is not finite."""

    # ---- fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (rows, features)
        y : array-like, shape (rows,) or (rows, outputs)
            Classes, or an indicator matrix of several labels a row; for the regressor numbers.
        sample_weight : array-like, shape (rows,), optional
            Finite and at least 0. A weight of 2 counts as a row that is there twice, 0 as one that is not.

        Returns
        -------
        the estimator itself

        Raises
        ------
        ArgumentError
            If a parameter is outside of what it accepts, or training diverges.
        ValueError
            If X or y cannot be used; the errors above are ValueErrors as well.
        """
        return self._fit(X, y, sample_weight)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, incremental: bool = False, classes: Any = None
    ) -> Self:
        name = type(self).__name__
        check_parameters(name, self.get_params(deep=False))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._read(X, y, reset=first)
        target, n_outputs, out_activation = self._encode(
            y, first=first, incremental=incremental, classes=classes
        )
        rows = weighted_rows(dense(X), target, sample_weight)
        seed = seed_of(self.random_state)
        units = (X.shape[1], *hidden_units(name, self.hidden_layer_sizes), n_outputs)
        if first:
            self._forget(units, out_activation)
            weights = initial_weights(units, self.activation, seed, X.dtype)
        else:
            self._check_same_network(units, out_activation)
            weights = self.coefs_, self.intercepts_
        self._train(MultilayerPerceptron(*weights, self.activation), rows, seed, incremental=incremental)
        return self

    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Array]:
        """Return inputs, sparse ones as they are, and targets as arrays of finite numbers or labels."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=("csr", "csc"),
            multi_output=True,
            y_numeric=not is_classifier(self),
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        y = dense(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _forget(self, units: tuple[int, ...], out_activation: str) -> None:
        """Begin a new network. There are no weights until it is trained: a fit that fails leaves none."""
        for name in ("coefs_", "intercepts_", *_RECORD):
            self.__dict__.pop(name, None)
        self.n_iter_ = 0
        self.t_ = 0
        self.n_layers_ = len(units)
        self.n_outputs_ = units[-1]
        self.out_activation_ = out_activation

    def _train(self, model: MultilayerPerceptron, rows: Rows, seed: int, *, incremental: bool) -> None:
        dtype = model.floating_dtype()
        if self.solver == "lbfgs":
            for name in _RECORD:
                self.__dict__.pop(name, None)
            coefs, intercepts = fit_quasi_newton(self, model, rows).to_arrays()
        else:
            if not record_fits(self):
                start_record(self)
            coefs, intercepts = fit_stochastic(self, model, rows, seed, incremental=incremental)
        if not all(np.isfinite(weight).all() for weight in (*coefs, *intercepts)):
            raise ArgumentError(
                f"{type(self).__name__} diverged to weights that are not finite; scale the features, "
                "for example with StandardScaler, or lower learning_rate_init"
            )
        self.coefs_ = [coef.astype(dtype, copy=False) for coef in coefs]
        self.intercepts_ = [intercept.astype(dtype, copy=False) for intercept in intercepts]

    def _check_same_network(self, units: tuple[int, ...], out_activation: str) -> None:
        there = (*(len(coef) for coef in self.coefs_), self.n_outputs_)
        if (there, self.out_activation_) != (units, out_activation):
            shown, wanted = ("-".join(map(str, layers)) for layers in (there, units))
            raise ArgumentError(
                f"{type(self).__name__} would go on with its network of {shown} units and "
                f"{self.out_activation_} outputs, but the parameters and the data ask for {wanted} and "
                f"{out_activation}; fit a new one with warm_start=False"
            )

    def _is_binary(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ == 1

    def _averages_outputs(self) -> bool:
        return self.out_activation_ == "identity" and self.n_outputs_ > 1

    def _reported_loss(self, loss: float, mean_squared_error: Callable[[], float]) -> float:
        """Return scikit-learn's loss: of several outputs it reports the mean, where it minimises the sum."""
        if not self._averages_outputs():
            return loss
        return loss - 0.5 * (self.n_outputs_ - 1) * mean_squared_error()

    # ---- predicting

    def _outputs(self, X: Any, activate: Callable[[Tensor], Tensor]) -> Array:
        """Return the outputs for some rows, shape (rows, outputs), in the dtype of the weights.

        They are computed in float64, so that a row's prediction does not depend on the rows beside it.
        """
        check_is_fitted(self, "coefs_")
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        model = MultilayerPerceptron(
            [coef.astype(np.float64) for coef in self.coefs_],
            [intercept.astype(np.float64) for intercept in self.intercepts_],
            self.activation,
        )
        with no_grad():
            parts = [
                activate(model(tensor(dense(X[start : start + CHUNK]), "float64"))).numpy()
                for start in range(0, X.shape[0], CHUNK)
            ]
        return np.concatenate(parts).astype(self.coefs_[0].dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
