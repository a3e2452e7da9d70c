"""Scores beside baselines and noise."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise import metrics
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.outcome import Outcome
from slopewise.evaluate.scorecards import SCORES, kind_of, scorecard
from slopewise.train.files import to_json

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3], [0.2, 0.2, 0.6]])
CLASSES = Outcome.of_classes(np.array([0, 1, 2, 2]), PROBABILITIES)
NUMBERS = Outcome.of_numbers(np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.5, 2.0, 3.0, 9.0]))
BASELINES = {
    "classification": Baseline.of_classes(np.array([0, 0, 1, 2]), 3),
    "regression": Baseline.of_numbers(np.array([2.0, 3.0, 10.0])),
}


@pytest.mark.parametrize("outcome", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_every_score_of_the_table_is_given_in_its_order(outcome):
    scores = scorecard(outcome, BASELINES[outcome.task])
    assert [score.name for score in scores] == [kind.name for kind in SCORES[outcome.task]]
    for score in scores:
        options = {"labels": [0, 1, 2]} if score.name in ("log_loss", "brier", "roc_auc") else {}
        said = outcome.probabilities if options else outcome.predicted
        assert score.value == pytest.approx(getattr(metrics, score.name)(outcome.truth, said, **options))


@pytest.mark.parametrize(
    "kind", [kind for kinds in SCORES.values() for kind in kinds], ids=lambda kind: kind.name
)
def test_a_perfect_prediction_beats_the_baseline_in_the_direction_that_the_table_names(kind):
    task = "classification" if kind in SCORES["classification"] else "regression"
    truth = np.array([0, 1, 2, 2])
    perfect = Outcome.of_classes(truth, np.eye(3)[truth]) if task == "classification" else None
    perfect = perfect or Outcome.of_numbers(truth, truth)
    score = next(s for s in scorecard(perfect, BASELINES[task], noise=False) if s.name == kind.name)
    assert (score.value > score.baseline) if kind.better == "higher" else (score.value < score.baseline)
    assert kind_of(kind.name) is kind


def test_baselines_know_the_training_rows_only():
    truth = np.array([2, 2, 2])
    constant = BASELINES["classification"].outcome(truth, "class frequencies")
    assert constant.predicted.tolist() == [0, 0, 0]
    assert constant.probabilities.tolist() == [[0.5, 0.25, 0.25]] * 3
    assert BASELINES["regression"].outcome(np.array([7.0]), "mean").predicted.tolist() == [5.0]
    assert BASELINES["regression"].outcome(np.array([7.0]), "median").predicted.tolist() == [3.0]


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_a_baseline_comes_back_from_json(baseline):
    back = Baseline.from_dict(json.loads(to_json(baseline.to_dict())))
    assert repr(back) == repr(baseline)


def test_a_baseline_without_training_rows_is_refused():
    with pytest.raises(ArgumentError, match="training rows"):
        Baseline.of_numbers(np.array([]))
    with pytest.raises(ArgumentError, match="training rows"):
        Baseline.of_classes(np.array([], dtype=np.int64), classes=2)


@pytest.mark.parametrize("outcome", [CLASSES, NUMBERS], ids=["classes", "numbers"])
@given(times=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_weighted_scores_are_those_of_the_metrics_on_repeated_rows(outcome, times):
    places = np.repeat(np.arange(4), times)
    truth, predicted = outcome.truth[places], outcome.predicted[places]
    if len(np.unique(truth)) < (3 if outcome.task == "classification" else 2):
        return  # some scores have no value then; the metrics say so by an error
    for kind in SCORES[outcome.task]:
        probable = kind.name in ("log_loss", "brier", "roc_auc")
        said = outcome.probabilities[places] if probable else predicted
        expected = getattr(metrics, kind.name)(truth, said)
        assert kind.scorer(outcome)(np.array(times, dtype=float)) == pytest.approx(expected, rel=1e-12)


def test_scores_without_a_value_are_nan():
    one_class = CLASSES.truth == 2
    for name in ("roc_auc", "r2"):
        outcome = CLASSES if name == "roc_auc" else NUMBERS
        assert np.isnan(kind_of(name).scorer(outcome)(one_class * (1.0 if name == "roc_auc" else 0.0)))
    many = Outcome.of_classes(np.arange(30), np.eye(30))
    assert np.isnan(kind_of("roc_auc").scorer(many)(np.ones(30)))


def test_accuracy_has_wilsons_interval_even_when_no_row_is_wrong():
    truth = np.arange(30) % 3
    scores = scorecard(Outcome.of_classes(truth, np.eye(3)[truth]), BASELINES["classification"])
    assert (scores[0].low, scores[0].high) == metrics.wilson_interval(30, 30)
    # The bootstrap never sees a mistake here, which is no measure of noise.
    assert np.isnan([scores[1].low, scores[1].high]).all()


def test_noise_holds_the_value_and_is_the_same_for_the_same_seed():
    truth = np.linspace(0, 1, 50)
    outcome = Outcome.of_numbers(truth, truth + 0.1 * np.sin(np.arange(50)))
    baseline = Baseline.of_numbers(truth)
    scores = scorecard(outcome, baseline, seed=3)
    assert all(score.low < score.value < score.high for score in scores)
    assert scores == scorecard(outcome, baseline, seed=3)
    assert np.isnan([score.low for score in scorecard(outcome, baseline, noise=False)]).all()


def test_one_row_has_scores_but_no_noise():
    (mae, *_) = scorecard(Outcome.of_numbers(np.array([2.0]), np.array([5.0])), BASELINES["regression"])
    assert mae.value == 3.0
    assert np.isnan(mae.low)


def test_a_class_that_does_not_occur_leaves_roc_auc_without_a_value():
    outcome = Outcome.of_classes(np.array([0, 1, 1]), PROBABILITIES[:3])
    scores = {score.name: score.value for score in scorecard(outcome, BASELINES["classification"])}
    assert np.isnan(scores["roc_auc"])
    assert np.isfinite(scores["log_loss"])


def test_float32_probabilities_are_brought_to_a_sum_of_one():
    prob = np.full((2, 3), 1 / 3, dtype=np.float32) * np.float32(1.00001)
    assert Outcome.of_classes(np.array([0, 1]), prob).probabilities.sum(axis=1).tolist() == [1.0, 1.0]


def test_outcomes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="row per truth"):
        Outcome.of_classes(np.array([0, 1, 2]), PROBABILITIES)
    with pytest.raises(ArgumentError, match="0 to 2"):
        Outcome.of_classes(np.array([0, 1, 2, 3]), PROBABILITIES)
    with pytest.raises(ShapeError, match=r"\(1, 2\)"):
        Outcome.of_numbers(np.zeros((1, 2)), np.zeros(2))
