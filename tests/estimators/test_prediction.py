"""What predict, predict_proba and predict_log_proba return, for every kind of target and of input."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import StandardScaler

from slopewise.engine.errors import DataError
from slopewise.estimators import rows as rows_module
from slopewise.sklearn import MLPClassifier, MLPRegressor

FEATURES, SPECIES = load_iris(return_X_y=True)
FEATURES = StandardScaler().fit_transform(FEATURES)
NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.fixture(autouse=True)
def _unconverged_is_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fitted(X=FEATURES, y=SPECIES, **settings):
    settings = {"learning_rate_init": 0.05, "max_iter": 30, "random_state": 0} | settings
    return MLPClassifier((8,), **settings).fit(X, y)


# ---- kinds of targets


def test_text_labels_come_back_as_text():
    model = fitted(y=NAMES[SPECIES])
    assert model.classes_.tolist() == NAMES.tolist()
    assert model.predict(FEATURES).dtype.kind == "U"
    assert np.mean(model.predict(FEATURES) == NAMES[SPECIES]) > 0.9


def test_labels_of_any_numbers_come_back():
    model = fitted(y=np.array([-7, 100, 3])[SPECIES])
    assert model.classes_.tolist() == [-7, 3, 100]
    assert model.score(FEATURES, np.array([-7, 100, 3])[SPECIES]) > 0.9


def test_two_classes_have_one_output_and_two_probabilities():
    model = fitted(FEATURES[:100], NAMES[SPECIES[:100]])
    probabilities = model.predict_proba(FEATURES[:100])
    assert model.n_outputs_ == 1
    assert model.out_activation_ == "logistic"
    assert probabilities.shape == (100, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(FEATURES[:100])).all()


def test_one_class_is_always_predicted():
    model = fitted(y=np.full(150, "setosa"))
    assert set(model.predict(FEATURES)) == {"setosa"}
    assert model.predict_proba(FEATURES).tolist() == [[1.0]] * 150
    assert model.predict_log_proba(FEATURES).tolist() == [[0.0]] * 150


def test_several_labels_a_row_are_predicted_one_by_one():
    X, y = make_multilabel_classification(120, 8, n_classes=4, random_state=0)
    X = StandardScaler().fit_transform(X)
    model = fitted(X, y, max_iter=60)
    probabilities = model.predict_proba(X)
    assert model.out_activation_ == "logistic"
    assert model.classes_.tolist() == [0, 1, 2, 3]
    assert probabilities.shape == y.shape
    assert np.array_equal(model.predict(X), (probabilities > 0.5).astype(int))
    assert np.mean(model.predict(X) == y) > 0.8 > max(np.mean(y == 0), np.mean(y == 1))


def test_a_sparse_indicator_matrix_is_a_target_too():
    X, y = make_multilabel_classification(60, 8, n_classes=3, random_state=0)
    assert np.array_equal(fitted(X, sparse.csr_array(y)).predict(X), fitted(X, y).predict(X))


def test_several_columns_of_classes_are_refused_with_a_way_out():
    with pytest.raises(DataError, match="MultiOutputClassifier"):
        fitted(y=np.stack([SPECIES, SPECIES], axis=1))


def test_a_regressor_keeps_the_shape_of_its_target():
    X, y = make_regression(60, 4, n_targets=3, random_state=0)
    model = MLPRegressor(hidden_layer_sizes=(8,), max_iter=3, random_state=0)
    assert model.fit(X, y).predict(X).shape == (60, 3)
    assert model.fit(X, y[:, 0]).predict(X).shape == (60,)


def test_a_poisson_regressor_predicts_positive_rates_and_refuses_negative_counts():
    X, y = make_regression(60, 4, random_state=0)
    model = MLPRegressor(loss="poisson", hidden_layer_sizes=(8,), max_iter=5, random_state=0)
    assert (model.fit(X, np.abs(y)).predict(X) > 0).all()
    counts = np.abs(y)
    counts[6] = -1.5
    with pytest.raises(DataError, match=r"row 7 is -1\.5"):
        model.fit(X, counts)


# ---- numbers


def test_a_rows_prediction_does_not_depend_on_the_rows_beside_it():
    for dtype in (np.float32, np.float64):
        model = fitted(FEATURES.astype(dtype))
        together = model.predict_proba(FEATURES)
        alone = np.concatenate([model.predict_proba(row[None]) for row in FEATURES])
        np.testing.assert_allclose(alone, together, rtol=1e-12 if dtype is np.float64 else 1e-6)


def test_many_rows_are_predicted_in_chunks(monkeypatch):
    model = fitted()
    whole = model.predict_proba(FEATURES)
    monkeypatch.setattr("slopewise.estimators.multilayer_perceptron.CHUNK", 7)
    np.testing.assert_allclose(model.predict_proba(FEATURES), whole, rtol=1e-12)


def test_log_probabilities_are_the_logarithms_of_probabilities_that_may_vanish():
    model = fitted()
    far = np.concatenate([FEATURES, 1e4 * FEATURES[:3]])
    probabilities = model.predict_proba(far)
    assert (probabilities == 0).any()
    with np.errstate(divide="ignore"):
        assert np.array_equal(model.predict_log_proba(far), np.log(probabilities))


def test_the_probability_of_an_unlikely_class_is_not_rounded_to_zero():
    model = fitted(FEATURES[:100], SPECIES[:100])
    first, second = model.predict_proba(30 * FEATURES[100:]).T
    assert (first > 0).all()
    assert (first < 1e-16).any()
    assert (second == 1).any()


def test_the_weights_have_the_dtype_of_the_training_rows():
    for dtype in (np.float32, np.float64):
        model = fitted(FEATURES.astype(dtype))
        assert {weight.dtype for weight in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}
        assert model.predict_proba(FEATURES).dtype == dtype
        assert model.score(FEATURES, SPECIES) > 0.9


# ---- kinds of inputs


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows_are_the_same_rows(form):
    model, plain = fitted(form(FEATURES)), fitted()
    assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, plain.coefs_, strict=True))
    assert np.array_equal(model.predict(form(FEATURES)), plain.predict(FEATURES))


def test_sparse_rows_that_do_not_fit_into_memory_are_an_error_that_says_how_large_they_are(monkeypatch):
    def no_memory(matrix):
        raise MemoryError

    matrix = sparse.csr_array(FEATURES)
    monkeypatch.setattr(type(matrix), "toarray", no_memory)
    with pytest.raises(DataError, match=r"150 rows of 4 features take 0\.0 GB.*partial_fit"):
        rows_module.dense(matrix)


def test_predicting_before_fitting_is_an_error():
    for call in (MLPClassifier().predict, MLPClassifier().predict_proba, MLPRegressor().predict):
        with pytest.raises(NotFittedError):
            call(FEATURES)
