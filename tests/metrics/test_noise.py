"""Intervals of scores: known values, coverage, and the same bits from the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import random_words
from slopewise.metrics import bootstrap_interval, mean_interval, wilson_interval
from slopewise.metrics.noise import _draw


@pytest.mark.parametrize(
    ("correct", "rows", "expected"),
    [
        # R: binom::binom.confint(..., methods = "wilson")
        (0, 10, (0.0, 0.2775328)),
        (5, 10, (0.2365931, 0.7634069)),
        (9, 10, (0.5958500, 0.9821238)),
        (10, 10, (0.7224672, 1.0)),
        (50, 100, (0.4038315, 0.5961685)),
    ],
)
def test_wilson_interval_has_its_textbook_values(correct, rows, expected):
    assert wilson_interval(correct, rows) == pytest.approx(expected, abs=1e-7)


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_interval_holds_the_share_and_stays_within_0_and_1(rows, share, confidence):
    correct = round(share * rows)
    low, high = wilson_interval(correct, rows, confidence=confidence)
    assert 0 <= low <= correct / rows <= high <= 1
    assert low < high


def mean_of(values):
    return lambda weight: float(np.average(values, weights=weight))


def test_bootstrap_of_a_mean_agrees_with_the_normal_interval():
    values = np.sort(random_words(400, seed=3) / 2**32)
    low, high = bootstrap_interval(mean_of(values), len(values))
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=half / 5)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values = np.arange(30.0)
    first = bootstrap_interval(mean_of(values), 30, seed=1)
    assert first == bootstrap_interval(mean_of(values), 30, seed=1)
    assert first != bootstrap_interval(mean_of(values), 30, seed=2)


def test_resamples_without_a_score_are_left_out():
    def only_if_the_first_row_was_drawn(weight):
        return float(weight[0]) if weight[0] else float("nan")

    low, _ = bootstrap_interval(only_if_the_first_row_was_drawn, 5)
    assert low >= 1
    assert np.isnan(bootstrap_interval(lambda weight: float("nan"), 5)).all()


def test_several_scores_are_measured_on_the_same_draws():
    values = np.arange(30.0)
    both = bootstrap_interval(lambda weight: [np.average(values, weights=weight), np.nan], 30)
    assert (both[0][0], both[1][0]) == bootstrap_interval(mean_of(values), 30)
    assert np.isnan([both[0][1], both[1][1]]).all()


def test_a_large_table_gets_fewer_resamples_and_the_same_interval():
    values = random_words(200_000, seed=3) / 2**32
    drawn = []

    def mean(weight):
        drawn.append(weight.sum())
        return np.average(values, weights=weight)

    low, high = bootstrap_interval(mean, len(values))
    assert drawn == [200_000.0] * 50
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half, rel=0.3)
    assert low < values.mean() < high


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson_interval(3, 2),
        lambda: wilson_interval(0, 0),
        lambda: wilson_interval(1, 2, confidence=1.0),
        lambda: bootstrap_interval(lambda weight: 0.0, 0),
        lambda: bootstrap_interval(lambda weight: 0.0, 5, confidence=95),
    ],
)
def test_arguments_outside_of_their_range_are_refused(call):
    with pytest.raises(ArgumentError):
        call()


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_mean_is_that_of_its_bootstrap_without_the_draws(seed):
    """Of skewed values too, in each bound to a tenth of the width: what two thousand resamples differ by."""
    uniform = (random_words(3000, seed=seed) + 0.5) / 2**32
    values = -(np.log(uniform) ** 3)  # of a skewness of 20
    drawn = bootstrap_interval(mean_of(values), len(values), resamples=2000, seed=seed)
    computed = mean_interval(values)
    assert computed == pytest.approx(drawn, abs=0.1 * (drawn[1] - drawn[0]))
    spread = [np.average(values, weights=_draw(len(values), seed, number)) for number in range(500)]
    half = (computed[1] - computed[0]) / 2
    assert half == pytest.approx(1.959964 * np.std(spread), rel=0.12)  # 500 draws tell it to 3 percent


def test_the_mean_of_few_values_is_drawn_as_before():
    values = random_words(50, seed=4) / 2**32
    assert mean_interval(values, seed=7) == bootstrap_interval(mean_of(values), 50, seed=7)
    with pytest.raises(ArgumentError):
        mean_interval([])
