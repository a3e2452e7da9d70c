"""What fit and partial_fit do besides making good predictions."""

import copy
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import slopewise as sw
from slopewise.data import DataLoader
from slopewise.engine.errors import ArgumentError, DataError, ShapeError
from slopewise.estimators.stochastic import EpochLog
from slopewise.sklearn import MLPClassifier, MLPRegressor

X, Y = make_classification(80, 5, n_informative=4, n_redundant=0, random_state=0)


def classifier(**settings):
    return MLPClassifier(
        **{"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0, "tol": 0.0} | settings
    )


@pytest.fixture(autouse=True)
def _unconverged_is_fine(request):
    if "convergence" in request.node.name:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def same_weights(a, b):
    return all(
        np.array_equal(x, y) for x, y in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True)
    )


# ---- randomness


def test_an_integer_random_state_repeats_a_fit_to_the_bit():
    assert same_weights(classifier().fit(X, Y), classifier().fit(X, Y))
    assert not same_weights(classifier().fit(X, Y), classifier(random_state=1).fit(X, Y))


def test_a_random_state_object_differs_from_fit_to_fit_but_repeats_as_a_whole():
    first, again = np.random.RandomState(3), np.random.RandomState(3)
    a, b = (classifier(random_state=first).fit(X, Y) for _ in range(2))
    c, d = (classifier(random_state=again).fit(X, Y) for _ in range(2))
    assert not same_weights(a, b)
    assert same_weights(a, c)
    assert same_weights(b, d)


def test_without_a_random_state_the_seed_comes_from_numpys_global_one_as_in_scikit_learn():
    before = np.random.get_state()  # noqa: NPY002 (it is the subject)
    try:
        fits = []
        for _ in range(2):
            np.random.seed(5)  # noqa: NPY002
            fits.append([classifier(random_state=None).fit(X, Y) for _ in range(2)])
    finally:
        np.random.set_state(before)  # noqa: NPY002
    (a, b), (c, d) = fits
    assert not same_weights(a, b)
    assert same_weights(a, c)
    assert same_weights(b, d)


def test_fitting_leaves_the_seed_of_the_callers_own_models_alone():
    sw.manual_seed(7)
    expected = sw.nn.Linear(3, 2).weight.numpy()
    sw.manual_seed(7)
    classifier().fit(X, Y)
    assert np.array_equal(sw.nn.Linear(3, 2).weight.numpy(), expected)


def test_each_call_of_partial_fit_has_an_order_of_its_own(monkeypatch):
    order, seen = DataLoader.order, []

    def note(loader, epoch=None):
        rows = order(loader, epoch)
        seen.append(tuple(rows.tolist()))
        return rows

    monkeypatch.setattr(DataLoader, "order", note)
    model = classifier(batch_size=10)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1])
    assert len(set(seen)) == 3
    assert all(sorted(rows) == list(range(len(X))) for rows in seen)


def test_no_shuffling_is_a_different_order_from_shuffling():
    assert not same_weights(
        classifier(batch_size=8, shuffle=False).fit(X, Y), classifier(batch_size=8).fit(X, Y)
    )


# ---- weights of rows


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_weight_of_three_is_three_rows_and_a_weight_of_zero_none(solver):
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    settings = {"solver": solver, "activation": "tanh", "batch_size": 1000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the batch size
        weighted = classifier(**settings).fit(X, Y, sample_weight=weight)
        repeated = classifier(**settings).fit(X[rows], Y[rows])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-9)


def test_mini_batches_of_rows_without_weight_do_no_harm():
    weight = np.zeros(len(X))
    weight[:3] = 1.0
    a = classifier(batch_size=2, shuffle=False).fit(X, Y, sample_weight=weight)
    b = classifier(batch_size=2, shuffle=False).fit(X[:3], Y[:3], sample_weight=np.ones(3))
    assert same_weights(a, b)


# ---- going on


