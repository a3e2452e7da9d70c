"""What all optimizers have in common: groups, skipping, state, and agreement of eager and compiled."""

from __future__ import annotations

import copy
import json
import pickle
from functools import partial

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError, TraceError

OPTIMIZERS = sorted(set(sw.optim.BY_NAME) - {"lbfgs"})


def parameters(dtype=np.float64):
    generator = np.random.Generator(np.random.PCG64(3))
    return [
        sw.tensor(generator.normal(size=shape).astype(dtype), requires_grad=True)
        for shape in [(4, 3), (3,), (3, 2)]
    ]


def make(name, params, **settings):
    return sw.optim.get(name)(params, **settings)


def loss_of(params, x):
    w, b, v = params
    hidden = x @ w + b
    return (((hidden * hidden) @ v - 1.0) ** 2).mean()


def batches(count, dtype=np.float64):
    generator = np.random.Generator(np.random.PCG64(4))
    return [sw.tensor(generator.normal(0, 0.3, size=(5, 4)).astype(dtype)) for _ in range(count)]


def train(params, optimizer, xs, target=None):
    def step(x):
        optimizer.zero_grad()
        loss = loss_of(params, x)
        loss.backward()
        optimizer.step()
        return loss

    run = TARGETS[target](step)
    losses = [run(x).item() for x in xs]
    return losses, run


def values(params):
    return [p.numpy().copy() for p in params]


def assert_same_bits(left, right):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def assert_close(left, right):
    """Compare what machine code and the plain step make of float64."""
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)


TARGETS = {None: lambda step: step} | {
    target: partial(sw.compile, target=target) for target in ("interpreter", "native")
}


def assert_agree(results):
    """Check what plain, interpreted and native steps left: the same bits, and the same numbers."""
    plain, interpreted, native = results
    assert_same_bits(plain, interpreted)
    assert_close(plain, native)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_compiled_step_is_traced_once_and_gives_the_numbers_of_the_eager_one(name):
    results = []
    for target in TARGETS:
        params = parameters()
        optimizer = make(name, params, lr=lambda step: 0.01 / (1.0 + step))
        losses, run = train(params, optimizer, batches(20), target)
        results.append([losses, *values(params)])
        assert optimizer.n_steps == 20
        assert target is None or run.n_traces == 1
    assert np.all(np.isfinite(results[0][0]))
    assert_agree(results)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_parameters_and_state_stay_float32(name):
    params = parameters(np.float32)
    optimizer = make(name, params, weight_decay=0.01)
    train(params, optimizer, batches(3, np.float32))
    assert {p.dtype for p in params} == {np.dtype(np.float32)}
    state = [v for k, v in optimizer.state_dict().items() if ".state." in k]
    assert {array.dtype for array in state} <= {np.dtype(np.float32)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_reloaded_state_resumes_to_the_bit(name):
    xs = batches(12)
    params = parameters()
    optimizer = make(name, params, lr=0.02)
    train(params, optimizer, xs[:6])
    saved = optimizer.state_dict()
    json.dumps({key: value for key, value in saved.items() if not isinstance(value, np.ndarray)})
    resumed = [sw.tensor(p, requires_grad=True) for p in params]
    other = make(name, resumed, lr=0.5)
    other.load_state_dict(saved)
    assert other.lr == 0.02
    assert other.n_steps == 6
    train(params, optimizer, xs[6:])
    train(resumed, other, xs[6:])
    assert_same_bits(values(params), values(resumed))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_can_be_copied_and_pickled_with_their_parameters(name):
    params = parameters()
    optimizer = make(name, params)
    train(params, optimizer, batches(2))
    copies = [copy.deepcopy((params, optimizer)), pickle.loads(pickle.dumps((params, optimizer)))]
    train(params, optimizer, batches(5)[2:])
    for twins, twin in copies:
        train(twins, twin, batches(5)[2:])
        assert_same_bits(values(params), values(twins))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_parameter_that_was_skipped_goes_on_as_if_the_skipped_steps_had_not_been(name):
    """Its own number of updates counts, so that an unfrozen layer does not start with a leap."""
    late, early = (sw.tensor(np.array([1.0, -2.0]), requires_grad=True) for _ in range(2))
    other = sw.tensor(np.array([0.5]), requires_grad=True)
    optimizer = make(name, [other, late])
    alone = make(name, [early])
    other.grad = sw.tensor(np.array([1.0]))
    for _ in range(3):
        optimizer.step()
    assert late.tolist() == [1.0, -2.0]
    for gradient in ([0.3, -0.1], [0.2, 0.4]):
        late.grad = early.grad = sw.tensor(np.array(gradient))
        optimizer.step()
        alone.step()
    np.testing.assert_allclose(late.numpy(), early.numpy(), rtol=1e-15)


def test_skipping_in_a_compiled_step_is_followed_too():
    results = []
    for wrap in TARGETS.values():
        a, b = (sw.tensor(np.array([1.0, -2.0]), requires_grad=True) for _ in range(2))
        optimizer = sw.optim.Adam([a, b], lr=0.1)

        def both(optimizer=optimizer, a=a, b=b):
            optimizer.zero_grad()
            ((a * a + b * b) ** 2).sum().backward()
            optimizer.step()

        def first(optimizer=optimizer, a=a):
            optimizer.zero_grad()
            (a * a).sum().backward()
            optimizer.step()

        steps = [wrap(both), wrap(first)]
        for which in (0, 0, 1, 1, 0, 1, 0):
            steps[which]()
        results.append(values([a, b]))
    assert_agree(results)


def test_groups_have_settings_of_their_own():
    a, b = (sw.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = sw.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.25)
    a.grad = b.grad = sw.tensor([1.0, 1.0])
    optimizer.step()
    assert a.tolist() == [0.75, 1.75]
    assert b.tolist() == [0.5, 1.5]
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.5]


