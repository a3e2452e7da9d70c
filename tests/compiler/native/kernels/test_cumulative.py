"""cumsum and cumprod as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.cumulative import KERNELS


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((9,), 0), ((1, 7), 0), ((4, 10), 1), ((6, 70), 0), ((3, 5, 4), 1)]
)
def test_the_bits_are_numpys(check_exact, name, dtype, shape, axis):
    x = (np.random.default_rng(0).standard_normal(shape) * 3).astype(np.int64).astype(dtype)
    if x.dtype.kind == "f":
        x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    check_exact(KERNELS[name], name, x, axis=axis)


def test_any_arrangement_is_summed(check_exact, arrangements):
    x = np.random.default_rng(2).standard_normal((5, 4, 3)).astype("float32")
    for axis in range(3):
        for arranged in arrangements(x):
            check_exact(KERNELS["cumsum"], "cumsum", arranged, axis=axis)
    check_exact(KERNELS["cumsum"], "cumsum", np.broadcast_to(x[:, :1, 0], (5, 6)), axis=0)


def test_nan_and_infinity_stay_to_the_end(check_exact):
    check_exact(KERNELS["cumsum"], "cumsum", np.array([1.0, np.inf, 2.0, -np.inf, 3.0, np.nan]), axis=0)
