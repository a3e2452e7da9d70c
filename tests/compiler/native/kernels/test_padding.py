"""pad and concatenate as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.padding import KERNELS

DTYPES = ["float32", "int64", "bool"]


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(1, 100, shape).astype(dtype)


PADS = [
    ((5,), (2,), (3,), (0,)),
    ((5,), (0,), (0,), (2,)),
    ((5,), (0,), (0,), (0,)),
    ((), (), (), ()),
    ((4, 7), (1, 2), (0, 3), (0, 0)),
    ((4, 7), (1, 2), (2, 3), (2, 1)),
    ((2, 3, 20, 20), (0, 0, 1, 1), (0, 0, 1, 1), (0, 0, 0, 0)),
    ((2, 3, 4, 4), (0, 0, 0, 0), (0, 0, 1, 1), (0, 0, 1, 1)),
    ((2, 3, 4), (0, 2, 0), (0, 1, 0), (0, 0, 0)),
    ((0, 3), (2, 1), (1, 0), (0, 0)),
    ((3, 0), (1, 1), (1, 1), (2, 2)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "before", "after", "inner"), PADS)
def test_zeros_surround_and_part_the_elements(check_exact, dtype, shape, before, after, inner):
    check_exact(KERNELS["pad"], "pad", numbers(shape, dtype), before=before, after=after, inner=inner)


def test_any_arrangement_is_padded(check_exact, arrangements):
    widths = {"before": (0, 1, 2), "after": (0, 0, 1), "inner": (0, 1, 0)}
    for arranged in arrangements(numbers((3, 4, 5), "float32")):
        check_exact(KERNELS["pad"], "pad", arranged, **widths)
    check_exact(KERNELS["pad"], "pad", np.broadcast_to(np.float32(3), (3, 4, 5)), **widths)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shapes", "axis"),
    [
        ([(3,), (4,), (40,)], 0),
        ([(3,), (0,), (1,)], 0),
        ([(3, 5), (2, 5)], 0),
        ([(3, 5), (3, 2), (3, 0), (3, 33)], 1),
        ([(2, 3, 4), (2, 1, 4)], 1),
        ([(1, 3), (1, 2)], 1),
        ([(2, 3, 4)], 2),
    ],
)
def test_parts_are_joined(check_exact, dtype, shapes, axis):
    parts = [numbers(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    check_exact(KERNELS["concatenate"], "concatenate", *parts, axis=axis)


def test_parts_of_any_arrangement_are_joined(check_exact, arrangements):
    for axis in range(3):
        first = numbers((2, 3, 4), "float32")
        for part in arrangements(numbers((2, 3, 4), "float32", 1)):
            check_exact(KERNELS["concatenate"], "concatenate", first, part, axis=axis)
        check_exact(
            KERNELS["concatenate"], "concatenate", np.broadcast_to(first[:1], (2, 3, 4)), first, axis=axis
        )
