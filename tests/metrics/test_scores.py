"""Scores against scikit-learn's values (tests/reference/make_scores.py), and the laws they must obey."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise import metrics
from slopewise.engine.errors import ArgumentError, ShapeError

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "scores.json").read_text())
CLASSIFICATION = [pytest.param(case, id=case["name"]) for case in REFERENCE["classification"]]
REGRESSION = [pytest.param(case, id=case["name"]) for case in REFERENCE["regression"]]
LABEL_SCORES = ["accuracy", "balanced_accuracy"]
CLASS_SCORES = ["precision", "recall", "f1"]
PROBABILITY_SCORES = ["log_loss", "brier", "roc_auc"]
NUMBER_SCORES = ["mse", "rmse", "mae", "r2", "median_absolute_error"]


def score(name, *arguments, **options):
    return getattr(metrics, name)(*arguments, **options)


@pytest.mark.parametrize("case", CLASSIFICATION)
@pytest.mark.parametrize("name", LABEL_SCORES)
def test_label_scores_agree_with_scikit_learn(name, case):
    value = score(name, case["y_true"], case["y_pred"], sample_weight=case["sample_weight"])
    assert value == pytest.approx(case["values"][name], rel=1e-12)


@pytest.mark.parametrize("case", CLASSIFICATION)
@pytest.mark.parametrize("name", CLASS_SCORES)
def test_scores_per_class_agree_with_scikit_learn(name, case):
    options = {"labels": case["labels"], "sample_weight": case["sample_weight"]}
    values = score(name, case["y_true"], case["y_pred"], average=None, **options)
    assert values.tolist() == pytest.approx(case["values"][name], rel=1e-12)
    assert score(name, case["y_true"], case["y_pred"], **options) == pytest.approx(np.mean(values), rel=1e-12)


@pytest.mark.parametrize("case", CLASSIFICATION)
@pytest.mark.parametrize("name", PROBABILITY_SCORES)
def test_probability_scores_agree_with_scikit_learn(name, case):
    value = score(name, case["y_true"], case["y_prob"], sample_weight=case["sample_weight"])
    assert value == pytest.approx(case["values"][name], rel=1e-12)


@pytest.mark.parametrize("case", CLASSIFICATION)
def test_confusion_matrix_and_macro_f1_agree_with_scikit_learn(case):
    options = {"labels": case["labels"], "sample_weight": case["sample_weight"]}
    matrix = metrics.confusion_matrix(case["y_true"], case["y_pred"], **options)
    assert matrix.tolist() == case["values"]["confusion_matrix"]
    assert metrics.f1(case["y_true"], case["y_pred"], **options) == pytest.approx(case["values"]["f1_macro"])


@pytest.mark.parametrize("case", REGRESSION)
@pytest.mark.parametrize("name", NUMBER_SCORES)
def test_number_scores_agree_with_scikit_learn(name, case):
    value = score(name, case["y_true"], case["y_pred"], sample_weight=case["sample_weight"])
    assert value == pytest.approx(case["values"][name], rel=1e-12)


@pytest.mark.parametrize("name", PROBABILITY_SCORES)
def test_one_column_means_the_second_of_two_classes(name):
    true, p = ["no", "yes", "yes", "no"], np.array([0.125, 0.75, 0.5, 0.625])
    both = np.stack([1 - p, p], axis=1)
    assert score(name, true, p) == score(name, true, both)


@pytest.mark.parametrize("name", PROBABILITY_SCORES)
def test_labels_name_the_columns_in_any_order(name):
    true = ["b", "a", "b", "c"]
    prob = np.array([[0.25, 0.5, 0.25], [0.75, 0.125, 0.125], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    turned = score(name, true, prob[:, [2, 0, 1]], labels=["c", "a", "b"])
    assert turned == pytest.approx(score(name, true, prob), rel=1e-15)


def test_a_certain_mistake_costs_a_finite_log_loss_that_depends_on_the_dtype():
    wrong = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert metrics.log_loss([1, 0], wrong) == pytest.approx(-np.log(np.finfo(np.float64).eps))
    assert metrics.log_loss([1, 0], wrong.astype(np.float32)) == pytest.approx(
        -np.log(np.finfo(np.float32).eps)
    )


def test_a_class_that_never_occurs_counts_in_macro_scores_but_not_in_balanced_accuracy():
    assert metrics.recall([0, 0], [0, 0], labels=[0, 1]) == 0.5
    assert metrics.balanced_accuracy([0, 0], [0, 1]) == 0.5


def test_roc_auc_ranks_any_scores_of_two_classes():
    assert metrics.roc_auc([0, 1, 1], [-40.0, 3.0, 1e6]) == 1.0
    assert metrics.roc_auc([0, 1, 0, 1], [7.0, 7.0, 7.0, 7.0]) == 0.5


def test_r2_of_one_row_is_not_defined():
    assert np.isnan(metrics.r2([1.0], [1.0]))


@pytest.mark.parametrize("name", LABEL_SCORES + CLASS_SCORES + NUMBER_SCORES)
@given(data=st.data())
def test_a_weight_of_two_is_the_same_as_the_row_twice(name, data):
    rows = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=2))
    true, predicted, times = (np.array(column) for column in zip(*rows, strict=True))
    repeated = score(name, np.repeat(true, times), np.repeat(predicted, times))
    assert score(name, true, predicted, sample_weight=times) == pytest.approx(repeated, rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2))
def test_roc_auc_is_the_share_of_pairs_ranked_rightly(rows):
    true, ranks = np.array([t for t, _ in rows]), np.array([r for _, r in rows], dtype=float)
    if true.all() or not true.any():
        with pytest.raises(ArgumentError):
            metrics.roc_auc(true, ranks, labels=[False, True])
        return
    difference = ranks[true][:, None] - ranks[~true][None, :]
    pairs = np.mean(np.where(difference > 0, 1.0, np.where(difference == 0, 0.5, 0.0)))
    assert metrics.roc_auc(true, ranks) == pytest.approx(pairs)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy([0, 1], [0, 1, 1]), ShapeError, r"\(2,\) and y_pred \(3,\)"),
        (lambda: metrics.mse([[1.0], [2.0]], [1.0, 2.0]), ShapeError, r"\(2, 1\) and y_pred \(2,\)"),
        (lambda: metrics.accuracy([], []), ArgumentError, "no rows"),
        (lambda: metrics.accuracy([0, 1], ["0", "1"]), ArgumentError, "mix text and numbers"),
        (lambda: metrics.f1([0, 1], [0, 1], average="micro"), ArgumentError, "'micro'"),
        (lambda: metrics.recall([0, 2], [0, 1], labels=[0, 1]), ArgumentError, "not among the labels"),
        (lambda: metrics.recall([0, 1], [0, 1], labels=[0, 0, 1]), ArgumentError, "distinct"),
        (lambda: metrics.mae([0.0, 1.0], [0.0, np.nan]), ArgumentError, "y_pred holds nan at position 1"),
        (lambda: metrics.mae(["a"], ["b"]), ArgumentError, "needs numbers"),
        (lambda: metrics.mae([1.0], [1.0], sample_weight=[-1.0]), ArgumentError, "negative"),
        (lambda: metrics.mae([1.0], [1.0], sample_weight=[0.0]), ArgumentError, "0 for every row"),
        (lambda: metrics.mae([1.0], [1.0], sample_weight=[1.0, 1.0]), ShapeError, "one per row"),
        (lambda: metrics.log_loss([0, 1], [[2.0, -1.0], [0.5, 0.5]]), ArgumentError, "not logits"),
        (lambda: metrics.log_loss([0, 1], [[0.5, 0.4], [0.5, 0.5]]), ArgumentError, "row 0 sums to 0.9"),
        (lambda: metrics.log_loss([0, 1], [[0.5, 0.5]]), ShapeError, r"\(1, 2\) for 2 rows"),
        (lambda: metrics.log_loss([0, 0], [[0.5, 0.5], [0.5, 0.5]]), ArgumentError, "pass labels"),
        (
            lambda: metrics.roc_auc([0, 0], [[0.5, 0.5], [0.5, 0.5]], labels=[0, 1]),
            ArgumentError,
            "every class",
        ),
        (lambda: metrics.roc_auc([0, 1], [0.5, np.nan]), ArgumentError, "NaN"),
    ],
)
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_constant_target_far_from_zero_has_no_variance():
    target = [1000000.123] * 7
    assert metrics.r2(target, target) == 1.0
    assert metrics.r2(target, [1000000.0] * 7, sample_weight=[0.5, 1.0, 2.0, 0.5, 1.0, 1.0, 2.0]) == 0.0
