"""Recurrent layers beyond the reference: states, layouts, dropout, errors."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

LAYERS = [nn.RNN, nn.LSTM, nn.GRU]


@pytest.fixture
def x():
    return sw.tensor(np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32))


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_sequence_can_be_read_in_two_parts(kind, x):
    layer = kind(3, 4, num_layers=2)
    whole, end = layer(x)
    first, middle = layer(x[:, :2])
    second, last = layer(x[:, 2:], middle)
    np.testing.assert_allclose(whole.numpy()[:, :2], first.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole.numpy()[:, 2:], second.numpy(), rtol=1e-5, atol=1e-6)
    for a, b in zip(parts(end), parts(last), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
def test_layouts_differ_in_the_order_of_axes_only(kind, x):
    layer, other = kind(3, 4, bidirectional=True), kind(3, 4, batch_first=False, bidirectional=True)
    other.load_state_dict(layer.state_dict())
    a, b = layer(x)[0].numpy(), other(x.transpose(1, 0, 2))[0].numpy()
    assert np.array_equal(a, b.transpose(1, 0, 2))
    alone = layer(x[0])[0].numpy()
    np.testing.assert_allclose(alone, a[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
def test_names_are_those_of_pytorch(kind):
    layer = kind(3, 4, num_layers=2, bidirectional=True)
    assert list(layer.state_dict())[:8] == [
        f"{name}_l0{suffix}"
        for suffix in ("", "_reverse")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    assert layer.weight_ih_l1.shape == (4 * layer.n_gates, 8)


def test_dropout_acts_between_layers_in_training_only(x):
    layer = nn.GRU(3, 4, num_layers=3, dropout=0.5)
    assert not np.array_equal(layer(x)[0].numpy(), layer(x)[0].numpy())
    assert layer.between.calls.item() == 4
    layer.eval()
    plain = nn.GRU(3, 4, num_layers=3)
    plain.load_state_dict({k: v for k, v in layer.state_dict().items() if "between" not in k})
    assert np.array_equal(layer(x)[0].numpy(), plain(x)[0].numpy())


@pytest.mark.parametrize("target", ["interpreter", "native"])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_compiled_training_step_is_that_of_the_plain_one(kind, target, x):
    """To the bit in the interpreter, up to rounding as machine code."""
    sw.manual_seed(0)
    layer = kind(3, 4, num_layers=2, dropout=0.3)
    start = layer.state_dict()

    def step(x):
        layer.zero_grad()
        loss = (layer(x)[0] ** 2).sum()
        loss.backward()
        with sw.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(parameter - 0.05 * parameter.grad)
        return loss

    plain = [step(x).item() for _ in range(3)]
    layer.load_state_dict(start)
    compiled = sw.compile(step, target=target)
    losses = [compiled(x).item() for _ in range(3)]
    np.testing.assert_allclose(losses, plain, rtol=0 if target == "interpreter" else 1e-5)
    assert compiled.n_traces == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: nn.RNN(3, 4, nonlinearity="selu"), ArgumentError, "'tanh' or 'relu', not 'selu'"),
        (lambda x: nn.RNN(3, 4, dropout=0.5), ArgumentError, "num_layers of at least 2"),
        (lambda x: nn.GRU(3, 0), ArgumentError, "hidden_size must be"),
        (
            lambda x: nn.GRU(4, 4)(x),
            ShapeError,
            r"GRU\(4, 4\) needs 4 features in shape \(batch, time, features\)",
        ),
        (lambda x: nn.GRU(3, 4)(x[:, :0]), ShapeError, "at least one time step"),
        (
            lambda x: nn.GRU(3, 4)(x, np.zeros((1, 3, 4), "f4")),
            ShapeError,
            r"a state of shape \(1, 2, 4\), got",
        ),
        (
            lambda x: nn.LSTM(3, 4)(x, sw.tensor(np.zeros((1, 2, 4)))),
            ArgumentError,
            "has 2 states, 1 were given",
        ),
        (
            lambda x: nn.GRU(3, 4)(x, sw.tensor(np.zeros((1, 2, 4)))),
            DtypeError,
            "a state in float32, got float64",
        ),
        (
            lambda x: nn.GRU(3, 4)(x.astype("float64")),
            DtypeError,
            "has float32 weights, but its input is float64",
        ),
    ],
)
def test_bad_arguments_and_inputs_are_named(call, error, message, x):
    with pytest.raises(error, match=message):
        call(x)


def test_the_text_shows_settings_that_are_not_defaults():
    assert repr(nn.LSTM(3, 4)) == "LSTM(3, 4)"
    assert repr(nn.GRU(3, 4, 2, batch_first=False)) == "GRU(3, 4, num_layers=2, batch_first=False)"
