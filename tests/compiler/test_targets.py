"""Which target runs a graph: machine code where it can be, else the interpreter, which says so once."""

import warnings

import numpy as np
import pytest

import slopewise as sw
from slopewise.compiler import targets
from slopewise.compiler.native.machine import toolchain
from slopewise.compiler.steps import StepLoop
from slopewise.engine.errors import ArgumentError

MATRIX = sw.tensor(np.array([[4.0, 1.0], [1.0, 3.0]]))


def test_what_cannot_be_compiled_says_so_once_with_reason_and_line():
    @sw.compile
    def factor(x):
        return sw.linalg.cholesky(x + 1.0) * 2.0

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            result = factor(MATRIX)
    (warning,) = caught
    assert warning.category is sw.CompilationWarning
    message = str(warning.message)
    assert "\n" not in message
    assert "'cholesky' runs in NumPy only" in message
    assert "test_targets.py:" in message
    assert "sw.linalg.cholesky(x + 1.0)" in message
    np.testing.assert_allclose(result.numpy(), np.linalg.cholesky(MATRIX.numpy() + 1.0) * 2.0, rtol=1e-15)


def test_a_training_step_that_cannot_be_compiled_trains_with_the_interpreters_bits(monkeypatch):
    """The host primitive is in the middle: forward before it, backward through it."""

    def train(target):
        monkeypatch.setenv("SLOPEWISE_TARGET", target)
        sw.manual_seed(0)
        model = sw.nn.Linear(2, 2)
        whiten = sw.linalg.cholesky(MATRIX).numpy().astype(np.float32)

        def loss(prediction, target):
            scale = sw.linalg.det(sw.tensor(whiten) + 0.0 * prediction[:2])
            return ((prediction - target) ** 2).mean() * scale

        optimizer = sw.optim.SGD(model.parameters(), lr=0.01)
        trainer = sw.Trainer(model, loss=loss, optimizer=optimizer)
        rows = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
        trainer.fit(rows, rows, epochs=2, batch_size=5)
        return trainer.weights()["weight"]

    expected = train("interpreter")
    with pytest.warns(sw.CompilationWarning, match="'det' runs in NumPy only"):
        found = train("native")
    np.testing.assert_array_equal(found, expected)


@pytest.fixture
def no_llvmlite(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", "native")
    monkeypatch.setattr(toolchain, "unavailable_reason", lambda: "llvmlite is not installed")


def train(epochs=3):
    X, y = sw.data.generate("moons", n=60, seed=0)
    sw.manual_seed(0)
    model = sw.nn.Sequential(sw.nn.Linear(2, 8), sw.nn.ReLU(), sw.nn.Dropout(0.2), sw.nn.Linear(8, 2))
    optimizer = sw.optim.Adam(model.parameters(), lr=1e-2)
    trainer = sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"])
    history = trainer.fit(X, y, epochs=epochs, batch_size=16, validation=(X, y))
    return history["loss"], trainer.weights()


@pytest.mark.usefixtures("no_llvmlite")
def test_without_llvmlite_all_runs_in_the_interpreter(monkeypatch):
    assert targets.mode_in_use() == "interpreter"
    with pytest.warns(sw.CompilationWarning, match="llvmlite is not installed"):
        losses, weights = train()
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    expected_losses, expected = train()
    assert losses == expected_losses
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value, err_msg=name)


def test_the_target_can_be_chosen_by_name_and_by_the_environment(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    assert targets.mode_in_use() == "interpreter"
    assert targets.target_named(None) is None
    assert targets.target_named("native") is targets.native
    monkeypatch.delenv("SLOPEWISE_TARGET")
    assert targets.mode_in_use() == "native"
    with pytest.raises(ArgumentError, match="target must be one of native, interpreter, not 'cuda'"):
        sw.compile(lambda x: x, target="cuda")
    monkeypatch.setenv("SLOPEWISE_TARGET", "cuda")
    with pytest.raises(ArgumentError, match="SLOPEWISE_TARGET must be one of"):
        sw.compile(lambda x: x)


def test_a_step_loop_is_none_in_the_interpreter(monkeypatch):
    monkeypatch.setattr(StepLoop, "run", None)  # is not called
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    train(epochs=1)


# ---- whole trainings


def dense():
    X, y = sw.data.generate("spirals", n=300, seed=0)
    layers = [sw.nn.Linear(2, 32), sw.nn.ReLU(), sw.nn.Linear(32, 32), sw.nn.ReLU(), sw.nn.Linear(32, 3)]
    return sw.nn.Sequential(*layers), np.asarray(X, np.float32), np.asarray(y) % 3


def images():
    X = np.random.default_rng(0).normal(size=(48, 1, 12, 12)).astype(np.float32)
    layers = [
        sw.nn.Conv2d(1, 4, 3), sw.nn.ReLU(), sw.nn.MaxPool2d(2), sw.nn.Conv2d(4, 8, 3), sw.nn.ReLU(),
        sw.nn.AvgPool2d(3), sw.nn.Flatten(), sw.nn.Linear(8, 3),
    ]  # fmt: skip
    return sw.nn.Sequential(*layers), X, (X[:, 0, 3, 3] > 0).astype(np.int64)


class Sequences(sw.nn.Module):
    def __init__(self, layer):
        self.embedding = sw.nn.Embedding(12, 16)
        self.layer = layer
        self.head = sw.nn.Linear(16, 3)

    def forward(self, x):
        hidden = self.layer(self.embedding(x))
        return self.head((hidden[0] if isinstance(hidden, tuple) else hidden).mean(1))


def tokens():
    X = np.random.default_rng(0).integers(0, 12, (48, 7))
    return X, (X.sum(1) % 3).astype(np.int64)


def transformer():
    return Sequences(sw.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0)), *tokens()


def recurrent():
    return Sequences(sw.nn.GRU(16, 16)), *tokens()


@pytest.mark.slow
@pytest.mark.parametrize("make", [dense, images, transformer, recurrent])
def test_whole_trainings_have_the_losses_of_the_interpreter(make, monkeypatch):
    losses = []
    for target in ("interpreter", "native"):
        monkeypatch.setenv("SLOPEWISE_TARGET", target)
        sw.manual_seed(0)
        model, X, y = make()
        optimizer = sw.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        trainer = sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"])
        losses.append(trainer.fit(X, y, epochs=4, batch_size=12)["loss"])
    assert losses[0][-1] != losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
