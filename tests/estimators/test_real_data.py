"""On real tables the estimators are as good as scikit-learn's, and they fit into its tools."""

import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn.neural_network as peer
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slopewise.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SEEDS = (0, 1)


def mean_score(kind, X, y, **settings):
    """Return the mean test score of two splits, each with another start."""
    scores = []
    for seed in SEEDS:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        model = make_pipeline(StandardScaler(), kind(random_state=seed, **settings))
        scores.append(model.fit(X_train, y_train).score(X_test, y_test))
    return np.mean(scores)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize(
    ("load", "floor"), [(load_iris, 0.92), (load_breast_cancer, 0.94)], ids=["iris", "breast cancer"]
)
def test_accuracy_is_scikit_learns(load, floor, solver):
    X, y = load(return_X_y=True)
    settings = {
        "hidden_layer_sizes": (16,),
        "solver": solver,
        "learning_rate_init": 0.2 if solver == "sgd" else 0.05,
        "alpha": 0.1,
        "max_iter": 40,
    }
    ours, theirs = (mean_score(kind, X, y, **settings) for kind in (MLPClassifier, peer.MLPClassifier))
    assert ours > floor
    assert ours == pytest.approx(theirs, abs=0.03)


@pytest.mark.slow
def test_accuracy_on_digits_is_scikit_learns():
    X, y = load_digits(return_X_y=True)
    settings = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.01, "max_iter": 25}
    ours, theirs = (mean_score(kind, X, y, **settings) for kind in (MLPClassifier, peer.MLPClassifier))
    assert ours > 0.95
    assert ours == pytest.approx(theirs, abs=0.015)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_r2_on_diabetes_is_scikit_learns(solver):
    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    settings = {
        "hidden_layer_sizes": (8,),
        "solver": solver,
        "learning_rate_init": 0.01,
        "alpha": 20.0,
        "max_iter": 60,
    }
    ours, theirs = (mean_score(kind, X, y, **settings) for kind in (MLPRegressor, peer.MLPRegressor))
    assert ours > 0.35
    assert ours == pytest.approx(theirs, abs=0.06)


def test_a_grid_search_over_a_pipeline_chooses_among_its_settings():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), MLPClassifier((8,), learning_rate_init=0.05, max_iter=30, random_state=0)
    )
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1e4]}, cv=3).fit(X, y)
    assert search.best_params_ == {"mlpclassifier__alpha": 0.1}
    assert search.best_score_ > 0.9


def test_cross_validation_in_threads_gives_the_same_scores():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(
        StandardScaler(), MLPClassifier((8,), learning_rate_init=0.05, max_iter=30, random_state=0)
    )
    alone = cross_val_score(model, X, y, cv=3)
    with joblib.parallel_backend("threading", n_jobs=2):
        together = cross_val_score(model, X, y, cv=3)
    assert alone.mean() > 0.9
    assert np.array_equal(alone, together)


def test_a_clone_has_the_parameters_and_nothing_else():
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((8,), alpha=0.3, max_iter=3, random_state=0).fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "coefs_")


@pytest.mark.parametrize("tool", [pickle, joblib], ids=["pickle", "joblib"])
def test_a_copy_from_a_file_predicts_the_same_and_trains_on_to_the_same_bits(tool):
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((8,), max_iter=5, random_state=0).fit(X, y)
    file = io.BytesIO()
    tool.dump(model, file)
    file.seek(0)
    copy = tool.load(file)
    assert np.array_equal(copy.predict_proba(X), model.predict_proba(X))
    for each in (model, copy):
        each.partial_fit(X, y)
    assert all(np.array_equal(a, b) for a, b in zip(copy.coefs_, model.coefs_, strict=True))


def test_the_attributes_after_a_fit_are_scikit_learns():
    X, y = load_iris(return_X_y=True)
    for settings in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
        theirs, ours = (
            kind((4,), max_iter=3, random_state=0, **settings).fit(X, y)
            for kind in (peer.MLPClassifier, MLPClassifier)
        )
        public = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
        assert public <= vars(ours).keys()
        for name in public & {
            "n_layers_",
            "n_outputs_",
            "out_activation_",
            "t_",
            "n_iter_",
            "n_features_in_",
        }:
            assert getattr(ours, name) == getattr(theirs, name), name
        assert [coef.shape for coef in ours.coefs_] == [coef.shape for coef in theirs.coefs_]
