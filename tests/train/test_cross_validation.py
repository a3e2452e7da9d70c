"""Cross-validation: each row is tested once, by a model that did not see it."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.data import GroupKFold

X, Y = sw.data.generate("blobs", n=90, seed=0)


def make_trainer():
    sw.manual_seed(0)
    model = sw.nn.Linear(X.shape[1], 3)
    optimizer = sw.optim.Adam(model.parameters(), lr=0.1)
    return sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"])


def test_scores_come_by_fold():
    scores = sw.cross_validate(make_trainer, X, Y, cv=3, epochs=15, return_train_score=True)
    assert set(scores) == {"test_loss", "test_accuracy", "train_loss", "train_accuracy", "epochs"}
    assert all(values.shape == (3,) for values in scores.values())
    assert scores["test_accuracy"].min() > 0.8


def test_a_fold_is_judged_as_a_model_trained_without_it_would_be():
    scores = sw.cross_validate(make_trainer, X, Y, cv=sw.data.KFold(3), epochs=5)
    train, test = next(sw.data.KFold(3).split(X))
    trainer = make_trainer()
    trainer.fit(X[train], Y[train], epochs=5)
    assert scores["test_loss"][0] == trainer.evaluate(X[test], Y[test])["loss"]


def test_groups_reach_the_splitter():
    groups = np.arange(90) // 9
    scores = sw.cross_validate(make_trainer, X, Y, cv=GroupKFold(5), groups=groups, epochs=1)
    assert scores["test_loss"].shape == (5,)


def test_weights_of_zero_leave_rows_out():
    weight = (np.arange(90) % 2).astype(float)
    scores = sw.cross_validate(make_trainer, X, Y, cv=2, epochs=2, sample_weight=weight)
    assert np.isfinite(scores["test_loss"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cv": "five"}, "cv must be"), ({"validation": (X, Y)}, "validation"), ({"cv": 1}, "n_splits")],
)
def test_wrong_use_gets_one_clear_line(options, message):
    with pytest.raises(sw.SlopewiseError, match=message):
        sw.cross_validate(make_trainer, X, Y, **options)
