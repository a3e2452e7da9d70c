"""Gather, scatter and scatter_add as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.indexed import KERNELS
from slopewise.engine.errors import IndexOutOfRange

DTYPES = ["float32", "int16", "bool"]


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(-100, 100, shape).astype(dtype)


def indices(shape, size, seed=1):
    return np.random.default_rng(seed).integers(-size, size, shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 3, 30, 200])
def test_rows_are_gathered(check_exact, dtype, width):
    check_exact(KERNELS["gather"], "gather", numbers((9, width), dtype), indices((7,), 9), axes=(0,))


@pytest.mark.parametrize(
    ("shape", "axes", "index_shape"),
    [
        ((5,), (0,), ()),
        ((5,), (0,), (3, 2)),
        ((5, 4), (0, 1), (6,)),
        ((5, 4), (1, 0), (6,)),
        ((5, 4), (1,), (3,)),
        ((5, 4, 3), (1,), (2, 3)),
        ((5, 4, 3), (2, 0), (2, 3)),
        ((2, 3, 4, 5), (1, 2), (1, 7)),
        ((5, 1, 1), (0,), (4,)),
    ],
)
def test_any_axes_are_gathered_from_any_arrangement(check_exact, arrangements, shape, axes, index_shape):
    table = numbers(shape, "float32")
    picks = [indices(index_shape, shape[axis], seed) for seed, axis in enumerate(axes)]
    for arranged in arrangements(table):
        check_exact(KERNELS["gather"], "gather", arranged, *picks, axes=axes)
    for arranged in arrangements(picks[-1]):
        check_exact(KERNELS["gather"], "gather", table, *picks[:-1], arranged, axes=axes)


def test_a_row_that_is_broadcast_is_gathered(check_exact):
    table = np.broadcast_to(numbers((9, 1), "float64"), (9, 37))
    check_exact(KERNELS["gather"], "gather", table, indices((5,), 9), axes=(0,))
    one = np.broadcast_to(np.int64(3), (4, 2))
    check_exact(KERNELS["gather"], "gather", numbers((5, 6), "int32"), one, axes=(0,))


@pytest.mark.parametrize("bad", [5, -6, 2**62, -(2**63)])
def test_an_index_out_of_range_is_named(run_kernel, bad):
    table, index = numbers((4, 5), "float32"), np.array([0, -5, bad, 99])
    with pytest.raises(IndexOutOfRange, match=rf"^index {bad} is out of range for axis 1 of size 5$"):
        run_kernel(KERNELS["gather"], "gather", table, index, axes=(1,))


def test_a_table_without_rows_has_no_index(run_kernel):
    with pytest.raises(IndexOutOfRange, match=r"^index 0 is out of range for axis 0 of size 0$"):
        run_kernel(KERNELS["gather"], "gather", np.zeros((0, 3), "float32"), np.array([0, 0]), axes=(0,))


SCATTERS = [
    ((5,), (0,), (12,)),
    ((5,), (0,), ()),
    ((5, 4), (0,), (9,)),
    ((5, 4), (1,), (9,)),
    ((5, 4), (0, 1), (3, 5)),
    ((5, 4), (1, 0), (30,)),
    ((6, 37), (0,), (4, 3)),
    ((4, 3, 5), (1,), (2, 2)),
    ((4, 3, 5), (2, 0), (8,)),
    ((3, 4), (0,), (0,)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axes", "index_shape"), SCATTERS)
def test_updates_of_one_place_add_up(check_exact, dtype, shape, axes, index_shape):
    picks = [indices(index_shape, shape[axis], seed) for seed, axis in enumerate(axes)]
    rest = tuple(n for axis, n in enumerate(shape) if axis not in axes)
    updates = numbers(index_shape + rest, dtype)
    check_exact(KERNELS["scatter_add"], "scatter_add", updates, *picks, axes=axes, shape=shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axes", "index_shape"), SCATTERS)
def test_the_last_update_of_a_place_wins(check_exact, dtype, shape, axes, index_shape):
    picks = [indices(index_shape, shape[axis], seed) for seed, axis in enumerate(axes)]
    rest = tuple(n for axis, n in enumerate(shape) if axis not in axes)
    x, updates = numbers(shape, dtype, 5), numbers(index_shape + rest, dtype)
    check_exact(KERNELS["scatter"], "scatter", x, updates, *picks, axes=axes)


def test_updates_are_read_from_any_arrangement(check_exact, arrangements):
    x, updates, pick = numbers((6, 5), "float32"), numbers((3, 4, 5), "float32", 7), indices((3, 4), 6)
    for arranged in arrangements(updates):
        check_exact(KERNELS["scatter"], "scatter", x, arranged, pick, axes=(0,))
        check_exact(KERNELS["scatter_add"], "scatter_add", arranged, pick, axes=(0,), shape=(6, 5))
    for arranged in arrangements(x):
        check_exact(KERNELS["scatter"], "scatter", arranged, updates, pick, axes=(0,))
    for arranged in arrangements(pick):
        check_exact(KERNELS["scatter_add"], "scatter_add", updates, arranged, axes=(0,), shape=(6, 5))
    one = np.broadcast_to(np.float32(1), (3, 4, 5))
    check_exact(KERNELS["scatter_add"], "scatter_add", one, pick, axes=(0,), shape=(6, 5))


def test_numbers_add_up_in_the_order_of_the_updates(check_exact):
    updates = np.random.default_rng(0).standard_normal(200).astype("float32")
    check_exact(KERNELS["scatter_add"], "scatter_add", updates, indices(200, 3), axes=(0,), shape=(3,))


@pytest.mark.parametrize("name", ["scatter", "scatter_add"])
def test_an_update_out_of_range_is_named(run_kernel, name):
    updates, index = np.ones((3, 4), "float32"), np.array([0, 7, -8])
    operands, params = (updates, index), {"shape": (5, 4)}
    if name == "scatter":
        operands, params = (np.zeros((5, 4), "float32"), *operands), {}
    for n_threads in (1, 3):
        with pytest.raises(IndexOutOfRange, match=r"^index 7 is out of range for axis 0 of size 5$"):
            run_kernel(KERNELS[name], name, *operands, axes=(0,), n_threads=n_threads, **params)
