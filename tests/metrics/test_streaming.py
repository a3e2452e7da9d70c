"""Streaming metrics agree with the scores of finished predictions, however the rows are cut into batches."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise import metrics
from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.metrics import scores

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "scores.json").read_text())


def run(metric, prediction, target, weight=None, cuts=(), mode=None):
    """Update batch by batch, the rows being cut at the given places."""
    update = sw.compile(metric.update, target=mode) if mode else metric.update
    state = metric.init()
    for rows in np.split(np.arange(len(target)), sorted(cuts)):
        if len(rows):
            batch = [sw.tensor(np.asarray(part)[rows]) for part in (prediction, target)]
            kept = () if weight is None else (sw.tensor(np.asarray(weight, float)[rows]),)
            state = update(state, *batch, *kept)
    return metric.compute(state)


@pytest.mark.parametrize("case", REFERENCE["classification"], ids=lambda case: case["name"])
def test_metrics_of_classes_agree_with_scikit_learn(case):
    labels, values = case["labels"], case["values"]
    n = len(labels)
    target = [labels.index(label) for label in case["y_true"]]
    predicted = [labels.index(label) for label in case["y_pred"]]
    prob = np.array(case["y_prob"])
    given = {"target": target, "weight": case["sample_weight"], "cuts": (3, 10, 11)}
    matrix = run(metrics.ConfusionMatrix(n), predicted, **given)
    np.testing.assert_allclose(matrix, values["confusion_matrix"], rtol=1e-12)
    assert run(metrics.Accuracy(), prob, **given) == pytest.approx(values["accuracy"], rel=1e-12)
    for name in ("precision", "recall", "f1"):
        shares = run(metrics.get(name, n_classes=n, average=None), prob, **given)
        np.testing.assert_allclose(shares, values[name], rtol=1e-12)
    assert run(metrics.F1(n), prob, **given) == pytest.approx(values["f1_macro"], rel=1e-12)
    assert run(metrics.LogLoss(False), prob, **given) == pytest.approx(values["log_loss"], rel=1e-12)
    if n == 2:
        second = prob[:, 1]
        assert run(metrics.Accuracy(0.5), second, **given) == pytest.approx(values["accuracy"], rel=1e-12)
        assert run(metrics.LogLoss(False), second, **given) == pytest.approx(values["log_loss"], rel=1e-12)
        binary = run(metrics.F1(average="binary", threshold=0.5), second, **given)
        assert binary == pytest.approx(values["f1"][1], rel=1e-12)


@pytest.mark.parametrize("case", REFERENCE["regression"], ids=lambda case: case["name"])
@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "r2"])
def test_metrics_of_numbers_agree_with_scikit_learn(case, name):
    result = run(metrics.get(name), case["y_pred"], case["y_true"], case["sample_weight"], cuts=(1, 2, 9))
    assert result == pytest.approx(case["values"][name], rel=1e-12)


rows = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from([0.0, 0.5, 1.0, 2.0])),
    min_size=2,
    max_size=12,
).filter(lambda rows: sum(row[2] for row in rows) > 0)


@given(rows, st.sets(st.integers(1, 11)), st.sampled_from([0.0, 1e6]))
def test_cutting_rows_into_batches_changes_no_metric_of_numbers(rows, cuts, offset):
    prediction, target, weight = (np.array(column) for column in zip(*rows, strict=True))
    prediction, target = np.round(prediction + offset, 3), np.round(target + offset, 3)
    for name in ("mse", "rmse", "mae", "r2"):
        expected = getattr(scores, name)(target, prediction, sample_weight=weight)
        result = run(metrics.get(name), prediction, target, weight, cuts)
        assert result == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12),
    st.sets(st.integers(1, 11)),
)
def test_cutting_rows_into_batches_changes_no_metric_of_classes(rows, cuts):
    predicted, target = (np.array(column) for column in zip(*rows, strict=True))
    every = {"labels": range(4)}
    assert run(metrics.Accuracy(), predicted, target, cuts=cuts) == scores.accuracy(target, predicted)
    for name in ("precision", "recall", "f1"):
        expected = getattr(scores, name)(target, predicted, **every)
        assert run(metrics.get(name, n_classes=4), predicted, target, cuts=cuts) == expected


@pytest.mark.parametrize("name", list(metrics.BY_NAME))
def test_every_metric_gives_the_same_however_it_is_compiled_and_in_a_scan(
    name,
):
    generator = np.random.Generator(np.random.PCG64(0))
    of_numbers = name in ("mse", "rmse", "mae", "r2")
    settings = {} if of_numbers or name in ("accuracy", "top_k_accuracy", "log_loss") else {"n_classes": 6}
    metric = metrics.get(name, **settings)
    prediction = generator.normal(size=(12, 6))
    target = generator.integers(0, 6, 12)
    if of_numbers:
        prediction, target = prediction[:, 0], prediction[:, 1]
    weight = generator.integers(1, 4, 12)
    expected = run(metric, prediction, target, weight, cuts=(4, 8))
    np.testing.assert_array_equal(
        run(metric, prediction, target, weight, cuts=(4, 8), mode="interpreter"), expected
    )
    native = run(metric, prediction, target, weight, cuts=(4, 8), mode="native")
    np.testing.assert_allclose(native, expected, rtol=1e-12)
    batches = tuple(
        sw.tensor(np.reshape(part, (3, 4, *part.shape[1:]))) for part in (prediction, target, weight)
    )
    state, _ = sw.scan(lambda state, batch: (metric.update(state, *batch), None), metric.init(), batches)
    np.testing.assert_array_equal(metric.compute(state), expected)


def test_updating_records_nothing_on_the_tape():
    w = sw.tensor(np.ones(3), requires_grad=True)
    for name in ("mse", "r2"):
        metric = metrics.get(name)
        state = metric.update(metric.init(), w * 2, sw.tensor(np.ones(3)))
        parts = state if isinstance(state, tuple) else (state,)
        assert not any(part.requires_grad for part in parts)


def test_log_loss_of_logits_is_safe_at_extremes_and_agrees_with_probabilities():
    logits = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = [1, 0]
    expected = run(metrics.LogLoss(from_logits=False), prob, target)
    assert run(metrics.LogLoss(), logits, target) == pytest.approx(expected, rel=1e-12)
    assert run(metrics.LogLoss(), [[1e4, -1e4]], [1]) == 2e4
    assert run(metrics.LogLoss(), [1e4, -1e4], [1, 0]) == 0.0
    assert run(metrics.LogLoss(), [-1e4], [1]) == 1e4


def test_top_k_counts_ties_like_argmax_and_nan_as_wrong():
    ties = [[1.0, 1.0, 1.0]] * 3
    for k, hits in ((1, 1), (2, 2), (3, 3)):
        assert run(metrics.TopKAccuracy(k), ties, [0, 1, 2]) == hits / 3
    generator = np.random.Generator(np.random.PCG64(1))
    scores_of_rows = generator.integers(0, 3, (40, 4)).astype(float)
    target = generator.integers(0, 4, 40)
    top = run(metrics.TopKAccuracy(1), scores_of_rows, target)
    assert top == run(metrics.Accuracy(), scores_of_rows, target)
    assert run(metrics.TopKAccuracy(2), [[math.nan, 0.0, 0.0]], [2]) == 0.0
    assert run(metrics.TopKAccuracy(2), [[math.nan] * 3], [0]) == 0.0


def test_positions_of_a_sequence_are_rows_with_the_weight_of_theirs():
    prediction = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    target = np.array([[0, 1], [1, 1]])
    assert run(metrics.Accuracy(), prediction, target) == 0.75
    assert run(metrics.Accuracy(), prediction, target, weight=[3.0, 1.0]) == 5 / 8


def test_several_outputs_are_averaged():
    target = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    prediction = target + np.array([[0.0, 1.0]])
    assert run(metrics.MeanSquaredError(), prediction, target) == 0.5
    assert run(metrics.R2(n_outputs=2), prediction, target, cuts=(1,)) == pytest.approx((1 + 1 - 3 / 8) / 2)


def test_a_constant_target_in_many_batches_has_no_variance():
    target = np.full(9, 0.1)
    assert run(metrics.R2(), target, target, cuts=(2, 4)) == 1.0
    assert run(metrics.R2(), target + 1, target, cuts=(2, 4)) == 0.0


@pytest.mark.parametrize("name", list(metrics.BY_NAME))
def test_a_batch_without_rows_changes_nothing(name):
    metric = metrics.get(name)
    full, empty = (np.array([1.0, 0.0, 2.0]), np.array([1, 0, 1])), (np.ones(0), np.ones(0, int))
    if name == "top_k_accuracy":
        full, empty = (np.ones((3, 6)), full[1]), (np.ones((0, 6)), empty[1])
    state = metric.update(metric.init(), *full)
    np.testing.assert_array_equal(metric.compute(metric.update(state, *empty)), metric.compute(state))


def test_plain_numbers_and_lists_keep_all_their_digits():
    mean = metrics.Mean()
    state = mean.update(mean.update(mean.init(), 0.1, weight=0.3), 0.7, weight=0.1)
    assert mean.compute(state) == pytest.approx(0.25, rel=1e-15)
    metric = metrics.MeanSquaredError()
    state = metric.update(metric.init(), [0.1, 0.2], [0.3, 0.7], weight=[0.1, 0.3])
    expected = scores.mse([0.3, 0.7], [0.1, 0.2], sample_weight=[0.1, 0.3])
    assert metric.compute(state) == pytest.approx(expected, rel=1e-15)


def test_no_rows_and_no_weight_give_nan():
    for name in ("accuracy", "mse", "r2", "log_loss"):
        metric = metrics.get(name)
        assert math.isnan(metric.compute(metric.init()))
    assert math.isnan(run(metrics.MeanAbsoluteError(), [1.0], [2.0], weight=[0.0]))


WRONG_SHAPES = {
    "column against row": lambda: run(metrics.MeanSquaredError(), np.ones((3, 1)), np.ones(3)),
    "column against row of classes": lambda: run(metrics.Accuracy(), np.ones((3, 1)), np.ones(3, int)),
    "row against column of classes": lambda: run(metrics.Accuracy(), np.ones(3), np.ones((3, 1), int)),
    "a number against a row": lambda: metrics.Accuracy().update(metrics.Accuracy().init(), 1.0, [1]),
    "two numbers": lambda: metrics.Accuracy().update(metrics.Accuracy().init(), 1.0, 1),
    "a row against a number": lambda: metrics.Accuracy().update(metrics.Accuracy().init(), [1.0, 2.0], 1),
    "one-hot target": lambda: run(metrics.Accuracy(), np.ones((3, 4)), np.ones((3, 4), int)),
    "too few weights": lambda: metrics.get("accuracy").update(
        metrics.Accuracy().init(), np.ones(3), np.ones(3), np.ones(1)
    ),
    "weights of numbers": lambda: metrics.get("r2").update(
        metrics.R2().init(), np.ones(3), np.ones(3), np.ones(2)
    ),
    "other number of classes": lambda: run(metrics.F1(3), np.ones((2, 4)), [0, 1]),
    "other number of outputs": lambda: run(metrics.R2(), np.ones((3, 2)), np.ones((3, 2))),
    "top k of one score": lambda: run(metrics.TopKAccuracy(1), np.ones(3), np.ones(3)),
    "weights of values": lambda: metrics.Mean().update(metrics.Mean().init(), np.ones(3), np.ones(2)),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_shapes_that_do_not_fit_are_told(case):
    with pytest.raises(ShapeError) as caught:
        WRONG_SHAPES[case]()
    assert "\n" not in str(caught.value)


WRONG = {
    "-1": lambda: run(metrics.Accuracy(), [0.5, -1.0], [1, -1]),
    "3 beyond": lambda: run(metrics.ConfusionMatrix(3), [0, 1], [1, 5]),
    "1 beyond": lambda: run(metrics.LogLoss(), np.ones((2, 3)), [1, 3]),
    "n_classes": lambda: metrics.F1(1),
    "average": lambda: metrics.F1(average="micro"),
    "two classes": lambda: metrics.F1(3, average="binary"),
    "k must": lambda: metrics.TopKAccuracy(0),
    "did you mean 'accuracy'": lambda: metrics.get("acuracy"),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_use_is_told_in_one_line(message):
    with pytest.raises(ArgumentError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
