"""A loss that is no number says why: targets that do not fit, cells without numbers, too large steps."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.train import divergence

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3)).astype(np.float32)
CLASSES = np.arange(40) % 2


def trainer_of(loss="cross_entropy", outputs=2, lr=0.1, compiled=True):
    model = sw.nn.Sequential(sw.nn.Linear(3, outputs))
    return sw.Trainer(model, loss, sw.optim.SGD(model.parameters(), lr=lr), compile=compiled)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("shift", "value"), [(1, 2), (-1, -1)])
def test_classes_that_do_not_fit_the_model_are_an_error_however_the_step_runs(compiled, shift, value):
    with pytest.raises(
        sw.SlopewiseError, match=rf"target\[\d+\] is {value}, but the prediction has 2 classes"
    ):
        trainer_of(compiled=compiled).fit(X, CLASSES + shift, batch_size=8)


def test_classes_that_do_not_fit_are_an_error_in_scores_and_validation_too():
    trainer = trainer_of()
    for _ in range(2):  # the second call is a traced one
        assert np.isfinite(trainer.evaluate(X, CLASSES)["loss"])
    with pytest.raises(sw.SlopewiseError, match=r"target\[1\] is 2"):
        trainer.evaluate(X, CLASSES + 1)
    with pytest.raises(sw.SlopewiseError, match=r"target\[1\] is 2"):
        trainer.fit(X, CLASSES, validation=(X, CLASSES + 1))


def test_a_target_far_down_is_named_by_its_place(monkeypatch):
    monkeypatch.setattr(divergence, "_ROWS", 16)
    classes = CLASSES.copy()
    classes[37] = 9
    with pytest.raises(sw.SlopewiseError, match=r"target\[5\] is 9, .* \(counted from row 32\)"):
        trainer_of().fit(X, classes)


def test_the_mode_of_the_model_is_as_before_an_error():
    trainer = trainer_of()
    with pytest.raises(sw.SlopewiseError):
        trainer.fit(X, CLASSES + 1)
    assert trainer.model.training


def test_a_cell_that_is_no_number_is_named():
    holed = X.copy()
    holed[23, 1] = np.nan
    assert "the training loss is nan: X holds nan at [23, 1]" in trainer_of().fit(holed, CLASSES).stopped
    target = X[:, :1].copy()
    target[7] = np.inf
    stopped = trainer_of("mse", outputs=1).fit(X, target).stopped
    assert "y holds inf at [7, 0]; fill it in" in stopped


@pytest.mark.parametrize("loss", ["mse", lambda prediction, target: ((prediction - target) ** 2).mean()])
def test_too_large_steps_are_told_from_bad_data(loss):
    stopped = trainer_of(loss, outputs=1, lr=1e30).fit(X, X[:, :1], epochs=3).stopped
    assert "a smaller learning rate or scaled inputs may help" in stopped
