"""argmax and argmin as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.arguments import KERNELS

SPECIAL = np.array([-np.inf, np.inf, np.nan, -0.0, 0.0, 1.0, -1.0])


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, 5, shape).astype(dtype)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint8", "int64", "bool"])
@pytest.mark.parametrize(("shape", "axis"), [((9,), 0), ((4, 10), 1), ((6, 70), 0), ((3, 5, 4), 1)])
def test_the_first_extreme_is_found(check_exact, name, dtype, shape, axis):
    x = numbers(shape, dtype)
    if dtype == "uint8":
        x += 250  # above the signed numbers
    check_exact(KERNELS[name], name, x, axis=axis)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [0, 1])
def test_nan_infinities_and_signed_zeros_are_as_in_numpy(check_exact, name, axis):
    x = np.random.default_rng(3).choice(SPECIAL, (60, 60)).astype(np.float32)
    x[:, :20] = np.where(np.isnan(x[:, :20]), 0, x[:, :20])  # some lines without NaN, either way
    x[:20] = np.where(np.isnan(x[:20]), 0, x[:20])
    check_exact(KERNELS[name], name, x, axis=axis)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_any_arrangement_is_searched(check_exact, arrangements, axis):
    for arranged in arrangements(numbers((5, 4, 3), "float32")):
        check_exact(KERNELS["argmax"], "argmax", arranged, axis=axis)
    check_exact(KERNELS["argmin"], "argmin", np.broadcast_to(numbers((5, 1), "int32"), (5, 6)), axis=0)
