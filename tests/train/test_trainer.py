"""The training loop: the numbers of the loop by hand, exact resume, and looking changes nothing."""

import json

import numpy as np
import pytest

import slopewise as sw
from slopewise.train.callbacks import Callback, Checkpoints, EarlyStopping, ReduceOnPlateau
from slopewise.train.interrupt import deferred_interrupt


def make_rows(n=90, seed=0):
    X, y = sw.data.generate("moons", n=n, noise=0.2, seed=seed)
    return np.asarray(X, np.float32), np.asarray(y, np.int64)


X, Y = make_rows()
X_VALIDATION, Y_VALIDATION = make_rows(40, seed=1)


def make_model(dropout=0.0, seed=0):
    sw.manual_seed(seed)
    layers = [sw.nn.Linear(2, 8), sw.nn.Tanh(), sw.nn.Dropout(dropout), sw.nn.Linear(8, 2)]
    return sw.nn.Sequential(*layers)


def make_trainer(dropout=0.0, optimizer=sw.optim.Adam, lr=0.05, **options):
    model = make_model(dropout)
    options.setdefault("metrics", ["accuracy"])
    return sw.Trainer(model, loss="cross_entropy", optimizer=optimizer(model.parameters(), lr=lr), **options)


def weights_of(trainer):
    return np.concatenate([np.ravel(value) for value in trainer.weights().values()])


def parameters_of(trainer):
    """The weights without the buffers: dropout counts its calls, one a batch."""
    return np.concatenate([np.ravel(parameter.numpy()) for parameter in trainer.model.parameters()])


def assert_same_bits(a, b):
    np.testing.assert_array_equal(weights_of(a), weights_of(b))


# ---- the loop


