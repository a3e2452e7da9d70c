"""Dropout, and what random modules share: an address of their own."""

from __future__ import annotations

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Shape
from slopewise.engine.creation import tensor
from slopewise.engine.mode import no_grad
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.randomness import random_bits
from slopewise.engine.seeding import INITIAL_CALL, check_seed, take_stream
from slopewise.engine.tensor import Tensor
from slopewise.nn.inputs import probability
from slopewise.nn.module import Module


class RandomModule(Module):
    """A module that draws random bits, from an address of its own: (seed, stream, call).

    The address is state: it is in the state dict, and `calls` counts the calls in training mode, so that a
    run that goes on from a saved state draws what it would have drawn. A state dict without it loads as well.

    Attributes
    ----------
    seed : buffer, uint32, shape (2,), the low and the high word
    stream : buffer, uint32, 0-d
    calls : buffer, uint32, 0-d

    Examples
    --------
    >>> import slopewise as sw
    >>> class Noise(sw.nn.RandomModule):
    ...     def forward(self, x):
    ...         uniform = self.draw_bits(x.shape).astype("float32") / 2.0**32
    ...         return x + (uniform - 0.5) if self.training else x
    >>> layer, x = Noise(), sw.tensor([0.0] * 100)
    >>> bool((abs(layer(x)) <= 0.5).numpy().all())
    True
    """

    optional_state = frozenset({"seed", "stream", "calls"})

    seed: Tensor
    stream: Tensor
    calls: Tensor

    def __init__(self) -> None:
        seed, stream = take_stream()
        self.register_buffer("seed", _seed_words(seed))
        self.register_buffer("stream", tensor(np.uint32(stream)))
        self.register_buffer("calls", tensor(np.uint32(INITIAL_CALL)))

    def draw_bits(self, shape: Shape) -> Tensor:
        """Count one more call and return its random bits, uint32 of the given shape."""
        with no_grad():
            self.calls.copy_(self.calls + 1)
            address = ops.concatenate([self.seed, self.stream.reshape((1,)), self.calls.reshape((1,))])
            bits: Tensor = apply(random_bits, address, shape=tuple(shape))
        return bits

    def readdress(self, seed: int, stream: int) -> None:
        """Give the module another address, and start its calls again."""
        with no_grad():
            self.seed.copy_(_seed_words(check_seed(seed)))
            self.stream.copy_(tensor(np.uint32(stream)))
            self.calls.copy_(tensor(np.uint32(INITIAL_CALL)))


def _seed_words(seed: int) -> Tensor:
    return tensor(np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32))


def reseed(model: Module, seed: int) -> None:
    """Let a seed alone govern the random modules of a model, such as Dropout; weights stay as they are.

    Streams are numbered in the order of `model.modules()`, and calls start again.

    Parameters
    ----------
    model : Module
    seed : int in [0, 2**64)

    Examples
    --------
    >>> import slopewise as sw
    >>> layer, x = sw.nn.Dropout(0.5), sw.tensor([1.0] * 100)
    >>> sw.nn.reseed(layer, 7)
    >>> first = layer(x)
    >>> sw.nn.reseed(layer, 7)
    >>> bool((layer(x) == first).numpy().all())
    True
    """
    random = [module for module in model.modules() if isinstance(module, RandomModule)]
    for stream, module in enumerate(random):
        module.readdress(seed, stream)


class Dropout(RandomModule):
    """In training mode, set each element to zero with probability p and divide the others by 1 - p.

    In evaluation mode, return the input.

    Parameters
    ----------
    p : probability of a zero, from 0 to 1; a step of 2⁻³²

    Notes
    -----
    Under `slopewise.vmap` all examples have one mask. Each call in training mode has a number, and its mask
    follows from (seed, stream, call): the same eager and compiled, and again when `slopewise.checkpoint`
    computes it a second time.
    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15
    (2014).

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.Dropout(0.5)
    >>> sorted(set(layer(sw.tensor([1.0] * 100)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(sw.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability("p", p)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        x = ops.floating(ops.as_tensor(x))
        bits = self.draw_bits(x.shape)
        threshold = round(self.p * 2**32)
        if threshold == 0:
            return x
        if threshold == 2**32:
            return ops.where(ops.less(bits, 0), x, 0.0)  # nothing is kept, and no gradient passes
        return ops.where(ops.greater_equal(bits, threshold), x / (1.0 - self.p), 0.0)

    def extra_repr(self) -> str:
        return f"p={self.p}"
