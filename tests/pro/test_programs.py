"""The programs that interview cards show, against the engine."""

import numpy as np
import pytest
from pro.decks.interview import programs
from pro.decks.interview.facts import facts

import slopewise as sw
from slopewise.engine.random import permutation

DRAW = np.random.Generator(np.random.Philox(41))


def test_what_a_card_shows_is_a_program():
    for source in vars(facts()["code"]).values():
        compile(source, "card", "exec")
        assert "type: ignore" not in source


def test_softmax():
    z = np.array([[1000.0, 1001.0], [-3.0, 2.0]])
    np.testing.assert_allclose(programs.softmax(z), sw.softmax(sw.tensor(z)).numpy(), rtol=1e-12)


def test_log_sum_exp():
    z = [1000.0, 999.0, -5.0]
    assert programs.log_sum_exp(z) == pytest.approx(sw.logsumexp(sw.tensor(np.array(z))).item())


def test_gradient_check_passes_a_right_gradient_and_catches_a_wrong_one():
    x = DRAW.normal(size=(2, 3))
    right = sw.grad(lambda v: sw.sum(sw.tanh(v)))(sw.tensor(x)).numpy()
    assert programs.gradient_check(lambda v: np.tanh(v).sum(), right, x) < 1e-8
    assert programs.gradient_check(lambda v: np.tanh(v).sum(), 2 * right, x) > 0.1


def test_folds_hold_each_row_out_once():
    rows = [(set(train), set(test)) for train, test in programs.folds(11, 4, permutation(11, 0, 0, 0))]
    assert sorted(row for _, test in rows for row in test) == list(range(11))
    assert all(train | test == set(range(11)) and not train & test for train, test in rows)


def test_auc_counts_ties_as_half():
    labels = np.array([0, 1, 0, 1, 1])
    scores = np.array([0.1, 0.4, 0.4, 0.8, 0.3])
    pairs = [(p > n) + (p == n) / 2 for p in scores[labels == 1] for n in scores[labels == 0]]
    assert programs.auc(scores, labels) == pytest.approx(np.mean(pairs))


def test_adam_takes_the_steps_of_ours():
    w = sw.tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = sw.optim.Adam([w], lr=1e-3)
    other, state = np.array([1.0, -2.0]), (0.0, 0.0)
    for t in range(1, 20):
        optimizer.zero_grad()
        sw.sum(w**4).backward()
        other, state = programs.adam(other, 4 * other**3, state, t)
        optimizer.step()
    np.testing.assert_allclose(other, w.numpy(), rtol=1e-6)


def test_fit_line_finds_the_line():
    x = np.linspace(-1, 1, 20)
    np.testing.assert_allclose(programs.fit_line(x, 3 * x - 2, 0.3, 500), (3, -2), atol=1e-6)


def test_layer_backward():
    x, w, g = DRAW.normal(size=(5, 3)), DRAW.normal(size=(4, 2)), DRAW.normal(size=(5, 2))
    _, pull = sw.vjp(lambda x, w: sw.relu(x @ w[:3] + w[3]), sw.tensor(x), sw.tensor(w))
    for ours, theirs in zip(programs.layer_backward(x, w, g), pull(sw.tensor(g)), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10)


def test_value_adds_up_what_comes_back_on_two_ways():
    a, b = programs.Value(3.0), programs.Value(-2.0)
    c = a * b + a
    (c * c).backward()
    by_engine = sw.grad(lambda a: (a * -2.0 + a) ** 2)(sw.tensor(3.0)).item()
    assert a.grad == pytest.approx(by_engine)
    assert b.grad == pytest.approx(2 * c.data * 3.0)


def test_a_reservoir_keeps_each_row_equally_often():
    counts = np.zeros(6)
    draw = np.random.Generator(np.random.Philox(42))
    for _ in range(6000):
        counts[programs.reservoir(range(6), 2, lambda n: int(draw.integers(n)))] += 1
    np.testing.assert_allclose(counts / 6000, np.full(6, 1 / 3), atol=0.03)
