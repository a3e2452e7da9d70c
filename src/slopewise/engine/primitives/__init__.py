"""The table of primitives, of which everything else is composed.

A row states four things side by side: its shape and dtype rule, how NumPy computes it, its gradient rule and
its batching rule.

Gradient rules are written in tensors, so that the backward pass is an ordinary program: it can itself be
differentiated, traced and compiled. `g` is the gradient that comes in, `y` the result, the rest are the
operands. A rule that returns None says that the gradient is zero everywhere; where there is no rule, asking
for the gradient is an error.
"""

from slopewise.engine.primitives import (
    call,
    convolution,
    elementwise,
    host,
    indexed,
    loop,
    matrix,
    randomness,
    reductions,
    shapes,
    spectral,
)

__all__ = [
    "call",
    "convolution",
    "elementwise",
    "host",
    "indexed",
    "loop",
    "matrix",
    "randomness",
    "reductions",
    "shapes",
    "spectral",
]
