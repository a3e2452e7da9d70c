"""Addressed randomness: Philox4x32-10, a function from (key, counter) to random bits.

Nothing is consumed: the same address gives the same bits, in any order and on any thread.

Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

# Philox's constants, for all targets: what counters are multiplied by, what is added to the keys each round
PHILOX_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
PHILOX_WEYL = (0x9E3779B9, 0xBB67AE85)
PHILOX_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, ...]:
    """Return four words of random bits for each counter.

    Parameters
    ----------
    counter : four uint64 arrays that broadcast together, each word below 2**32
    key : two words below 2**32

    Returns
    -------
    tuple of four uint64 arrays, each word below 2**32

    Examples
    --------
    The known-answer test of the Random123 library:

    >>> zero = np.zeros(1, np.uint64)
    >>> [f"{int(word[0]):08x}" for word in philox((zero, zero, zero, zero), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = (np.array(words) for words in np.broadcast_arrays(*counter))
    product0, product1 = np.empty_like(c0), np.empty_like(c0)
    k0, k1 = key
    for _ in range(PHILOX_ROUNDS):  # in place: new arrays would take half of the time
        np.multiply(c0, PHILOX_MULTIPLIERS[0], out=product0)
        np.multiply(c2, PHILOX_MULTIPLIERS[1], out=product1)
        np.right_shift(product1, _SHIFT, out=c0)
        c0 ^= c1
        c0 ^= np.uint64(k0)
        np.right_shift(product0, _SHIFT, out=c2)
        c2 ^= c3
        c2 ^= np.uint64(k1)
        np.bitwise_and(product1, _LOW, out=c1)
        np.bitwise_and(product0, _LOW, out=c3)
        k0 = (k0 + PHILOX_WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + PHILOX_WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def random_words(size: int, seed: int, stream: int = 0, call: int = 0) -> NDArray[np.uint32]:
    """Return `size` random 32-bit words from the address (seed, stream, call).

    Parameters
    ----------
    size : how many words
    seed : int, its low 64 bits are the key
    stream : int below 2**32, one per random module or purpose
    call : int below 2**32, one per call of that module

    Returns
    -------
    uint32 array, shape (size,)

    Examples
    --------
    >>> bool((random_words(8, seed=1) == random_words(10, seed=1)[:8]).all())
    True
    """
    blocks = -(-size // 4)
    index = np.arange(blocks, dtype=np.uint64)
    last = np.array([call & 0xFFFFFFFF, stream & 0xFFFFFFFF], dtype=np.uint64)
    counter = (index & _LOW, index >> _SHIFT, last[:1], last[1:])
    words = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    return np.stack(words, axis=-1).reshape(-1)[:size].astype(np.uint32)


# Streams that are no module's: modules count up from 0, these down from 2**32 - 1.
SHUFFLE_STREAM = 0xFFFFFFFF
SPLIT_STREAM = 0xFFFFFFFE
GENERATE_STREAM = 0xFFFFFFFD


def permutation(size: int, seed: int, stream: int = SHUFFLE_STREAM, call: int = 0) -> NDArray[np.int64]:
    """Return a uniformly random order of `size` things; for a shuffle, `call` is the epoch.

    Each thing draws 64 random bits and they are sorted, so an order is a pure function of its address.

    Returns
    -------
    int64 array, shape (size,)

    Examples
    --------
    >>> sorted(permutation(5, seed=0, call=3).tolist())
    [0, 1, 2, 3, 4]
    """
    return order_of(random_keys(size, seed, stream, call))


def random_keys(size: int, seed: int, stream: int = 0, call: int = 0) -> Words:
    """Return `size` random 64-bit numbers; each is two words of the address, the first its upper half.

    Returns
    -------
    uint64 array, shape (size,)
    """
    words = random_words(2 * size, seed, stream, call).astype(np.uint64)
    return words[0::2] << _SHIFT | words[1::2]


def order_of(keys: Words) -> NDArray[np.int64]:
    """Return the indices that sort keys; of equal keys the first comes first.

    The lowest bits of each key give way to its index, so that numbers are sorted and not indices by them,
    which is twice as fast. Keys that differ only there are then put in order by themselves: few, if random.

    Parameters
    ----------
    keys : uint64 array, shape (n,)

    Returns
    -------
    int64 array, shape (n,)

    Examples
    --------
    >>> order_of(np.array([7, 1 << 60, 6, 7], np.uint64))
    array([2, 0, 3, 1])
    """
    bits = np.uint64(max(keys.size - 1, 0).bit_length())
    low = (np.uint64(1) << bits) - np.uint64(1)
    packed = keys & ~low
    packed |= np.arange(keys.size, dtype=np.uint64)
    packed.sort()
    heads = packed >> bits
    packed &= low
    order = packed.view(np.int64)
    after = heads[1:] == heads[:-1]
    if after.any():
        tied = np.zeros(keys.size, bool)
        tied[1:] |= after
        tied[:-1] |= after
        members = order[tied]  # in the order of heads, so that sorting all of them at once keeps runs apart
        order[tied] = members[np.lexsort((members, keys[members]))]
    return order
