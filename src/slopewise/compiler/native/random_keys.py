"""Random 64-bit numbers for shuffling, in machine code: the bits of `slopewise.engine.random.random_keys`.

One function serves any number of keys, so that no data set waits for a compilation of its own.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from slopewise.compiler.native.emission.loops import I32, I64, POINTER, Emitter
from slopewise.compiler.native.kernels.random_bits import BLOCKS, Philox, interleave
from slopewise.compiler.native.machine.cache import compile_cached
from slopewise.compiler.native.machine.toolchain import host
from slopewise.engine.random import Words

_KEYS = 2 * BLOCKS  # how many one turn of the loop makes


def random_keys(size: int, seed: int, stream: int = 0, call: int = 0) -> Words:
    """Return `size` random 64-bit numbers from the address (seed, stream, call).

    Returns
    -------
    uint64 array, shape (size,)

    Raises
    ------
    ToolchainError
        If machine code cannot be made here.

    Examples
    --------
    >>> from slopewise.engine import random
    >>> bool((random_keys(100, seed=7) == random.random_keys(100, seed=7)).all())
    True
    """
    keys = np.empty(-(-size // _KEYS) * _KEYS, np.uint64)
    address = (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, stream & 0xFFFFFFFF, call & 0xFFFFFFFF)
    _function()(keys.ctypes.data, keys.size, *address)
    return keys[:size]


@cache
def _function() -> Any:
    code = compile_cached(_module_text())
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 5)
    function = kind(code.address("random_keys"))
    function.code = code  # type: ignore[attr-defined]  # its addresses hold as long as it is referenced
    return function


def _module_text() -> str:
    """Return the IR of `random_keys(keys, size, key's low word, its high word, stream, call)`."""
    module = ir.Module("random_keys")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, *[I64] * 5]), "random_keys")
    keys, size, *address = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, host().vector_bytes, ir.Constant(I64, 0), 1, keys)
    philox = Philox(builder, address)
    with emitter.loop(0, size, _KEYS) as first:
        w0, w1, w2, w3 = philox.blocks(builder.lshr(first, ir.Constant(I64, 1)))
        words = interleave(builder, [w1, w0, w3, w2])  # a key's lower half lies first
        place = builder.gep(keys, [builder.shl(first, ir.Constant(I64, 1))], source_etype=I32)
        builder.store(words, place, align=8)
    builder.ret_void()
    return str(module)