MODES = {  # is fit compiled, and the loop by hand; the two have the same bits, each pair its own
    "eager": (False, False, None),
    "interpreter": (True, False, "interpreter"),
    "interpreter in both": (True, True, "interpreter"),
    "native": (True, True, "native"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch_size", [1, 32, "full"])
def test_fit_gives_the_bits_of_the_loop_written_by_hand(batch_size, mode, monkeypatch):
    fit_is_compiled, loop_is_compiled, target = MODES[mode]
    if target is not None:
        monkeypatch.setenv("SLOPEWISE_TARGET", target)
    trainer = make_trainer(dropout=0.3, seed=3, compile=fit_is_compiled)
    trainer.fit(X, Y, epochs=2, batch_size=batch_size)

    model = make_model(dropout=0.3)
    sw.nn.reseed(model, 3)
    optimizer = sw.optim.Adam(model.parameters(), lr=0.05)
    loader = sw.data.DataLoader((X, Y), batch_size=batch_size, shuffle=True, seed=3)

    def train_step(xb, yb):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss

    if loop_is_compiled:
        train_step = sw.compile(train_step)
    for _ in range(2):
        model.train()
        for xb, yb in loader:
            train_step(xb, yb)
        model.eval()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(trainer.weights()[name], np.asarray(value), err_msg=name)


def test_the_seed_governs_order_and_dropout_but_no_weight_already_built():
    first, same, other = (make_trainer(dropout=0.3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(parameters_of(first), parameters_of(other))
    sw.manual_seed(99)
    for trainer in (first, same, other):
        trainer.fit(X, Y, epochs=1, shuffle=False)
    assert_same_bits(first, same)
    assert not np.array_equal(parameters_of(first), parameters_of(other))


@pytest.mark.parametrize("target", ["interpreter", "native"])
def test_compiled_and_eager_training_agree(target, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", target)
    losses = []
    for compiled in (False, True):
        trainer = make_trainer(dropout=0.2, compile=compiled)
        losses.append(trainer.fit(X, Y, epochs=3, batch_size=16)["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5 if target == "native" else 0)


def test_training_learns():
    history = make_trainer().fit(X, Y, epochs=40, batch_size=16)
    assert history["accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0] / 2


def test_fitting_twice_is_fitting_once_for_longer():
    once, twice = make_trainer(dropout=0.2), make_trainer(dropout=0.2)
    once.fit(X, Y, epochs=4)
    twice.fit(X, Y, epochs=3)
    twice.fit(X, Y, epochs=1)
    assert_same_bits(once, twice)


def test_the_epochs_loss_weighs_a_smaller_last_batch_by_its_rows():
    trainer = make_trainer(lr=0.0)
    history = trainer.fit(X, Y, epochs=1, batch_size=64)
    assert history["loss"][0] == pytest.approx(trainer.evaluate(X, Y)["loss"], rel=1e-5)
    assert history["accuracy"][0] == pytest.approx(trainer.evaluate(X, Y)["accuracy"])


def test_a_dropped_last_batch_makes_no_update():
    trainer = make_trainer()
    trainer.fit(X, Y, epochs=1, batch_size=64, drop_last=True)
    assert trainer.step == 1


def test_one_trace_serves_all_whole_batches_and_one_the_last():
    trainer = make_trainer()
    trainer.fit(X, Y, epochs=3, batch_size=32)
    assert trainer._update.n_traces == 2


# ---- weights of rows, accumulation, clipping


def test_a_weight_of_two_is_a_row_twice():
    doubled = np.r_[np.arange(90), np.arange(10)]
    by_weight, by_copy = make_trainer(), make_trainer()
    by_weight.fit(X, Y, epochs=2, batch_size="full", sample_weight=np.where(np.arange(90) < 10, 2.0, 1.0))
    by_copy.fit(X[doubled], Y[doubled], epochs=2, batch_size="full")
    np.testing.assert_allclose(parameters_of(by_weight), parameters_of(by_copy), atol=1e-5)


def test_balanced_class_weights_are_those_of_scikit_learn():
    rows = np.r_[np.flatnonzero(Y == 0)[:30], np.flatnonzero(Y == 1)[:10]]
    balanced, given = (
        make_trainer(class_weight="balanced"),
        make_trainer(class_weight={0: 40 / 60, 1: 40 / 20}),
    )
    for trainer in (balanced, given):
        trainer.fit(X[rows], Y[rows], epochs=2)
    assert_same_bits(balanced, given)


@pytest.mark.parametrize("weighted", [False, True])
def test_accumulated_batches_are_one_large_batch(weighted):
    weight = np.linspace(0.1, 2, 90) if weighted else None
    small, large = make_trainer(accumulate=3), make_trainer()
    small.fit(X, Y, epochs=2, batch_size=10, sample_weight=weight)
    large.fit(X, Y, epochs=2, batch_size=30, sample_weight=weight)
    assert small.step == large.step == 6
    np.testing.assert_allclose(parameters_of(small), parameters_of(large), atol=1e-5)


def test_the_last_accumulated_update_of_an_epoch_may_have_fewer_batches():
    trainer = make_trainer(accumulate=4)
    trainer.fit(X, Y, epochs=2, batch_size=10)
    assert trainer.step == 6


def test_clipping_limits_the_update():
    trainer = make_trainer(optimizer=sw.optim.SGD, lr=1.0, clip_norm=0.01)
    before = parameters_of(trainer)
    trainer.fit(X, Y, epochs=1, batch_size="full")
    assert np.linalg.norm(parameters_of(trainer) - before) <= 0.01 * (1 + 1e-4)


# ---- what looks on changes nothing


class Watcher(Callback):
    every_step = True

    def on_step_end(self, trainer):
        trainer.evaluate(X_VALIDATION, Y_VALIDATION)
        trainer.predict(X_VALIDATION)
        trainer.snapshot()


def test_validation_metrics_and_callbacks_change_no_weight():
    plain = make_trainer(dropout=0.3, metrics=[])
    watched = make_trainer(dropout=0.3, metrics=["accuracy"])
    plain.fit(X, Y, epochs=2)
    watched.fit(X, Y, epochs=2, validation=(X_VALIDATION, Y_VALIDATION), callbacks=[Watcher()])
    assert_same_bits(plain, watched)


def test_evaluation_puts_each_modules_mode_back():
    trainer = make_trainer()
    frozen = next(iter(trainer.model.children()))
    trainer.model.train()
    frozen.eval()
    trainer.evaluate(X, Y)
    assert trainer.model.training
    assert not frozen.training


def test_prediction_is_in_evaluation_mode_and_does_not_depend_on_the_batch_size():
    trainer = make_trainer(dropout=0.5)
    trainer.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(trainer.predict(X), trainer.predict(X))
    np.testing.assert_allclose(trainer.predict(X, batch_size=7), trainer.predict(X), atol=1e-6)


# ---- state


def through_json(snapshot):
    return snapshot._replace(state=json.loads(json.dumps(snapshot.state)))


@pytest.mark.parametrize("updates", range(10))
def test_a_state_taken_at_any_update_goes_on_bit_for_bit(updates):
    arguments = {"epochs": 3, "batch_size": 32, "validation": (X_VALIDATION, Y_VALIDATION)}
    options = {"dropout": 0.3, "accumulate": 1, "seed": 5}
    whole = make_trainer(**options)
    full_history = whole.fit(X, Y, callbacks=[EarlyStopping(patience=50)], **arguments)

    stopped = make_trainer(**options)
    stopped.begin(X, Y, callbacks=[EarlyStopping(patience=50)], **arguments)
    for _ in range(updates):
        while not stopped.advance():
            stopped.finish_epoch()
    snapshot = through_json(stopped.snapshot())
    while stopped.epoch < 2:  # what happens after the snapshot must not matter
        if not stopped.advance():
            stopped.finish_epoch()

    resumed = make_trainer(**options)
    resumed.begin(X, Y, callbacks=[EarlyStopping(patience=50)], **arguments)
    resumed.restore(snapshot)
    history = resumed.resume()
    assert_same_bits(whole, resumed)
    for mine, other in zip(history.records, full_history.records, strict=True):
        assert {**mine, "seconds": 0} == {**other, "seconds": 0}


def test_a_state_can_be_put_back_into_the_trainer_it_came_from():
    trainer = make_trainer(dropout=0.3)
    trainer.begin(X, Y, epochs=2)
    trainer.advance()
    snapshot = trainer.snapshot()
    trainer.resume()
    first = weights_of(trainer)
    trainer.restore(snapshot)
    trainer.resume()
    np.testing.assert_array_equal(first, weights_of(trainer))


def test_a_state_taken_when_the_batches_are_used_up_goes_on_with_the_next_epoch():
    whole, resumed = make_trainer(), make_trainer()
    whole.fit(X, Y, epochs=2)
    resumed.begin(X, Y, epochs=2)
    while resumed.advance():
        pass
    snapshot = resumed.snapshot()
    resumed.restore(snapshot)
    resumed.resume()
    assert_same_bits(whole, resumed)


@pytest.mark.parametrize("checkpoints_first", [True, False])
def test_a_killed_run_goes_on_from_its_checkpoints_bit_for_bit(tmp_path, checkpoints_first):
    def callbacks(folder):
        listed = [Checkpoints(tmp_path / folder), EarlyStopping(patience=3)]
        return listed if checkpoints_first else listed[::-1]

    arguments = {"epochs": 30, "batch_size": 16, "validation": (X_VALIDATION, Y_VALIDATION)}
    whole, killed, resumed = (make_trainer(dropout=0.2, lr=0.3) for _ in range(3))
    history = whole.fit(X, Y, callbacks=callbacks("whole"), **arguments)
    assert history.stopped
    killed.begin(X, Y, callbacks=callbacks("killed"), **arguments)
    for _ in range(len(history) - 2):
        killed.run_epoch()
    resumed.begin(X, Y, callbacks=callbacks("killed"), **arguments)
    resumed.restore(Checkpoints(tmp_path / "killed").latest())
    assert resumed.resume()["loss"] == history["loss"]
    assert_same_bits(whole, resumed)


def test_checkpoints_keep_the_newest_and_pass_over_torn_ones(tmp_path):
    trainer = make_trainer()
    checkpoints = Checkpoints(tmp_path / "new" / "folder", every=2, keep=2)
    trainer.fit(X, Y, epochs=7, batch_size="full", callbacks=[checkpoints])
    names = sorted(path.name for path in checkpoints.folder.iterdir())
    assert names == [f"step-0000000{n}.{kind}" for n in (6, 7) for kind in ("json", "safetensors")]
    torn = checkpoints.folder / "step-00000007.safetensors"
    torn.write_bytes(torn.read_bytes()[:-1])
    assert checkpoints.latest().state["trainer"]["step"] == 6


def test_a_folder_without_checkpoints_says_so(tmp_path):
    with pytest.raises(sw.SlopewiseError, match="no whole checkpoint"):
        Checkpoints(tmp_path).latest()


class PressCtrlC(Callback):
    every_step = True

    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.step == self.step:
            import signal

            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_leaves_a_whole_state_from_which_resume_goes_on():
    whole, interrupted = make_trainer(dropout=0.3), make_trainer(dropout=0.3)
    whole.fit(X, Y, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X, Y, epochs=3, callbacks=[PressCtrlC(4)])
    assert interrupted.step == 4
    interrupted.resume()
    assert_same_bits(whole, interrupted)


def test_ctrl_c_is_python_s_own_again_afterwards():
    with deferred_interrupt():
        pass
    import signal

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_advance_needs_a_run():
    with pytest.raises(sw.SlopewiseError, match="call fit"):
        make_trainer().advance()


# ---- callbacks


class Recorder(Callback):
    every_step = True

    def __init__(self):
        self.moments = []

    def on_fit_start(self, trainer):
        self.moments.append("fit start")

    def on_step_end(self, trainer):
        self.moments.append(f"step {trainer.step}")

    def on_epoch_end(self, trainer, record):
        self.moments.append(f"epoch {record['epoch']}")

    def on_fit_end(self, trainer):
        self.moments.append("fit end")


def test_moments_come_in_order():
    recorder = Recorder()
    make_trainer().fit(X, Y, epochs=2, batch_size=64, callbacks=[recorder])
    assert recorder.moments == [
        "fit start", "step 1", "step 2", "epoch 1", "step 3", "step 4", "epoch 2", "fit end",
    ]  # fmt: skip


def test_early_stopping_brings_back_the_best_weights():
    trainer = make_trainer(lr=0.5)
    stopping = EarlyStopping(patience=3)
    history = trainer.fit(
        X, Y, epochs=100, batch_size=8, validation=(X_VALIDATION, Y_VALIDATION), callbacks=[stopping]
    )
    losses = history["validation_loss"]
    assert "has not improved" in history.stopped
    assert stopping.best_epoch == 1 + int(np.argmin(losses)) == len(losses) - 3
    restored = trainer.evaluate(X_VALIDATION, Y_VALIDATION)["loss"]
    assert restored == pytest.approx(min(losses), rel=1e-6)


def test_early_stopping_on_something_unknown_says_what_there_is():
    with pytest.raises(sw.SlopewiseError, match=r"'auc'.*loss"):
        make_trainer().fit(X, Y, callbacks=[EarlyStopping("auc")])


def test_the_learning_rate_falls_on_a_plateau():
    trainer = make_trainer(lr=1e-5)
    plateau = ReduceOnPlateau("loss", patience=1, threshold=1.0, threshold_mode="abs")
    history = trainer.fit(X, Y, epochs=5, callbacks=[plateau])
    np.testing.assert_allclose(history["lr"], [1e-5, 1e-5, 1e-5, 1e-6, 1e-6])


def test_a_plateau_s_memory_survives_a_stop():
    arguments = {"epochs": 6, "batch_size": 32}
    settings = {"patience": 1, "threshold": 1.0, "threshold_mode": "abs"}
    whole, stopped, resumed = make_trainer(lr=1e-5), make_trainer(lr=1e-5), make_trainer(lr=1e-5)
    history = whole.fit(X, Y, callbacks=[ReduceOnPlateau("loss", **settings)], **arguments)
    stopped.begin(X, Y, callbacks=[ReduceOnPlateau("loss", **settings)], **arguments)
    for _ in range(2):
        stopped.run_epoch()
    resumed.begin(X, Y, callbacks=[ReduceOnPlateau("loss", **settings)], **arguments)
    resumed.restore(through_json(stopped.snapshot()))
    assert resumed.resume()["lr"] == history["lr"]
    assert_same_bits(whole, resumed)


def test_a_loss_that_is_not_finite_ends_training_with_a_reason():
    trainer = make_trainer(optimizer=sw.optim.SGD, lr=1e38)
    history = trainer.fit(X * 1e3, Y, epochs=10)
    assert len(history) < 10
    assert "learning rate" in history.stopped


# ---- wrong use


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fit(X, Y[:-1]), "90 rows.*89"),
        (lambda t: t.fit(X, Y, sample_weight=np.ones(3)), "sample_weight"),
        (lambda t: t.fit(X, Y, sample_weight=-np.ones(90)), "row 0"),
        (lambda t: t.fit(X, Y, validation=X), "validation"),
        (lambda t: t.fit(X, Y, epochs=-1), "epochs"),
        (lambda t: t.fit(X, Y, epochs=1.5), "whole number"),
        (lambda t: t.fit(X, Y, batch_size=0), "batch_size"),
        (lambda t: t.fit(np.array(["a"] * 90), Y), "X must hold numbers"),
        (lambda t: t.fit(3.0, Y), "row axis"),
        (lambda t: t.evaluate(X, Y[:3]), "90 rows.*3"),
    ],
)
def test_wrong_use_gets_one_clear_line(call, message):
    with pytest.raises(sw.SlopewiseError, match=message) as caught:
        call(make_trainer())
    assert "\n" not in str(caught.value)


def test_a_metric_of_several_numbers_is_refused_with_a_way_out():
    trainer = make_trainer(metrics=[sw.metrics.ConfusionMatrix(2)])
    with pytest.raises(sw.SlopewiseError, match="gives 4 numbers"):
        trainer.fit(X, Y)


def test_unknown_names_suggest_the_nearest():
    model = make_model()
    optimizer = sw.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(sw.SlopewiseError, match="cross_entropy"):
        sw.Trainer(model, loss="crossentropy", optimizer=optimizer)
    with pytest.raises(sw.SlopewiseError, match="accuracy"):
        sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["acuracy"])
