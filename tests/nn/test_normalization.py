"""Batch and layer normalization beyond the reference: modes, statistics, errors."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

X = np.random.default_rng(0).normal(3.0, 2.0, size=(50, 4)).astype(np.float32)


def test_a_batch_has_mean_0_and_variance_1_in_training():
    y = nn.BatchNorm1d(4)(sw.tensor(X)).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(y.var(0), 1, rtol=1e-4)


def test_running_statistics_follow_the_batches_and_serve_evaluation():
    layer = nn.BatchNorm1d(4)
    for _ in range(200):
        layer(sw.tensor(X))
    np.testing.assert_allclose(layer.running_mean.numpy(), X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), X.var(0, ddof=1), rtol=1e-5)
    before = layer.state_dict()
    layer.eval()
    one = layer(sw.tensor(X[:1])).numpy()
    np.testing.assert_allclose(one, (X[:1] - X.mean(0)) / X.std(0, ddof=1), rtol=1e-3, atol=1e-4)
    assert all(
        np.array_equal(before[name].numpy(), value.numpy()) for name, value in layer.state_dict().items()
    )


def test_a_row_does_not_depend_on_the_others_in_evaluation():
    layer = nn.BatchNorm1d(4)
    layer(sw.tensor(X))
    layer.eval()
    assert np.array_equal(layer(sw.tensor(X)).numpy()[:3], layer(sw.tensor(X[:3])).numpy())


def test_no_momentum_keeps_the_plain_mean():
    layer = nn.BatchNorm1d(4, momentum=None)
    for part in (X[:10], X[10:20], X[20:30]):
        layer(sw.tensor(part))
    np.testing.assert_allclose(layer.running_mean.numpy(), X[:30].mean(0), rtol=1e-5)


def test_running_statistics_carry_no_gradient():
    layer = nn.BatchNorm1d(4)
    x = sw.tensor(X, requires_grad=True)
    layer(x).sum().backward()
    assert not any(buffer.requires_grad for buffer in layer.buffers())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.BatchNorm1d(4), (1, 4)), (nn.BatchNorm2d(4), (1, 4, 1, 1)), (nn.BatchNorm1d(4), (1, 4, 1))],
)
def test_one_value_a_channel_is_an_error_in_training_only(layer, shape):
    x = sw.tensor(np.ones(shape, np.float32))
    with pytest.raises(
        ShapeError, match=r"more than one value per channel, got shape .*; use a larger batch"
    ):
        layer(x)
    assert layer.eval()(x).shape == shape


def test_a_constant_channel_gives_zeros_and_finite_gradients():
    x = sw.tensor(np.ones((6, 2), np.float32), requires_grad=True)
    y = nn.BatchNorm1d(2)(x)
    assert not y.numpy().any()
    (y**2).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.BatchNorm1d(4)(X[:, :3]),
            ShapeError,
            r"BatchNorm1d\(4\) needs 4 channels in shape \(batch",
        ),
        (lambda: nn.BatchNorm2d(4)(X), ShapeError, r"\(batch, channels, height, width\), got \(50, 4\)"),
        (lambda: nn.BatchNorm1d(4)(X.astype("f8")), DtypeError, "has float32 weights"),
        (lambda: nn.BatchNorm1d(4, momentum=2.0), ArgumentError, "momentum must be from 0 to 1"),
        (lambda: nn.BatchNorm1d(4, eps=-1.0), ArgumentError, "eps must be at least 0"),
        (lambda: nn.BatchNorm1d(0), ArgumentError, "num_features must be an integer of at least 1"),
        (
            lambda: nn.LayerNorm((3, 4))(X),
            ShapeError,
            r"LayerNorm\(3, 4\) needs last axes of these sizes, got",
        ),
        (lambda: nn.LayerNorm(()), ArgumentError, "at least one axis"),
        (lambda: nn.LayerNorm(4)(X.astype("f8")), DtypeError, "has float32 weights"),
    ],
)
def test_bad_arguments_and_inputs_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_layer_normalization_is_the_same_in_both_modes_and_row_by_row():
    layer = nn.LayerNorm(4)
    y = layer(sw.tensor(X)).numpy()
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-6)
    assert np.array_equal(layer.eval()(sw.tensor(X[5])).numpy(), y[5])
    assert nn.LayerNorm(4, bias=False).bias is None


def test_plain_normalization_takes_any_floating_dtype():
    for dtype in ("float32", "float64"):
        assert nn.LayerNorm(4, elementwise_affine=False)(X.astype(dtype)).dtype == np.dtype(dtype)
        layer = nn.BatchNorm1d(4, affine=False, track_running_stats=False)
        assert layer(X.astype(dtype)).dtype == np.dtype(dtype)
