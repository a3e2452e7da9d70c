"""Random keys in machine code have the bits of the engine's."""

import pytest

from slopewise.compiler.native.random_keys import random_keys
from slopewise.engine import random

ADDRESSES = [(0, 0, 0), (123456789012345678, 5, 7), (-1, 2**32 - 1, 2**32 - 1)]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 5000])
def test_keys_are_those_of_the_engine(size, address):
    keys = random_keys(size, *address)
    assert keys.shape == (size,)
    assert (keys == random.random_keys(size, *address)).all()
