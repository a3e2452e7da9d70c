"""LBFGS and its line search: PyTorch's trajectories, Rosenbrock's valley, the Wolfe conditions, resuming."""

from __future__ import annotations

import copy
import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, TraceError
from slopewise.optim.line_search import Point, strong_wolfe

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optim.json").read_text())
PROBLEM = {name: np.array(value) for name, value in REFERENCE["problem"].items()}


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def start(dtype=np.float64):
    return sw.tensor(np.array([-1.2, 1.0], dtype), requires_grad=True)


def network_loss(params):
    w, b, v = params
    x, y = sw.tensor(PROBLEM["x"]), sw.tensor(PROBLEM["y"])
    return ((ops.tanh(x @ w + b) @ v - y) ** 2).mean()


def closure_for(optimizer, loss):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def flat(params):
    return np.concatenate([p.numpy().ravel() for p in params])


@pytest.mark.parametrize("case", REFERENCE["lbfgs"], ids=lambda case: str(case["settings"]))
@pytest.mark.parametrize("problem", ["rosenbrock", "network"])
def test_trajectories_agree_with_pytorch(case, problem):
    if problem == "rosenbrock":
        params = [start()]
        loss = lambda: rosenbrock(params[0])  # noqa: E731
    else:
        params = [sw.tensor(PROBLEM[name], requires_grad=True) for name in "wbv"]
        loss = lambda: network_loss(params)  # noqa: E731
    optimizer = sw.optim.LBFGS(params, **case["settings"])
    closure = closure_for(optimizer, loss)
    for expected in case[problem]:
        value = optimizer.step(closure)
        assert value.item() == pytest.approx(expected["loss"], rel=1e-6, abs=1e-9)
        np.testing.assert_allclose(flat(params), expected["values"], rtol=1e-6, atol=1e-6)


def test_rosenbrocks_valley_is_solved_to_ten_digits():
    x = start()
    optimizer = sw.optim.LBFGS(
        [x], max_iter=100, tolerance_grad=1e-12, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    np.testing.assert_allclose(x.numpy(), [1.0, 1.0], atol=1e-10)


def test_float32_parameters_stay_float32_and_a_frozen_one_stays_where_it_is():
    x, frozen = start(np.float32), sw.tensor([7.0])
    optimizer = sw.optim.LBFGS([x, frozen], max_iter=60, line_search_fn="strong_wolfe")
    optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.numpy(), [1.0, 1.0], atol=1e-2)
    assert frozen.item() == 7.0


def test_the_closure_may_be_compiled_and_gives_the_same_numbers():
    results = []
    for target in (None, "interpreter", "native"):
        x = start()
        optimizer = sw.optim.LBFGS([x], max_iter=7, line_search_fn="strong_wolfe")
        closure = closure_for(optimizer, lambda x=x: rosenbrock(x))
        run = sw.compile(closure, target=target) if target else closure
        results.append([optimizer.step(run).item() for _ in range(3)] + x.tolist())
    plain, interpreted, native = results
    assert interpreted == plain
    np.testing.assert_allclose(native, plain, rtol=1e-6)  # a search magnifies rounding


def test_the_step_itself_cannot_be_compiled_and_says_so():
    x = start()
    optimizer = sw.optim.LBFGS([x])
    step = sw.compile(lambda: optimizer.step(closure_for(optimizer, lambda: rosenbrock(x))))
    with pytest.raises(TraceError, match="compile its closure instead"):
        step()
    assert x.tolist() == [-1.2, 1.0]


def test_a_reloaded_state_resumes_to_the_bit_and_so_do_copies():
    def optimizer_of(x):
        return sw.optim.LBFGS([x], max_iter=3, history_size=4, line_search_fn="strong_wolfe")

    x = start()
    optimizer = optimizer_of(x)
    fresh = optimizer_of(start())
    fresh.load_state_dict(optimizer.state_dict())  # before the first step, there are no vectors yet
    for _ in range(2):
        optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    saved = optimizer.state_dict()
    plain = json.loads(json.dumps({k: v for k, v in saved.items() if not isinstance(v, np.ndarray)}))
    y = sw.tensor(x, requires_grad=True)
    resumed = optimizer_of(y)
    resumed.load_state_dict({**saved, **plain})
    pairs = [
        (y, resumed),
        copy.deepcopy((x, optimizer)),
        pickle.loads(pickle.dumps((x, optimizer))),
    ]
    for _ in range(3):
        optimizer.step(closure_for(optimizer, lambda: rosenbrock(x)))
    for twin, its_optimizer in pairs:
        for _ in range(3):
            its_optimizer.step(closure_for(its_optimizer, lambda twin=twin: rosenbrock(twin)))
        assert twin.tolist() == x.tolist()
        assert its_optimizer.n_steps == 5


def test_at_the_minimum_nothing_moves():
    x = sw.tensor(np.array([1.0, 1.0]), requires_grad=True)
    optimizer = sw.optim.LBFGS([x])
    assert optimizer.step(closure_for(optimizer, lambda: rosenbrock(x))).item() == 0.0
    assert x.tolist() == [1.0, 1.0]


WRONG = {
    "needs a closure": lambda x: sw.optim.LBFGS([x]).step(),
    "one parameter group": lambda x: sw.optim.LBFGS([{"params": [x]}, {"params": [start()]}]),
    "max_iter must be a whole number": lambda x: sw.optim.LBFGS([x], max_iter=0),
    "history_size must be": lambda x: sw.optim.LBFGS([x], history_size=2.5),
    "tolerance_grad must be": lambda x: sw.optim.LBFGS([x], tolerance_grad=-1.0),
    "line_search_fn must be": lambda x: sw.optim.LBFGS([x], line_search_fn="armijo"),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_use_is_told_in_one_line(message):
    with pytest.raises(ArgumentError, match=message) as caught:
        WRONG[message](start())
    assert "\n" not in str(caught.value)


# ---- the line search


def line(function, slope):
    def evaluate(t):
        return Point(t, function(t), sw.tensor([slope(t)]), slope(t))

    return evaluate


@given(st.floats(0.05, 20.0), st.floats(1e-3, 50.0), st.sampled_from([0.5, 0.9]))
def test_the_search_ends_at_a_point_that_satisfies_the_conditions(minimum, first, c2):
    evaluate = line(lambda t: math.cosh(t / 3 - minimum / 3), lambda t: math.sinh(t / 3 - minimum / 3) / 3)
    origin = evaluate(0.0)
    point, n = strong_wolfe(evaluate, origin, first, 1.0, c2=c2)
    assert point.value <= origin.value + 1e-4 * point.t * origin.slope
    assert abs(point.slope) <= c2 * abs(origin.slope)
    assert n <= 26


def test_a_value_that_is_not_finite_is_stepped_back_from():
    for bad in (math.nan, math.inf):
        evaluate = line(
            lambda t, bad=bad: (t - 1) ** 2 if t < 3 else bad,
            lambda t: 2 * (t - 1) if t < 3 else math.nan,
        )
        point, _ = strong_wolfe(evaluate, evaluate(0.0), 50.0, 1.0)
        assert math.isfinite(point.value)
        assert point.value < 1.0


def test_evaluations_are_limited_and_the_best_point_is_kept():
    calls = []

    def evaluate(t):
        calls.append(t)
        return Point(t, -t, sw.tensor([-1.0]), -1.0)  # falls for ever

    point, n = strong_wolfe(evaluate, Point(0.0, 0.0, sw.tensor([-1.0]), -1.0), 1.0, 1.0, max_evaluations=4)
    assert n == len(calls) == 5
    assert point.t == max(calls)
