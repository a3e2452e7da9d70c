"""From the same weights and in the same order of rows, training takes scikit-learn's steps."""

import numpy as np
import pytest
import sklearn.neural_network as peer
from numpy.testing import assert_allclose
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression

from slopewise.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OURS = {peer.MLPClassifier: MLPClassifier, peer.MLPRegressor: MLPRegressor}
CLASSES = {"n_samples": 90, "n_features": 6, "n_informative": 5, "n_redundant": 0, "random_state": 0}


def counts():
    X, y = make_regression(90, 6, random_state=0)
    return X, np.random.default_rng(0).poisson(np.exp(y / 200)).astype(float)


TASKS = {
    "two classes": (peer.MLPClassifier, make_classification(n_classes=2, **CLASSES), {}),
    "four classes": (peer.MLPClassifier, make_classification(n_classes=4, **CLASSES), {}),
    "labels": (peer.MLPClassifier, make_multilabel_classification(90, 6, n_classes=3, random_state=0), {}),
    "a number": (peer.MLPRegressor, make_regression(90, 6, random_state=0), {}),
    "three numbers": (peer.MLPRegressor, make_regression(90, 6, n_targets=3, random_state=0), {}),
    "counts": (peer.MLPRegressor, counts(), {"loss": "poisson"}),
}
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "adam with a large epsilon": {"solver": "adam", "epsilon": 1e-2, "beta_1": 0.8, "beta_2": 0.99},
    "sgd": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.8},
    "no momentum": {"solver": "sgd", "momentum": 0.0},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.25},
}


def same_start(kind, X, y, sample_weight=None, **settings):
    """Return scikit-learn's estimator and ours after one epoch, ours with the weights of the other."""
    settings = {"hidden_layer_sizes": (5, 4), "max_iter": 1, "warm_start": True, "shuffle": False} | settings
    pair = [made(random_state=0, **settings).fit(X, y, sample_weight) for made in (kind, OURS[kind])]
    theirs, ours = pair
    ours.coefs_ = [coef.copy() for coef in theirs.coefs_]
    ours.intercepts_ = [intercept.copy() for intercept in theirs.intercepts_]
    for estimator in pair:
        estimator.best_loss_ = np.inf
        estimator._no_improvement_count = 0
    return theirs, ours


def assert_same_weights(theirs, ours, rtol=1e-7):
    for name in ("coefs_", "intercepts_"):
        for expected, found in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            assert_allclose(found, expected, rtol=rtol, atol=1e-9)


def test_every_parameter_and_its_default_is_scikit_learns():
    for kind, ours in OURS.items():
        theirs = kind()
        assert ours().get_params() == theirs.get_params()
        assert list(ours._get_param_names()) == list(kind._get_param_names())


@pytest.mark.parametrize("weighted", [False, True], ids=["rows alike", "weights"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_ten_epochs_give_the_same_weights(task, solver, weighted):
    kind, (X, y), loss = TASKS[task]
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(X)) if weighted else None
    settings = {"activation": "tanh", "alpha": 0.5, "batch_size": 32, **SOLVERS[solver], **loss}
    theirs, ours = same_start(kind, X, y, weight, **settings)
    for estimator in (theirs, ours):
        estimator.set_params(max_iter=10).fit(X, y, weight)
    assert_same_weights(theirs, ours)
    assert ours.t_ == theirs.t_
    assert ours.out_activation_ == theirs.out_activation_
    if not weighted:  # with weights theirs averages batches by their rows, ours by their weight
        assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-7)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_activations_have_the_same_gradients(activation):
    kind, (X, y), _ = TASKS["four classes"]
    theirs, ours = same_start(kind, X, y, activation=activation)
    for estimator in (theirs, ours):
        estimator.set_params(max_iter=10).fit(X, y)
    assert_same_weights(theirs, ours)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)
    assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6)


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_stops_or_slows_down_in_the_same_epoch(solver, learning_rate):
    kind, (X, y), _ = TASKS["two classes"]
    settings = {"solver": solver, "learning_rate": learning_rate, "tol": 0.02, "n_iter_no_change": 2}
    theirs, ours = same_start(kind, X, y, learning_rate_init=0.05, batch_size=30, **settings)
    for estimator in (theirs, ours):
        estimator.set_params(max_iter=200).fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_ < 200
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-6)
    assert_same_weights(theirs, ours, rtol=1e-5)


def test_partial_fit_goes_on_with_the_same_optimizer_state():
    kind, (X, y), _ = TASKS["four classes"]
    theirs, ours = same_start(kind, X, y, solver="adam")
    for estimator in (theirs, ours):
        estimator.fit(X, y)
        for part in (slice(0, 40), slice(40, 90), slice(20, 70)):
            estimator.partial_fit(X[part], y[part])
        assert estimator.n_iter_ == 1
    assert_same_weights(theirs, ours)
    assert ours.t_ == theirs.t_
    assert len(ours.loss_curve_) == len(theirs.loss_curve_) == 5


@pytest.mark.parametrize("task", ["two classes", "four classes", "labels", "a number", "counts"])
def test_lbfgs_reaches_the_same_minimum(task):
    kind, (X, y), loss = TASKS[task]
    settings = {"solver": "lbfgs", "alpha": 5.0, "activation": "tanh", "max_fun": 50_000, **loss}
    scale = 50.0 if task == "a number" else 1.0
    theirs, ours = same_start(kind, X, y / scale if scale > 1 else y, **settings)
    for estimator in (theirs, ours):
        estimator.set_params(max_iter=500).fit(X, y / scale if scale > 1 else y)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-3)
    assert not hasattr(ours, "loss_curve_")


def test_lbfgs_takes_the_same_first_steps():
    kind, (X, y), _ = TASKS["four classes"]
    theirs, ours = same_start(kind, X, y, solver="lbfgs", activation="tanh", alpha=1.0)
    for estimator in (theirs, ours):
        estimator.set_params(max_iter=5).fit(X, y)
    assert_same_weights(theirs, ours, rtol=1e-5)
    assert ours.n_iter_ == theirs.n_iter_ == 5


def test_lbfgs_minimises_the_loss_of_several_outputs_that_it_reports_the_mean_of():
    _, (X, y), _ = TASKS["three numbers"]
    y = y / 50
    model = MLPRegressor(
        hidden_layer_sizes=(6,), solver="lbfgs", alpha=0.0, max_iter=300, random_state=0
    ).fit(X, y)
    assert model.loss_ == pytest.approx(0.5 * np.mean((model.predict(X) - y) ** 2), rel=1e-6, abs=1e-12)
    assert model.score(X, y) > 0.98


def test_the_loss_is_that_of_the_data_plus_alphas_share():
    _, (X, y), _ = TASKS["two classes"]
    model = MLPClassifier((4,), solver="lbfgs", alpha=2.0, max_iter=20, random_state=0).fit(X, y)
    p = model.predict_proba(X)[np.arange(len(y)), y]
    penalty = 0.5 * 2.0 * sum((coef**2).sum() for coef in model.coefs_) / len(X)
    assert model.loss_ == pytest.approx(-np.log(p).mean() + penalty, rel=1e-9)
