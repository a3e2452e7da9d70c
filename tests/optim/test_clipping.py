"""Clipping by value and by norm: PyTorch's values, in place of `.grad`, eager and compiled."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optim.json").read_text())


def with_gradients(gradients):
    params = [sw.tensor(np.zeros(len(gradient)), requires_grad=True) for gradient in gradients]
    for parameter, gradient in zip(params, gradients, strict=True):
        parameter.grad = sw.tensor(np.array(gradient))
    return params


@pytest.mark.parametrize("case", REFERENCE["clipping"], ids=lambda case: f"norm {case['norm_type']}")
def test_clipping_by_norm_agrees_with_pytorch(case):
    params = with_gradients(case["gradients"])
    norm = sw.optim.clip_grad_norm(params, case["max_norm"], float(case["norm_type"]))
    assert norm.item() == pytest.approx(case["norm"], rel=1e-12)
    for parameter, clipped in zip(params, case["clipped"], strict=True):
        np.testing.assert_allclose(parameter.grad.numpy(), clipped, rtol=1e-12)


def test_clipping_by_value_limits_each_element_and_leaves_the_old_gradient_tensor_alone():
    (w,) = with_gradients([[-3.0, 0.5, 2.0]])
    before = w.grad
    sw.optim.clip_grad_value(w, 1.0)
    assert w.grad.tolist() == [-1.0, 0.5, 1.0]
    assert before.tolist() == [-3.0, 0.5, 2.0]


def test_parameters_without_a_gradient_are_left_out():
    w = sw.tensor([1.0], requires_grad=True)
    frozen = sw.tensor([1.0])
    assert sw.optim.clip_grad_norm([w, frozen], 1.0).item() == 0.0
    sw.optim.clip_grad_value(iter([w, frozen]), 1.0)
    assert w.grad is None


def test_zero_gradients_stay_zero_and_nan_is_not_hidden():
    (w,) = with_gradients([[0.0, 0.0]])
    assert sw.optim.clip_grad_norm([w], 0.5).item() == 0.0
    assert w.grad.tolist() == [0.0, 0.0]
    (w,) = with_gradients([[math.nan, 1.0]])
    assert math.isnan(sw.optim.clip_grad_norm([w], 0.5).item())
    assert np.isnan(w.grad.numpy()).all()


def test_float32_gradients_stay_float32_beside_float64_ones():
    w, v = sw.tensor([3.0], requires_grad=True), sw.tensor(np.array([4.0]), requires_grad=True)
    w.grad, v.grad = sw.tensor([3.0]), sw.tensor(np.array([4.0]))
    norm = sw.optim.clip_grad_norm([w, v], 1.0)
    assert (norm.item(), norm.dtype) == (5.0, np.float64)
    assert (w.grad.dtype, v.grad.dtype) == (np.float32, np.float64)


def test_a_compiled_step_clips_like_an_eager_one():
    results = []
    for target in (None, "interpreter", "native"):
        w = sw.tensor(np.array([5.0, -3.0]), requires_grad=True)
        optimizer = sw.optim.SGD([w], lr=0.1)

        def step(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            (w**2).sum().backward()
            sw.optim.clip_grad_value([w], 8.0)
            norm = sw.optim.clip_grad_norm([w], 2.0)
            optimizer.step()
            return norm

        run = sw.compile(step, target=target) if target else step
        results.append([*[run().item() for _ in range(5)], *w.tolist()])
    plain, interpreted, native = results
    assert interpreted == plain
    np.testing.assert_allclose(native, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p: sw.optim.clip_grad_value(p, -1.0), "value must be at least 0"),
        (lambda p: sw.optim.clip_grad_norm(p, math.nan), "max_norm must be at least 0"),
        (lambda p: sw.optim.clip_grad_norm(p, 1.0, 0.0), "norm_type must be above 0"),
    ],
)
def test_limits_out_of_range_are_told(function, message):
    with pytest.raises(ArgumentError, match=message):
        function(with_gradients([[1.0]]))
