"""Many updates in one call of machine code: those of one call each, to the bit, whenever the call returns."""

import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.tree import flatten
from slopewise.train.callbacks import Callback
from slopewise.train.many_updates import ManyUpdates

RNG = np.random.default_rng(0)
X = RNG.normal(size=(210, 6)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
LONG = 600.0  # seconds: never up
NOW = 0.0  # seconds: up after each update


@pytest.fixture(autouse=True)
def _machine_code(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", "native")


def make_trainer(optimizer=sw.optim.Adam, layers=(), dtype="float32", **options):
    sw.manual_seed(0)
    model = sw.nn.Sequential(sw.nn.Linear(6, 12), *layers, sw.nn.Tanh(), sw.nn.Linear(12, 3)).astype(dtype)
    return sw.Trainer(
        model, loss="cross_entropy", optimizer=optimizer(model.parameters(), lr=0.05), **options
    )


CASES = {
    "sgd": ({"optimizer": sw.optim.SGD}, {}),
    "adam": ({}, {}),
    "momentum": ({"optimizer": lambda p, lr: sw.optim.SGD(p, lr=lr, momentum=0.9)}, {}),
    "schedule": ({"optimizer": lambda p, lr: sw.optim.Adam(p, lr=sw.optim.schedules.WarmUp(lr, 20))}, {}),
    "dropout": ({"layers": [sw.nn.Dropout(0.4)]}, {}),
    "batch norm": ({"layers": [sw.nn.BatchNorm1d(12)]}, {}),
    "accumulate": ({"accumulate": 2}, {}),
    "accumulate in float64 with dropout": (
        {"accumulate": 3, "dtype": "float64", "layers": [sw.nn.Dropout(0.2)]},
        {},
    ),
    "sample weights": ({}, {"sample_weight": np.linspace(0.1, 2.0, 210)}),
    "class weights": ({"class_weight": "balanced"}, {}),
    "metrics": ({"metrics": ["accuracy"]}, {}),
    "clipping": ({"clip_norm": 0.1, "clip_value": 0.05}, {}),
    "drop_last": ({}, {"drop_last": True}),
    "in order": ({}, {"shuffle": False}),
    "float64": ({"dtype": "float64"}, {}),
    "one row": ({"optimizer": sw.optim.SGD}, {"batch_size": 1}),
    "full": ({}, {"batch_size": "full"}),
}


def one_by_one(trainer):
    calls = 0
    while trainer.advance():
        calls += 1
    return calls


def within(seconds):
    def advance(trainer):
        calls = 0
        while trainer.advance_for(seconds):
            calls += 1
        return calls

    return advance


def state_of(trainer):
    """Return all that training leaves behind, as arrays and numbers."""
    snapshot = trainer.snapshot()
    records = [
        {key: value for key, value in record.items() if key != "seconds"}
        for record in trainer.run.history.records
    ]
    return {key: np.array(value) for key, value in snapshot.tensors.items()}, records, trainer.step


def assert_same_state(found, expected):
    (tensors, *rest), (expected_tensors, *expected_rest) = found, expected
    assert rest == expected_rest
    assert tensors.keys() == expected_tensors.keys()
    for name, value in expected_tensors.items():
        np.testing.assert_array_equal(tensors[name], value, err_msg=name)


def trained(case, advance, epochs=2):
    """Train in one of the ways; return the state and how many calls each epoch took."""
    options, arguments = CASES[case]
    options = {**options, "layers": [type(layer)(*_arguments(layer)) for layer in options.get("layers", ())]}
    trainer = make_trainer(**options)
    trainer.begin(X, Y, epochs=epochs, **{"batch_size": 16, **arguments})
    calls = []
    for _ in range(epochs):
        calls.append(advance(trainer))
        trainer.finish_epoch()
    return state_of(trainer), calls


def _arguments(layer):
    return (layer.p,) if isinstance(layer, sw.nn.Dropout) else (12,)


@pytest.mark.parametrize("case", CASES)
def test_updates_have_the_same_bits_one_by_one_and_many_in_one_call(case):
    expected, updates = trained(case, one_by_one)
    whole, calls = trained(case, within(LONG))
    assert_same_state(whole, expected)
    assert all(n <= 2 for n in calls), "whole batches in one call, the smaller last one in another"
    each, calls_of_each = trained(case, within(NOW))
    assert_same_state(each, expected)
    assert calls_of_each == updates, "a call whose time is up returns after one update"


def test_the_rows_of_a_subset_have_the_same_bits_too():
    rows = np.flatnonzero(RNG.permutation(210) < 150)
    data = sw.data.Subset(sw.data.ArrayDataset(X, Y), rows)
    states = []
    for advance in (one_by_one, within(LONG), within(NOW)):
        trainer = make_trainer()
        run = trainer.begin(X, Y, epochs=2, batch_size=16)
        run.loader = sw.data.DataLoader(data, batch_size=16, shuffle=True, seed=3)
        run.many = ManyUpdates(trainer._update, run.loader, 1)
        for _ in range(2):
            calls = advance(trainer)
            trainer.finish_epoch()
        states.append(state_of(trainer))
        if advance is not one_by_one:
            assert calls == (10 if len(states) == 3 else 2)
    assert_same_state(states[1], states[0])
    assert_same_state(states[2], states[0])


def test_single_updates_and_many_may_alternate():
    expected, _ = trained("dropout", one_by_one)

    def alternating(trainer):
        while trainer.advance() and trainer.advance_for(NOW):
            pass

    found, _ = trained("dropout", alternating)
    assert_same_state(found, expected)


def test_a_fit_repeated_gives_the_same_bits():
    states = []
    for _ in range(2):
        trainer = make_trainer(layers=[sw.nn.Dropout(0.3)], metrics=["accuracy"])
        trainer.fit(X, Y, epochs=3, batch_size=16, validation=(X, Y))
        states.append(state_of(trainer))
    assert_same_state(*states)


# ---- what happens meanwhile

MANY_ROWS = 25_000
LONG_X = RNG.normal(size=(MANY_ROWS, 6)).astype(np.float32)
LONG_Y = (LONG_X[:, 0] > 0).astype(np.int64)


def begin_long_epoch(**arguments):
    """Begin an epoch of as many updates as there are rows, which takes long enough to be interrupted."""
    sw.manual_seed(0)
    trainer = make_trainer(layers=[sw.nn.Linear(12, 256), sw.nn.Dropout(0.2), sw.nn.Linear(256, 12)])
    trainer.begin(LONG_X, LONG_Y, batch_size=1, **arguments)
    return trainer


def test_python_goes_on_while_machine_code_runs():
    trainer = begin_long_epoch()
    trainer.advance_for(NOW)  # compiled
    ticks, over = [0], threading.Event()

    def tick():
        while not over.is_set():
            time.sleep(0.001)
            ticks[0] += 1

    clock = threading.Thread(target=tick)
    clock.start()
    before = ticks[0]
    trainer.advance_for(0.3)
    meanwhile = ticks[0] - before
    over.set()
    clock.join()
    assert trainer.step > 1
    assert meanwhile >= 10


@pytest.mark.slow
def test_two_fits_in_two_threads_are_those_of_one_after_the_other():
    def make(k):
        return make_trainer(layers=[sw.nn.Dropout(0.1 * (k + 1))], seed=k, metrics=["accuracy"])

    def fit(trainer):
        trainer.fit(X, Y, epochs=20, batch_size=8)

    expected, together = [make(k) for k in range(2)], [make(k) for k in range(2)]
    for trainer in expected:
        fit(trainer)
    threads = [threading.Thread(target=fit, args=(trainer,)) for trainer in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found, wanted in zip(together, expected, strict=True):
        assert_same_state(state_of(found), state_of(wanted))


def test_one_compiled_step_called_in_two_threads_makes_all_its_updates():
    count = sw.tensor(0)
    step = sw.compile(lambda: count.copy_(count + 1))
    step()
    threads = [threading.Thread(target=lambda: [step() for _ in range(500)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.item() == 1001


class Presser(Callback):
    """Presses Ctrl-C from another thread, while the main one is inside of machine code."""

    ended = False

    def on_fit_start(self, trainer):
        def press():
            while trainer.step == 0:
                time.sleep(0.001)
            if not self.ended:
                os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press, daemon=True).start()

    def on_fit_end(self, trainer):
        self.ended = True


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_an_epoch_stops_between_two_updates_and_resumes_to_the_same_bits(
    monkeypatch,
):
    monkeypatch.setattr("slopewise.train.trainer.PROGRESS_INTERVAL", 0.001)
    whole = begin_long_epoch()
    whole.resume()
    interrupted = begin_long_epoch(callbacks=[Presser()])
    with pytest.raises(KeyboardInterrupt):
        interrupted.resume()
    assert 0 < interrupted.step < MANY_ROWS
    assert interrupted.run.loader.position == interrupted.step
    interrupted.run.callbacks = []
    interrupted.resume()
    assert_same_state(state_of(interrupted), state_of(whole))


class Listener(Callback):
    def __init__(self, every_step=False):
        self.every_step = every_step
        self.steps, self.progress = [], []

    def on_step_end(self, trainer):
        self.steps.append(trainer.step)

    def on_progress(self, trainer):
        self.progress.append(trainer.epochs_done)


def test_a_callback_that_asks_for_it_sees_each_update_and_the_bits_are_the_same():
    states = []
    for listener in (Listener(), Listener(every_step=True)):
        trainer = make_trainer()
        trainer.fit(X, Y, epochs=2, batch_size=16, callbacks=[listener])
        states.append(state_of(trainer))
        assert listener.steps == (list(range(1, 29)) if listener.every_step else [])
    assert_same_state(*states)


@pytest.mark.slow
def test_progress_is_told_in_the_middle_of_a_long_epoch(monkeypatch):
    monkeypatch.setattr("slopewise.train.trainer.PROGRESS_INTERVAL", 0.001)
    listener = Listener()
    begin_long_epoch(callbacks=[listener]).resume()
    inside = [done for done in listener.progress if 0 < done < 1]
    assert inside
    assert listener.progress == sorted(listener.progress)


# ---- state in place


def test_an_old_value_that_someone_holds_never_changes():
    trainer = make_trainer()
    trainer.begin(X, Y, epochs=9, batch_size=16)
    trainer.advance_for(NOW)
    weight = trainer.model[0].weight
    holders = [
        lambda: weight.numpy(),
        lambda: weight.detach(),
        lambda: np.from_dlpack(weight.detach()),
        lambda: trainer.weights()["0.weight"],
        lambda: weight.numpy()[1:3].T,
        lambda: sw.tensor(weight.detach()),
    ]
    for hold in holders:
        held = hold()
        before = np.array(held.numpy() if isinstance(held, sw.Tensor) else held)
        now = np.array(weight.numpy())
        while trainer.advance_for(LONG):
            pass
        trainer.finish_epoch()
        assert not np.array_equal(weight.numpy(), now)
        np.testing.assert_array_equal(held.numpy() if isinstance(held, sw.Tensor) else held, before)


def test_a_tape_that_holds_old_weights_differentiates_with_them():
    trainer = make_trainer()
    trainer.begin(X, Y, epochs=2, batch_size=16)
    trainer.advance_for(NOW)
    weight = trainer.model[0].weight
    old = np.array(weight.numpy())
    loss = (weight**3).sum()
    trainer.advance_for(LONG)
    assert not np.array_equal(weight.numpy(), old)
    (gradient,) = [sw.grad(lambda w: (w**3).sum())(sw.tensor(old))]
    weight.grad = None
    loss.backward()
    np.testing.assert_allclose(weight.grad.numpy(), gradient.numpy(), rtol=1e-6)


def test_running_sums_and_snapshots_that_were_taken_never_change():
    trainer = make_trainer(metrics=["accuracy"])
    trainer.begin(X, Y, epochs=2, batch_size=16)
    trainer.advance_for(NOW)
    running = trainer.run.running
    before = [np.array(leaf.numpy()) for leaf in flatten(running)[0]]
    snapshot = trainer.snapshot()
    copies = {name: np.array(value) for name, value in snapshot.tensors.items()}
    while trainer.advance_for(NOW):
        pass
    for leaf, value in zip(flatten(running)[0], before, strict=True):
        np.testing.assert_array_equal(leaf.numpy(), value)
    for name, value in copies.items():
        np.testing.assert_array_equal(snapshot.tensors[name], value)


# ---- failures


def make_embedding_trainer():
    sw.manual_seed(0)
    model = sw.nn.Sequential(sw.nn.Embedding(10, 4), sw.nn.Linear(4, 3))
    return sw.Trainer(model, loss="cross_entropy", optimizer=sw.optim.Adam(model.parameters(), lr=0.1))


@pytest.mark.parametrize("bad_row", [0, 37, 209])
def test_an_index_out_of_range_leaves_the_state_of_the_last_whole_update(bad_row):
    codes = RNG.integers(0, 10, 210)
    codes[bad_row] = 10
    states = []
    for advance in (lambda t: t.advance(), lambda t: t.advance_for(LONG), lambda t: t.advance_for(NOW)):
        trainer = make_embedding_trainer()
        trainer.begin(codes, Y, batch_size=16, shuffle=False)
        with pytest.raises(sw.SlopewiseError, match="index 10 is out of range for axis 0 of size 10"):
            while advance(trainer):
                pass
        assert trainer.step == bad_row // 16
        tensors, *_ = state_of(trainer)
        states.append(tensors)
    for other in states[1:]:
        assert other.keys() == states[0].keys()
        for name, value in states[0].items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


def test_data_of_another_size_needs_no_new_code_and_no_data_is_held_on_to():
    model = sw.nn.Linear(3, 2)
    trainer = sw.Trainer(model, "cross_entropy", sw.optim.SGD(model.parameters(), lr=0.1))
    rng = np.random.default_rng(0)
    references = []
    for rows in (64, 96, 128):
        X = np.asfortranarray(rng.standard_normal((rows, 3)).astype(np.float32))
        y = rng.integers(0, 2, rows)
        trainer.fit(X, y, batch_size=32)
        references.append(weakref.ref(X))
        del X
    trainer.run = None
    assert trainer._update.n_traces == 1
    assert [reference() for reference in references] == [None] * 3
    (traces,) = trainer._update._traces.values()
    assert sum(key[0] == "steps" for key in traces[0].graph.derived if isinstance(key, tuple)) == 1


def test_the_order_of_an_epoch_is_made_once_also_for_the_smaller_batch_at_its_end(monkeypatch):
    from slopewise.data import loader
    from slopewise.train import orders

    made = []
    monkeypatch.setattr(
        orders, "shuffled", lambda *epoch: made.append(epoch) or loader.permutation(*epoch[:2], call=epoch[2])
    )
    monkeypatch.setattr(loader.DataLoader, "order", lambda *_: pytest.fail("made again"))
    trainer = make_trainer()
    trainer.fit(X, Y, batch_size=32, epochs=3)  # six whole batches, and 18 rows
    assert trainer.step == 3 * 7
    assert len(set(made)) == len(made) <= 4  # one ahead