def test_a_warm_start_goes_on_from_the_weights_and_the_curve():
    model = classifier(warm_start=True).fit(X, Y)
    curve = list(model.loss_curve_)
    model.fit(X, Y)
    assert model.loss_curve_[:5] == curve
    assert len(model.loss_curve_) == 10
    assert model.loss_curve_[-1] < curve[-1]
    assert model.n_iter_ == 5


def test_without_a_warm_start_the_second_fit_is_the_first():
    model = classifier().fit(X, Y)
    again = classifier().fit(X[:, ::-1], Y).fit(X, Y)
    assert same_weights(model, again)
    assert again.loss_curve_ == model.loss_curve_


def test_a_warm_start_with_another_network_says_which_it_has():
    model = classifier(warm_start=True).fit(X, Y).set_params(hidden_layer_sizes=(6,))
    with pytest.raises(ArgumentError, match=r"5-4-1 units.*ask for 5-6-1 and logistic"):
        model.fit(X, Y)


def test_a_warm_start_goes_not_on_from_classes_to_labels():
    classes = np.arange(len(X)) % 3
    model = classifier(warm_start=True).fit(X, classes)
    with pytest.raises(ArgumentError, match=r"softmax outputs.*and logistic"):
        model.fit(X, np.eye(3, dtype=int)[classes] | np.eye(3, dtype=int)[Y])


def test_a_warm_start_needs_the_same_classes():
    model = classifier(warm_start=True).fit(X, Y)
    with pytest.raises(DataError, match="warm_start can only be used where `y` has the same classes"):
        model.fit(X, np.zeros(len(X)))
    with pytest.raises(DataError, match=r"Previously got \[0 1\], `y` has \[1 2\]"):
        model.fit(X, Y + 1)


def test_going_on_with_another_solver_starts_its_record_anew():
    model = classifier(warm_start=True).fit(X, Y)
    model.set_params(solver="lbfgs").fit(X, Y)
    assert not hasattr(model, "loss_curve_")
    model.set_params(solver="sgd", early_stopping=True).fit(X, Y)
    assert len(model.validation_scores_) == len(model.loss_curve_) == 5
    assert model.best_loss_ is None
    model.set_params(early_stopping=False).fit(X, Y)
    assert model.validation_scores_ is None
    assert len(model.loss_curve_) == 5


def test_partial_fit_over_parts_learns():
    model = classifier(learning_rate_init=0.05)
    for _ in range(20):
        for part in np.split(np.arange(len(X)), 4):
            model.partial_fit(X[part], Y[part], classes=[0, 1])
    assert model.score(X, Y) > 0.9
    assert model.n_iter_ == 1


def test_partial_fit_may_first_see_some_of_the_classes_only():
    features, species = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    model = classifier().partial_fit(features[:50], names[species[:50]], classes=names)
    model.partial_fit(features, names[species])
    assert model.classes_.tolist() == names.tolist()
    assert model.predict_proba(features).shape == (150, 3)


