"""Generated matrix products: every shape, arrangement, split and dtype gives the product."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slopewise as sw
from slopewise.compiler.native import program as programs
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.kernels.matmul import tile_heights
from slopewise.compiler.passes import optimize
from slopewise.engine.trace import trace_function


def run(function, *arrays, n_threads=1):
    """Run a function as machine code in which threads share all that they can."""
    graph = optimize(trace_function(function, tuple(map(sw.tensor, arrays))).graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_WORTH_SHARING", 0.0)
        patch.setattr(programs, "_BARRIER_COST", 0.0)
        made = Executable(graph, n_threads=n_threads)
        assert made.n_threads == n_threads or n_threads > 1
        return made(arrays)[0][0]


def assert_is_product(result, a, b):
    """Compare with float64; the bound is that of any order of additions."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    scale = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    eps = np.finfo(result.dtype).eps
    assert (np.abs(result - exact) <= 2 * eps * (a.shape[-1] + 8) * scale).all()


def draw(rng, dtype, *shape):
    return rng.uniform(-1, 1, shape).astype(dtype)


@given(
    sizes=st.tuples(*[st.integers(1, 70)] * 3),
    transpose=st.tuples(st.booleans(), st.booleans()),
    dtype=st.sampled_from([np.float32, np.float64]),
    n_threads=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_products_of_any_shape(sizes, transpose, dtype, n_threads):
    rows, inner, columns = sizes
    rng = np.random.default_rng(0)
    a, b = draw(rng, dtype, rows, inner), draw(rng, dtype, inner, columns)
    stored = [np.ascontiguousarray(x.T) if flip else x for x, flip in zip((a, b), transpose, strict=True)]

    def function(x, y):
        return (x.T if transpose[0] else x) @ (y.T if transpose[1] else y)

    assert_is_product(run(function, *stored, n_threads=n_threads), a, b)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_stacks_are_broadcast(n_threads):
    rng = np.random.default_rng(0)
    a, b = draw(rng, np.float32, 3, 1, 5, 7), draw(rng, np.float32, 4, 7, 9)
    result = run(lambda x, y: x @ y, a, b, n_threads=n_threads)
    assert result.shape == (3, 4, 5, 9)
    assert_is_product(result, a, b)


def test_integers_wrap_around():
    rng = np.random.default_rng(0)
    a, b = rng.integers(-(2**30), 2**30, (9, 20)), rng.integers(-(2**60), 2**60, (20, 11))
    np.testing.assert_array_equal(run(lambda x, y: x @ y, a, b), a @ b)


def test_an_empty_inner_axis_gives_zeros_and_an_empty_product_nothing():
    a, b = np.ones((3, 0), np.float32), np.ones((0, 4), np.float32)
    np.testing.assert_array_equal(run(lambda x, y: x @ y + 1.0, a, b), np.ones((3, 4)))
    assert run(lambda x, y: x @ y, np.ones((0, 3), np.float32), np.ones((3, 4), np.float32)).shape == (0, 4)


@pytest.mark.parametrize("columns", [1, 10, 32, 45])
def test_the_elementwise_work_behind_a_product_sees_its_own_place(columns):
    rng = np.random.default_rng(0)
    a, b = draw(rng, np.float32, 13, 8), draw(rng, np.float32, columns, 8)
    bias, gate = draw(rng, np.float32, columns), draw(rng, np.float32, 13, columns)
    result = run(lambda x, w, c, g: sw.where(g > 0.0, x @ w.T + c, g), a, b, bias, gate)
    np.testing.assert_allclose(result, np.where(gate > 0, a @ b.T + bias, gate), rtol=1e-5, atol=1e-6)


def test_nan_and_infinity_stay_where_they_belong():
    a, b = np.ones((5, 7), np.float32), np.ones((7, 10), np.float32)
    a[1, 2], b[3, 4] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(run(lambda x, y: x @ y, a, b), a @ b)


@given(st.integers(1, 5000), st.sampled_from([6, 12]))
def test_tiles_cover_all_rows_and_are_nearly_equal(rows, most):
    tiles = tile_heights(rows, most)
    assert sum(height * count for height, count in tiles) == rows
    heights = [height for height, _ in tiles]
    assert max(heights) <= most
    assert max(heights) - min(heights) <= 1
