"""softmax and its kin where numbers overflow or vanish."""

from __future__ import annotations

import math

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp


def test_softmax_gives_nothing_to_minus_infinity() -> None:
    x = sw.tensor([[-math.inf, 0.0, 0.0]], requires_grad=True)
    y = xp.softmax(x)
    assert y.tolist() == [[0.0, 0.5, 0.5]]
    xp.sum(y * sw.tensor([1.0, 2.0, 4.0])).backward()
    assert x.grad.tolist() == [[0.0, -0.5, 0.5]]
    assert np.isnan(xp.softmax(sw.tensor([-math.inf, -math.inf])).numpy()).all()


def test_log_softmax_keeps_what_softmax_loses() -> None:
    x = sw.tensor([0.0, -1e4])
    assert xp.log_softmax(x).tolist() == [0.0, -1e4]
    assert xp.log_softmax(sw.tensor([0.0, -math.inf])).tolist() == [0.0, -math.inf]


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_a_shift_changes_no_softmax(shift: float) -> None:
    x = sw.tensor([0.25, -0.5, 1.75], dtype="float64")
    np.testing.assert_allclose(xp.softmax(x + shift).numpy(), xp.softmax(x).numpy(), rtol=1e-11)
    np.testing.assert_allclose(xp.log_softmax(x + shift).numpy(), xp.log_softmax(x).numpy(), rtol=1e-11)
    np.testing.assert_allclose(xp.logsumexp(x + shift).item(), xp.logsumexp(x).item() + shift, rtol=1e-11)


def test_logsumexp_of_infinities() -> None:
    assert xp.logsumexp(sw.tensor([-math.inf, -math.inf])).item() == -math.inf
    assert xp.logsumexp(sw.tensor([math.inf, 0.0])).item() == math.inf


def test_softmax_of_nothing_is_nothing() -> None:
    for function in (xp.softmax, xp.log_softmax):
        assert function(xp.zeros((2, 0))).shape == (2, 0)


def test_relu_keeps_nan() -> None:
    assert math.isnan(xp.relu(sw.tensor(math.nan)).item())


def test_integers_become_float32() -> None:
    for function in (xp.softmax, xp.log_softmax, xp.logsumexp, xp.sigmoid, xp.erf):
        assert function(sw.tensor([1, 2])).dtype == xp.float32