def test_partial_fit_checks_the_classes():
    with pytest.raises(ArgumentError, match="classes must be passed on the first call"):
        classifier().partial_fit(X, Y)
    model = classifier().partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ArgumentError, match="not the same as on last call"):
        model.partial_fit(X, Y, classes=[0, 2])
    with pytest.raises(DataError, match=r"classes not in `self.classes_`.*: 2"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(ArgumentError, match="partial_fit does not support early_stopping"):
        classifier(early_stopping=True).partial_fit(X, Y, classes=[0, 1])


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(classifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError) as raised:
        _ = MLPRegressor(solver="lbfgs").partial_fit
    assert "only available for stochastic optimizers" in str(raised.value.__cause__)


# ---- stopping


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    settings = {
        "learning_rate_init": 0.1,
        "batch_size": 16,
        "early_stopping": True,
        "validation_fraction": 0.3,
    }
    model = classifier(max_iter=60, n_iter_no_change=8, tol=1e-4, **settings).fit(X, Y)
    scores = model.validation_scores_
    best = int(np.argmax(scores))
    assert model.n_iter_ == len(scores) < 60
    assert model.best_validation_score_ == max(scores)
    assert best < len(scores) - 1
    until_best = classifier(max_iter=best + 1, n_iter_no_change=60, **settings).fit(X, Y)
    assert same_weights(model, until_best)


def test_early_stopping_of_a_regressor_scores_r2():
    features, numbers = make_regression(100, 4, random_state=0)
    model = MLPRegressor(
        hidden_layer_sizes=(8,), early_stopping=True, max_iter=20, learning_rate_init=0.05, random_state=0
    ).fit(features, numbers / 50)
    assert 0 < model.best_validation_score_ <= 1
    assert len(model.validation_scores_) == model.n_iter_


def test_early_stopping_takes_a_class_of_a_single_row():
    labels = Y.copy()
    labels[0] = 2
    assert classifier(early_stopping=True).fit(X, labels).n_iter_ == 5


def test_early_stopping_needs_two_rows_to_hold_out():
    with pytest.raises(ArgumentError, match=r"validation set is too small: .*0\.1 of n_samples=8"):
        classifier(early_stopping=True).fit(X[:8], Y[:8])


def test_no_convergence_is_a_warning_at_the_line_of_the_caller():
    for solver in ("adam", "lbfgs"):
        with pytest.warns(ConvergenceWarning) as caught:
            classifier(solver=solver).fit(X, Y)
        assert [warning.filename for warning in caught] == [__file__]


def test_convergence_is_silent():
    assert classifier(max_iter=500, tol=0.1, n_iter_no_change=2).fit(X, Y).n_iter_ < 500
    assert classifier(solver="lbfgs", max_iter=500, alpha=10.0, tol=1e-2).fit(X, Y).n_iter_ < 500


def test_the_adaptive_rate_falls_to_its_end(capsys):
    model = classifier(
        solver="sgd", learning_rate="adaptive", n_iter_no_change=1, tol=10.0, max_iter=100, verbose=True
    )
    model.fit(X, Y)
    printed = capsys.readouterr().out
    assert printed.count("Setting learning rate to") == 5
    assert printed.endswith("Learning rate too small. Stopping.\n")


def test_verbose_prints_a_line_an_epoch(capsys):
    for solver in ("adam", "lbfgs"):
        model = classifier(solver=solver, verbose=True).fit(X, Y)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == model.n_iter_ == 5
        assert lines[-1] == f"Iteration 5, loss = {model.loss_:.8f}"


def test_ctrl_c_keeps_what_was_learnt(monkeypatch):
    end_of_epoch = EpochLog.on_epoch_end

    def interrupt_in_epoch_three(log, trainer, record):
        end_of_epoch(log, trainer, record)
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochLog, "on_epoch_end", interrupt_in_epoch_three)
    with pytest.warns(UserWarning, match="Training interrupted by user") as caught:
        model = classifier().fit(X, Y)
    assert [warning.filename for warning in caught] == [__file__]
    monkeypatch.undo()
    assert model.n_iter_ == 3
    assert same_weights(model, classifier(max_iter=3).fit(X, Y))


def test_divergence_is_an_error_that_says_what_to_do():
    features, numbers = make_regression(60, 4, random_state=0)
    with pytest.raises(
        ArgumentError, match=r"diverged in epoch \d+: .*smaller learning rate or scaled inputs"
    ):
        MLPRegressor(
            solver="sgd", learning_rate_init=10.0, momentum=0.99, random_state=0, activation="identity"
        ).fit(features * 1e6, numbers * 1e6)


def test_divergence_with_early_stopping_keeps_the_best_weights_if_there_are_any():
    features, numbers = make_regression(60, 4, random_state=0)
    model = MLPRegressor(
        solver="sgd",
        activation="identity",
        early_stopping=True,
        validation_fraction=0.3,
        warm_start=True,
        max_iter=5,
        random_state=0,
    )
    with pytest.raises(ArgumentError, match="diverged in epoch"):
        clone(model).set_params(learning_rate_init=1e300).fit(features, numbers / 100)
    model.fit(features, numbers / 100)
    best = copy.deepcopy(model)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch .* the best weights are kept"):
        model.set_params(learning_rate_init=1e300).fit(features, numbers / 100)
    assert same_weights(model, best)


