"""Fifty steps of every optimizer against PyTorch's, in float64; of Lion against its paper's pseudo-code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optim.json").read_text())
PROBLEM = {name: np.array(value) for name, value in REFERENCE["problem"].items()}
KEPT, SKIPPED = REFERENCE["kept"], REFERENCE["skipped"]


def parameters(dtype=np.float64):
    return [sw.tensor(PROBLEM[name].astype(dtype), requires_grad=True) for name in "wbv"]


def loss_of(params, x, y):
    w, b, v = params
    return ((ops.tanh(x @ w + b) @ v - y) ** 2).mean()


def flat(params):
    return np.concatenate([p.numpy().ravel() for p in params])


def trajectory(case, dtype=np.float64):
    params = parameters(dtype)
    optimizer = sw.optim.get(case["name"])(params, **case["settings"])
    x, y = (PROBLEM[name].astype(dtype) for name in "xy")
    kept = []
    for step in range(max(KEPT)):
        optimizer.zero_grad()
        rows = slice(0, 4) if step % 2 else slice(4, 8)
        loss_of(params, sw.tensor(x[rows]), sw.tensor(y[rows])).backward()
        if case["skips"] and step in SKIPPED:
            params[-1].grad = None
        optimizer.step()
        if step + 1 in KEPT:
            kept.append(flat(params))
    return np.array(kept)


def name_of(case):
    settings = ", ".join(f"{name}={value}" for name, value in case["settings"].items())
    return f"{case['name']}({settings})" + (" with skips" if case["skips"] else "")


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_fifty_steps_agree_with_pytorch(case):
    np.testing.assert_allclose(trajectory(case), case["values"], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_fifty_steps_in_float32_stay_close(case):
    values = trajectory(case, np.float32)
    assert values.dtype == np.float32
    # Lion's steps are of one size: where the sign of a sum near 0 falls the other way, it is two steps off
    tolerance = 0.05 if case["name"] == "lion" else 2e-3
    np.testing.assert_allclose(values, case["values"], atol=tolerance)


def test_every_optimizer_by_name_is_among_the_cases():
    assert {case["name"] for case in REFERENCE["optimizers"]} | {"lbfgs"} == set(sw.optim.BY_NAME) | {"lbfgs"}
