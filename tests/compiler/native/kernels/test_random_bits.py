"""Philox as machine code."""

import numpy as np
import pytest

from slopewise.compiler.native.kernels.random_bits import KERNELS
from slopewise.engine.random import random_words


def address(seed, stream, call):
    return np.array([seed & 0xFFFFFFFF, seed >> 32, stream, call], np.uint32)


@pytest.mark.parametrize("shape", [(), (1,), (31,), (32,), (33,), (7, 5, 3), (64, 128)])
def test_the_bits_are_the_interpreters(check_exact, shape):
    check_exact(KERNELS["random_bits"], "random_bits", address(1 << 40 | 7, 3, 9), shape=shape)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**64 - 1, 0x123456789ABCDEF0])
def test_every_word_of_the_address_counts(run_kernel, seed):
    for stream, call in ((0, 0), (0xFFFFFFFF, 1), (5, 0xFFFFFFFF)):
        words = run_kernel(KERNELS["random_bits"], "random_bits", address(seed, stream, call), shape=(40,))
        np.testing.assert_array_equal(words, random_words(40, seed, stream, call))


def test_the_address_is_read_from_any_arrangement(check_exact, arrangements):
    for arranged in arrangements(address(99, 1, 2)):
        check_exact(KERNELS["random_bits"], "random_bits", arranged, shape=(50,))