def test_a_fit_that_fails_leaves_no_weights_to_predict_with():
    features, numbers = make_regression(60, 4, random_state=0)
    model = MLPRegressor(solver="sgd", activation="identity", random_state=0, max_iter=5)
    model.fit(features, numbers / 100).predict(features)
    model.set_params(learning_rate_init=10.0)
    with pytest.raises(ArgumentError, match="diverged"):
        model.fit(features * 1e6, numbers * 1e6)
    with pytest.raises(NotFittedError):
        model.predict(features)


# ---- bad arguments


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"hidden_layer_sizes": (4, 0)},
            r"hidden_layer_sizes must be whole numbers of at least 1, not \(4, 0\)",
        ),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be whole numbers"),
        ({"activation": "gelu"}, "activation must be 'identity', 'logistic', 'tanh' or 'relu', not 'gelu'"),
        ({"solver": "newton"}, "solver must be"),
        ({"alpha": -1}, "alpha must be a number of at least 0, not -1"),
        ({"alpha": float("nan")}, "alpha must be a number"),
        ({"batch_size": 0}, "batch_size must be 'auto' or a whole number"),
        ({"batch_size": "full"}, "batch_size must be 'auto' or a whole number"),
        ({"learning_rate": "cosine"}, "learning_rate must be"),
        ({"learning_rate_init": 0.0}, "learning_rate_init must be a number above 0"),
        ({"max_iter": 0}, "max_iter must be a whole number of at least 1"),
        ({"max_iter": True}, "max_iter must be a whole number of at least 1"),
        ({"shuffle": "yes"}, "shuffle must be True or False"),
        ({"momentum": 1.5}, "momentum must be a number from 0 to 1"),
        ({"validation_fraction": 1.0}, "validation_fraction must be a number of at least 0 and below 1"),
        ({"beta_1": 1.0}, "beta_1 must be"),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be a whole number of at least 1, or infinity"),
        ({"random_state": "seed"}, "random_state must be None, a whole number"),
        ({"random_state": -1}, "random_state must be None, a whole number"),
    ],
)
def test_a_bad_parameter_is_named_when_fitting_and_not_before(setting, message):
    model = classifier(**setting)
    with pytest.raises(ArgumentError, match=message):
        model.fit(X, Y)


def test_an_infinite_patience_is_allowed():
    assert classifier(n_iter_no_change=np.inf, tol=10.0, max_iter=15).fit(X, Y).n_iter_ == 15


def test_a_batch_larger_than_the_data_is_clipped_with_a_warning():
    with pytest.warns(UserWarning, match="batch_size=100 is more than the 80 rows") as caught:
        clipped = classifier(batch_size=100).fit(X, Y)
    assert {warning.filename for warning in caught} == {__file__}  # that of no convergence as well
    assert same_weights(clipped, classifier(batch_size=80).fit(X, Y))


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (np.ones(3), ShapeError, r"sample_weight must have shape \(80,\), not \(3,\)"),
        (np.full(80, -1.0), ArgumentError, "finite and not negative; row 0"),
        (np.full(80, np.nan), ArgumentError, "finite and not negative"),
        (np.zeros(80), ArgumentError, "sample_weight is zero for all rows"),
    ],
)
def test_bad_weights_are_refused(weight, error, message):
    with pytest.raises(error, match=message):
        classifier().fit(X, Y, sample_weight=weight)


def test_the_names_of_the_columns_are_kept_and_checked():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcde"))
    model = classifier().fit(frame, Y)
    assert model.feature_names_in_.tolist() == list("abcde")
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("edcba")])


def test_scikit_learns_own_network_takes_no_part(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("sklearn.neural_network")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert classifier().fit(X, Y).n_iter_ == 5
