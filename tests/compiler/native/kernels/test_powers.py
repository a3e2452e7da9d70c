"""Integer powers: the interpreter's values, and its refusal of a negative exponent wherever it stands."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.powers import KERNELS
from slopewise.engine.errors import SlopewiseError

POWER = KERNELS["pow"]


def numbers(shape, dtype, low, high, seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
@pytest.mark.parametrize("shape", [(), (1,), (37,), (5, 70)])
def test_powers_are_those_of_the_interpreter_overflow_included(check_exact, dtype, shape):
    check_exact(POWER, "pow", numbers(shape, dtype, -9, 9), numbers(shape, dtype, 0, 70, seed=1))


def test_operands_lie_in_any_arrangement(check_exact, arrangements):
    base, exponent = numbers((6, 33), "int32", -9, 9), numbers((6, 33), "int32", 0, 9, seed=1)
    for arranged in arrangements(exponent):
        check_exact(POWER, "pow", base, arranged)


@pytest.mark.parametrize("place", [0, 17, 36])
def test_a_negative_exponent_is_refused_wherever_it_stands(run_kernel, place):
    base, exponent = numbers(37, "int64", 1, 9), numbers(37, "int64", 0, 9, seed=1)
    exponent[place] = -1
    with pytest.raises(SlopewiseError, match=r"^pow: Integers to negative integer powers are not allowed\.$"):
        run_kernel(POWER, "pow", base, exponent)
