"""MLPRegressor: the multilayer perceptron as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from slopewise.engine import ops
from slopewise.engine.errors import DataError
from slopewise.engine.tensor import Tensor
from slopewise.estimators.multilayer_perceptron import Array, BaseMultilayerPerceptron, has_partial_fit
from slopewise.estimators.rows import Rows


class MLPRegressor(RegressorMixin, BaseMultilayerPerceptron):  # type: ignore[misc]  # no types there
    """A multilayer perceptron that predicts numbers: scikit-learn's class, trained by Slopewise.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}, default "squared_error"
        Half the squared error, or half the Poisson deviance: the latter needs y of at least 0, and predicts
        the exponential of the network's output.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; an empty one makes a linear model.
    activation : {"identity", "logistic", "tanh", "relu"}, default "relu"
        Of the hidden layers.
    solver : {"lbfgs", "sgd", "adam"}, default "adam"
        "adam" and "sgd" train in mini-batches; "lbfgs" minimises over all rows at once and suits small data.
    alpha : float, default 0.0001
        Strength of the L2 penalty, which is divided by the number of rows (the sum of their weights).
    batch_size : int or "auto", default "auto"
        Rows of a mini-batch; "auto" is min(200, rows).
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        For "sgd". "invscaling" divides `learning_rate_init` by t^power_t, where t is the number of rows seen;
        "adaptive" divides the rate by 5 where training would stop, until it is 1e-6.
    learning_rate_init : float, default 0.001
        For "sgd" and "adam".
    power_t : float, default 0.5
        The exponent of "invscaling".
    max_iter : int, default 200
        Epochs at most; for "lbfgs" iterations.
    shuffle : bool, default True
        Whether each epoch has an order of its own.
    random_state : int, RandomState or None, default None
        Governs initial weights, the order of the rows and the rows held out. With an int a fit can be
        repeated to the bit; its random numbers are Slopewise's own, so its weights are not scikit-learn's.
        None draws a seed from NumPy's global state, as everywhere in scikit-learn.
    tol : float, default 1e-4
        An epoch that improves the loss (or validation score) by less counts as none; for "lbfgs" the largest
        element of the gradient at which it stops.
    verbose : bool or int, default False
        Whether to print a line an epoch.
    warm_start : bool, default False
        Whether `fit` goes on from the weights there are.
    momentum : float from 0 to 1, default 0.9
        For "sgd".
    nesterovs_momentum : bool, default True
        For "sgd".
    early_stopping : bool, default False
        Whether to hold rows out, to stop when the score on them no longer improves, and to keep the weights
        of the best epoch.
    validation_fraction : float, default 0.1
        The share of the rows held out.
    beta_1, beta_2 : float in [0, 1), default 0.9 and 0.999
        For "adam": how slowly the averages of the gradient and of its square forget.
    epsilon : float, default 1e-8
        For "adam".
    n_iter_no_change : int, default 10
        Epochs without improvement that are endured, for "sgd" and "adam".
    max_fun : int, default 15000
        Evaluations of the loss at most, for "lbfgs".

    Attributes
    ----------
    coefs_ : list of array, shapes (fan in, fan out)
        The weights of each layer.
    intercepts_ : list of array, shapes (fan out,)
    loss_ : float
        The loss of the last epoch, penalty included.
    loss_curve_ : list of float
        The loss of each epoch; not with "lbfgs".
    best_loss_ : float or None
        The smallest of them; None with early stopping, not with "lbfgs".
    validation_scores_ : list of float or None
        R² on the rows held out after each epoch, with early stopping.
    best_validation_score_ : float or None
        The largest of them.
    n_iter_ : int
        Epochs of the last call, for "lbfgs" iterations.
    t_ : int
        Rows seen in all epochs.
    n_layers_, n_outputs_ : int
        Layers with the input's, and outputs.
    out_activation_ : str
        "identity", or "exp" with loss="poisson".
    n_features_in_ : int
    feature_names_in_ : array of str
        If X had column names.

    Notes
    -----
    The weights take the dtype of X in the first fit: float32 X trains in float32, all else in float64. The
    solver "lbfgs" and predictions compute in float64. With sample weights a batch counts in `loss_` by its
    weight, where scikit-learn counts its rows. Sparse X is accepted; training writes it out densely (rows ×
    features × 8 bytes, or 4), prediction some rows at a time.

    Of several outputs the sum of their losses is minimised. As in scikit-learn, `loss_` and `loss_curve_`
    hold half the mean of their squared errors instead.

    Source: interface, objective, initial weights, update rules and stopping are those of scikit-learn's
    `sklearn.neural_network.MLPRegressor`.

    Examples
    --------
    >>> from slopewise.sklearn import MLPRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = X * 20, y / 100
    >>> model = MLPRegressor(hidden_layer_sizes=(16,), solver="lbfgs", alpha=10.0, random_state=0)
    >>> bool(model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.4)
    True
    """

    def __init__(
        self,
        loss: str = "squared_error",
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
        self.loss = loss
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )

    # ---- fitting

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch over some rows; the optimizer goes on from the call before.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`

        Returns
        -------
        the estimator itself
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _encode(self, y: Array, *, first: bool, incremental: bool, classes: Any) -> tuple[Array, int, str]:
        columns = y.reshape(len(y), -1)
        if self.loss != "poisson":
            return columns, columns.shape[1], "identity"
        if (columns < 0).any():
            row = int(np.argmax((columns < 0).any(axis=1)))
            raise DataError(
                f"loss='poisson' needs y of at least 0, but row {row + 1} is {columns[row].min()}; "
                "use loss='squared_error'"
            )
        return columns, columns.shape[1], "exp"

    def _validation_score(self, prediction: Array, rows: Rows) -> float:
        with np.errstate(over="ignore"):
            values = np.exp(prediction) if self.out_activation_ == "exp" else prediction
        if not np.isfinite(values).all():
            return np.nan
        return float(r2_score(rows.target, values, sample_weight=rows.sample_weight))

    # ---- predicting

    def predict(self, X: Any) -> Array:
        """Return the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (rows, features)

        Returns
        -------
        array, shape (rows,), or (rows, outputs) if there are several
        """
        values = self._outputs(X, self._activate)
        return values.ravel() if values.shape[1] == 1 else values

    def _activate(self, outputs: Tensor) -> Tensor:
        return ops.exp(outputs) if self.out_activation_ == "exp" else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
