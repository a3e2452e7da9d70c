"""Convolution against the sum that defines it, for shapes of every kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


def convolve_slowly(x, w, b, stride, padding, dilation, groups):
    """Add up products, place by place; x (batch, channels, height, width)."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    span = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation, strict=True)]
    places = [(n - s) // t + 1 for n, s, t in zip(x.shape[2:], span, stride, strict=True)]
    y = np.zeros((len(x), len(w), *places))
    per_group = len(w) // groups
    for f in range(len(w)):
        first = f // per_group * w.shape[1]
        for i, j in np.ndindex(*places):
            top, left = i * stride[0], j * stride[1]
            patch = x[
                :,
                first : first + w.shape[1],
                top : top + span[0] : dilation[0],
                left : left + span[1] : dilation[1],
            ]
            y[:, f, i, j] = (patch * w[f]).sum((1, 2, 3)) + b[f]
    return y


pair = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    batch=st.integers(0, 2),
    groups=st.integers(1, 3),
    channels=st.integers(1, 2),
    filters=st.integers(1, 2),
    kernel=pair,
    stride=pair,
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.one_of(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(0, 2), st.sampled_from(["same", "valid"])
    ),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_convolution_is_the_sum_that_defines_it(
    batch, groups, channels, filters, kernel, stride, dilation, padding, extra
):
    if padding == "same":
        stride = (1, 1)
    space = tuple((k - 1) * d + 1 + e for k, d, e in zip(kernel, dilation, extra, strict=True))
    layer = nn.Conv2d(groups * channels, groups * filters, kernel, stride, padding, dilation, groups)
    layer.astype("float64")
    x = np.random.default_rng(0).normal(size=(batch, groups * channels, *space))
    totals = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    pads = {
        "valid": ((0, 0), (0, 0)),
        "same": tuple((t // 2, t - t // 2) for t in totals),
    }.get(padding) or tuple((p, p) for p in ((padding,) * 2 if isinstance(padding, int) else padding))
    expected = convolve_slowly(x, layer.weight.numpy(), layer.bias.numpy(), stride, pads, dilation, groups)
    y = layer(sw.tensor(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)
    if padding == "same":
        assert y.shape[2:] == space
    gradient = sw.grad(lambda x: (layer(x) ** 2).sum())(sw.tensor(x))
    assert gradient.shape == x.shape


@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2), st.integers(0, 3))
def test_sequences_are_images_of_one_row(kernel, stride, padding, dilation, extra):
    length = (kernel - 1) * dilation + 1 + extra
    line = nn.Conv1d(2, 3, kernel, stride, padding, dilation)
    image = nn.Conv2d(2, 3, (1, kernel), (1, stride), (0, padding), (1, dilation))
    image.load_state_dict({"weight": line.weight.numpy()[:, :, None], "bias": line.bias})
    x = nn.initializers.normal((2, 2, length))
    assert np.array_equal(line(x).numpy(), image(x.reshape((2, 2, 1, length))).numpy()[:, :, 0])


def test_weights_are_differentiable_to_second_order():
    layer = nn.Conv2d(2, 4, 2, stride=2, padding=1, groups=2).astype("float64")
    x = sw.tensor(np.random.default_rng(1).normal(size=(2, 2, 4, 3)))

    def of_weights(w, b):
        from slopewise.nn.convolution import convolve

        return convolve(x, w, b, (2, 2), ((1, 1), (1, 1)), (1, 1), 2) ** 2

    sw.check_gradients(of_weights, layer.weight, layer.bias)


def test_images_can_be_batched_by_vmap():
    layer = nn.Conv2d(2, 3, 2)
    x = nn.initializers.normal((4, 2, 5, 5))
    np.testing.assert_allclose(sw.vmap(layer)(x).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 2, groups=2), ArgumentError, "groups=2 must divide in_channels=3"),
        (lambda: nn.Conv2d(3, 4, (2, 2, 2)), ArgumentError, "kernel_size must be an integer or 2 of them"),
        (lambda: nn.Conv1d(3, 4, 0), ArgumentError, "kernel_size must be an integer, at least 1, not 0"),
        (lambda: nn.Conv2d(3, 4, 2, padding=-1), ArgumentError, "padding must be .* at least 0, not -1"),
        (lambda: nn.Conv2d(3, 4, 2, padding="full"), ArgumentError, "'same' or 'valid', not 'full'"),
        (
            lambda: nn.Conv2d(3, 4, 2, 2, padding="same"),
            ArgumentError,
            "padding='same' needs stride 1, not 2",
        ),
        (lambda: nn.Conv2d(0, 4, 2), ArgumentError, "in_channels must be an integer of at least 1, not 0"),
        (lambda: nn.Conv2d(3, 4, 2.5), ArgumentError, "kernel_size must be"),
        (
            lambda: nn.Conv2d(3, 4, 2)(nn.initializers.zeros((8, 28, 28, 3))),
            ShapeError,
            r"Conv2d\(3, 4\) needs 3 channels in shape \(batch, channels, height, width\), "
            r"got \(8, 28, 28, 3\) \(the channels come before the space\)",
        ),
        (
            lambda: nn.Conv1d(3, 4, 2)(nn.initializers.zeros((8,))),
            ShapeError,
            r"needs an input of shape \(batch, channels, length\), got \(8,\)",
        ),
        (
            lambda: nn.Conv2d(3, 4, 5)(nn.initializers.zeros((8, 3, 6, 4))),
            ShapeError,
            "a window of 5 does not fit in spatial axis 1, 4 long",
        ),
        (
            lambda: nn.Conv2d(3, 4, 2)(np.zeros((1, 3, 5, 5))),
            DtypeError,
            "has float32 weights, but its input is",
        ),
    ],
)
def test_bad_arguments_and_inputs_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_text_shows_settings_that_are_not_defaults():
    assert repr(nn.Conv2d(4, 6, 3, 2, 1, groups=2, bias=False)) == (
        "Conv2d(4, 6, kernel_size=3, stride=2, padding=1, groups=2, bias=False)"
    )
    assert repr(nn.Conv1d(4, 6, 3, padding="same", dilation=2)) == (
        "Conv1d(4, 6, kernel_size=3, padding='same', dilation=2)"
    )
