"""manual_seed: what is made depends on the seed and its place in the order, and on nothing else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError, TraceError
from slopewise.engine.seeding import current_seed, draw_normal, draw_uniform, take_stream


def test_the_same_seed_gives_the_same_draws():
    sw.manual_seed(5)
    first = draw_uniform((100,)), draw_normal((100,))
    sw.manual_seed(5)
    second = draw_uniform((100,)), draw_normal((100,))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_other_seeds_and_later_draws_are_others():
    sw.manual_seed(5)
    first, later = draw_uniform((100,)), draw_uniform((100,))
    sw.manual_seed(6)
    other = draw_uniform((100,))
    assert len({first[0], later[0], other[0]}) == 3


def test_a_draw_does_not_depend_on_the_size_of_the_one_before():
    sw.manual_seed(5)
    draw_uniform((3,))
    small = draw_uniform((10,))
    sw.manual_seed(5)
    draw_uniform((3000,))
    assert np.array_equal(draw_uniform((10,)), small)


def test_streams_count_up_and_manual_seed_starts_again():
    sw.manual_seed(2**64 - 1)
    assert [take_stream() for _ in range(3)] == [(2**64 - 1, i) for i in range(3)]
    sw.manual_seed(0)
    assert take_stream() == (0, 0)


def test_a_new_thread_begins_with_seed_0_and_leaves_this_context_alone():
    sw.manual_seed(9)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_seed).result() == 0
        pool.submit(sw.manual_seed, 4).result()
    assert current_seed() == 9


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1", True, None])
def test_a_seed_that_is_none_is_an_error(seed):
    with pytest.raises(ArgumentError, match="a seed must be an integer"):
        sw.manual_seed(seed)


def test_numpy_integers_are_seeds():
    sw.manual_seed(np.int64(3))
    assert current_seed() == 3


def test_uniform_draws_are_uniform():
    sw.manual_seed(0)
    counts = np.histogram(draw_uniform((20000,)), 20, (0, 1))[0]
    # chi-squared with 19 degrees of freedom: 43.8 is its 99.9th percentile
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8


def test_normal_draws_have_the_moments_of_the_normal_distribution():
    sw.manual_seed(0)
    x = draw_normal((200, 200))
    # standard errors of mean, variance, skewness and kurtosis of n normal numbers
    n = x.size
    z = (x - x.mean()) / x.std()
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((z**3).mean()) < 4 * np.sqrt(6 / n)
    assert abs((z**4).mean() - 3) < 4 * np.sqrt(24 / n)


def test_drawing_nothing_is_possible():
    assert draw_uniform((0, 3)).shape == (0, 3)
    assert draw_normal(()).shape == ()


@pytest.mark.parametrize("draw", [sw.nn.initializers.normal, sw.nn.initializers.uniform])
def test_a_compiled_function_cannot_draw_numbers_that_it_would_repeat(draw):
    @sw.compile
    def noisy(x):
        return x + draw((2,))

    with pytest.raises(
        TraceError, match=r"each call of it would have the same numbers, at .*test_seeding\.py"
    ):
        noisy(sw.zeros((2,)))
    x = sw.tensor([1.0, 2.0], requires_grad=True)
    assert sw.checkpoint(lambda x: (x * draw((2,))).sum())(x).item() != 0  # a graph for one call: no harm
