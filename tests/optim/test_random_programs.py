"""Random training programs: the same bits plain, as a graph of updates and interpreted; and machine code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slopewise as sw
from slopewise.optim import update_rule
from slopewise.optim.schedules import ExponentialDecay, WarmUp

N_PARAMETERS = 3

STEP = st.tuples(st.just("step"), st.sets(st.integers(0, N_PARAMETERS - 1), min_size=1))
ACTIONS = st.lists(
    st.one_of(
        STEP,
        STEP,
        STEP,
        st.tuples(st.just("accumulate"), st.sets(st.integers(0, N_PARAMETERS - 1), min_size=1)),
        st.tuples(st.just("freeze"), st.integers(0, N_PARAMETERS - 1)),
        st.tuples(st.just("thaw"), st.integers(0, N_PARAMETERS - 1)),
        st.tuples(st.just("lr"), st.sampled_from([0.01, 0.3, WarmUp(0.2, 3), ExponentialDecay(0.1, 0.9)])),
        st.tuples(st.just("weight_decay"), st.sampled_from([0.0, 0.1])),
        st.tuples(st.just("group"), st.none()),
        st.tuples(st.just("reload"), st.none()),
        st.tuples(st.just("write"), st.integers(0, N_PARAMETERS - 1)),
    ),
    min_size=10,
    max_size=20,
)


class Program:
    """Parameters, an optimizer over the first of them, and what can be done with them."""

    def __init__(self, name, target=None):
        self.target = target
        self.params = [sw.tensor(np.array([1.0 + i, -0.5]), requires_grad=True) for i in range(N_PARAMETERS)]
        self.optimizer = sw.optim.get(name)(self.params[:-1], lr=0.1)
        self.functions = {}

    def run(self, actions):
        for action, argument in actions:
            getattr(self, action)(argument)
        state = self.optimizer.state_dict()
        arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
        return arrays | {str(i): p.numpy() for i, p in enumerate(self.params)}

    def _call(self, kind, used, function):
        key = (kind, *sorted(used))
        if key not in self.functions:
            self.functions[key] = sw.compile(function, target=self.target) if self.target else function
        self.functions[key]()

    def _backward(self, used):
        terms = [(self.params[i] ** 2 * (i + 1)).sum() for i in sorted(used) if self.params[i].requires_grad]
        if terms:
            sum(terms[1:], terms[0]).backward()

    def step(self, used):
        def function():
            self.optimizer.zero_grad()
            self._backward(used)
            self.optimizer.step()

        if any(self.params[i].requires_grad for i in used):
            key = frozenset(i for i in used if self.params[i].requires_grad)
            self._call("step", key, function)

    def accumulate(self, used):
        self._backward(used)
        self.optimizer.step()

    def freeze(self, i):
        self.params[i].requires_grad_(False)

    def thaw(self, i):
        self.params[i].requires_grad_(True)

    def lr(self, value):
        self.optimizer.lr = value

    def weight_decay(self, value):
        self.optimizer.param_groups[-1]["weight_decay"] = value

    def group(self, _):
        if len(self.optimizer.param_groups) == 1:
            self.optimizer.add_param_group({"params": self.params[-1:], "lr": 0.05})

    def reload(self, _):
        self.optimizer.load_state_dict(self.optimizer.state_dict())

    def write(self, i):
        with sw.no_grad():
            self.params[i].copy_(self.params[i] * 0.5 + 1.0)


@pytest.mark.parametrize("name", ["sgd", "adam", "nadam", "radam"])
@settings(max_examples=25)
@given(ACTIONS)
def test_random_programs_give_the_same_bits_however_they_are_interpreted(name, actions):
    most = update_rule._MOST_ELEMENTS
    try:
        update_rule._MOST_ELEMENTS = 0
        plain = Program(name).run(actions)
    finally:
        update_rule._MOST_ELEMENTS = most
    for target in (None, "interpreter"):
        found = Program(name, target).run(actions)
        assert found.keys() == plain.keys()
        for key, value in plain.items():
            np.testing.assert_array_equal(found[key], value, err_msg=f"{key}, target={target}")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sgd", "adam"])
@settings(max_examples=4)  # each compiles a dozen steps
@given(ACTIONS)
def test_random_programs_give_the_same_numbers_as_machine_code(name, actions):
    plain, native = Program(name).run(actions), Program(name, "native").run(actions)
    assert native.keys() == plain.keys()
    for key, value in plain.items():
        np.testing.assert_allclose(native[key], value, rtol=1e-9, atol=1e-9, err_msg=key)
