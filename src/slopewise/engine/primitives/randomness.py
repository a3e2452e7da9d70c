"""Random bits from an address, so that recomputation gives the same ones."""

from __future__ import annotations

import math

import numpy as np

from slopewise.engine.aval import Array, Aval, Shape
from slopewise.engine.errors import ShapeError
from slopewise.engine.primitive import Primitive, define
from slopewise.engine.primitives.rules import batch_by_loop
from slopewise.engine.random import random_words

UINT32 = np.dtype(np.uint32)


def _infer_random_bits(address: Aval, shape: Shape) -> Aval:
    if address != Aval((4,), UINT32):
        raise ShapeError(
            f"'random_bits' needs an address uint32[4] (seed low, seed high, stream, call), not {address}"
        )
    return Aval(shape, UINT32)


def _random_bits(address: Array, shape: Shape) -> Array:
    low, high, stream, call = map(int, address)
    return random_words(math.prod(shape), low | high << 32, stream, call).reshape(shape)


random_bits: Primitive = define(
    "random_bits",
    infer=_infer_random_bits,
    compute=_random_bits,
    vjp=None,
    batch=batch_by_loop("random_bits"),
    saves="",
)
