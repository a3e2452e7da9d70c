"""Schedules: PyTorch's values, the same traced, and wrong use told; ReduceOnPlateau between epochs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.optim import schedules
from slopewise.optim.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    LinearRamp,
    MultiStepDecay,
    OneCycle,
    PerEpoch,
    PolynomialDecay,
    Sequence,
    StepDecay,
    WarmUp,
)

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optim.json").read_text())
SCHEDULES = {
    expression: eval(expression, {name: getattr(schedules, name) for name in schedules.__all__})
    for expression in REFERENCE["schedules"]
}
SCHEDULES["Sequence"] = Sequence([Constant(0.1), ExponentialDecay(0.1, 0.5), LinearRamp(0.1, 0, 3)], [3, 9])
SCHEDULES["PerEpoch"] = PerEpoch(CosineDecay(0.1, 5), 4)
SCHEDULES["CosineRestarts(0.1, 3, growth=3)"] = CosineRestarts(0.1, 3, growth=3)


def values(schedule, steps):
    return [schedule(step).item() for step in range(steps)]


@pytest.mark.parametrize("expression", REFERENCE["schedules"])
def test_schedules_give_pytorchs_values(expression):
    expected = REFERENCE["schedules"][expression]
    np.testing.assert_allclose(values(SCHEDULES[expression], len(expected)), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_give_the_same_traced_and_are_traced_once(name):
    schedule = SCHEDULES[name]
    steps = [0, 1, 2, 3, 8, 9, 10, 39, 200]
    plain = [schedule(step).item() for step in steps]
    assert np.all(np.isfinite(plain))
    for target, bound in (("interpreter", 0.0), ("native", 1e-12)):
        traced = sw.compile(schedule, target=target)
        found = [traced(sw.tensor(float(step))).item() for step in steps]
        np.testing.assert_allclose(found, plain, rtol=bound, atol=bound)
        assert traced.n_traces == 1


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_can_be_pickled_compared_and_read(name):
    schedule = SCHEDULES[name]
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert type(schedule).__name__ in repr(schedule)


@pytest.mark.parametrize(
    ("schedule", "end"),
    [
        (CosineDecay(0.5, 10, 0.125), 0.125),
        (PolynomialDecay(0.5, 10), 0.0),
        (LinearRamp(0.5, 0.25, 10), 0.25),
        (OneCycle(0.5, 10, start_divisor=4.0, end_divisor=2.0), 0.0625),
    ],
)
def test_schedules_stay_at_their_end(schedule, end):
    for step in (10, 11, 25, 10**6):
        assert schedule(step).item() == pytest.approx(end, rel=1e-12, abs=1e-15)


def test_restarts_start_again_at_every_power_exactly():
    for growth in (2, 3, 7):
        schedule = CosineRestarts(1.0, 10, growth=growth)
        start = 0
        for n in range(8):
            assert schedule(start).item() == pytest.approx(1.0, abs=1e-12)
            assert schedule(start - 1).item() < 0.05 or start == 0
            start += 10 * growth**n


def test_a_sequence_counts_each_schedule_from_its_own_start():
    schedule = Sequence([Constant(0.5), LinearRamp(0.0, 1.0, 2), StepDecay(0.25, 1, 0.5)], [2, 5])
    assert values(schedule, 8) == [0.5, 0.5, 0.0, 0.5, 1.0, 0.25, 0.125, 0.0625]


def test_a_compiled_step_with_a_schedule_is_traced_once_and_agrees_with_eager():
    results = []
    for target in (None, "interpreter", "native"):
        w = sw.tensor(np.array([3.0, -1.0]), requires_grad=True)
        optimizer = sw.optim.AdamW([w], lr=WarmUp(OneCycle(0.1, 20), 5))

        def step(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            (w**2).sum().backward()
            optimizer.step()

        run = sw.compile(step, target=target) if target else step
        rates = []
        for _ in range(20):
            rates.append(optimizer.lr)
            run()
        results.append([*rates, *w.tolist()])
        assert target is None or run.n_traces == 1
    plain, interpreted, native = results
    assert interpreted == plain
    np.testing.assert_allclose(native, plain, rtol=1e-12, atol=1e-15)
    assert len(set(plain[:20])) == 20


def test_groups_may_follow_schedules_of_their_own():
    a, b = (sw.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = sw.optim.SGD(
        [{"params": [a], "lr": ExponentialDecay(1.0, 0.5)}, {"params": [b], "lr": 0.25}], lr=0.1
    )
    for _ in range(2):
        a.grad = b.grad = sw.tensor([1.0])
        optimizer.step()
    assert (a.item(), b.item()) == (-0.5, 0.5)


WRONG = {
    "lr must be a number of at least 0": lambda: StepDecay(-1.0, 3),
    "every must be a number of at least 1": lambda: StepDecay(0.1, 0),
    "steps": lambda: CosineDecay(0.1, 0),
    "lr must": lambda: Constant("fast"),
    "nan": lambda: ExponentialDecay(0.1, float("nan")),
    "leaves no step": lambda: OneCycle(0.1, 3),
    "shape must be": lambda: OneCycle(0.1, 10, shape="square"),
    "divisor": lambda: OneCycle(0.1, 10, end_divisor=0.0),
    "need 1 milestones": lambda: Sequence([Constant(0.1), Constant(0.2)], []),
    "ascending": lambda: Sequence([Constant(0.1), Constant(0.2), Constant(0.1)], [5, 5]),
    "at most 1": lambda: WarmUp(0.1, 5, start=2.0),
    "step numbers, not 5": lambda: MultiStepDecay(0.1, milestones=5),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_schedules_are_told_in_one_line(message):
    with pytest.raises(ArgumentError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)


# ---- on plateau


def optimizer_with(lr):
    return sw.optim.SGD([sw.tensor([1.0], requires_grad=True)], lr=lr)


@pytest.mark.parametrize("name", REFERENCE["plateau"]["settings"])
def test_reducing_on_a_plateau_agrees_with_pytorch_and_resumes(name):
    settings = REFERENCE["plateau"]["settings"][name]
    optimizer = optimizer_with(0.1)
    plateau = sw.optim.ReduceOnPlateau(optimizer, **settings)
    rates = []
    for epoch, score in enumerate(REFERENCE["plateau"]["scores"]):
        if epoch in (0, 1, 17):
            saved = json.loads(json.dumps(plateau.state_dict()))
            plateau = sw.optim.ReduceOnPlateau(optimizer, **settings)
            plateau.load_state_dict(saved)
        plateau.step(sw.tensor(score))
        rates.append(optimizer.lr)
    np.testing.assert_allclose(rates, REFERENCE["plateau"]["rates"][name], rtol=1e-12)
    assert len(set(rates)) > 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "low"}, "mode"),
        ({"factor": 1.0}, "factor"),
        ({"threshold_mode": "x"}, "threshold_mode"),
    ],
)
def test_wrong_plateaus_are_told(settings, message):
    with pytest.raises(ArgumentError, match=message):
        sw.optim.ReduceOnPlateau(optimizer_with(0.1), **settings)


def test_a_plateau_needs_a_learning_rate_that_is_a_number():
    with pytest.raises(ArgumentError, match="follows a schedule"):
        sw.optim.ReduceOnPlateau(optimizer_with(Constant(0.1)))
