"""Attention beyond the reference: masks, dropout, errors."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


@pytest.fixture
def x():
    return sw.tensor(np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32))


def test_weights_add_up_to_1_and_are_shaped_as_asked(x):
    layer = nn.MultiheadAttention(8, 2)
    output, weights = layer(x, x, x)
    np.testing.assert_allclose(weights.numpy().sum(-1), 1, rtol=1e-5)
    assert layer(x, x, x, average_attn_weights=False)[1].shape == (2, 2, 5, 5)
    assert layer(x, x, x, need_weights=False)[1] is None
    assert output.shape == x.shape


def test_a_causal_layer_does_not_look_ahead(x):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
    changed = np.array(x.numpy())
    changed[:, 3:] += 1.0
    a = layer(x, is_causal=True).numpy()
    b = layer(sw.tensor(changed), is_causal=True).numpy()
    np.testing.assert_allclose(a[:, :3], b[:, :3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(a[:, 3:], b[:, 3:])
    mask = sw.tensor(np.triu(np.ones((5, 5), bool), 1))
    assert np.array_equal(layer(x, src_mask=mask).numpy(), a)


def test_padding_is_not_looked_at(x):
    layer = nn.MultiheadAttention(8, 4)
    padding = sw.tensor(np.array([[False] * 3 + [True] * 2] * 2))
    masked, weights = layer(x, x, x, key_padding_mask=padding)
    np.testing.assert_allclose(masked.numpy(), layer(x, x[:, :3], x[:, :3])[0].numpy(), rtol=1e-5, atol=1e-6)
    assert not weights.numpy()[..., 3:].any()
    added = sw.tensor(np.where(padding.numpy(), -np.inf, 0.0))
    assert np.array_equal(layer(x, x, x, key_padding_mask=added)[0].numpy(), masked.numpy())


def test_a_mask_for_each_head_and_masks_together(x):
    layer = nn.MultiheadAttention(8, 2)
    later = np.triu(np.ones((5, 5), bool), 1)
    each = sw.tensor(np.broadcast_to(later, (4, 5, 5)))
    expected = layer(x, x, x, is_causal=True)[0].numpy()
    assert np.array_equal(layer(x, x, x, attn_mask=each)[0].numpy(), expected)
    first = sw.tensor(np.array([[False] + [True] * 4] * 2))
    weights = layer(x, x, x, attn_mask=sw.tensor(later), key_padding_mask=first)[1].numpy()
    assert (weights[..., 0] == 1).all()


def test_dropout_acts_in_training_only(x):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5)
    assert not np.array_equal(layer(x).numpy(), layer(x).numpy())
    layer.eval()
    assert np.array_equal(layer(x).numpy(), layer(x).numpy())
    assert all(module.calls.item() == 2 for module in layer.modules() if isinstance(module, nn.Dropout))


def test_the_layer_without_biases_has_none(x):
    layer = nn.TransformerEncoderLayer(8, 2, 16, bias=False)
    assert not [name for name, _ in layer.named_parameters() if "bias" in name]
    assert layer(x).shape == x.shape


def test_any_function_is_an_activation(x):
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=nn.silu)
    assert layer(x).shape == x.shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: nn.MultiheadAttention(8, 3), ArgumentError, "num_heads=3 must divide embed_dim=8"),
        (
            lambda x: nn.TransformerEncoderLayer(8, 2, activation="tanh"),
            ArgumentError,
            "'relu', 'gelu' or a fun",
        ),
        (
            lambda x: nn.MultiheadAttention(6, 2)(x, x, x),
            ShapeError,
            r"needs 6 features in shape \(batch, length, features\), got \(2, 5, 8\)",
        ),
        (lambda x: nn.MultiheadAttention(8, 2)(x, x, x[:, :3]), ShapeError, "keys and values of one shape"),
        (
            lambda x: nn.MultiheadAttention(8, 2)(x, x, x, attn_mask=np.ones((5, 4), bool)),
            ShapeError,
            r"attn_mask must have shape \(5, 5\) or \(4, 5, 5\), not \(5, 4\)",
        ),
        (
            lambda x: nn.MultiheadAttention(8, 2)(x, x, x, key_padding_mask=np.zeros((2, 5), int)),
            DtypeError,
            "key_padding_mask must be boolean",
        ),
        (lambda x: nn.MultiheadAttention(8, 2)(*[x.astype("f8")] * 3), DtypeError, "has float32 weights"),
    ],
)
def test_bad_arguments_and_inputs_are_named(call, error, message, x):
    with pytest.raises(error, match=message):
        call(x)
