"""MLPClassifier: the multilayer perceptron as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.engine.tensor import Tensor
from slopewise.estimators.multilayer_perceptron import Array, BaseMultilayerPerceptron, has_partial_fit
from slopewise.estimators.rows import Rows
from slopewise.nn import activations


class MLPClassifier(ClassifierMixin, BaseMultilayerPerceptron):  # type: ignore[misc]  # no types there
    """A multilayer perceptron that classifies: scikit-learn's class and parameters, trained by Slopewise.

    It minimises the log loss, of two or more classes, or of several labels a row.

    Parameters
    ----------
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
        of the best epoch. Classes keep their shares in both parts, unless one has a single row.
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
    classes_ : array, shape (classes,)
        For several labels a row, the numbers of the columns.
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
        The accuracy on the rows held out after each epoch, with early stopping.
    best_validation_score_ : float or None
        The largest of them.
    n_iter_ : int
        Epochs of the last call, for "lbfgs" iterations.
    t_ : int
        Rows seen in all epochs.
    n_layers_, n_outputs_ : int
        Layers with the input's, and outputs.
    out_activation_ : str
        "softmax"; of two classes or several labels "logistic".
    n_features_in_ : int
    feature_names_in_ : array of str
        If X had column names.

    Notes
    -----
    The weights take the dtype of X in the first fit: float32 X trains in float32, all else in float64. The
    solver "lbfgs" and predictions compute in float64. With sample weights a batch counts in `loss_` by its
    weight, where scikit-learn counts its rows. Sparse X is accepted; training writes it out densely (rows ×
    features × 8 bytes, or 4), prediction some rows at a time.

    Source: interface, objective, initial weights, update rules and stopping are those of scikit-learn's
    `sklearn.neural_network.MLPClassifier`.

    Examples
    --------
    >>> from slopewise.sklearn import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((16,), learning_rate_init=0.02, max_iter=400, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X[::2], y[::2])
    >>> model.predict_proba(X[1::50]).argmax(axis=1).tolist()
    [0, 1, 2]
    >>> bool(model.score(X[1::2], y[1::2]) > 0.9)
    True
    """

    classes_: Array

    # ---- fitting

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch over some rows; the optimizer goes on from the call before.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`
        classes : array-like, shape (classes,)
            All classes that may ever come; needed in the first call.

        Returns
        -------
        the estimator itself

        Raises
        ------
        ArgumentError
            If `classes` is missing in the first call or differs in a later one.
        DataError
            If y holds other classes.
        """
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ArgumentError("classes must be passed on the first call to partial_fit.")
        if known is not None and classes is not None and not np.array_equal(known, unique_labels(classes)):
            raise ArgumentError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
            )
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def _encode(self, y: Array, *, first: bool, incremental: bool, classes: Any) -> tuple[Array, int, str]:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise DataError(
                "y has several columns of more than two classes, which MLPClassifier cannot learn; "
                "wrap it in sklearn.multioutput.MultiOutputClassifier"
            )
        several = kind == "multilabel-indicator"
        found = np.arange(y.shape[1]) if several else unique_labels(y)
        if first:
            self.classes_ = found if classes is None or several else unique_labels(classes)
        self._check_classes(found, incremental)
        if several:
            return y.astype(bool), y.shape[1], "logistic"
        codes = np.searchsorted(self.classes_, y)
        if len(self.classes_) > 2:
            return codes, len(self.classes_), "softmax"
        return codes.astype(bool)[:, None], 1, "logistic"

    def _check_classes(self, found: Array, incremental: bool) -> None:
        """Raise an error unless the classes found are those there are; `partial_fit` may see some of them."""
        unknown = sorted(set(found.tolist()) - set(self.classes_.tolist()), key=str)
        if incremental and unknown:
            raise DataError(
                f"`y` has classes not in `self.classes_`: {unknown[0]!r} is none of {self.classes_}, "
                "those of the first call to partial_fit or fit"
            )
        if not incremental and (unknown or len(found) < len(self.classes_)):
            raise DataError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {found}"
            )

    def _validation_score(self, prediction: Array, rows: Rows) -> float:
        if not np.isfinite(prediction).all():
            return np.nan
        chosen = prediction.argmax(axis=1) if self.out_activation_ == "softmax" else prediction > 0
        return float(accuracy_score(rows.target, chosen, sample_weight=rows.sample_weight))

    # ---- predicting

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (rows, features)

        Returns
        -------
        array, shape (rows,), of `classes_`; or int64 array, shape (rows, labels), of zeros and ones
        """
        logits = self._outputs(X, _unchanged)
        positive = (logits > 0).astype(np.int64)
        if self.out_activation_ == "softmax":
            codes = logits.argmax(axis=1)
        elif self._is_binary():
            codes = np.minimum(positive.ravel(), len(self.classes_) - 1)  # of one class there is no second
        else:
            return positive
        labels: Array = self.classes_[codes]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (rows, features)

        Returns
        -------
        array, shape (rows, classes), in the order of `classes_`; a row of classes sums to 1
        """
        check_is_fitted(self, "coefs_")
        if self.out_activation_ == "softmax" or len(self.classes_) == 1:  # of one class it is 1
            return self._outputs(X, activations.softmax)
        return self._outputs(X, _sigmoid_of_both if self._is_binary() else activations.sigmoid)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of what `predict_proba` returns, minus infinity where that is 0.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (rows, features)

        Returns
        -------
        array, shape (rows, classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _unchanged(logits: Tensor) -> Tensor:
    return logits


def _sigmoid_of_both(logits: Tensor) -> Tensor:
    """Return the probabilities of both classes, shape (rows, 2), neither of them as 1 minus the other."""
    return ops.concatenate([activations.sigmoid(-logits), activations.sigmoid(logits)], 1)
