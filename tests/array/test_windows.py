"""Windows and convolution against a loop over places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, AxisError, ShapeError


def _numbers(*shape: int) -> np.ndarray:
    return np.sin(np.arange(float(np.prod(shape))) ** 2 + 0.5).reshape(shape)


@given(
    st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.sampled_from((0, 1, -1))
)
def test_windows_are_what_a_loop_picks(size: int, window: int, stride: int, dilation: int, axis: int) -> None:
    shape = [2, 3]
    shape[axis] = size
    array = _numbers(*shape)
    reach = (window - 1) * dilation + 1
    if reach > size:
        with pytest.raises(ShapeError, match=f"a window of {reach} does not fit axis"):
            xp.sliding_windows(sw.tensor(array), window, axis=axis, stride=stride, dilation=dilation)
        return
    result = xp.sliding_windows(sw.tensor(array), window, axis=axis, stride=stride, dilation=dilation)
    starts = range(0, size - reach + 1, stride)
    picked = [np.moveaxis(array, axis, -1)[..., start : start + reach : dilation] for start in starts]
    expected = np.moveaxis(np.stack(picked), 0, axis % 2)
    np.testing.assert_array_equal(result.numpy(), expected)


def _convolved(
    x: np.ndarray, w: np.ndarray, stride: int, padding: int, dilation: int, groups: int
) -> np.ndarray:
    """Two spatial axes, one number at a time."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    batch, _, *space = x.shape
    filters, per_group, *kernel = w.shape
    places = [(n - (k - 1) * dilation - 1) // stride + 1 for n, k in zip(space, kernel, strict=True)]
    y = np.zeros((batch, filters, *places))
    for b, f, i, j in np.ndindex(*y.shape):
        first = f // (filters // groups) * per_group
        for c, k, m in np.ndindex(*w.shape[1:]):
            y[b, f, i, j] += (
                x[b, first + c, i * stride + k * dilation, j * stride + m * dilation] * w[f, c, k, m]
            )
    return y


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [(1, 0, 1, 1), (2, 1, 1, 1), (2, 0, 2, 2), (3, 2, 1, 2), (1, 1, 2, 1)],
)
def test_convolution_is_what_a_loop_adds_up_and_so_are_its_gradients(
    stride: int, padding: int, dilation: int, groups: int
) -> None:
    x, w = _numbers(2, 4, 6, 5), _numbers(6, 4 // groups, 2, 3)
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    result = xp.conv(sw.tensor(x), sw.tensor(w), **settings)
    np.testing.assert_allclose(result.numpy(), _convolved(x, w, **settings), rtol=1e-12, atol=1e-12)
    sw.check_gradients(lambda x, w: xp.conv(x, w, **settings), x, w)


def test_same_keeps_the_size_and_valid_pads_nothing() -> None:
    x = xp.ones((1, 1, 5))
    assert xp.conv(x, xp.ones((1, 1, 4)), padding="same").shape == (1, 1, 5)
    assert xp.conv(x, xp.ones((1, 1, 3)), padding="same", dilation=2).shape == (1, 1, 5)
    assert xp.conv(x, xp.ones((1, 1, 4)), padding="valid").shape == (1, 1, 2)
    assert xp.conv(x, xp.ones((1, 1, 4)), padding=((1, 2),)).shape == (1, 1, 5)


@pytest.mark.parametrize("space", [(4,), (3, 4), (2, 3, 2)])
def test_convolution_has_any_number_of_spatial_axes(space: tuple[int, ...]) -> None:
    """A kernel of one pixel is a matrix product over channels."""
    x, w = _numbers(2, 3, *space), _numbers(4, 3, *(1,) * len(space))
    expected = np.einsum("bc...,fc->bf...", x, w.reshape(4, 3))
    np.testing.assert_allclose(xp.conv(sw.tensor(x), sw.tensor(w)).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xp.conv(xp.ones((2, 3)), xp.ones((2, 3))), ShapeError, r"needs x \(batch, channels"),
        (lambda: xp.conv(xp.ones((1, 2, 5)), xp.ones((1, 3, 2))), ShapeError, "needs 3 channels"),
        (
            lambda: xp.conv(xp.ones((1, 3, 5)), xp.ones((2, 1, 2)), groups=2),
            ShapeError,
            "3 channels and 2 filters into 2",
        ),
        (
            lambda: xp.conv(xp.ones((1, 1, 2)), xp.ones((1, 1, 5)), padding=1),
            ShapeError,
            "a kernel of 5 does not fit 2 pixels and 2 of",
        ),
        (lambda: xp.conv(xp.ones((1, 1, 5)), xp.ones((1, 1, 2)), padding=-1), ArgumentError, "not -1"),
        (
            lambda: xp.conv(xp.ones((1, 1, 5)), xp.ones((1, 1, 2)), padding="full"),
            ArgumentError,
            "not 'full'",
        ),
        (
            lambda: xp.conv(xp.ones((1, 1, 5)), xp.ones((1, 1, 2)), stride=2, padding="same"),
            ArgumentError,
            "needs stride 1",
        ),
        (
            lambda: xp.conv(xp.ones((1, 1, 5)), xp.ones((1, 1, 2)), stride=0),
            ArgumentError,
            "stride must be at least 1",
        ),
        (
            lambda: xp.conv(xp.ones((1, 1, 5)), xp.ones((1, 1, 2)), stride=(1, 1)),
            ArgumentError,
            "one number or 1",
        ),
        (lambda: xp.sliding_windows(xp.ones(5), 0), ArgumentError, "window must be at least 1"),
        (lambda: xp.sliding_windows(xp.ones(5), 2, axis=1), AxisError, "axis 1"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
