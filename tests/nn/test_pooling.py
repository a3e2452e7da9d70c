"""Pooling against slow loops, for windows of every kind."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError


def places(size, kernel, stride, pad, ceil_mode):
    """Return the windows along an axis: where each begins, the first at -pad."""
    count = (size + 2 * pad - kernel) / stride
    count = (math.ceil(count) if ceil_mode else math.floor(count)) + 1
    if ceil_mode and (count - 1) * stride >= size + pad:
        count -= 1
    return [i * stride - pad for i in range(count)]


def pool_slowly(line, kernel, stride, pad, ceil_mode, kind):
    result = []
    for start in places(len(line), kernel, stride, pad, ceil_mode):
        inside = line[max(start, 0) : max(start + kernel, 0)]
        padded = min(start + kernel, len(line) + pad) - start
        if kind == "max":
            result.append(inside.max())
        else:
            result.append(inside.sum() / (padded if kind == "include" else len(inside)))
    return np.array(result)


@given(
    size=st.integers(1, 9),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    pad=st.integers(0, 2),
    ceil_mode=st.booleans(),
    kind=st.sampled_from(["max", "include", "exclude"]),
)
def test_pooling_of_lines_is_what_slow_loops_say(size, kernel, stride, pad, ceil_mode, kind):
    assume(2 * pad <= kernel <= size + 2 * pad)
    if kind == "max":
        layer = nn.MaxPool1d(kernel, stride, pad, ceil_mode=ceil_mode)
    else:
        layer = nn.AvgPool1d(kernel, stride, pad, ceil_mode, count_include_pad=kind == "include")
    x = np.random.default_rng(size).normal(size=size) - 5.0  # all below the zeros of the padding
    expected = pool_slowly(x, kernel, stride, pad, ceil_mode, kind)
    np.testing.assert_allclose(layer(sw.tensor(x.reshape(1, 1, -1))).numpy().ravel(), expected, rtol=1e-12)
    sw.check_gradients(layer, x.reshape(1, 1, -1), order=1)


@given(st.integers(1, 8), st.integers(1, 10))
def test_adaptive_pooling_takes_the_windows_of_its_formula(size, count):
    x = np.random.default_rng(size).normal(size=size)
    expected = [x[i * size // count : math.ceil((i + 1) * size / count)].mean() for i in range(count)]
    result = nn.AdaptiveAvgPool1d(count)(sw.tensor(x.reshape(1, 1, -1))).numpy().ravel()
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-15)


def test_images_are_pooled_along_both_axes():
    x = nn.initializers.normal((2, 3, 6, 4), dtype="float64")
    blocks = x.numpy().reshape(2, 3, 3, 2, 2, 2)
    np.testing.assert_allclose(nn.AvgPool2d(2)(x).numpy(), blocks.mean((3, 5)), rtol=1e-12)
    assert np.array_equal(nn.MaxPool2d(2)(x).numpy(), blocks.max((3, 5)))
    np.testing.assert_allclose(
        nn.AdaptiveAvgPool2d(1)(x).numpy()[..., 0, 0], x.numpy().mean((2, 3)), rtol=1e-12
    )


def test_ties_share_the_gradient():
    x = sw.tensor([[[2.0, 2.0, 1.0, 2.0]]], requires_grad=True)
    nn.MaxPool1d(4)(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy().ravel(), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-6)


def test_the_padding_of_a_maximum_never_wins():
    x = sw.tensor([[[-3.0, -2.0]]], requires_grad=True)
    y = nn.MaxPool1d(2, 1, padding=1)(x)
    assert y.tolist() == [[[-3.0, -2.0, -2.0]]]
    y.sum().backward()
    assert x.grad.tolist() == [[[1.0, 2.0]]]


def test_an_input_without_a_batch_axis_works():
    x = nn.initializers.normal((3, 6, 6))
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(2)):
        assert np.array_equal(layer(x).numpy(), layer(x.reshape((1, 3, 6, 6))).numpy()[0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.MaxPool2d(2, padding=2), ArgumentError, "at most half of the window"),
        (lambda: nn.MaxPool2d(0), ArgumentError, "kernel_size must be"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), ArgumentError, "output_size must be"),
        (
            lambda: nn.MaxPool2d(3)(nn.initializers.zeros((1, 1, 5, 2))),
            ShapeError,
            "a window of 3 does not fit",
        ),
        (lambda: nn.AvgPool1d(2)(nn.initializers.zeros((5,))), ShapeError, r"\(batch, channels, length\)"),
        (lambda: nn.AdaptiveAvgPool1d(2)(nn.initializers.zeros((1, 2, 0))), ShapeError, "at least one pixel"),
        (lambda: nn.MaxPool1d(2)(np.zeros((1, 1, 4), np.int64)), DtypeError, "floating input, not int64"),
        (lambda: nn.AdaptiveAvgPool1d(2)(np.zeros((1, 1, 4), np.int64)), DtypeError, "not int64"),
    ],
)
def test_bad_arguments_and_inputs_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_text_shows_settings_that_are_not_defaults():
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2)"
    assert repr(nn.AvgPool2d(3, 2, 1, True, False)) == (
        "AvgPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)"
    )
    assert repr(nn.AdaptiveAvgPool2d(1)) == "AdaptiveAvgPool2d(output_size=(1, 1))"