def test_changing_settings_is_followed_by_a_compiled_step():
    results = []
    for target in TARGETS:
        params = parameters()
        optimizer = sw.optim.SGD(params, lr=0.01)
        xs = batches(3)
        _, run = train(params, optimizer, xs, target)
        optimizer.lr = 0.02
        for x in xs:
            run(x)
        optimizer.param_groups[0]["momentum"] = 0.5
        for x in xs:
            run(x)
        optimizer.param_groups[0]["lr"] = lambda step: 0.001 * step
        for x in xs:
            run(x)
        results.append(values(params))
        if target is not None:
            assert run.n_traces == 3  # a number for lr is an input; new momentum, new schedule
    assert_agree(results)


def test_a_compiled_function_may_set_the_learning_rate_but_nothing_else():
    w = sw.tensor(np.array([4.0]), requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=1.0)

    @sw.compile
    def halve():
        optimizer.lr = 0.5
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    halve()
    optimizer.lr = 2.0
    halve()
    assert w.item() == 3.0
    assert optimizer.lr == 0.5
    for change in ({"momentum": 0.9}, {"lr": lambda step: 0.1}):
        with pytest.raises(TraceError, match="only outside of it"):
            sw.compile(lambda change=change: optimizer.param_groups[0].change(change))()
    assert optimizer.param_groups[0]["momentum"] == 0.0


def test_a_group_added_later_is_followed_by_a_compiled_step():
    a, b = (sw.tensor(np.array([1.0]), requires_grad=True) for _ in range(2))
    optimizer = sw.optim.SGD([a], lr=0.25)

    @sw.compile
    def step():
        optimizer.zero_grad()
        (a + b).sum().backward()
        optimizer.step()

    step()
    optimizer.add_param_group({"params": [b], "lr": 0.5})
    step()
    assert (a.item(), b.item()) == (0.5, 0.5)


def test_frozen_parameters_are_kept_and_skipped_and_may_be_unfrozen():
    frozen, free = sw.tensor([1.0]), sw.tensor([1.0], requires_grad=True)
    optimizer = sw.optim.Adam([frozen, free], lr=0.1)
    (frozen * free).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    assert frozen.tolist() == [1.0]
    assert free.item() < 1.0
    frozen.requires_grad_()
    (frozen * free).sum().backward()
    optimizer.step()
    assert frozen.item() == pytest.approx(0.9, abs=1e-6)


