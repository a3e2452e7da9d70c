"""Philox against the known-answer tests of Random123, and the properties of an address."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.random import order_of, permutation, philox, random_keys, random_words

KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, answer):
    words = tuple(np.array([int(word, 16)], np.uint64) for word in counter.split())
    key0, key1 = (int(word, 16) for word in key.split())
    assert " ".join(f"{int(word[0]):08x}" for word in philox(words, (key0, key1))) == answer


def test_an_address_gives_the_same_bits_whatever_the_length():
    assert (random_words(1000, seed=7)[:10] == random_words(10, seed=7)).all()


@pytest.mark.parametrize("other", [{"seed": 8}, {"stream": 1}, {"call": 1}])
def test_another_address_gives_other_bits(other):
    here = {"seed": 7, "stream": 0, "call": 0}
    assert (random_words(100, **here) != random_words(100, **{**here, **other})).mean() > 0.9


@pytest.mark.parametrize("size", [0, 1, 2, 1000])
def test_a_permutation_holds_each_index_once(size):
    assert sorted(permutation(size, seed=3)) == list(range(size))


def test_positions_of_permutations_are_uniform():
    counts = np.zeros((4, 4))
    for epoch in range(2000):
        counts[np.arange(4), permutation(4, seed=0, call=epoch)] += 1
    # chi-squared with 9 degrees of freedom: 27.9 is its 99.9th percentile
    assert ((counts - 500) ** 2 / 500).sum() < 27.9


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000, 4097])
def test_a_permutation_sorts_its_random_keys(size):
    keys = random_keys(size, seed=5, stream=2, call=9)
    assert (permutation(size, seed=5, stream=2, call=9) == np.argsort(keys, kind="stable")).all()


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(0, 58))
def test_equal_and_nearly_equal_keys_keep_the_order_of_a_stable_sort(small, shift):
    keys = np.array(small, np.uint64) << np.uint64(shift)
    assert (order_of(keys) == np.argsort(keys, kind="stable")).all()
