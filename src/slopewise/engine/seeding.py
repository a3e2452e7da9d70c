"""The seed of initialisers and random modules, and the streams that they draw from.

A draw takes the next stream of the current seed; `manual_seed` starts the count again. Nothing is consumed
but stream numbers, so that a weight depends on the seed and on its place in the order of creation, and on
nothing else.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.aval import Shape
from slopewise.engine.errors import ArgumentError, TraceError
from slopewise.engine.mode import current_mode
from slopewise.engine.random import random_words


class Seeding(NamedTuple):
    """A seed, and the stream that the next draw takes."""

    seed: int = 0
    next_stream: int = 0


_current: ContextVar[Seeding] = ContextVar("slopewise_seeding", default=Seeding())  # noqa: B039 (immutable)


def check_seed(seed: int) -> int:
    """Return a seed as an int, or raise an error if it is not one in [0, 2**64)."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ArgumentError(f"a seed must be an integer from 0 to 2**64 - 1, not {seed!r}")
    return int(seed)


def manual_seed(seed: int) -> None:
    """Seed what is made from now on: initial weights, and the streams of random modules such as Dropout.

    Models that exist already do not change. The seed is 0 until this is called, and belongs to the context: a
    new thread begins with 0 again.

    Parameters
    ----------
    seed : int in [0, 2**64)

    Raises
    ------
    ArgumentError
        If the seed is not such an integer.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.manual_seed(1)
    >>> first = sw.nn.Linear(3, 2)
    >>> sw.manual_seed(1)
    >>> again = sw.nn.Linear(3, 2)
    >>> bool((first.weight.numpy() == again.weight.numpy()).all())
    True
    """
    _current.set(Seeding(check_seed(seed), 0))


def current_seed() -> int:
    """Return the seed that the next draw uses."""
    return _current.get().seed


def take_stream() -> tuple[int, int]:
    """Return (seed, stream) for one more draw, and count it."""
    seed, stream = _current.get()
    _current.set(Seeding(seed, stream + 1))
    return seed, stream


# Initial values are call 0 of their stream; random modules count their calls from 1, so that the two never
# share an address.
INITIAL_CALL = 0


def draw_uniform(shape: Shape) -> NDArray[np.float64]:
    """Return numbers uniform in [0, 1) from the next stream, each of 53 random bits.

    Raises
    ------
    TraceError
        In a compiled function, which would keep the numbers of its first call.
    """
    return _uniform(shape, *_stream_of_a_draw())


def draw_normal(shape: Shape) -> NDArray[np.float64]:
    """Return standard normal numbers from the next stream.

    Source: G. Box, M. Muller, "A note on the generation of random normal deviates", Ann. Math. Stat. 29
    (1958).

    Raises
    ------
    TraceError
        In a compiled function, as for `draw_uniform`.
    """
    radius, angle = _uniform((2, *shape), *_stream_of_a_draw())
    return np.asarray(np.sqrt(-2.0 * np.log1p(-radius)) * np.cos(2.0 * np.pi * angle))


def _stream_of_a_draw() -> tuple[int, int]:
    trace = current_mode().trace
    if trace is not None and not trace.once:
        from slopewise.engine.trace import user_line

        raise TraceError(
            "a compiled function draws only once, and each call of it would have the same numbers, at "
            f"{user_line()}; draw outside and pass them in (nn.Dropout draws anew in each call)"
        )
    return take_stream()


def _uniform(shape: Shape, seed: int, stream: int) -> NDArray[np.float64]:
    size = int(np.prod(shape, dtype=np.int64))
    words = random_words(2 * size, seed, stream, INITIAL_CALL).astype(np.uint64)
    bits = (words[0::2] << np.uint64(21)) ^ (words[1::2] >> np.uint64(11))
    return (bits.astype(np.float64) * 2.0**-53).reshape(shape)