def test_freezing_and_thawing_between_compiled_steps_is_followed():
    results = []
    for wrap in TARGETS.values():
        a, b = (sw.tensor(np.array([1.0, 2.0]), requires_grad=True) for _ in range(2))
        optimizer = sw.optim.Adam([a, b], lr=0.1)

        def step(a=a, b=b, optimizer=optimizer):
            optimizer.zero_grad()
            ((a * b) ** 2).sum().backward()
            optimizer.step()

        run = wrap(step)
        for frozen in (None, b, b, None, a, None):
            for p in (a, b):
                p.requires_grad_(p is not frozen)
            run()
            run()
        results.append(values([a, b]))
    assert_agree(results)


def test_settings_that_change_at_every_step_are_not_traced_for_ever():
    w = sw.tensor(np.array([1.0]), requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=0.0, weight_decay=1.0)
    w.grad = sw.tensor(np.array([0.0]))
    optimizer.lr = 1.0
    for step in range(50):
        optimizer.param_groups[0]["weight_decay"] = 1 / (step + 2)
        optimizer.step()
    assert w.item() == pytest.approx(1 / 51)
    assert optimizer._traced_update.n_traces < 20


def test_large_parameters_are_updated_one_by_one_with_the_same_bits(monkeypatch):
    results = []
    for most in (0, 1 << 24):
        monkeypatch.setattr("slopewise.optim.update_rule._MOST_ELEMENTS", most)
        params = parameters()
        optimizer = sw.optim.NAdam(params)
        train(params, optimizer, batches(5))
        assert optimizer._traced_update.n_traces == (1 if most else 0)
        results.append(values(params))
    assert_same_bits(*results)


def test_a_schedule_that_looks_at_the_step_is_told_where():
    w = sw.tensor([1.0], requires_grad=True)
    w.grad = sw.tensor([1.0])
    optimizer = sw.optim.SGD([w], lr=lambda step: 0.1 if step < 5 else 0.01)
    with pytest.raises(TraceError, match=r"a schedule is traced .* at .*test_optimizer.py:\d+"):
        optimizer.step()
    assert w.item() == 1.0
    assert optimizer.n_steps == 0


def test_gradients_that_were_one_tensor_once_are_told_apart_later():
    a, b = (sw.tensor([5.0], requires_grad=True) for _ in range(2))
    optimizer = sw.optim.SGD([a, b], lr=1.0)
    a.grad = b.grad = sw.tensor([1.0])
    optimizer.step()
    a.grad, b.grad = sw.tensor([1.0]), sw.tensor([2.0])
    optimizer.step()
    assert (a.item(), b.item()) == (3.0, 2.0)


