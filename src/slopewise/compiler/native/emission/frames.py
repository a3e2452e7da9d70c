"""What a thread hands to the code: the layout of frames and of the control block.

A frame is an array of i64: the pointer of the control block, the thread's number, the pointer of the arena,
how many steps to make, when to stop (nanoseconds of the monotonic clock, 0 for never), how many steps were
made, and then a pointer for each input, output and constant.

The control block is shared: the number of an error and what it speaks of, whether to stop, and the barrier.
"""

from __future__ import annotations

from llvmlite import ir

from slopewise.compiler.native.emission.barrier import BARRIER_BYTES
from slopewise.compiler.native.emission.loops import I64, POINTER

CONTROL, THREAD, ARENA, COUNT, DEADLINE, DONE, SLOTS = range(7)
STOP_OFFSET = 16
BARRIER_OFFSET = 64
CONTROL_BYTES = BARRIER_OFFSET + BARRIER_BYTES


def aligned(n_bytes: int) -> int:
    """Round up to whole cache lines."""
    return -(-n_bytes // 64) * 64


def at(builder: ir.IRBuilder, pointer: ir.Value, offset: int) -> ir.Value:
    """Return the pointer some bytes on."""
    if not offset:
        return pointer
    return builder.gep(pointer, [I64(offset)], inbounds=True, source_etype=ir.IntType(8))


def load(builder: ir.IRBuilder, frame: ir.Value, place: int) -> ir.Value:
    """Read an i64 of a frame."""
    return builder.load(at(builder, frame, 8 * place), typ=I64)


def load_pointer(builder: ir.IRBuilder, frame: ir.Value, place: int) -> ir.Value:
    """Read a pointer of a frame."""
    return builder.load(at(builder, frame, 8 * place), typ=POINTER)
