"""The tape of a traced function remembers symbols, not the values of the day it was traced on."""

from __future__ import annotations

import numpy as np

import slopewise as sw


def test_a_compiled_gradient_sees_weights_that_changed_since_it_was_traced():
    w, v = (sw.tensor(np.ones((2, 2)), requires_grad=True) for _ in range(2))

    @sw.compile
    def gradient(x):
        w.grad = v.grad = None
        ((x @ w) @ v).sum().backward()
        return w.grad

    x = sw.tensor(np.ones((1, 2)))
    assert gradient(x).tolist() == [[2.0, 2.0], [2.0, 2.0]]
    with sw.no_grad():
        v.copy_(v * 10)
    assert gradient(x).tolist() == [[20.0, 20.0], [20.0, 20.0]]
    assert gradient.n_traces == 1
