"""Padding against NumPy's, and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, ShapeError

X = xp.ones((2, 3))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
@given(st.lists(st.integers(1, 4), min_size=1, max_size=2), st.data())
def test_pad_is_numpys_for_all_widths(mode: Any, shape: list[int], data: Any) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    widths = [data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5))) for _ in shape]
    np.testing.assert_array_equal(
        xp.pad(sw.tensor(array), widths, mode=mode).numpy(), np.pad(array, widths, mode=mode)
    )


def test_pads_by_a_constant_pass_no_gradient_to_it_twice() -> None:
    x, value = sw.tensor([1.0, 2.0], requires_grad=True), sw.tensor(5.0, requires_grad=True)
    xp.sum(xp.pad(x, (1, 2), constant_values=value)).backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert value.grad.item() == 3.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xp.pad(X, -1), ArgumentError, "use a slice"),
        (lambda: xp.pad(X, (1, 2, 3)), ShapeError, "a number, a pair, or 2 pairs"),
        (lambda: xp.pad(X, 0.5), ArgumentError, "must hold integers"),
        (lambda: xp.pad(X, 1, mode="mirror"), ArgumentError, "not 'mirror'"),
        (lambda: xp.pad(xp.zeros(0), 1, mode="edge"), ShapeError, "no elements"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
