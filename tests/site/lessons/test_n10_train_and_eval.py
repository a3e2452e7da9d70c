"""The lab of the two modes: what each layer does in each of them."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lessons.n10_train_and_eval.lab import LAB
from slopewise.site.content.lessons.n10_train_and_eval.modes import CALLS, UNITS, build, observe, score, train


def frames(**query):
    return LAB.frames(LAB.read(query))


def test_dropout_answers_differ_in_training_mode_and_agree_in_evaluation_mode():
    record = observe("dropout", 0.5, 8, 0.0, 1)
    assert len(set(record.answers("train"))) == CALLS
    assert set(record.answers("eval")) == {record.before}


def test_kept_units_are_divided_by_the_share_that_is_kept():
    call = observe("dropout", 0.25, 4, 0.0, 2).calls[0]
    for before, after in zip(call.hidden, call.passed):
        assert after == 0 or after == pytest.approx(before / 0.75, rel=1e-6)
    assert 0 < sum(value == 0 for value in call.passed) < UNITS


def test_in_the_mean_of_many_draws_dropout_answers_what_evaluation_mode_does():
    model = build("dropout", 0.3, 3)
    train(model, 3)
    x = sw.tensor([[0.4]])
    with sw.no_grad():
        steady = model(x).item()
        drawn = [model.train()(x).item() for _ in range(800)]
    assert np.mean(drawn) == pytest.approx(steady, abs=4 * np.std(drawn) / 800**0.5)


def test_calls_in_training_mode_change_what_batch_norm_answers_afterwards():
    record = observe("batchnorm", 0.3, 8, 0.0, 0)
    assert set(record.answers("eval")) != {record.before}
    assert len(set(record.answers("eval"))) == 1
    running = [call.running for call in record.calls]
    assert len(set(running[:CALLS])) == CALLS
    assert len(set(running[CALLS - 1 :])) == 1


def test_batch_norm_uses_the_mean_of_the_batch_in_training_mode_and_its_memory_otherwise():
    record = observe("batchnorm", 0.3, 8, 0.5, 4)
    for call in record.calls:
        batch = np.mean([call.hidden[0], *call.company])
        assert call.used == pytest.approx(batch if call.mode == "train" else call.running, rel=1e-5)


def test_company_is_other_rows_at_each_call_and_matters_to_batch_norm_alone():
    for layer, differ in (("batchnorm", True), ("layernorm", False)):
        record = observe(layer, 0.3, 16, 0.0, 5)
        company = [tuple(call.company) for call in record.calls]
        assert len(set(company)) == CALLS
        assert company[:CALLS] == company[CALLS:]  # both modes see the same batches
        assert (len({round(answer, 5) for answer in record.answers("train")}) > 1) is differ


def test_a_single_row_is_refused_in_training_mode_only():
    record = observe("batchnorm", 0.3, 1, 0.0, 0)
    assert "more than one value" in record.calls[0].refusal
    assert record.answers("eval") == [record.before] * CALLS
    made = frames(layer="batchnorm", batch="1")
    assert made[0].prediction.answer == 2
    assert "refuses" in made[1].words


def test_scoring_in_evaluation_mode_does_not_depend_on_the_batch_size():
    model = build("batchnorm", 0.3, 0)
    train(model, 0)
    with sw.no_grad():
        losses = [score(model, size, 0) for size in (2, 7, 64)]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("query", "answers"),
    [
        ({}, [1, 0, 2]),
        ({"layer": "batchnorm"}, [1, 1, 2]),
        ({"layer": "layernorm"}, [0, 0, 1]),
        ({"p": "0"}, [0, 0, 1]),
        ({"layer": "batchnorm", "batch": "1"}, [2, 0]),
    ],
)
def test_the_predictions_know_what_each_layer_does(query, answers):
    asked = [frame.prediction for frame in frames(**query) if frame.prediction is not None]
    assert [prediction.answer for prediction in asked] == answers
