"""Windows, as a view and copied, and overlap_add as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.kernels.windows import KERNELS, view_windows
from slopewise.engine.primitive import TABLE

CASES = [
    ((9,), (3,), (1,), (1,)),
    ((20,), (2,), (2,), (1,)),
    ((2, 3, 12, 12), (2, 2), (2, 2), (1, 1)),
    ((2, 11, 10), (3, 2), (2, 3), (1, 2)),
    ((5, 7), (1,), (1,), (1,)),
    ((2, 5, 6, 7), (2, 3, 2), (1, 2, 3), (2, 1, 1)),
    ((4, 5), (5,), (1,), (1,)),
]


def settings(window, stride, dilation):
    return {"window": window, "stride": stride, "dilation": dilation}


@pytest.mark.parametrize(("shape", "window", "stride", "dilation"), CASES)
def test_windows_are_a_view(shape, window, stride, dilation):
    x = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    view = view_windows(
        View.whole(Storage(Place.INPUT, 0, x.dtype, x.size), shape), settings(window, stride, dilation)
    )
    strides = tuple(4 * step for step in view.strides)
    seen = np.lib.stride_tricks.as_strided(x, view.shape, strides)
    np.testing.assert_array_equal(seen, TABLE["windows"].compute(x, window, stride, dilation))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize(("shape", "window", "stride", "dilation"), CASES)
def test_windows_are_copied(check_exact, dtype, shape, window, stride, dilation):
    x = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    check_exact(KERNELS["windows"], "windows", x, **settings(window, stride, dilation))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize(("shape", "window", "stride", "dilation"), CASES)
def test_windows_add_up_where_they_overlap(check_exact, arrangements, dtype, shape, window, stride, dilation):
    space = shape[len(shape) - len(window) :]
    avals = TABLE["windows"].compute(np.zeros(shape, dtype), window, stride, dilation).shape
    x = (np.random.default_rng(0).standard_normal(avals) * 10).astype(dtype)
    for arranged in arrangements(x) if dtype == "float32" else [x]:
        check_exact(
            KERNELS["overlap_add"], "overlap_add", arranged, space=space, stride=stride, dilation=dilation
        )


def test_no_window_adds_up_to_zeros(check_exact):
    x = np.zeros((2, 0, 5), "float32")
    check_exact(KERNELS["overlap_add"], "overlap_add", x, space=(3,), stride=(1,), dilation=(1,))