def test_the_closure_is_called_once_with_recording_on_and_its_loss_is_returned():
    w = sw.tensor([2.0], requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with sw.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0


def test_zero_grad_sets_none_and_a_schedule_counts_steps_from_zero():
    w = sw.tensor([2.0], requires_grad=True)
    optimizer = sw.optim.SGD([w], lr=lambda step: 1.0 + step)
    assert optimizer.lr == 1.0
    w.grad = sw.tensor([1.0])
    optimizer.step()
    assert optimizer.lr == 2.0
    assert w.item() == 1.0
    optimizer.zero_grad()
    assert w.grad is None


WRONG = {
    "no parameters": (lambda p: sw.optim.SGD([]), "no parameters"),
    "an empty group": (lambda p: sw.optim.SGD([{"params": []}]), "group 0 has no parameters"),
    "one tensor": (lambda p: sw.optim.SGD(p[0]), "iterable"),
    "an array": (lambda p: sw.optim.SGD([np.ones(2)]), "ndarray"),
    "a result": (lambda p: sw.optim.SGD([p[0] * 2]), "leaf"),
    "the same twice": (lambda p: sw.optim.SGD([p[0], p[0]]), "twice"),
    "the same in two groups": (lambda p: sw.optim.SGD([{"params": p}, {"params": [p[0]]}]), "twice"),
    "the same name twice": (lambda p: sw.optim.SGD([("w", p[0]), ("w", p[1])]), "two parameters"),
    "negative lr": (lambda p: sw.optim.SGD(p, lr=-1.0), "lr must be a number of at least 0"),
    "nan lr": (lambda p: sw.optim.SGD(p, lr=float("nan")), "lr"),
    "text lr": (lambda p: sw.optim.SGD(p, lr="fast"), "'fast'"),
    "beta of one": (lambda p: sw.optim.AdamW(p, betas=(0.9, 1.0)), r"AdamW: betas\[1\]"),
    "one number for betas": (lambda p: sw.optim.Lion(p, betas=0.9), "pair"),
    "a model": (lambda p: sw.optim.SGD(sw.nn.Linear(2, 1)), "not a model: pass model.parameters()"),
    "a model of models": (lambda p: sw.optim.SGD(sw.nn.Sequential()), "pass model.parameters()"),
    "a strange pair": (lambda p: sw.optim.SGD([("w", p[0], 1)]), "must be a Tensor, not tuple"),
    "one beta": (lambda p: sw.optim.Adam(p, betas=(0.9,)), "pair"),
    "unknown setting": (lambda p: sw.optim.SGD([{"params": p, "beta": 1}]), "no setting 'beta'"),
    "nesterov alone": (lambda p: sw.optim.SGD(p, nesterov=True), "nesterov needs momentum"),
    "late setting": (lambda p: sw.optim.SGD(p).param_groups[0].change({"mass": 1}), "no setting 'mass'"),
    "late bad value": (lambda p: sw.optim.Adam(p).param_groups[0].change({"eps": -1}), "eps"),
    "new params": (lambda p: sw.optim.Adam(p).param_groups[0].change({"params": p}), "add_param_group"),
    "wrong name": (lambda p: sw.optim.get("adamm"), "did you mean 'adam'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_told_in_one_line(case):
    function, message = WRONG[case]
    with pytest.raises(ArgumentError, match=message) as caught:
        function(parameters())
    assert "\n" not in str(caught.value)


def test_integer_parameters_and_schedules_of_many_numbers_are_told():
    with pytest.raises(DtypeError, match="int64"):
        sw.optim.SGD([sw.tensor([1, 2])])
    w = sw.tensor([1.0], requires_grad=True)
    w.grad = sw.tensor([1.0])
    with pytest.raises(ShapeError, match="one number"):
        sw.optim.SGD([w], lr=lambda step: sw.tensor([1.0, 2.0])).step()


def test_a_bad_setting_leaves_the_group_as_it_was():
    optimizer = sw.optim.Adam(parameters(), lr=0.5)
    before = repr(optimizer)
    with pytest.raises(ArgumentError):
        optimizer.param_groups[0].change({"weight_decay": 0.1, "lr": -1})
    assert repr(optimizer) == before


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    params = parameters()
    optimizer = sw.optim.Adam(params, lr=0.5)
    good = optimizer.state_dict()
    bad = {
        "belongs to the optimizer 'SGD'": sw.optim.SGD(parameters()).state_dict(),
        "max_exp_avg_sq": sw.optim.Adam(parameters(), amsgrad=True).state_dict(),
        "float32": sw.optim.Adam(parameters(np.float32)).state_dict(),
        "schedule": sw.optim.Adam(parameters(), lr=lambda step: step).state_dict(),
        "betas": {**good, "groups.0.settings": {**good["groups.0.settings"], "betas": [1, 2]}},
        "no setting 'mass'": {**good, "groups.0.settings": {"mass": 1}},
        "has no 'step'": {key: value for key, value in good.items() if key != "step"},
    }
    for message, state in bad.items():
        with pytest.raises(ArgumentError, match=message):
            optimizer.load_state_dict(state)
    assert optimizer.lr == 0.5
